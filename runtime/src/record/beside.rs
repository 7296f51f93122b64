//! The side log of a record: what threads write beside the one that has the claim, one at a time under the record's lock.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::keys::builtin;
use super::log::{By, Kind as Holds, Writer};
use super::slot::{self, Body, Slot};
use super::{Handle, Wants, current, pool, return_slot, state};
use crate::counters::{self, Count};
use crate::value::Value;

impl Slot {
    pub(super) fn side(&self) -> Option<&'static Body> {
        let number = u32::try_from(self.head.side.load(Acquire)).ok()?.checked_sub(1)?;
        Some(slot::slot(number)?.body)
    }

    /// The side log; for whoever has the lock.
    ///
    /// A write of the claiming thread's that has looked for a side log before it appears here is at the same time as the first
    /// one beside it: either may count as the newer, and two sections that begin so both count. What comes after goes by its order.
    fn side_or_new(&self) -> Option<&'static Body> {
        if let Some(side) = self.side() {
            return Some(side);
        }
        let side = pool::take()?;
        side.body.reset(self.body.limits.load(Relaxed));
        self.body.beside.store(1, Relaxed);
        self.head.side.store(u64::from(side.number) + 1, Release);
        // The last time that the main log is written anew without the lock: places in it mean something after that.
        std::sync::atomic::fence(SeqCst);
        let mut tries = 0;
        while !self.body.layout.load(Acquire).is_multiple_of(2) {
            tries += 1;
            state::back_off(tries);
        }
        Some(side.body)
    }
}

impl Handle {
    /// Writes the side log, under its lock.
    #[cold]
    pub(crate) fn write_side<R>(self, slot: Slot, write: Wants<'_, R>) -> Option<R> {
        if current::is_busy() {
            counters::add(Count::OutsideWrites, 1);
            return None;
        }
        let _busy = current::busy();
        let word = &slot.head.word;
        let mut tries = 0;
        loop {
            if !state::lock(word, self.generation, state::back_off) {
                counters::add(Count::LateWrites, 1);
                return None;
            }
            if state::phase_of(word, self.generation) != state::Phase::Closing {
                break;
            }
            // A monitor copies the record: what is written now could be in neither of its events.
            if state::unlock(word) {
                return_slot(slot);
            }
            tries += 1;
            state::back_off(tries);
        }
        let written = slot.side_or_new().map(|side| {
            self.settle_side(slot, side);
            write(side, Writer::Side { main: slot.body.end() })
        });
        if state::unlock(word) {
            return_slot(slot);
        }
        if written.is_none() {
            counters::add(Count::Truncated, 1);
        }
        written
    }

    /// Begins the late response of a side log; for whoever has the lock.
    fn settle_side(self, slot: Slot, side: &Body) {
        let late = state::phase_of(&slot.head.word, self.generation) == state::Phase::TimedOut;
        if late && side.late.load(Relaxed) == 0 {
            side.begin_late(side.closed_len());
        }
    }

    /// For the thread with the claim: its own log and the side log at once, under the lock, if there is a side log.
    pub(super) fn with_side<R>(self, see: impl FnOnce(&'static Body) -> R) -> Option<R> {
        let slot = self.slot()?;
        let _busy = current::busy();
        if !state::lock(&slot.head.word, self.generation, state::back_off) {
            return None;
        }
        let seen = slot.side().map(|side| {
            self.settle_side(slot, side);
            see(side)
        });
        if state::unlock(&slot.head.word) {
            return_slot(slot);
        }
        seen
    }

    #[cold]
    pub(super) fn compact_beside(self, body: &'static Body) {
        self.with_side(|side| body.compact_beside(side));
    }

    /// Adds to a number, in the log that the caller writes.
    pub(crate) fn add(self, by: By<'_>, value: Value<'_>, body: &'static Body, writer: Writer) -> bool {
        match writer {
            Writer::Main { beside: true } => {
                let added = self.with_side(|side| body.add_beside(by, value, side));
                added.unwrap_or_else(|| body.add(by, value, writer))
            }
            Writer::Main { beside: false } => body.add(by, value, writer),
            Writer::Side { .. } => match self.slot() {
                Some(slot) => body.add_in_side(by, value, slot.body, writer),
                None => false,
            },
        }
    }
}

/// Writes that the client went away and, unless there is a status, the one for that.
pub(crate) fn cancelled(handle: Handle) {
    let lacks = |body: &Body| {
        let status = body.get(By::Id(builtin::RESP_STATUS));
        status.is_none_or(|entry| entry.kind() == Holds::Null)
    };
    current::write(handle, |body, writer| {
        body.set(By::Id(builtin::REQ_CANCELLED), Value::Bool(true), writer);
        // The other log is asked where this one is written: a status that comes in between is newer, and stays.
        let unanswered = lacks(body)
            && match writer {
                Writer::Main { beside: false } => true,
                Writer::Main { beside: true } => handle.with_side(lacks).unwrap_or(true),
                Writer::Side { .. } => handle.slot().is_none_or(|slot| lacks(slot.body)),
            };
        if unanswered {
            body.set(By::Id(builtin::RESP_STATUS), Value::U64(499), writer);
        }
    });
}
