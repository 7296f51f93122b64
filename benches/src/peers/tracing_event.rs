//! `tracing` with one event that has all fields, written as flat JSON by `tracing-subscriber`.

use std::sync::Once;

use tracing::info;

use super::Peer;
use super::by_hand::Sums;
use crate::workload::{Input, Sink, id, uuid, uuid_text};

/// Installs the subscriber of the process: flat JSON, the current span's fields, no list of spans.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(|| Sink)
            .init();
    });
}

struct OneEvent;

pub fn make() -> Box<dyn Peer> {
    install();
    Box::new(OneEvent)
}

impl Peer for OneEvent {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let mut sums = Sums::begin();
        let id = uuid(id());
        sums.work(input);
        info!(
            req_id = uuid_text(&id),
            req_method = input.method,
            req_path = input.path,
            req_referrer = input.referrer,
            req_user_agent = input.user_agent,
            app_cart_items = input.cart_items,
            app_cart_total = input.cart_total,
            app_plan = input.plan,
            app_render_time = sums.render(),
            app_cache_time = sums.cache(),
            resp_view = input.view,
            resp_time = sums.total(),
            resp_status = input.status,
            resp_size = input.size,
            db_queries = sums.queries,
            db_time = sums.database(),
            "request"
        );
    }
}
