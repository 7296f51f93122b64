//! `fastrace`: a root span with properties, a local span a section, one JSON line a trace.
//!
//! The caller only collects; the lines are made on a thread of its own, which [`Peer::settle`] waits for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::prelude::*;
use jiff::Timestamp;

use super::Peer;
use crate::workload::{Input, REALISTIC, id, sink};

struct Fastrace;

pub fn make() -> Box<dyn Peer> {
    static ONCE: Once = Once::new();
    // The interval is long: `settle` alone reports, so that it does not happen inside somebody else's batch.
    let config = || Config::default().report_interval(Duration::from_secs(3_600));
    ONCE.call_once(|| fastrace::set_reporter(JsonLines::default(), config()));
    Box::new(Fastrace)
}

impl Peer for Fastrace {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let root = Span::root("request", SpanContext::new(TraceId(id()), SpanId(0)));
        root.add_properties(|| {
            [
                ("req_method", input.method.clone()),
                ("req_path", input.path.clone()),
                ("req_referrer", input.referrer.clone()),
                ("req_user_agent", input.user_agent.clone()),
            ]
        });
        let _parent = root.set_local_parent();
        for _ in 0..2 {
            let _render = LocalSpan::enter_with_local_parent("app_render_time");
            drop(LocalSpan::enter_with_local_parent("app_cache_time"));
            query(input.queries[0]);
        }
        query(input.queries[2]);
        root.add_properties(|| {
            [
                ("app_cart_items", Cow::Owned(itoa::Buffer::new().format(input.cart_items).to_owned())),
                ("app_cart_total", Cow::Owned(zmij::Buffer::new().format(input.cart_total).to_owned())),
                ("app_plan", Cow::Borrowed(input.plan)),
                ("resp_view", Cow::Borrowed(input.view)),
                ("resp_status", Cow::Owned(itoa::Buffer::new().format(input.status).to_owned())),
                ("resp_size", Cow::Owned(itoa::Buffer::new().format(input.size).to_owned())),
            ]
        });
    }

    fn settle(&mut self) {
        fastrace::flush();
    }
}

#[inline]
fn query(sql: &str) {
    let _time = LocalSpan::enter_with_local_parent("db_time");
    black_box(sql);
}

/// Sums a trace's spans into one line.
#[derive(Default)]
struct JsonLines {
    traces: HashMap<u128, [u64; 4]>,
    line: Vec<u8>,
}

impl Reporter for JsonLines {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        for span in &spans {
            let [render, cache, database, queries] = self.traces.entry(span.trace_id.0).or_default();
            match &*span.name {
                "app_render_time" => *render += span.duration_ns,
                "app_cache_time" => *cache += span.duration_ns,
                "db_time" => (*database, *queries) = (*database + span.duration_ns, *queries + 1),
                _ => {}
            }
        }
        for root in spans.iter().filter(|span| span.name == "request") {
            let [render, cache, database, queries] = self.traces[&root.trace_id.0];
            let micros = |nanos: u64| nanos / 1_000 + REALISTIC;
            self.line.clear();
            let line = &mut self.line;
            let began = Timestamp::from_nanosecond(i128::from(root.begin_time_unix_ns)).unwrap_or_default();
            let _ = write!(line, "{{\"timestamp\":\"{began}\",\"req_id\":\"{:032x}\"", root.trace_id.0);
            for (key, value) in &root.properties {
                let _ = write!(line, ",\"{key}\":");
                let _ = serde_json::to_writer(&mut *line, value);
            }
            let numbers = [
                (",\"app_render_time\":", micros(render)),
                (",\"app_cache_time\":", micros(cache)),
                (",\"resp_time\":", micros(root.duration_ns)),
                (",\"db_queries\":", queries),
                (",\"db_time\":", micros(database)),
            ];
            for (name, number) in numbers {
                line.extend_from_slice(name.as_bytes());
                line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            line.extend_from_slice(b"}\n");
            sink(line);
        }
        self.traces.clear();
    }
}
