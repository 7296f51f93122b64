//! Through which places the newest error of a record has passed.
//!
//! Numbers alone, in atomics: an error that two threads meet at once mixes two traces, and does no worse. The places mean
//! something to `trace/errors.rs`, which decides where a trace begins and where it goes on.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// How many places are kept beside the first.
const LAST: usize = 7;

/// The newest trace of a record. Never cleared where a record begins: it counts for one generation alone.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct Errors {
    /// The generation of the record that it is of, plus one.
    of: AtomicU64,
    /// Changes with each place that an error passes.
    moved: AtomicU32,
    /// How many places there are in the trace.
    count: AtomicU32,
    /// The number of the type that the error had at the first place.
    cause: AtomicU32,
    /// The number of the type that the function returns which an error left last; 0 where that is not known.
    left: AtomicU32,
    /// How many panics there were.
    panics: AtomicU32,
    first: AtomicU64,
    last: [AtomicU64; LAST],
}

/// A trace, copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) cause: u32,
    pub(crate) left: u32,
    count: u32,
    first: u64,
    last: [u64; LAST],
}

impl Errors {
    pub(crate) const fn new() -> Self {
        Errors {
            of: AtomicU64::new(0),
            moved: AtomicU32::new(0),
            count: AtomicU32::new(0),
            cause: AtomicU32::new(0),
            left: AtomicU32::new(0),
            panics: AtomicU32::new(0),
            first: AtomicU64::new(0),
            last: [const { AtomicU64::new(0) }; LAST],
        }
    }

    /// What tells later whether an error has passed meanwhile.
    #[inline(always)]
    pub(crate) fn mark(&self) -> u32 {
        self.moved.load(Relaxed)
    }

    /// The same trace for a record; empty if it was another record's.
    pub(crate) fn of(&self, generation: u64) -> &Self {
        if self.of.load(Relaxed) != generation.wrapping_add(1) {
            self.clear();
            self.panics.store(0, Relaxed);
            self.of.store(generation.wrapping_add(1), Relaxed);
        }
        self
    }

    /// The trace of a record, if it has one.
    pub(crate) fn copy(&self, generation: u64) -> Option<Copied> {
        if self.of.load(Relaxed) != generation.wrapping_add(1) {
            return None;
        }
        let copied = Copied {
            cause: self.cause.load(Relaxed),
            left: self.left(),
            count: self.count.load(Relaxed),
            first: self.first.load(Relaxed),
            last: std::array::from_fn(|at| self.last[at].load(Relaxed)),
        };
        (copied.count > 0).then_some(copied)
    }

    /// Forgets the trace.
    pub(crate) fn clear(&self) {
        self.count.store(0, Relaxed);
        self.left.store(0, Relaxed);
    }

    /// The type of function that an error left last.
    #[inline]
    pub(crate) fn left(&self) -> u32 {
        self.left.load(Relaxed)
    }

    /// The last place.
    pub(crate) fn last(&self) -> u64 {
        match self.count.load(Relaxed) as usize {
            0 => 0,
            1 => self.first.load(Relaxed),
            count => self.last[(count - 2) % LAST].load(Relaxed),
        }
    }

    /// An error passes a place; one that begins a trace has a type there, or at the next place if none is known.
    #[inline]
    pub(crate) fn pass(&self, at: u64, goes_on: bool, cause: impl FnOnce() -> u32, left: u32) {
        let mut count = self.count.load(Relaxed);
        if !goes_on || count == 0 {
            self.cause.store(cause(), Relaxed);
            self.first.store(at, Relaxed);
            count = 1;
        } else {
            if count == 1 && self.cause.load(Relaxed) == 0 {
                self.cause.store(cause(), Relaxed);
            }
            self.last[(count as usize - 1) % LAST].store(at, Relaxed);
            count = count.saturating_add(1);
        }
        self.count.store(count, Relaxed);
        self.left.store(left, Relaxed);
        self.moved.store(self.mark().wrapping_add(1), Relaxed);
    }

    /// A panic begins at a place.
    pub(crate) fn panicked(&self, at: u64, cause: u32) {
        self.panics.fetch_add(1, Relaxed);
        self.pass(at, false, || cause, 0);
    }

    /// How many panics a record has had since this was asked last.
    #[inline]
    pub(crate) fn take_panics(&self, generation: u64) -> u32 {
        let has = self.of.load(Relaxed) == generation.wrapping_add(1) && self.panics.load(Relaxed) != 0;
        if has { self.panics.swap(0, Relaxed) } else { 0 }
    }
}

impl Copied {
    /// The first place.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The last place.
    pub(crate) fn last(&self) -> u64 {
        match self.count as usize {
            0 | 1 => self.first,
            count => self.last[(count - 2) % LAST],
        }
    }

    /// The places between the first and the last that are known, and how many before them are not.
    pub(crate) fn between(&self) -> (usize, impl Iterator<Item = u64>) {
        let count = self.count as usize;
        let known = count.saturating_sub(2).min(LAST - 1);
        let from = count.saturating_sub(2) - known;
        (from, (from..from + known).map(|at| self.last[at % LAST]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(count: u64) -> Copied {
        let errors = Errors::new();
        let errors = errors.of(3);
        (1..=count).for_each(|at| errors.pass(at, at > 1, || 7, 0));
        errors.copy(3).expect("an error has passed")
    }

    fn between(trace: &Copied) -> (usize, Vec<u64>) {
        let (unknown, known) = trace.between();
        (unknown, known.collect())
    }

    #[test]
    fn the_first_and_the_last_seven_places_are_kept() {
        for (count, unknown, known) in [
            (1, 0, vec![]),
            (2, 0, vec![]),
            (3, 0, vec![2]),
            (8, 0, vec![2, 3, 4, 5, 6, 7]),
            (9, 1, vec![3, 4, 5, 6, 7, 8]),
            (30, 22, vec![24, 25, 26, 27, 28, 29]),
        ] {
            let trace = passing(count);
            assert_eq!((trace.first(), trace.last(), between(&trace)), (1, count, (unknown, known)), "{count}");
        }
    }

    #[test]
    fn a_trace_is_of_one_generation() {
        let errors = Errors::new();
        errors.of(3).pass(1, false, || 7, 0);
        assert_eq!(errors.copy(4), None);
        assert_eq!(errors.of(4).copy(4), None);
    }

    #[test]
    fn a_type_that_is_not_known_at_the_first_place_is_that_of_the_next() {
        let errors = Errors::new();
        let errors = errors.of(0);
        [0, 7, 8].into_iter().zip(1..).for_each(|(cause, at)| errors.pass(at, at > 1, || cause, 0));
        assert_eq!(errors.copy(0).expect("an error has passed").cause, 7);
        assert_eq!(errors.last(), 3);
    }
}
