//! Where the annotated functions of a record are: in atomics that any thread may read at any time.
//!
//! ```text
//! of     whose frames these are: those of an older record in the same slot are nobody's
//! used   0b…0111       frames that are there
//! calls  0 ◀─ 1 ◀─ 2    function, line, the frame it was called from; while it waits, since when
//! ```
//!
//! Frames come and go by the thread that has the claim. Another one, where a future is dropped beside it, only writes into the
//! frame itself that it is gone. A frame's number is used again when it was left, and not before: a future that outlives its
//! record keeps it from all records of the slot, in which it is not seen.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use super::Handle;
use crate::sys::lasting::Lasting;

/// How many frames of one record are told apart at a time.
pub(crate) const FRAMES: usize = 64;

/// Instead of the number of a frame: there is none.
pub(crate) const ROOT: u8 = u8::MAX;

/// The number of what stands for all functions that find no room.
pub(crate) const LOST: u8 = FRAMES as u8;

/// How often a reader tries again, whose record's frames change meanwhile.
const TRIES: usize = 64;

/// In the place of a function's number: the frame was left beside the claim.
const GONE: u32 = u32::MAX;

/// A frame of some slot, in 24 bits: the slot's number, and the frame's. A frame's number is one function's until that has left,
/// whatever becomes of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) u32);

impl Place {
    /// No frame, of no record.
    pub(crate) const NONE: Place = Place(u32::MAX);

    #[inline]
    pub(crate) fn new(number: u32, at: u8) -> Place {
        Place(number << 8 | u32::from(at))
    }

    #[inline]
    pub(crate) fn at(self) -> u8 {
        self.0 as u8
    }

    /// The slot's number, or what stands in its place.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        self.0 >> 8
    }
}

impl Handle {
    /// The record's frames, in no particular order; none where they change all the time.
    pub(crate) fn frames(self) -> Vec<Seen> {
        self.slot().map(|slot| slot.body.frames.seen(self.generation)).unwrap_or_default()
    }
}

/// The frames of a record.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Frames {
    /// The record's generation.
    of: AtomicU64,
    used: AtomicU64,
    /// How many there were so far: whoever reads the frames sees by it that they changed.
    entered: AtomicU64,
    calls: [Call; FRAMES + 1],
}

/// A function that runs or waits.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Call {
    /// The frame that it was called from.
    caller: Lasting<Call>,
    /// The function's number (`trace/site.rs`), 0 for one that is not to be seen.
    fun: AtomicU32,
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

impl Call {
    /// The function has come to a line.
    #[inline(always)]
    pub(crate) fn line(&self, line: u32) {
        self.line.store(line, Relaxed);
    }

    /// It does not wait any more.
    #[inline(always)]
    pub(crate) fn run(&self) {
        self.since.store(0, Relaxed);
    }

    /// Whether it waits.
    #[inline(always)]
    pub(crate) fn waits(&self) -> bool {
        self.since.load(Relaxed) != 0
    }

    /// It waits from now on.
    pub(crate) fn wait(&self, now: u64) {
        self.since.store(now.max(1), Relaxed);
    }

    /// The function's number, and its line.
    pub(crate) fn at(&self) -> (u32, u32) {
        (self.fun.load(Relaxed), self.line.load(Relaxed))
    }

    /// The frame that it was called from.
    #[inline(always)]
    pub(crate) fn caller(&self) -> Option<&'static Call> {
        self.caller.load()
    }

    /// Keeps what the function is measured by.
    #[inline]
    pub(crate) fn set_section(&self, section: u64) {
        self.section.store(section, Relaxed);
    }

    #[inline]
    pub(crate) fn section(&self) -> u64 {
        self.section.load(Relaxed)
    }
}

impl Frames {
    /// A new frame of a record, called from `caller`; none where there are too many. For the thread that has the claim.
    #[inline]
    pub(crate) fn enter(
        &'static self,
        record: u64,
        fun: u32,
        line: u32,
        caller: Option<&'static Call>,
    ) -> Option<(u8, &'static Call)> {
        if self.of.load(Relaxed) != record {
            self.begin(record);
        }
        let used = self.used.load(Relaxed);
        if used == u64::MAX {
            return (self.sweep() != u64::MAX).then(|| self.enter(record, fun, line, caller)).flatten();
        }
        let at = (!used).trailing_zeros() as u8;
        let call = self.calls.get(usize::from(at))?;
        self.entered.store(self.entered.load(Relaxed) + 1, Relaxed);
        // Whoever reads what follows reads the count, too.
        fence(Release);
        call.caller.store(caller);
        call.fun.store(fun, Relaxed);
        call.line.store(line, Relaxed);
        call.since.store(0, Relaxed);
        self.used.store(used | 1 << at, Release);
        Some((at, call))
    }

    /// What stands for a function that found no room, called from `caller`.
    #[cold]
    pub(crate) fn lost(&'static self, caller: Option<&'static Call>) -> &'static Call {
        let lost = &self.calls[usize::from(LOST)];
        if !caller.is_some_and(|caller| ptr::eq(caller, lost)) {
            lost.caller.store(caller);
        }
        lost
    }

    /// The frame of a number.
    #[inline(always)]
    pub(crate) fn call(&'static self, at: u8) -> Option<&'static Call> {
        self.calls.get(usize::from(at))
    }

    /// The number of a frame; [`ROOT`] for one of another record.
    fn number(&self, call: Option<&'static Call>) -> u8 {
        let Some(call) = call else { return ROOT };
        let bytes = ptr::from_ref(call).addr().wrapping_sub(self.calls.as_ptr().addr());
        if bytes < size_of_val(&self.calls) { (bytes / size_of::<Call>()) as u8 } else { ROOT }
    }

    /// The first frame of a record: those of the one before are not to be seen any more.
    #[inline]
    fn begin(&self, record: u64) {
        if self.used.load(Relaxed) != 0 {
            self.hide();
        }
        self.of.store(record, Release);
    }

    #[cold]
    fn hide(&self) {
        self.of.store(u64::MAX, Relaxed);
        fence(Release);
        self.sweep();
        for call in &self.calls {
            let hidden = |fun| (fun != GONE).then_some(0);
            // An error means that the frame was left, just now.
            let _left = call.fun.fetch_update(Relaxed, Relaxed, hidden);
            call.section.store(0, Relaxed);
        }
    }

    /// Makes room where frames were left beside the claim; those that are still used.
    #[cold]
    fn sweep(&self) -> u64 {
        let used = self.used.load(Relaxed);
        let gone = |at: &u8| used & 1 << at != 0 && self.calls[usize::from(*at)].fun.load(Acquire) == GONE;
        let left = (0..LOST).filter(gone).fold(0, |left, at| left | 1 << at);
        self.used.store(used & !left, Release);
        used & !left
    }

    /// The generation of the record that the frames are of.
    pub(crate) fn generation(&self) -> u64 {
        self.of.load(Relaxed)
    }

    /// Takes a frame away.
    #[inline]
    pub(crate) fn leave(&self, at: u8) {
        self.used.store(self.used.load(Relaxed) & !(1 << (at & 63)), Release);
    }

    /// As [`leave`](Self::leave), beside the thread that has the claim.
    pub(crate) fn leave_beside(&self, at: u8) {
        if let Some(call) = self.calls.get(usize::from(at)) {
            call.fun.store(GONE, Release);
        }
    }

    /// The frames of a record, in no particular order; none where they change all the time.
    pub(crate) fn seen(&self, record: u64) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            if self.of.load(Acquire) != record {
                return Vec::new();
            }
            let (entered, used) = (self.entered.load(Acquire), self.used.load(Acquire));
            seen.clear();
            let there = (0..LOST).filter(|number| used & 1 << number != 0);
            seen.extend(there.filter_map(|number| self.frame(number)));
            // What was read is older than what the counts say now, or they have changed.
            fence(Acquire);
            let same = (entered, used) == (self.entered.load(Relaxed), self.used.load(Relaxed));
            if same && self.of.load(Relaxed) == record {
                return seen;
            }
            std::hint::spin_loop();
        }
        Vec::new()
    }

    fn frame(&self, number: u8) -> Option<Seen> {
        let call = self.calls.get(usize::from(number))?;
        let (fun, line, since) = (call.fun.load(Relaxed), call.line.load(Relaxed), call.since.load(Relaxed));
        let up = self.number(call.caller());
        let is_there = fun != 0 && fun != GONE;
        is_there.then(|| Seen { number, fun, line, up, since: (since != 0).then_some(since) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: u64 = 3;

    fn frames() -> &'static Frames {
        &crate::sys::slab::leak_zeroed::<crate::record::slot::Body>(1)[0].frames
    }

    fn enter(frames: &'static Frames, record: u64, fun: u32, up: u8) -> Option<u8> {
        frames.enter(record, fun, fun * 10, frames.call(up)).map(|(at, _)| at)
    }

    #[test]
    fn frames_know_where_they_were_called_from_and_how_long_they_wait() {
        let frames = frames();
        let outer = enter(frames, RECORD, 1, ROOT).expect("room");
        let inner = enter(frames, RECORD, 2, outer).expect("room");
        let call = frames.call(inner).expect("there");
        call.wait(99);
        let seen = frames.seen(RECORD);
        assert_eq!(seen[0], Seen { number: outer, fun: 1, line: 10, up: ROOT, since: None });
        assert_eq!(seen[1], Seen { number: inner, fun: 2, line: 20, up: outer, since: Some(99) });
        call.line(21);
        call.run();
        assert_eq!((frames.seen(RECORD)[1].line, frames.seen(RECORD)[1].since), (21, None));
        assert!(ptr::eq(call.caller().expect("it was called"), frames.call(outer).expect("there")));
        frames.leave(inner);
        assert_eq!(frames.seen(RECORD).len(), 1);
    }

    #[test]
    fn what_finds_no_place_is_left_out_and_a_place_is_used_again() {
        let frames = frames();
        for at in 0..LOST {
            assert_eq!(enter(frames, RECORD, 1, ROOT), Some(at));
        }
        assert_eq!(enter(frames, RECORD, 1, ROOT), None);
        frames.leave(17);
        assert_eq!(enter(frames, RECORD, 2, 16), Some(17));
        frames.leave_beside(40);
        assert_eq!(frames.seen(RECORD).len(), 63);
        assert_eq!(enter(frames, RECORD, 3, 16), Some(40));
        assert_eq!(frames.seen(RECORD).len(), 64);
        // What one calls that found no room belongs to the frame above.
        let lost = frames.lost(frames.call(5));
        assert!(ptr::eq(frames.lost(Some(lost)), lost));
        assert_eq!(frames.number(lost.caller()), 5);
    }

    #[test]
    fn a_newer_record_has_none_of_an_older_ones_frames() {
        let frames = frames();
        let newer = 4;
        let old = enter(frames, RECORD, 1, ROOT).expect("room");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (1, 0));
        let new = enter(frames, newer, 2, ROOT).expect("room");
        assert_ne!(new, old, "its number is still the older one's");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (0, 1));
        frames.leave_beside(old);
        assert_eq!(frames.seen(newer).len(), 1);
        frames.leave(new);
        assert_eq!(enter(frames, 5, 3, ROOT), Some(old));
    }

    #[test]
    fn a_frame_of_another_record_calls_nothing_in_this_one() {
        let (here, there) = (frames(), frames());
        let elsewhere = there.enter(RECORD, 1, 10, None).map(|(_, call)| call);
        here.enter(RECORD, 2, 20, elsewhere).expect("room");
        assert_eq!(here.seen(RECORD)[0].up, ROOT);
    }
}
