//! The hand-written limit: straight-line code for exactly this request, with every value in a local variable.
//!
//! Nothing is found at run time, nothing can be set from elsewhere, nothing can go wrong. A general library
//! cannot be faster than this; how close it comes is the question.

mod clock;
mod line;

use std::hint::black_box;

use self::clock::{Clock, Constant, Portable, Tsc};
use self::line::Buffer;
use super::Peer;
use crate::workload::{Input, REALISTIC, id, sink, uuid};

struct Limit<C> {
    clock: C,
    buffer: Buffer,
}

/// The limit with `rdtsc`.
pub fn tsc() -> Box<dyn Peer> {
    Box::new(Limit { clock: Tsc::calibrated(), buffer: Buffer::default() })
}

/// The limit with `std::time::Instant`.
pub fn instant() -> Box<dyn Peer> {
    Box::new(Limit { clock: Portable, buffer: Buffer::default() })
}

/// The limit with a clock that stands still: formatting alone, which the other figures are calibrated by.
pub fn no_clock() -> Box<dyn Peer> {
    Box::new(Limit { clock: Constant, buffer: Buffer::default() })
}

impl<C: Clock> Peer for Limit<C> {
    #[inline(never)]
    fn request(&mut self, input: &Input) {
        let clock = &self.clock;
        let began = clock.now();
        let id = uuid(id());
        let (mut render, mut cache, mut database, mut queries) = (0, 0, 0, 0_u64);
        for _ in 0..2 {
            let outer = clock.now();
            let inner = clock.now();
            cache += clock.since(inner);
            database += query(clock, &mut queries, input.queries[0]);
            render += clock.since(outer);
        }
        database += query(clock, &mut queries, input.queries[2]);
        let time = clock.since(began);

        let texts = input.method.len() + input.path.len() + input.referrer.len() + input.user_agent.len();
        let texts = texts + input.plan.len() + input.view.len();
        let mut line = self.buffer.line(clock.wall_ms(began), texts);
        line.raw(b"\" req_id=\"");
        line.raw(&id);
        line.text(b"\" req_method=\"", &input.method);
        line.text(b"\" req_path=\"", &input.path);
        line.text(b"\" req_referrer=\"", &input.referrer);
        line.text(b"\" req_user_agent=\"", &input.user_agent);
        line.integer(b"\" app_cart_items=\"", input.cart_items);
        line.float(b"\" app_cart_total=\"", input.cart_total);
        line.text(b"\" app_plan=\"", input.plan);
        line.integer(b"\" app_render_time=\"", clock.micros(render) + REALISTIC);
        line.integer(b"\" app_cache_time=\"", clock.micros(cache) + REALISTIC);
        line.text(b"\" resp_view=\"", input.view);
        line.integer(b"\" resp_time=\"", clock.micros(time) + REALISTIC);
        line.integer(b"\" resp_status=\"", input.status);
        line.integer(b"\" resp_size=\"", input.size);
        line.integer(b"\" db_queries=\"", queries);
        line.integer(b"\" db_time=\"", clock.micros(database) + REALISTIC);
        let length = line.end();
        sink(self.buffer.written(length));
    }
}

/// Times a query, which is empty here.
#[inline(always)]
fn query<C: Clock>(clock: &C, queries: &mut u64, sql: &str) -> u64 {
    let start = clock.now();
    black_box(sql);
    *queries += 1;
    clock.since(start)
}
