//! A struct that derives `Serialize`, filled by hand and written by `serde_json` into a buffer that is reused.
//!
//! Nothing is ambient: the caller carries the values to the one place that writes.

use jiff::Timestamp;
use serde::Serialize;

use super::Peer;
use super::by_hand::Sums;
use crate::workload::{Input, id, sink, uuid, uuid_text};

#[derive(Serialize)]
struct Event<'a> {
    timestamp: Timestamp,
    req_id: &'a str,
    req_method: &'a str,
    req_path: &'a str,
    req_referrer: &'a str,
    req_user_agent: &'a str,
    app_cart_items: u64,
    app_cart_total: f64,
    app_plan: &'a str,
    app_render_time: u64,
    app_cache_time: u64,
    resp_view: &'a str,
    resp_time: u64,
    resp_status: u64,
    resp_size: u64,
    db_queries: u64,
    db_time: u64,
}

#[derive(Default)]
struct Json {
    buffer: Vec<u8>,
}

pub fn make() -> Box<dyn Peer> {
    Box::new(Json::default())
}

impl Peer for Json {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let mut sums = Sums::begin();
        let id = uuid(id());
        sums.work(input);
        let event = Event {
            timestamp: Timestamp::now(),
            req_id: uuid_text(&id),
            req_method: &input.method,
            req_path: &input.path,
            req_referrer: &input.referrer,
            req_user_agent: &input.user_agent,
            app_cart_items: input.cart_items,
            app_cart_total: input.cart_total,
            app_plan: input.plan,
            app_render_time: sums.render(),
            app_cache_time: sums.cache(),
            resp_view: input.view,
            resp_time: sums.total(),
            resp_status: input.status,
            resp_size: input.size,
            db_queries: sums.queries,
            db_time: sums.database(),
        };
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, &event).expect("a buffer takes everything");
        self.buffer.push(b'\n');
        sink(&self.buffer);
    }
}
