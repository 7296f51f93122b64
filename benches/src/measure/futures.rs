//! What it costs to know where a future waits: functions that are located beside the same that are not.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::batches::{Case, Rounds};
use crate::peers::canonlog::operations;
use crate::peers::futures::{AWAITS, DEPTH, framed, located, plain, timed};

/// Nanoseconds more than the same without; of canonlog's timing without its frames, and of nothing without `async-backtrace`.
#[derive(Clone, Copy, Debug)]
pub struct Futures {
    pub canonlog: Located,
    pub async_backtrace: Located,
}

#[derive(Clone, Copy, Debug)]
pub struct Located {
    /// A function's call, with its one await.
    pub call: f64,
    /// An await that is ready at once.
    pub wait: f64,
    /// A level that is polled again.
    pub poll: f64,
}

/// How often a function is called in a request.
const CALLS: u32 = 16;
/// How often it is polled again.
const POLLS: u32 = 32;

/// As an executor polls a task: not knowing its type. Where it is known, the polls of futures without anything around them are
/// made one, and a level costs nothing at all.
fn run<T>(future: impl Future<Output = T>) -> T {
    let (future, mut task) = (pin!(future), Context::from_waker(Waker::noop()));
    let mut future: Pin<&mut dyn Future<Output = T>> = black_box(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}

fn case<'a, F: Future<Output = u64> + 'a>(make: impl Fn() -> F + Copy + 'a) -> Case<'a> {
    let request = move || {
        let scope = canonlog::begin(canonlog::Kind::Request);
        // In one poll of the request, as a server polls it: it is timed.
        run(scope.context().scope(poll_fn(|_| {
            (0..CALLS).for_each(|_| {
                black_box(run(make()));
            });
            Poll::Ready(())
        })));
    };
    Case { run: Box::new(move |runs| (0..runs).for_each(|_| request())), settle: None, batch: 0 }
}

macro_rules! cases {
    ($($module:ident)*) => {
        [$(case(|| $module::nested(0)), case(|| $module::awaits(1)), case(|| $module::nested(POLLS))),*]
    };
}

pub fn measure(rounds: usize) -> Futures {
    operations::install();
    let all = Rounds::measure(&mut cases!(plain timed located framed), rounds);
    let located = |with: usize, without: usize| {
        let more = |case: usize, times: u32| {
            let times = f64::from(CALLS * times);
            all.paired(with + case, without + case, move |with, without| (with - without) / times)
        };
        // What the polls cost beyond the first.
        let first = more(0, DEPTH);
        let again = (more(2, DEPTH) - first) / f64::from(POLLS);
        Located { call: first, wait: more(1, AWAITS) - first / f64::from(AWAITS), poll: again }
    };
    Futures { canonlog: located(6, 3), async_backtrace: located(9, 0) }
}
