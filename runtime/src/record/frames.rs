//! Where the annotated functions of a record are: in atomics that any thread may read at any time.
//!
//! ```text
//! of     whose frames these are: those of an older record in the same slot are nobody's
//! used   0b…0111       frames that are there
//! slots  0 ◀─ 1 ◀─ 2    function, line, the frame it was called from; while it waits, since when
//! ```
//!
//! Frames come and go by the thread that has the claim. Another one, where a future is dropped beside it, only writes into the
//! frame itself that it is gone. A frame's number is used again when it was left, and not before: a future that outlives its
//! record keeps it from all records of the slot, in which it is not seen.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use super::Handle;

/// How many frames of one record are told apart at a time.
pub(crate) const FRAMES: usize = 64;

/// Instead of the number of a frame: there is none.
pub(crate) const ROOT: u8 = u8::MAX;

/// Added to the number of a frame, or to none of them: a function called from there found no room for a frame of its own.
const LOST: u8 = 64;
const LOST_ROOT: u8 = LOST + FRAMES as u8;

/// How often a reader tries again, whose record's frames change meanwhile.
const TRIES: usize = 64;

impl Handle {
    /// The record, as the place of none of its frames.
    #[inline]
    pub(crate) fn place(self) -> Place {
        Place::new(self.number, self.generation, ROOT)
    }

    /// Its frames, in no particular order; none where they change all the time.
    pub(crate) fn frames(self) -> Vec<Seen> {
        self.slot().map(|slot| slot.body.frames.seen(self.place())).unwrap_or_default()
    }
}

/// A frame of some record, in 48 bits: its number, the slot's, and as much of the record's generation as there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u64);

pub(super) const NUMBER_SHIFT: u32 = 8;
const GENERATION_SHIFT: u32 = 24;
const GENERATIONS: u64 = (1 << 24) - 1;

/// In the place of a function's number and the rest: the frame was left beside the claim.
const GONE: u32 = u32::MAX;

impl Place {
    /// No frame, of no record.
    pub(crate) const NONE: Place = Place((1 << 48) - 1);

    /// The frame of a record; [`ROOT`] for none.
    #[inline]
    pub(crate) fn new(number: u32, generation: u64, at: u8) -> Place {
        let record = u64::from(number & 0xFFFF) << NUMBER_SHIFT | (generation & GENERATIONS) << GENERATION_SHIFT;
        Place(record | u64::from(at))
    }

    #[inline]
    pub(crate) fn at(self) -> u8 {
        self.0 as u8
    }

    /// Another frame of the same record.
    #[inline]
    pub(crate) fn with(self, at: u8) -> Place {
        Place(self.0 & !u64::from(ROOT) | u64::from(at))
    }

    /// A function without a frame, called from this one.
    #[cold]
    pub(super) fn lost(self) -> Place {
        self.with(match self.at() {
            at @ 0..LOST => at + LOST,
            ROOT => LOST_ROOT,
            at => at,
        })
    }

    /// Whether it is that of a function without a frame.
    #[inline]
    pub(super) fn is_lost(self) -> bool {
        matches!(self.at(), LOST..=LOST_ROOT)
    }

    /// The frame, or of a function without one the frame that it was called from.
    #[inline]
    pub(super) fn known(self) -> u8 {
        match self.at() {
            LOST_ROOT => ROOT,
            at @ LOST..LOST_ROOT => at - LOST,
            at => at,
        }
    }

    #[inline]
    pub(crate) fn number(self) -> u32 {
        u32::from((self.0 >> NUMBER_SHIFT) as u16)
    }

    /// The record's generation, of which a place has the lower part: the newest one, up to that of the record in the slot now.
    pub(crate) fn generation(self, newest: u64) -> u64 {
        newest.wrapping_sub(newest.wrapping_sub(self.0 >> GENERATION_SHIFT) & GENERATIONS)
    }
}

/// The frames of a record.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Frames {
    /// The record's [`Place`].
    of: AtomicU64,
    used: AtomicU64,
    /// How many there were so far: whoever reads the frames sees by it that they changed.
    entered: AtomicU64,
    slots: [Slot; FRAMES],
}

#[repr(C)]
#[derive(Debug)]
struct Slot {
    /// The function's number (`trace/site.rs`), 0 for one that is not to be seen; the frame that it was called from.
    what: AtomicU32,
    /// Where it has come to.
    line: AtomicU32,
    /// When it began to wait, in ticks; 0 while it does not.
    since: AtomicU64,
    /// What the function is measured by (`record/section.rs`).
    section: AtomicU64,
}

/// A frame, as it was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u8,
    pub(crate) fun: u32,
    pub(crate) line: u32,
    pub(crate) up: u8,
    /// When it began to wait, in ticks; none while it runs.
    pub(crate) since: Option<u64>,
}

impl Frames {
    /// A new frame of a record, called from `up`; none where there are too many. For the thread that has the claim.
    #[inline]
    pub(super) fn enter(&self, record: Place, fun: u32, line: u32, up: u8) -> Option<u8> {
        let record = record.with(ROOT);
        if self.of.load(Relaxed) != record.0 {
            self.begin(record);
        }
        let used = self.used.load(Relaxed);
        let at = (!used).trailing_zeros() as u8;
        let Some(slot) = self.slots.get(usize::from(at)) else {
            return self.sweep().then(|| self.enter(record, fun, line, up)).flatten();
        };
        self.entered.store(self.entered.load(Relaxed) + 1, Relaxed);
        // Whoever reads what follows reads the count, too.
        fence(Release);
        slot.what.store(fun << 8 | u32::from(up), Relaxed);
        slot.line.store(line, Relaxed);
        slot.since.store(0, Relaxed);
        self.used.store(used | 1 << at, Release);
        Some(at)
    }

    /// The first frame of a record: those of the one before are not to be seen any more.
    #[inline]
    fn begin(&self, record: Place) {
        if self.used.load(Relaxed) != 0 {
            self.hide();
        }
        self.of.store(record.0, Release);
    }

    #[cold]
    fn hide(&self) {
        self.of.store(u64::MAX, Relaxed);
        fence(Release);
        self.sweep();
        for slot in &self.slots {
            let hidden = |what| (what != GONE).then_some(u32::from(ROOT));
            // An error means that the frame was left, just now.
            let _left = slot.what.fetch_update(Relaxed, Relaxed, hidden);
            slot.section.store(0, Relaxed);
        }
    }

    /// Makes room where frames were left beside the claim; whether there is some.
    #[cold]
    fn sweep(&self) -> bool {
        let used = self.used.load(Relaxed);
        let gone = |at: &u8| used & 1 << at != 0 && self.slots[usize::from(*at)].what.load(Acquire) == GONE;
        let left = (0..FRAMES as u8).filter(gone).fold(0, |left, at| left | 1 << at);
        self.used.store(used & !left, Release);
        left != 0
    }

    /// Takes a frame away; the one that it was called from.
    #[inline]
    pub(super) fn leave(&self, at: u8) -> u8 {
        self.used.store(self.used.load(Relaxed) & !(1 << (at & 63)), Release);
        self.up(at)
    }

    /// As [`leave`](Self::leave), beside the thread that has the claim.
    pub(super) fn leave_beside(&self, at: u8) -> u8 {
        self.slot(at).map_or(ROOT, |slot| slot.what.swap(GONE, Release) as u8)
    }

    #[inline]
    fn slot(&self, at: u8) -> Option<&Slot> {
        self.slots.get(usize::from(at))
    }

    /// The frame that one was called from.
    #[inline]
    pub(super) fn up(&self, at: u8) -> u8 {
        self.slot(at).map_or(ROOT, |slot| slot.what.load(Relaxed) as u8)
    }

    /// Function and line of a frame that runs, and of those that it was called from.
    pub(super) fn chain(&self, at: u8) -> impl Iterator<Item = (u32, u32)> {
        let mut next = at;
        let up = move |_| {
            let slot = self.slot(next)?;
            let what = slot.what.load(Relaxed);
            next = what as u8;
            Some((what >> 8, slot.line.load(Relaxed)))
        };
        // No chain is followed for ever.
        (0..FRAMES).map_while(up).filter(|(fun, _)| *fun != 0)
    }

    /// The frame has come to a line.
    #[inline]
    pub(super) fn line(&self, at: u8, line: u32) {
        if let Some(slot) = self.slot(at) {
            slot.line.store(line, Relaxed);
            slot.since.store(0, Relaxed);
        }
    }

    /// The frame runs.
    #[inline]
    pub(super) fn run(&self, at: u8) {
        if let Some(slot) = self.slot(at) {
            slot.since.store(0, Relaxed);
        }
    }

    /// The frame waits: from now on, if it did not wait before.
    #[inline]
    pub(super) fn wait(&self, at: u8, now: impl FnOnce() -> u64) {
        if let Some(slot) = self.slot(at)
            && slot.since.load(Relaxed) == 0
        {
            slot.since.store(now().max(1), Relaxed);
        }
    }

    /// Keeps what the function is measured by.
    #[inline]
    pub(super) fn set_section(&self, at: u8, section: u64) {
        if let Some(slot) = self.slot(at) {
            slot.section.store(section, Relaxed);
        }
    }

    pub(super) fn section(&self, at: u8) -> Option<u64> {
        Some(self.slot(at)?.section.load(Relaxed))
    }

    /// The frames of a record, in no particular order; none where they change all the time.
    pub(crate) fn seen(&self, record: Place) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            if self.of.load(Acquire) != record.with(ROOT).0 {
                return Vec::new();
            }
            let (entered, used) = (self.entered.load(Acquire), self.used.load(Acquire));
            seen.clear();
            let there = (0..FRAMES as u8).filter(|number| used & 1 << number != 0);
            seen.extend(there.filter_map(|number| self.frame(number)));
            // What was read is older than what the counts say now, or they have changed.
            fence(Acquire);
            let same = (entered, used) == (self.entered.load(Relaxed), self.used.load(Relaxed));
            if same && self.of.load(Relaxed) == record.with(ROOT).0 {
                return seen;
            }
            std::hint::spin_loop();
        }
        Vec::new()
    }

    fn frame(&self, number: u8) -> Option<Seen> {
        let slot = self.slot(number)?;
        let (what, line, since) = (slot.what.load(Relaxed), slot.line.load(Relaxed), slot.since.load(Relaxed));
        let is_there = what >> 8 != 0 && what != GONE;
        is_there.then(|| Seen { number, fun: what >> 8, line, up: what as u8, since: (since != 0).then_some(since) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Place = Place(5 << NUMBER_SHIFT | 3 << GENERATION_SHIFT | ROOT as u64);

    fn frames() -> &'static Frames {
        &crate::sys::slab::leak_zeroed::<crate::record::slot::Body>(1)[0].frames
    }

    #[test]
    fn frames_know_where_they_were_called_from_and_how_long_they_wait() {
        let frames = frames();
        let outer = frames.enter(RECORD, 7, 10, ROOT).expect("room");
        let inner = frames.enter(RECORD, 8, 20, outer).expect("room");
        frames.wait(inner, || 99);
        frames.wait(inner, || 111);
        let seen = frames.seen(RECORD);
        assert_eq!(seen[0], Seen { number: outer, fun: 7, line: 10, up: ROOT, since: None });
        assert_eq!(seen[1], Seen { number: inner, fun: 8, line: 20, up: outer, since: Some(99) });
        frames.line(inner, 21);
        assert_eq!((frames.seen(RECORD)[1].line, frames.seen(RECORD)[1].since), (21, None));
        assert_eq!(frames.leave(inner), outer);
        assert_eq!(frames.seen(RECORD).len(), 1);
    }

    #[test]
    fn what_finds_no_place_is_left_out_and_a_place_is_used_again() {
        let frames = frames();
        for at in 0..FRAMES as u8 {
            assert_eq!(frames.enter(RECORD, 1, 1, ROOT), Some(at));
        }
        assert_eq!(frames.enter(RECORD, 1, 1, ROOT), None);
        frames.leave(17);
        assert_eq!(frames.enter(RECORD, 2, 2, 16), Some(17));
        assert_eq!(frames.leave_beside(40), ROOT);
        assert_eq!(frames.seen(RECORD).len(), 63);
        assert_eq!(frames.enter(RECORD, 3, 3, 16), Some(40));
        assert_eq!(frames.seen(RECORD).len(), 64);
    }

    #[test]
    fn a_newer_record_has_none_of_an_older_ones_frames() {
        let frames = frames();
        let newer = Place::new(5, 4, ROOT);
        let old = frames.enter(RECORD, 1, 1, ROOT).expect("room");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (1, 0));
        let new = frames.enter(newer, 2, 2, ROOT).expect("room");
        assert_ne!(new, old, "its number is still the older one's");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (0, 1));
        frames.leave_beside(old);
        assert_eq!(frames.seen(newer).len(), 1);
        frames.leave(new);
        assert_eq!(frames.enter(Place::new(5, 5, ROOT), 3, 3, ROOT), Some(old));
    }

    #[test]
    fn the_generation_that_a_place_has_a_part_of_is_found_again() {
        let long_ago = (1 << 40) + 17;
        for newest in [long_ago, long_ago + 1, long_ago + 1_000_000] {
            assert_eq!(Place::new(1, long_ago, 2).generation(newest), long_ago);
        }
    }
}
