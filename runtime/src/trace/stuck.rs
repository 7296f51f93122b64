//! What a unit that does not come to its end is doing just now.
//!
//! ```text
//! nobody is inside its record ──▶ parked      its task waits for something
//! a thread is, and sleeps ──────▶ blocked     in a system call, inside a poll
//! a thread is, and works ───────▶ running
//! ```
//!
//! A thread that is inside has a stack, which is taken where that was asked for (`stack/`), a limited number of times a second.

use std::time::Instant;

use super::places::{self, Places};
use super::site::At;
#[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
use super::stack;
use super::thread::{Doing, doing};
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

/// Where a thread was inside a unit, by its stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Located {
    /// The outermost place in the application, and the innermost; in libraries if there is none there.
    pub(crate) loc: String,
    pub(crate) cause_loc: String,
    pub(crate) is_application: bool,
    /// All places, innermost first.
    pub(crate) stack: String,
}

/// What was found out about a unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stuck {
    /// `None` where the system does not tell what a thread does.
    pub(crate) state: Option<State>,
    /// Where it is, as far as annotated functions tell.
    places: Option<Places>,
    /// Since when, in ticks.
    pub(crate) since: Option<u64>,
    /// Whether a thread is inside: the unit's record, the thread where it is known, and what it did.
    inside: Option<(u64, Option<(Visit, Doing)>)>,
    /// Whether a stack was asked for.
    wants_stack: bool,
    #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
    captured: Option<stack::Captured>,
}

/// What an event tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The outermost place, and the innermost.
    pub(crate) locs: Option<(String, String)>,
    pub(crate) stack: Option<String>,
}

/// The threads that are inside a record.
fn visits(record: u64) -> Vec<Visit> {
    let mut visits = Vec::new();
    counters::each_thread(|_, block| visits.extend(block.visit(record)));
    visits
}

/// Between a place on a stack and the one that called it.
pub(super) const CALLED_BY: &str = " < ";
/// The line of a function of which only the name is known.
pub(super) const NO_LINE: &str = "?:?";

/// What a stack is taken for: of each, so many in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Timeout,
    Poll,
}

/// Whether one more stack may be taken in this second.
#[cfg(any(test, all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
fn may_take(per_second: u32, why: Why) -> bool {
    use std::sync::atomic::{AtomicU64, Ordering};

    use crate::clock;
    /// The second in the upper half, how many were taken in it in the lower.
    static TAKEN: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
    let second = (clock::nanos(clock::now()) / 1_000_000_000) & 0xFFFF_FFFF;
    let take = |taken: u64| match taken >> 32 == second {
        true => (taken as u32 as u64) < u64::from(per_second),
        false => per_second > 0,
    };
    let next = |taken: u64| if taken >> 32 == second { taken + 1 } else { second << 32 | 1 };
    let taken = TAKEN[why as usize]
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| take(taken).then(|| next(taken)));
    taken.is_ok()
}

/// Looks at a record from another thread.
pub(crate) fn look(handle: Handle) -> Stuck {
    let Some(slot) = handle.slot() else { return Stuck::default() };
    let record = Packed::handle_of(handle);
    let visits = visits(record);
    let places = places::of(handle, visits.iter().map(|visit| visit.began).min());
    let since = places.as_ref().and_then(|places| places.since);
    if visits.is_empty() && !state::is_occupied(&slot.head.word) {
        return Stuck { state: Some(State::Parked), places, since, ..Stuck::default() };
    }
    let thread = visits.into_iter().find_map(|visit| Some((visit, doing(visit.tid)?)));
    let began = thread.map(|(visit, _)| visit.began).filter(|began| *began != 0);
    let state = thread.map(|(_, doing)| match doing {
        Doing::Running => State::Running,
        Doing::Asleep(_) => State::Blocked,
    });
    Stuck { state, places, since: began.or(since), inside: Some((record, thread)), ..Stuck::default() }
}

impl Stuck {
    /// Takes the stack of the thread that is inside, if there is one: at most so many in a second, over all records.
    pub(crate) fn take_stack(&mut self, why: Why, per_second: u32, until: Instant) {
        self.wants_stack = per_second > 0 && self.inside.is_some();
        #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
        let _ = (why, until);
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        if let Some((record, Some((visit, doing)))) = self.inside
            && Instant::now() < until
            && may_take(per_second, why)
        {
            self.captured = stack::capture(&visit, doing, until, || visits(record).contains(&visit));
        }
    }

    /// Whether there is a stack to be put into words.
    pub(crate) fn has_stack(&self) -> bool {
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        return self.captured.is_some();
        #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
        false
    }

    /// The innermost place in the application that the stack shows.
    pub(crate) fn innermost(&self) -> Option<String> {
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        let located = self.captured.as_ref().and_then(stack::Captured::locate);
        #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
        let located: Option<Located> = None;
        let located = located.filter(|located| located.is_application && parts(&located.cause_loc).0 != NO_LINE);
        located.map(|located| located.cause_loc)
    }

    /// What there is to tell. `handler` is the unit's first annotated function.
    pub(crate) fn told(&self, handler: Option<At>) -> Told {
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        let located = self.captured.as_ref().and_then(stack::Captured::locate);
        #[cfg(not(all(feature = "stacks", target_os = "linux", target_arch = "x86_64")))]
        let located: Option<Located> = None;
        let locs = match (&self.places, handler) {
            (Some(places), _) => Some((places.outermost.to_string(), texts(&places.innermost))),
            (None, Some(handler)) => Some((handler.to_string(), texts(&[handler]))),
            (None, None) => None,
        };
        let is_unavailable = self.wants_stack && located.is_none();
        let stack = match &located {
            Some(located) => Some(located.stack.clone()),
            None => is_unavailable.then(|| "unavailable".to_owned()),
        };
        Told { locs: merge(locs, located, self.places.is_some()), stack }
    }
}

fn texts(places: &[At]) -> Vec<String> {
    places.iter().map(At::to_string).collect()
}

/// The line of a `file:line:function`, and the function.
fn parts(loc: &str) -> (&str, &str) {
    let at = loc.match_indices(':').nth(1).map_or(0, |(at, _)| at);
    (&loc[..at], loc[at..].trim_start_matches(':'))
}

/// What annotations tell (the outermost place, the innermost ones) and what the stack of the thread tells, in one. Annotations
/// name the outermost; the stack goes deeper than they do. `has_lines` where they are more than the line at which a handler begins.
fn merge(
    annotated: Option<(String, Vec<String>)>,
    located: Option<Located>,
    has_lines: bool,
) -> Option<(String, String)> {
    let Some((mut loc, mut leaves)) = annotated else {
        return located.map(|located| (located.loc, located.cause_loc));
    };
    if let Some(located) = located.filter(|located| located.is_application) {
        if !has_lines && parts(&located.loc).1 == parts(&loc).1 {
            loc = located.loc;
        }
        // That of them which the thread is in.
        let on_stack = |leaf: &String| located.stack.split(CALLED_BY).any(|place| parts(place).1 == parts(leaf).1);
        let leaf = leaves.iter().position(on_stack).unwrap_or(0);
        let (line, function) = parts(&leaves[leaf]);
        let (deeper, name) = parts(&located.cause_loc);
        if deeper != line && (deeper, name) != (NO_LINE, function) {
            leaves[leaf] = located.cause_loc;
        }
    }
    Some((loc, leaves.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn located(loc: &str, cause_loc: &str, stack: &str) -> Option<Located> {
        let [loc, cause_loc, stack] = [loc, cause_loc, stack].map(str::to_owned);
        Some(Located { loc, cause_loc, is_application: true, stack })
    }

    fn annotated(loc: &str, leaves: &[&str]) -> Option<(String, Vec<String>)> {
        Some((loc.to_owned(), leaves.iter().map(|leaf| (*leaf).to_owned()).collect()))
    }

    fn locs(loc: &str, cause_loc: &str) -> Option<(String, String)> {
        Some((loc.to_owned(), cause_loc.to_owned()))
    }

    #[test]
    fn the_stack_goes_deeper_than_annotations_do() {
        let frames = || annotated("src/a.rs:3:shop::cart", &["src/a.rs:9:shop::load"]);
        let stack = located("src/m.rs:1:shop::layer", "legacy/src/lib.rs:7:legacy::ask", "std:1:sleep < x:2:y");
        let found = locs("src/a.rs:3:shop::cart", "legacy/src/lib.rs:7:legacy::ask");
        assert_eq!(merge(frames(), stack.clone(), true), found);
        assert_eq!(merge(frames(), None, true), locs("src/a.rs:3:shop::cart", "src/a.rs:9:shop::load"));
        assert_eq!(merge(None, stack, true), locs("src/m.rs:1:shop::layer", "legacy/src/lib.rs:7:legacy::ask"));
        assert_eq!(merge(None, None, true), None);
    }

    #[test]
    fn of_several_places_the_one_that_the_thread_is_in_gets_its_line() {
        let frames = annotated("src/a.rs:3:shop::cart", &["src/a.rs:9:shop::wait", "src/b.rs:5:shop::load"]);
        let stack = located(
            "src/a.rs:3:shop::cart",
            "x.rs:7:ask",
            "x.rs:7:ask < src/b.rs:6:shop::load < src/a.rs:3:shop::cart",
        );
        assert_eq!(merge(frames, stack, true), locs("src/a.rs:3:shop::cart", "src/a.rs:9:shop::wait, x.rs:7:ask"));
    }

    #[test]
    fn a_stack_that_tells_less_changes_nothing() {
        let frames = || annotated("src/a.rs:3:shop::cart", &["src/a.rs:9:shop::load"]);
        let same = locs("src/a.rs:3:shop::cart", "src/a.rs:9:shop::load");
        // No name of the same line; the name alone; nothing of the application.
        assert_eq!(merge(frames(), located("src/a.rs:9:{closure#0}", "src/a.rs:9:{closure#0}", ""), true), same);
        assert_eq!(merge(frames(), located("?:?:shop::cart", "?:?:shop::load", ""), true), same);
        let library = located("std:1:sleep", "std:1:sleep", "").map(|found| Located { is_application: false, ..found });
        assert_eq!(merge(frames(), library, true), same);
    }

    #[test]
    fn of_a_handler_alone_the_stack_tells_the_line() {
        let handler = || annotated("src/a.rs:3:shop::cart", &["src/a.rs:3:shop::cart"]);
        let stack = located("src/a.rs:8:shop::cart", "src/a.rs:8:shop::cart", "");
        assert_eq!(merge(handler(), stack, false), locs("src/a.rs:8:shop::cart", "src/a.rs:8:shop::cart"));
        let stack = located("x.rs:8:ask", "x.rs:8:ask", "");
        assert_eq!(merge(handler(), stack, false), locs("src/a.rs:3:shop::cart", "x.rs:8:ask"));
    }

    #[test]
    fn no_more_stacks_are_taken_in_a_second_than_asked_for() {
        clock::hold(Some(clock::ticks(std::time::Duration::from_secs(1_000))));
        assert!(!may_take(0, Why::Timeout));
        for why in [Why::Timeout, Why::Poll] {
            assert_eq!((0..5).filter(|_| may_take(3, why)).count(), 3);
        }
        clock::hold(Some(clock::ticks(std::time::Duration::from_secs(1_001))));
        assert_eq!((0..5).filter(|_| may_take(1, Why::Timeout)).count(), 1);
        clock::hold(None);
    }
}
