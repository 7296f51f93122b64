//! One frame: a function that runs or waits.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::place::Place;
use crate::sys::lasting::Lasting;

/// Where a frame's turn stands, in [`Call::fun`] and in a place.
pub(super) const TURN_SHIFT: u32 = 23;
pub(super) const FUN: u32 = (1 << TURN_SHIFT) - 1;
/// In the place of a function's number: the frame was left beside the claim.
pub(super) const GONE: u32 = FUN;
/// It was taken away from its function, and another is about to begin there.
const TAKEN: u32 = FUN - 1;

/// A function that runs or waits.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Call {
    /// The frame that it was called from.
    pub(super) caller: Lasting<Call>,
    /// The function's number (`trace/site.rs`), 0 for one that is not to be seen; above it, the frame's turn.
    fun: AtomicU32,
    /// Where it has come to.
    line: AtomicU32,
    /// When it began to wait, in ticks; 0 while it does not.
    since: AtomicU64,
    /// What the function is measured by (`record/section.rs`).
    section: AtomicU64,
    /// The generation of its record.
    of: AtomicU64,
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

    /// It waits from a moment on, which is not 0.
    #[inline(always)]
    pub(crate) fn wait(&self, since: u64) {
        self.since.store(since, Relaxed);
    }

    /// The function's number, and its line.
    pub(crate) fn at(&self) -> (u32, u32) {
        (self.fun.load(Relaxed) & FUN, self.line.load(Relaxed))
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

    /// The generation of its record.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.of.load(Relaxed)
    }

    /// Whether the frame is still whose place this is.
    #[inline]
    pub(crate) fn is_of(&self, place: Place) -> bool {
        (self.fun.load(Relaxed) ^ place.0) & !FUN == 0
    }

    /// The frame's turn, where a place has it.
    #[inline]
    pub(super) fn turn(&self) -> u32 {
        self.fun.load(Relaxed) & !FUN
    }

    /// Whether it was left beside the claim.
    pub(super) fn is_gone(&self) -> bool {
        self.fun.load(Acquire) & FUN == GONE
    }

    /// A function begins, in a frame that was taken for it.
    #[inline]
    pub(super) fn begin(&self, record: u64, fun: u32, line: u32, caller: Option<&'static Call>) {
        self.caller.store(caller);
        self.line.store(line, Relaxed);
        self.since.store(0, Relaxed);
        self.section.store(0, Relaxed);
        self.of.store(record, Relaxed);
        self.fun.store(self.fun.load(Relaxed) & !FUN | fun, Release);
    }

    /// The function has ended; false if the frame is another's by now.
    pub(super) fn end(&self, place: Place) -> bool {
        self.put(place, 0)
    }

    /// As [`end`](Self::end), beside the thread that has the claim, which makes room for others.
    pub(super) fn end_beside(&self, place: Place) {
        self.put(place, GONE);
    }

    fn put(&self, place: Place, fun: u32) -> bool {
        let ended = |now: u32| ((now ^ place.0) & !FUN == 0).then_some(now & !FUN | fun);
        self.fun.fetch_update(AcqRel, Relaxed, ended).is_ok()
    }

    /// Takes the frame away from a function of another record than this.
    pub(super) fn take(&self, record: u64) -> bool {
        let before = self.fun.load(Acquire);
        if before & FUN == TAKEN || self.of.load(Relaxed) == record {
            return false;
        }
        let taken = (before & !FUN).wrapping_add(1 << TURN_SHIFT) | TAKEN;
        self.fun.compare_exchange(before, taken, AcqRel, Relaxed).is_ok()
    }

    /// What it was at one moment, if it is of a record: function, line, since when it waits.
    pub(super) fn look(&self, record: u64) -> Option<(u32, u32, u64)> {
        let fun = self.fun.load(Acquire) & FUN;
        let (line, since, of) = (self.line.load(Relaxed), self.since.load(Relaxed), self.of.load(Relaxed));
        (fun != 0 && fun < TAKEN && of == record).then_some((fun, line, since))
    }
}
