//! What one operation costs: the difference between a request with sixteen of it and one with none.

use super::batches::{Case, Rounds};
use crate::peers::Entry;
use crate::peers::canonlog::operations as canonlog;
use crate::sys::ticks;
use crate::workload::Input;

/// Nanoseconds an operation, and the two measures that they are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Operations {
    /// `set` of an integer, with its part in the line.
    pub integer: f64,
    /// `set` of a short text, with its part in the line.
    pub text: f64,
    /// `set` of a float, with its part in the line.
    pub float: f64,
    /// `set` of a key that is there already.
    pub overwrite: f64,
    /// A timer's start and stop, summed by key.
    pub timer: f64,
    /// `set` outside a record.
    pub set_outside: f64,
    /// A timer outside a record.
    pub timer_outside: f64,
    /// Two readings of the time-stamp counter.
    pub rdtsc_pair: f64,
    /// The hand-written line of the whole request without its clock.
    pub line: f64,
}

/// How often an operation is in its request.
const TIMES: f64 = 16.0;

pub fn measure(input: &Input, rounds: usize) -> Operations {
    let mut line = (Entry::named("limit-noclock").expect("it is in the list").make)();
    canonlog::install();
    let many = |work: fn()| -> Box<dyn FnMut(u32)> { Box::new(move |runs| (0..runs).for_each(|_| work())) };
    let case = |run| Case { run, settle: None, batch: 0 };
    let mut cases = [
        case(many(canonlog::request_with_nothing)),
        case(many(canonlog::request_with_integers)),
        case(many(canonlog::request_with_texts)),
        case(many(canonlog::request_with_floats)),
        case(many(canonlog::request_with_one_integer)),
        case(many(canonlog::request_with_overwrites)),
        case(many(canonlog::request_with_one_timer)),
        case(many(canonlog::request_with_timers)),
        case(many(canonlog::set_outside)),
        case(many(canonlog::timer_outside)),
        case(many(rdtsc_pairs)),
        case(Box::new(move |runs| (0..runs).for_each(|_| line.request(input)))),
    ];
    let all = Rounds::measure(&mut cases, rounds);
    let marginal = |with, without, times: f64| all.paired(with, without, move |with, without| (with - without) / times);
    Operations {
        integer: marginal(1, 0, TIMES),
        text: marginal(2, 0, TIMES),
        float: marginal(3, 0, TIMES),
        overwrite: marginal(5, 4, TIMES),
        timer: marginal(7, 6, TIMES),
        set_outside: all.nanos(8) / TIMES,
        timer_outside: all.nanos(9) / TIMES,
        rdtsc_pair: all.nanos(10) / TIMES,
        line: all.nanos(11),
    }
}

#[inline(never)]
fn rdtsc_pairs() {
    let mut sum = 0_u64;
    for _ in 0..16 {
        let start = ticks();
        sum = sum.wrapping_add(ticks().wrapping_sub(start));
    }
    std::hint::black_box(sum);
}
