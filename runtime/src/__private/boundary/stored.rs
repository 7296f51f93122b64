//! A function that waits, in as few bytes as can be.

use std::fmt;

use super::running::{Running, What};
use crate::pipeline::{Resting, Scope};
use crate::record::Handle;
use crate::record::current::{self, Frame};
use crate::record::frames::Place;

/// What a boundary keeps between two polls, in 8 bytes, as every annotated future holds it: the frame, what it is, and its marks.
pub(super) struct Stored(u64);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({:#x})", self.0)
    }
}

const KIND: u64 = 0b111 << KIND_SHIFT;
const KIND_SHIFT: u32 = 56;
const MARKS_SHIFT: u32 = 59;
/// Not polled yet.
const NEW: u64 = 0;
const OWN: u64 = 1 << KIND_SHIFT;
/// A record of its own that has no slot; the number is its.
const SLOTLESS: u64 = 2 << KIND_SHIFT;
const VIEW: u64 = 3 << KIND_SHIFT;
const OPERATION: u64 = 4 << KIND_SHIFT;
/// Ended, or being polled.
const DONE: u64 = 5 << KIND_SHIFT;

impl Stored {
    pub(super) const NEW: Stored = Stored(NEW);

    pub(super) fn is_new(&self) -> bool {
        self.0 == NEW
    }

    pub(super) fn take(&mut self) -> Option<Running> {
        let stored = std::mem::replace(&mut self.0, DONE);
        let (place, marks) = (Place(stored as u32), (stored >> MARKS_SHIFT) as u8);
        let own = |handle| What::Own(Scope::wake(Resting { handle, marks }));
        let running = |what| Some(Running { frame: Frame::kept(place), what });
        match stored & KIND {
            // It has not ended: in its slot is no other.
            OWN => running(own(current::handle_of(place).unwrap_or(Handle::NONE))),
            SLOTLESS => Some(Running { frame: Frame::NONE, what: own(Handle::slotless(stored & (OWN - 1))) }),
            VIEW => running(What::View),
            OPERATION => running(What::Operation),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, running: Option<Running>) {
        let Some(Running { frame, what }) = running else {
            self.0 = DONE;
            return;
        };
        let place = frame.keep();
        self.0 = match what {
            What::Own(scope) => {
                let Resting { handle, marks } = scope.rest();
                let marks = u64::from(marks) << MARKS_SHIFT;
                if handle.is_slotless() {
                    SLOTLESS | marks | handle.generation()
                } else {
                    let place = if place == Place::NONE { Place::none_in(handle.number()) } else { place };
                    OWN | marks | u64::from(place.0)
                }
            }
            What::View => VIEW | u64::from(place.0),
            What::Operation => OPERATION | u64::from(place.0),
        };
    }
}
