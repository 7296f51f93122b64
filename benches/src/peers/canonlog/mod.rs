//! canonlog, through its public API: a record a request, fields and timings set from wherever they arise, logfmt.
//!
//! `resp_cpu_time` is off: no peer has it. The request's id is canonlog's own.

pub mod format;
pub mod operations;
mod pipeline;

pub use pipeline::{end, to_sink_if_wrong};

use std::hint::black_box;

use canonlog::{Context, Kind};

use super::Peer;
use crate::workload::Input;

struct Canonlog;

/// Lines go straight into the counting sink.
pub fn make() -> Box<dyn Peer> {
    pipeline::to_sink();
    Box::new(Canonlog)
}

/// Lines go to a file, written in the background.
pub fn to_file() -> Box<dyn Peer> {
    pipeline::to_file();
    Box::new(Canonlog)
}

impl Peer for Canonlog {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let scope = canonlog::begin(Kind::Request);
        let context = scope.context();
        context.enter(|| {
            context.set_in("req", "method", &*input.method);
            context.set_in("req", "path", &*input.path);
            context.set_in("req", "referrer", &*input.referrer);
            context.set_in("req", "user_agent", &*input.user_agent);
            handler(input);
            context.set_in("resp", "view", input.view);
            context.set_in("resp", "status", input.status);
            context.set_in("resp", "size", input.size);
        });
    }
}

/// Knows nothing of the record: everything finds it by itself.
#[inline(never)]
fn handler(input: &Input) {
    let [first, second, third] = input.queries;
    for sql in [first, second] {
        let _render = Context::time("render");
        drop(Context::time("cache"));
        query(sql);
    }
    query(third);
    Context::set("cart_items", input.cart_items);
    Context::set("cart_total", input.cart_total);
    Context::set("plan", input.plan);
}

#[inline(never)]
fn query(sql: &str) {
    let _query = canonlog::db::start(sql);
    black_box(sql);
}
