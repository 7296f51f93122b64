//! `metrique`: a struct a request, its own stopwatches, JSON, written directly when the guard drops.
//!
//! Its time is a count of milliseconds, not a date.

use std::hint::black_box;
use std::sync::OnceLock;

use metrique::ServiceMetrics;
use metrique::json::Json;
use metrique::timers::{Stopwatch, Timer, Timestamp};
use metrique::unit::Microsecond;
use metrique::unit_of_work::metrics;
use metrique::writer::sink::AttachHandle;
use metrique::writer::{AttachGlobalEntrySinkExt, FormatExt, GlobalEntrySink};

use super::Peer;
use crate::workload::{Input, Sink, id, uuid, uuid_text};

#[metrics]
struct Request {
    #[metrics(timestamp)]
    timestamp: Timestamp,
    req_id: String,
    req_method: String,
    req_path: String,
    req_referrer: String,
    req_user_agent: String,
    app_cart_items: u64,
    app_cart_total: f64,
    app_plan: &'static str,
    #[metrics(unit = Microsecond)]
    app_render_time: Stopwatch,
    #[metrics(unit = Microsecond)]
    app_cache_time: Stopwatch,
    resp_view: &'static str,
    #[metrics(unit = Microsecond)]
    resp_time: Timer,
    resp_status: u64,
    resp_size: u64,
    db_queries: u64,
    #[metrics(unit = Microsecond)]
    db_time: Stopwatch,
}

struct Metrique;

pub fn make() -> Box<dyn Peer> {
    static HANDLE: OnceLock<AttachHandle> = OnceLock::new();
    HANDLE.get_or_init(|| ServiceMetrics::write_directly_to(Json::new().output_to_makewriter(|| Sink)));
    Box::new(Metrique)
}

impl Peer for Metrique {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let id = uuid(id());
        let mut event = Request {
            timestamp: Timestamp::now(),
            resp_time: Timer::start_now(),
            req_id: uuid_text(&id).to_owned(),
            req_method: input.method.clone(),
            req_path: input.path.clone(),
            req_referrer: input.referrer.clone(),
            req_user_agent: input.user_agent.clone(),
            app_cart_items: 0,
            app_cart_total: 0.0,
            app_plan: "",
            app_render_time: Stopwatch::new(),
            app_cache_time: Stopwatch::new(),
            resp_view: "",
            resp_status: 0,
            resp_size: 0,
            db_queries: 0,
            db_time: Stopwatch::new(),
        }
        .append_on_drop(ServiceMetrics::sink());
        for _ in 0..2 {
            let event = &mut *event;
            let _render = event.app_render_time.start();
            drop(event.app_cache_time.start());
            query(&mut event.db_queries, &mut event.db_time, input.queries[0]);
        }
        {
            let event = &mut *event;
            query(&mut event.db_queries, &mut event.db_time, input.queries[2]);
        }
        event.app_cart_items = input.cart_items;
        event.app_cart_total = input.cart_total;
        event.app_plan = input.plan;
        event.resp_view = input.view;
        event.resp_status = input.status;
        event.resp_size = input.size;
    }
}

#[inline]
fn query(queries: &mut u64, time: &mut Stopwatch, sql: &str) {
    let _time = time.start();
    black_box(sql);
    *queries += 1;
}
