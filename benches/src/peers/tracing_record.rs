//! `tracing` as with `tower-http`: a span a request, fields recorded into it as they come, one event at the end.

use tracing::field::Empty;
use tracing::{Span, info, info_span};

use super::Peer;
use super::by_hand::Sums;
use super::tracing_event::install;
use crate::workload::{Input, id, uuid, uuid_text};

struct Recorded;

pub fn make() -> Box<dyn Peer> {
    install();
    Box::new(Recorded)
}

impl Peer for Recorded {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let mut sums = Sums::begin();
        let id = uuid(id());
        let span = info_span!(
            "request",
            req_id = uuid_text(&id),
            req_method = input.method,
            req_path = input.path,
            req_referrer = input.referrer,
            req_user_agent = input.user_agent,
            app_cart_items = Empty,
            app_cart_total = Empty,
            app_plan = Empty,
            app_render_time = Empty,
            app_cache_time = Empty,
            resp_view = Empty,
            resp_time = Empty,
            resp_status = Empty,
            resp_size = Empty,
            db_queries = Empty,
            db_time = Empty,
        );
        let entered = span.enter();
        sums.work(input);
        handler(input);
        let span = Span::current();
        span.record("app_render_time", sums.render());
        span.record("app_cache_time", sums.cache());
        span.record("resp_view", input.view);
        span.record("resp_status", input.status);
        span.record("resp_size", input.size);
        span.record("db_queries", sums.queries);
        span.record("db_time", sums.database());
        span.record("resp_time", sums.total());
        info!("request");
        drop(entered);
    }
}

/// Records from somewhere in the request.
#[inline(never)]
fn handler(input: &Input) {
    Span::current().record("app_cart_items", input.cart_items);
    Span::current().record("app_cart_total", input.cart_total);
    Span::current().record("app_plan", input.plan);
}
