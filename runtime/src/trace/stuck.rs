//! What a unit that does not come to its end is doing just now.
//!
//! ```text
//! nobody is inside its record ──▶ parked      its task waits for something
//! a thread is, and sleeps ──────▶ blocked     in a system call, inside a poll
//! a thread is, and works ───────▶ running
//! ```
//!
//! A thread that is inside has a stack, which is taken where that was asked for (`stack/`), a limited number of times a second.

use std::sync::atomic::{AtomicU64, Ordering};

use super::places::{self, Places};
#[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
use super::stack;
use super::thread::{Doing, doing};
use crate::clock;
use crate::counters::{self, Visit};
use crate::record::{Handle, Packed, state};

/// What a unit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Parked,
    Blocked,
    Running,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Parked => "parked",
            State::Blocked => "blocked",
            State::Running => "running",
        }
    }
}

/// Where a thread was inside a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// The outermost place in the application, and the innermost; in libraries if there is none there.
    pub(crate) loc: String,
    pub(crate) cause_loc: String,
    /// All places, innermost first.
    pub(crate) stack: String,
}

/// What was found out about a unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stuck {
    /// `None` where the system does not tell what a thread does.
    pub(crate) state: Option<State>,
    /// Whether there should be a stack: a thread is inside, and stacks were asked for.
    wants_stack: bool,
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    captured: Option<stack::Captured>,
    /// Where it is, as far as annotated functions tell.
    pub(crate) places: Option<Places>,
    /// Since when, in ticks.
    pub(crate) since: Option<u64>,
}

/// The threads that are inside a record.
fn visits(record: u64) -> Vec<Visit> {
    let mut visits = Vec::new();
    counters::each_thread(|_, block| visits.extend(block.visit(record)));
    visits
}

/// Whether one more stack may be taken in this second.
fn may_take(per_second: u32) -> bool {
    /// The second in the upper half, how many were taken in it in the lower.
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let second = (clock::nanos(clock::now()) / 1_000_000_000) & 0xFFFF_FFFF;
    let take = |taken: u64| match taken >> 32 == second {
        true => (taken as u32 as u64) < u64::from(per_second),
        false => per_second > 0,
    };
    let next = |taken: u64| if taken >> 32 == second { taken + 1 } else { second << 32 | 1 };
    let taken = TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| take(taken).then(|| next(taken)));
    taken.is_ok()
}

/// Looks at a record from another thread. So many stacks are taken in a second, over all records.
pub(crate) fn look(handle: Handle, stacks: u32) -> Stuck {
    let Some(slot) = handle.slot() else { return Stuck::default() };
    let record = Packed::handle_of(handle);
    let (visits, places) = (visits(record), places::of(handle));
    let since = places.as_ref().and_then(|places| places.since);
    if visits.is_empty() && !state::is_occupied(&slot.head.word) {
        return Stuck { state: Some(State::Parked), places, since, ..Stuck::default() };
    }
    let found = visits.iter().find_map(|visit| Some((visit, doing(visit.tid)?)));
    let mut stuck = Stuck { wants_stack: stacks > 0, places, since, ..Stuck::default() };
    let Some((visit, doing)) = found else { return stuck };
    if visit.began != 0 {
        stuck.since = Some(visit.began);
    }
    stuck.state = Some(match doing {
        Doing::Running => State::Running,
        Doing::Asleep(_) => State::Blocked,
    });
    if stuck.wants_stack && may_take(stacks) {
        stuck.capture(record, visit, doing);
    }
    stuck
}

impl Stuck {
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    fn capture(&mut self, record: u64, visit: &Visit, doing: Doing) {
        self.captured = stack::capture(visit, doing, || visits(record).contains(visit));
    }

    #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
    fn capture(&mut self, _record: u64, _visit: &Visit, _doing: Doing) {}

    /// Where its thread was; `None` where there is no stack, or nothing that tells what it means.
    pub(crate) fn locate(&self) -> Option<Located> {
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        return self.captured.as_ref()?.locate();
        #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
        None
    }

    /// Whether there should be a stack.
    pub(crate) fn wants_stack(&self) -> bool {
        self.wants_stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_stacks_are_taken_in_a_second_than_asked_for() {
        clock::hold(Some(clock::ticks(std::time::Duration::from_secs(1_000))));
        assert!(!may_take(0));
        assert_eq!((0..5).filter(|_| may_take(3)).count(), 3);
        clock::hold(Some(clock::ticks(std::time::Duration::from_secs(1_001))));
        assert_eq!((0..5).filter(|_| may_take(1)).count(), 1);
        clock::hold(None);
    }
}
