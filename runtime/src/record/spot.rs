//! Where a poll was that keeps its thread for too long, as another thread has seen it.
//!
//! ```text
//! [of which poll: 16][function: 23][line: 25]
//! ```
//!
//! One word, so that what is read of it is of one poll: that of the longest is kept, and told by the event.

use std::sync::atomic::Ordering::Relaxed;

use super::Handle;
use super::slot::Body;

/// A place in a poll; none if it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot(u64);

const FUN_SHIFT: u32 = 25;
const LINE: u64 = (1 << FUN_SHIFT) - 1;
const POLL_SHIFT: u32 = 48;
const FUN: u64 = (1 << (POLL_SHIFT - FUN_SHIFT)) - 1;

/// What tells polls of one record apart. Never 0.
fn poll(began: u64) -> u64 {
    (began ^ began >> 16 ^ began >> 32) & 0xFFFF | 1
}

impl Spot {
    pub(crate) const NONE: Spot = Spot(0);

    /// A line of a function (`trace/site.rs`), or the number of a text, of function 0; in the poll that began then.
    pub(crate) fn new(began: u64, fun: u32, line: u32) -> Spot {
        Spot(poll(began) << POLL_SHIFT | (u64::from(fun) & FUN) << FUN_SHIFT | u64::from(line).min(LINE))
    }

    fn is_of(self, began: u64) -> bool {
        self.0 >> POLL_SHIFT == poll(began)
    }

    /// Function and line.
    pub(crate) fn at(self) -> Option<(u32, u32)> {
        (self != Spot::NONE).then_some(((self.0 >> FUN_SHIFT & FUN) as u32, (self.0 & LINE) as u32))
    }

    pub(crate) fn word(self) -> u64 {
        self.0
    }

    pub(crate) fn of_word(word: u64) -> Spot {
        Spot(word)
    }
}

impl Body {
    /// Where it was seen in the poll that began then.
    pub(crate) fn seen_in(&self, began: u64) -> Spot {
        let seen = Spot(self.poll_seen.load(Relaxed));
        if seen.is_of(began) { seen } else { Spot::NONE }
    }
}

impl Handle {
    /// Notes where a poll of the record is. Should that be another record by now, its polls are others.
    pub(crate) fn see(self, spot: Spot) {
        if let Some(slot) = self.slot() {
            slot.body.poll_seen.store(spot.0, Relaxed);
        }
    }
}

impl Handle {
    /// Notes it better, unless another was noted meanwhile.
    pub(crate) fn see_instead(self, before: Spot, spot: Spot) {
        if let Some(slot) = self.slot() {
            let _ = slot.body.poll_seen.compare_exchange(before.0, spot.0, Relaxed, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_is_of_one_poll_and_comes_back() {
        for (began, fun, line) in [(0, 1, 1), (77, 0, 1_023), (u64::MAX, (1 << 23) - 1, 70_000)] {
            let spot = Spot::of_word(Spot::new(began, fun, line).word());
            assert_eq!((spot.at(), spot.is_of(began)), (Some((fun, line)), true));
            assert!(!spot.is_of(began ^ 2));
        }
        assert_eq!(Spot::NONE.at(), None);
        assert!(!Spot::NONE.is_of(0));
    }
}
