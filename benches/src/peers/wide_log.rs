//! `wide-log`: fields set from anywhere through its macros, JSON from its own serializer into a reused buffer.

use std::cell::RefCell;

use super::Peer;
use super::by_hand::Sums;
use crate::workload::{Input, id, sink, uuid, uuid_text};

/// The schema's expansion, apart because it brings names of its own.
#[allow(dead_code, unused_macros, unused_imports)]
pub mod schema {
    use super::{Input, Sums, emit};
    use wide_log::wide_log;

    wide_log!({
        "req_method": null,
        "req_path": null,
        "req_referrer": null,
        "req_user_agent": null,
        "app_cart_items": null,
        "app_cart_total": null,
        "app_plan": null,
        "app_render_time": null,
        "app_cache_time": null,
        "resp_view": null,
        "resp_status": null,
        "resp_size": null,
        "db_queries": null,
        "db_time": null,
        "duration": { "total_us": duration! },
    });

    #[inline(never)]
    pub(super) fn request(input: &Input, id: &str) {
        // Its guard reads the clock for the duration; the sums' own beginning is not read again.
        let id = id.to_owned();
        let _guard = WideLogGuard::builder().with_id(move || id).with_emit(emit::<EventKey>).build();
        wl_set!("req_method", input.method.as_str());
        wl_set!("req_path", input.path.as_str());
        wl_set!("req_referrer", input.referrer.as_str());
        wl_set!("req_user_agent", input.user_agent.as_str());
        let mut sums = Sums::unbegun();
        sums.work(input);
        wl_set!("app_cart_items", input.cart_items);
        wl_set!("app_cart_total", input.cart_total);
        wl_set!("app_plan", input.plan);
        wl_set!("app_render_time", sums.render());
        wl_set!("app_cache_time", sums.cache());
        wl_set!("db_queries", sums.queries);
        wl_set!("db_time", sums.database());
        wl_set!("resp_view", input.view);
        wl_set!("resp_status", input.status);
        wl_set!("resp_size", input.size);
    }
}

fn emit<K: wide_log::Key>(event: &wide_log::WideEvent<K>) {
    thread_local! {
        static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    LINE.with_borrow_mut(|line| {
        line.clear();
        event.serialize_to(line).expect("a buffer takes everything");
        line.push(b'\n');
        sink(line);
    });
}

struct WideLog;

pub fn make() -> Box<dyn Peer> {
    Box::new(WideLog)
}

impl Peer for WideLog {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let id = uuid(id());
        schema::request(input, uuid_text(&id));
    }
}
