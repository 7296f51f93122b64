//! Where a record lies: a head for whoever looks at all of them, and a body with the log.
//!
//! ```text
//! segment ─┬─ heads   [Head; 1024]   64 bytes each, side by side: a monitor reads nothing else
//!          └─ bodies  [Body; 1024]   the log and its index
//! ```
//!
//! Nothing here is a pointer: a slot is found by its number, keys are numbers, values are bytes.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::current;
use super::errors::Errors;
use super::frames::Frames;
use super::told::Told;
use crate::sys::slab::leak_zeroed;

/// Slots in a segment.
pub(crate) const SEGMENT: usize = 1_024;
/// Segments at most.
const SEGMENTS: usize = 64;
/// Words of log in a slot.
pub(crate) const LOG: usize = 436;
/// Fields that a slot's list has room for; a record with more is read entry by entry.
pub(crate) const LISTED: usize = 64;
/// Words in a slot's extension.
pub(crate) const EXTENSION: usize = 8_192;

/// What monitors look at.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Head {
    /// Generation, phase, who is inside (`record/state/mod.rs`).
    pub(crate) word: AtomicU64,
    /// When the record began, in ticks.
    pub(crate) started: AtomicU64,
    /// When it times out, in ticks; 0 for never.
    pub(crate) deadline: AtomicU64,
    pub(crate) id: [AtomicU64; 2],
    /// Kind, options, pipeline, and where the handler stands (`record/mod.rs`).
    pub(crate) flags: AtomicU64,
    /// CPU time so far of those who had the claim, in ticks.
    pub(crate) cpu: AtomicU64,
    /// The number of the slot with the side log, plus one; 0 for none.
    pub(crate) side: AtomicU64,
}

/// The log and what finds its way in it.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Body {
    /// How far the log goes (`log/extent.rs`).
    pub(crate) extent: AtomicU64,
    /// Odd while the log is being compacted; changes each time.
    pub(crate) layout: AtomicU64,
    /// The number of the extension, plus one; 0 for none.
    pub(crate) extension: AtomicU64,
    /// Limits of this record (`log/mod.rs`).
    pub(crate) limits: AtomicU64,
    /// Words of the log that nothing refers to.
    pub(crate) garbage: AtomicU64,
    /// Where the late response begins, plus one; 0 while there is none.
    pub(crate) late: AtomicU64,
    pub(crate) truncated: AtomicU64,
    pub(crate) renamed: AtomicU64,
    pub(crate) value_errors: AtomicU64,
    pub(crate) queries: AtomicU64,
    pub(crate) query_nanos: AtomicU64,
    /// Where the newest query's text stands in the log, plus one.
    pub(crate) query_last: AtomicU64,
    pub(crate) query_texts: AtomicU64,
    pub(crate) query_untracked: AtomicU64,
    /// Where the log ended when a monitor copied it.
    pub(crate) closed_end: AtomicU64,
    /// What of it was told, where another thread had the claim at its end.
    pub(crate) told: Told<AtomicU64>,
    /// CPU time so far of those who were inside beside the claim, in ticks.
    pub(crate) cpu_beside: AtomicU64,
    /// A poll that takes more ticks than this is counted; 0 for no such limit.
    pub(crate) poll_limit: AtomicU64,
    /// How many were.
    pub(crate) polls_blocked: AtomicU64,
    /// The longest of them, in ticks; counts only where there are some.
    pub(crate) poll_longest: AtomicU64,
    /// Where it was then, and where the poll is that takes too long now ([`Spot`](super::Spot)).
    pub(crate) poll_longest_at: AtomicU64,
    pub(crate) poll_seen: AtomicU64,
    /// The number, plus one, of the record's other log: of a main log its side log, of a side log its main log; 0 for none. A
    /// main log that has one is written anew under the lock only.
    pub(crate) beside: AtomicU64,
    /// Which keys may be in the log: one bit for each number modulo 256.
    pub(crate) present: [AtomicU64; 4],
    /// Where they were first written; counts only where `present` has the bit.
    pub(crate) index: [AtomicU16; 256],
    /// The fields, in order of their first writes, as an event has them (`log/extent.rs`).
    pub(crate) listed: [AtomicU64; LISTED],
    pub(crate) log: [AtomicU64; LOG],
    /// Where the newest error has passed.
    pub(crate) errors: Errors,
    /// Where its annotated functions are.
    pub(crate) frames: Frames,
}

struct Segment {
    heads: &'static [Head; SEGMENT],
    bodies: &'static [Body; SEGMENT],
}

static TABLE: [OnceLock<Segment>; SEGMENTS] = [const { OnceLock::new() }; SEGMENTS];

/// A place for a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) head: &'static Head,
    pub(crate) body: &'static Body,
    pub(crate) number: u32,
}

/// The slot of a number; `None` if there is no such slot yet.
#[inline]
pub(crate) fn slot(number: u32) -> Option<Slot> {
    let at = number as usize;
    let segment = TABLE.get(at / SEGMENT)?.get()?;
    Some(Slot { head: &segment.heads[at % SEGMENT], body: &segment.bodies[at % SEGMENT], number })
}

/// The heads of all segments, in order of their numbers.
pub(crate) fn heads() -> impl Iterator<Item = (u32, &'static Head)> {
    TABLE.iter().map_while(OnceLock::get).flat_map(|segment| segment.heads).zip(0..).map(|(head, at)| (at, head))
}

struct Grown {
    segments: usize,
}

static GROWN: Mutex<Grown> = Mutex::new(Grown { segments: 0 });

#[cfg(any(test, feature = "test-util"))]
static ALLOWED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(SEGMENTS);

/// For tests: no segments beyond so many slots.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn allow(slots: usize) {
    ALLOWED.store(slots.div_ceil(SEGMENT), Ordering::Relaxed);
}

/// One more segment: the numbers of its slots, or none where the slab is full (65,536 records).
pub(crate) fn grow() -> std::ops::Range<u32> {
    let mut grown = GROWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(place) = TABLE.get(grown.segments) else { return 0..0 };
    #[cfg(any(test, feature = "test-util"))]
    if grown.segments >= ALLOWED.load(Ordering::Relaxed) {
        return 0..0;
    }
    let (Some(heads), Some(bodies)) = (leak_zeroed(SEGMENT).first_chunk(), leak_zeroed(SEGMENT).first_chunk()) else {
        return 0..0;
    };
    place.get_or_init(|| Segment { heads, bodies });
    let first = grown.segments * SEGMENT;
    grown.segments += 1;
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    number(first)..number(first + SEGMENT)
}

const EXTENSIONS: usize = 4_096;
static EXTENDED: [OnceLock<&'static [AtomicU64]>; EXTENSIONS] = [const { OnceLock::new() }; EXTENSIONS];

struct FreeExtensions {
    free: Vec<u32>,
    made: u32,
}

static FREE_EXTENSIONS: Mutex<FreeExtensions> = Mutex::new(FreeExtensions { free: Vec::new(), made: 0 });

/// The locks on slots and extensions, held.
pub(crate) struct Held {
    _grown: MutexGuard<'static, Grown>,
    _extensions: MutexGuard<'static, FreeExtensions>,
}

pub(crate) fn hold() -> Held {
    Held {
        _grown: GROWN.lock().unwrap_or_else(PoisonError::into_inner),
        _extensions: FREE_EXTENSIONS.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

/// The words of an extension.
pub(crate) fn extension(number: u64) -> &'static [AtomicU64] {
    usize::try_from(number).ok().and_then(|at| EXTENDED.get(at)?.get()).copied().unwrap_or_default()
}

/// An extension that nobody uses; `None` where all 4,096 are in use.
pub(crate) fn take_extension() -> Option<u32> {
    let _busy = current::busy();
    let mut extensions = FREE_EXTENSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(free) = extensions.free.pop() {
        return Some(free);
    }
    let number = extensions.made;
    let place = EXTENDED.get(number as usize)?;
    place.get_or_init(|| leak_zeroed(EXTENSION));
    extensions.made += 1;
    Some(number)
}

/// Gives an extension back.
pub(crate) fn return_extension(number: u32) {
    let _busy = current::busy();
    FREE_EXTENSIONS.lock().unwrap_or_else(PoisonError::into_inner).free.push(number);
}

impl Body {
    /// One word of the log.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> &AtomicU64 {
        match self.log.get(at) {
            Some(word) => word,
            None => self.far_word(at),
        }
    }

    /// The other log of the record, where it has two. Who has not its claim or its lock reads it while it is written.
    pub(crate) fn other(&self) -> Option<&'static Body> {
        let number = u32::try_from(self.beside.load(Ordering::Relaxed)).ok()?.checked_sub(1)?;
        Some(slot(number)?.body)
    }

    #[cold]
    fn far_word(&self, at: usize) -> &AtomicU64 {
        static NOWHERE: AtomicU64 = AtomicU64::new(0);
        let number = self.extension.load(Ordering::Relaxed).wrapping_sub(1);
        extension(number).get(at - LOG).unwrap_or(&NOWHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_one_cache_line_and_a_slot_some_two_pages() {
        assert_eq!(size_of::<Head>(), 64);
        // Of the frames, only the lines that are used are ever touched.
        assert!(size_of::<Head>() + size_of::<Body>() <= 8_448, "{}", size_of::<Body>());
    }
}
