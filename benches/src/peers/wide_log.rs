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
        "req": { "method": null, "path": null, "referrer": null, "user_agent": null },
        "app": { "cart_items": null, "cart_total": null, "plan": null, "render_time": null, "cache_time": null },
        "resp": { "view": null, "status": null, "size": null },
        "db": { "queries": null, "time": null },
        "duration": { "total_us": duration! },
    });

    #[inline(never)]
    pub(super) fn request(input: &Input, id: &str) {
        // Its guard reads the clock for the duration; the sums' own beginning is not read again.
        let id = id.to_owned();
        let _guard = WideLogGuard::builder().with_id(move || id).with_emit(emit::<EventKey>).build();
        wl_set!("req.method", input.method.as_str());
        wl_set!("req.path", input.path.as_str());
        wl_set!("req.referrer", input.referrer.as_str());
        wl_set!("req.user_agent", input.user_agent.as_str());
        let mut sums = Sums::unbegun();
        sums.work(input);
        wl_set!("app.cart_items", input.cart_items);
        wl_set!("app.cart_total", input.cart_total);
        wl_set!("app.plan", input.plan);
        wl_set!("app.render_time", sums.render());
        wl_set!("app.cache_time", sums.cache());
        wl_set!("db.queries", sums.queries);
        wl_set!("db.time", sums.database());
        wl_set!("resp.view", input.view);
        wl_set!("resp.status", input.status);
        wl_set!("resp.size", input.size);
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
