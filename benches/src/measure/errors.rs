//! What it costs to know by which lines an error came: functions that are followed beside the same that are not.

use std::hint::black_box;

use super::batches::{Case, Rounds};
use crate::peers::errors::{FRAMES, QUESTIONS, Wrong, followed, reported, spanned, timed};
use crate::peers::{canonlog::operations, install_tracing};

/// Nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Errors {
    /// A `?` that lets a value pass, beside the same without canonlog's attribute on errors.
    pub question: f64,
    /// A function that an error leaves.
    pub frame: f64,
    /// A function that succeeds, with `tracing`'s `err`, beside its span alone.
    pub tracing_success: f64,
    /// A function that an error leaves, with `tracing`'s `err`, beside its span alone.
    pub tracing_frame: f64,
}

type Function = fn(u64) -> Result<u64, Wrong>;
type Failing = fn(u32) -> Result<u64, Wrong>;

/// How often a function is called in a request.
const CALLS: u32 = 16;

pub fn measure(rounds: usize) -> Errors {
    operations::install();
    install_tracing();
    fn each<'a>(call: impl Fn(u64) + Copy + 'a) -> Case<'a> {
        let request = move || {
            let scope = canonlog::begin(canonlog::Kind::Request);
            scope.context().enter(|| (0..u64::from(CALLS)).for_each(call));
        };
        Case { run: Box::new(move |runs| (0..runs).for_each(|_| request())), settle: None, batch: 0 }
    }
    let succeeds = |function: Function| each(move |n| drop(black_box(function(n))));
    let fails = |function: Failing| each(move |_| drop(black_box(function(FRAMES))));
    let mut cases = [
        succeeds(timed::succeeds),
        succeeds(followed::succeeds),
        succeeds(spanned::succeeds),
        succeeds(reported::succeeds),
        fails(timed::fails),
        fails(followed::fails),
        fails(spanned::fails),
        fails(reported::fails),
    ];
    let all = Rounds::measure(&mut cases, rounds);
    let (calls, frames) = (f64::from(CALLS), f64::from(CALLS * FRAMES));
    let more = |with, without, times: f64| all.paired(with, without, move |with, without| (with - without) / times);
    Errors {
        question: more(1, 0, calls * QUESTIONS),
        frame: more(5, 4, frames),
        tracing_success: more(3, 2, calls),
        tracing_frame: more(7, 6, frames),
    }
}
