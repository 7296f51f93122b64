//! Which record this thread is inside.
//!
//! `enter` claims the record's log for this thread, once a poll; while it is inside, a write is one look at the record's word
//! and a few plain stores. Where another thread has the claim, this one joins: it may write the side log.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

use super::log::Writer;
use super::slot::Slot;
use super::state::{self, Refused};
use super::{Handle, Wants, return_slot, write_main};
use crate::counters::{self, Count};
use crate::sys::clocks;

/// How this thread is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Not in a record.
    Outside,
    /// With the claim.
    Claimed,
    /// Beside the claim.
    Joined,
    /// The record had ended: writes are late.
    Gone,
}

#[derive(Clone, Copy)]
struct Inside {
    slot: Option<Slot>,
    handle: Handle,
    /// What the record's word is while it is open.
    open: u64,
    how: How,
    /// The thread's CPU time when it entered, in nanoseconds; 0 where it is not measured.
    cpu: u64,
}

const OUTSIDE: Inside = Inside { slot: None, handle: Handle::NONE, open: 0, how: How::Outside, cpu: 0 };

thread_local! {
    static INSIDE: Cell<Inside> = const { Cell::new(OUTSIDE) };
}

/// The record this thread is inside.
#[inline]
pub(crate) fn handle() -> Option<Handle> {
    let inside = INSIDE.get();
    (inside.how != How::Outside).then_some(inside.handle)
}

/// The log of a record, in the usual case: this thread has the claim, nobody has written beside it, it is open.
#[inline(always)]
pub(crate) fn claimed(handle: Handle) -> Option<&'static super::slot::Body> {
    let inside = INSIDE.get();
    if inside.how != How::Claimed || inside.handle != handle {
        return None;
    }
    let slot = inside.slot?;
    let usual = state::is_open(slot.head.word.load(Relaxed), inside.open) && slot.head.side.load(Relaxed) == 0;
    usual.then_some(slot.body)
}

/// Whether this thread is in no record.
#[inline(always)]
pub(crate) fn is_outside() -> bool {
    INSIDE.get().how == How::Outside
}

/// As [`claimed`], of the record this thread is inside.
#[inline(always)]
pub(crate) fn claimed_here() -> Option<&'static super::slot::Body> {
    let inside = INSIDE.get();
    if inside.how != How::Claimed {
        return None;
    }
    let slot = inside.slot?;
    let usual = state::is_open(slot.head.word.load(Relaxed), inside.open) && slot.head.side.load(Relaxed) == 0;
    usual.then_some(slot.body)
}

/// Writes to the record this thread is inside; `None` (and counted) outside, or if it has ended.
#[inline]
pub(crate) fn write_here<R>(write: impl FnMut(&'static super::slot::Body, Writer) -> R) -> Option<R> {
    let inside = INSIDE.get();
    write_inside(&inside, write)
}

#[inline]
fn write_inside<R>(inside: &Inside, mut write: impl FnMut(&'static super::slot::Body, Writer) -> R) -> Option<R> {
    if inside.how == How::Claimed {
        if let Some(slot) = inside.slot {
            if state::is_open(slot.head.word.load(Relaxed), inside.open) {
                let beside = slot.head.side.load(Relaxed) != 0;
                return Some(write(slot.body, Writer::Main { beside }));
            }
        }
    }
    write_slowly(inside, &mut write)
}

#[cold]
fn write_slowly<R>(inside: &Inside, write: Wants<'_, R>) -> Option<R> {
    match (inside.how, inside.slot) {
        (How::Outside, _) | (_, None) => {
            counters::add(Count::OutsideWrites, 1);
            None
        }
        (How::Claimed, Some(slot)) => write_main(slot, inside.handle.generation(), write),
        (How::Joined, Some(slot)) => inside.handle.write_side(slot, write),
        (How::Gone, _) => {
            counters::add(Count::LateWrites, 1);
            None
        }
    }
}

/// Writes to a record by its handle, from wherever this thread is.
#[inline]
pub(crate) fn write<R>(handle: Handle, mut write: impl FnMut(&'static super::slot::Body, Writer) -> R) -> Option<R> {
    let inside = INSIDE.get();
    if inside.handle == handle && inside.how != How::Outside {
        return write_inside(&inside, write);
    }
    handle.write(&mut write)
}

/// Inside a record until dropped.
#[must_use = "the thread leaves the record when the guard is dropped"]
pub(crate) struct Entered {
    before: Inside,
    /// Whether there is anything to undo.
    did: Did,
    /// What it did to the thread, it must undo there.
    _here: PhantomData<*const ()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Did {
    Nothing,
    /// Only this thread's idea of where it is has changed.
    Moved,
    Entered(How),
}

/// Enters a record on this thread.
#[inline]
pub(crate) fn enter(handle: Handle) -> Entered {
    let before = INSIDE.get();
    if before.handle == handle {
        return Entered { before, did: Did::Nothing, _here: PhantomData };
    }
    let Some(slot) = handle.slot() else {
        INSIDE.set(OUTSIDE);
        return Entered { before, did: Did::Moved, _here: PhantomData };
    };
    let word = &slot.head.word;
    let how = match state::claim(word, handle.generation()) {
        Ok(()) => How::Claimed,
        Err(Refused::Busy) if state::join(word, handle.generation()) => How::Joined,
        Err(_) => How::Gone,
    };
    let measures = how != How::Gone && slot.measures_cpu();
    let cpu = if measures { clocks::thread_cpu_nanos() } else { 0 };
    INSIDE.set(Inside { slot: Some(slot), handle, open: state::open_word(handle.generation()), how, cpu });
    if how == How::Gone {
        return Entered { before, did: Did::Moved, _here: PhantomData };
    }
    counters::entered();
    Entered { before, did: Did::Entered(how), _here: PhantomData }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let Did::Entered(how) = self.did else {
            if self.did == Did::Moved {
                INSIDE.set(self.before);
            }
            return;
        };
        let inside = INSIDE.replace(self.before);
        counters::left();
        let Some(slot) = inside.slot else { return };
        if inside.cpu != 0 {
            slot.head.cpu.fetch_add(clocks::thread_cpu_nanos().saturating_sub(inside.cpu), Relaxed);
        }
        let word = &slot.head.word;
        if if how == How::Claimed { state::unclaim(word) } else { state::unjoin(word) } {
            return_slot(slot);
        }
    }
}

/// CPU time of this thread's visit so far, in nanoseconds, for whoever ends the record from inside: it is not added again.
pub(crate) fn take_cpu(handle: Handle) -> u64 {
    let inside = INSIDE.get();
    if inside.handle != handle || inside.cpu == 0 {
        return 0;
    }
    INSIDE.set(Inside { cpu: 0, ..inside });
    clocks::thread_cpu_nanos().saturating_sub(inside.cpu)
}
