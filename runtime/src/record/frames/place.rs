//! Which frame of which slot: what a guard keeps.
//!
//! ```text
//! [turn: 9][slot: 16][frame: 7]
//! ```

use super::call::Call;

/// A frame of some slot, in 32 bits: the slot's number, the frame's, and its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u32);

const NUMBER_SHIFT: u32 = 7;
const AT: u32 = 0x7F;

impl Place {
    /// No frame, of no record.
    pub(crate) const NONE: Place = Place(u32::MAX);

    /// Something else in its place: a number below 2^25.
    #[inline]
    pub(crate) fn instead(number: u32, at: u8) -> Place {
        Place(number << NUMBER_SHIFT | u32::from(at))
    }

    #[inline]
    pub(crate) fn at(self) -> u8 {
        (self.0 & AT) as u8
    }

    /// The slot's number.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        self.0 >> NUMBER_SHIFT & 0xFFFF
    }

    /// The number that was put in its place.
    pub(crate) fn put_instead(self) -> u32 {
        self.0 >> NUMBER_SHIFT
    }

    /// A frame of the slot, as it is now.
    #[inline]
    pub(crate) fn new(number: u32, at: u8, call: &Call) -> Place {
        Place(call.turn() | (number & 0xFFFF) << NUMBER_SHIFT | u32::from(at))
    }

    /// No frame, of a record in a slot.
    pub(crate) fn none_in(number: u32) -> Place {
        Place::instead(number & 0xFFFF, AT as u8)
    }
}
