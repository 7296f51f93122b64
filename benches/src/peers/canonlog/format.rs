//! canonlog's `Logfmt` on a finished event: its part of a request that the hand-written line without a clock compares with.

use std::time::{Duration, SystemTime};

use canonlog::{EventType, Format, Level, Logfmt, OwnedEvent};

use crate::peers::Peer;
use crate::workload::{Input, REALISTIC, id, sink, uuid, uuid_text};

struct Formatted {
    event: OwnedEvent,
    format: Logfmt,
    line: Vec<u8>,
}

/// The event is made once; each request formats it.
pub fn make() -> Box<dyn Peer> {
    let input = Input::example();
    let time = Duration::from_micros(REALISTIC);
    let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::now());
    event.set("req_id", uuid_text(&uuid(id())));
    event.set("req_method", &input.method);
    event.set("req_path", &input.path);
    event.set("req_referrer", &input.referrer);
    event.set("req_user_agent", &input.user_agent);
    event.set("app_render_time", time);
    event.set("app_cache_time", time);
    event.set("app_cart_items", input.cart_items);
    event.set("app_cart_total", input.cart_total);
    event.set("app_plan", input.plan);
    event.set("resp_view", input.view);
    event.set("resp_time", time);
    event.set("resp_status", input.status);
    event.set("resp_size", input.size);
    event.set("db_queries", 3);
    event.set("db_time", time);
    Box::new(Formatted { event, format: Logfmt::new(), line: Vec::new() })
}

impl Peer for Formatted {
    #[inline(never)]
    fn request(&mut self, _: &Input) {
        self.line.clear();
        self.format.format(&std::hint::black_box(&self.event).view(), &mut self.line);
        self.line.push(b'\n');
        sink(&self.line);
    }
}
