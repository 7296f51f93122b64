//! Which record this thread is inside.
//!
//! `enter` claims the record's log for this thread, once a poll; while it is inside, a write is one look at the record's word
//! and a few plain stores. Where another thread has the claim, this one joins: it may write the side log.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

use super::log::Writer;
use super::slot::{Body, Head, Slot};
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
    handle: Handle,
    how: How,
    /// The thread's CPU time when it entered, in nanoseconds; 0 where it is not measured.
    cpu: u64,
}

const OUTSIDE: Inside = Inside { handle: Handle::NONE, how: How::Outside, cpu: 0 };

/// Where this thread is. What the usual write needs stands first.
struct Here {
    /// The head and the log of the record that this thread has claimed.
    log: Cell<Option<(&'static Head, &'static Body)>>,
    /// What the head's word is while the record is open; 0 outside.
    open: Cell<u64>,
    handle: Cell<Handle>,
    how: Cell<How>,
    cpu: Cell<u64>,
}

thread_local! {
    static HERE: Here = const {
        Here {
            log: Cell::new(None),
            open: Cell::new(0),
            handle: Cell::new(Handle::NONE),
            how: Cell::new(How::Outside),
            cpu: Cell::new(0),
        }
    };
}

#[inline]
fn inside() -> Inside {
    HERE.with(|here| Inside { handle: here.handle.get(), how: here.how.get(), cpu: here.cpu.get() })
}

/// Moves this thread's idea of where it is to a record, which lies in the slot.
#[inline(always)]
fn move_to(Inside { handle, how, cpu }: Inside, slot: Option<Slot>) {
    HERE.with(|here| {
        here.log.set(slot.filter(|_| how == How::Claimed).map(|slot| (slot.head, slot.body)));
        here.open.set(if how == How::Outside { 0 } else { state::open_word(handle.generation()) });
        here.handle.set(handle);
        here.how.set(how);
        here.cpu.set(cpu);
    });
}

/// Moves it to where it was.
#[inline]
fn move_back(before: Inside) {
    match before.how {
        How::Outside => move_to(OUTSIDE, None),
        _ => move_back_in(before),
    }
}

#[inline(never)]
fn move_back_in(before: Inside) {
    move_to(before, before.handle.slot());
}

/// The record this thread is inside.
#[inline]
pub(crate) fn handle() -> Option<Handle> {
    HERE.with(|here| (here.open.get() != 0).then(|| here.handle.get()))
}

/// Whether this thread is in no record.
#[inline(always)]
pub(crate) fn is_outside() -> bool {
    HERE.with(|here| here.open.get() == 0)
}

/// The log of the record this thread is inside, in the usual case: it has the claim, nobody has written beside it, the
/// record is open.
#[inline(always)]
pub(crate) fn claimed_here() -> Option<(&'static Body, Handle)> {
    HERE.with(|here| {
        let (head, body) = here.log.get()?;
        let usual = state::is_open(head.word.load(Relaxed), here.open.get()) && head.side.load(Relaxed) == 0;
        usual.then(|| (body, here.handle.get()))
    })
}

/// As [`claimed_here`], of a record by its handle.
#[inline(always)]
pub(crate) fn claimed(handle: Handle) -> Option<&'static Body> {
    HERE.with(|here| {
        let (head, body) = here.log.get()?;
        let usual = state::is_open(head.word.load(Relaxed), here.open.get()) && head.side.load(Relaxed) == 0;
        (usual && here.handle.get() == handle).then_some(body)
    })
}

/// Writes to the record this thread is inside; `None` (and counted) outside, or if it has ended.
#[inline]
pub(crate) fn write_here<R>(write: impl FnMut(&'static Body, Writer) -> R) -> Option<R> {
    let inside = inside();
    write_inside(&inside, write)
}

#[inline]
fn write_inside<R>(inside: &Inside, mut write: impl FnMut(&'static Body, Writer) -> R) -> Option<R> {
    if let Some((head, body)) = HERE.with(|here| here.log.get())
        && state::is_open(head.word.load(Relaxed), state::open_word(inside.handle.generation()))
    {
        let beside = head.side.load(Relaxed) != 0;
        if beside && body.wants_compacting() {
            inside.handle.compact_beside(body);
        }
        return Some(write(body, Writer::Main { beside }));
    }
    write_slowly(inside, &mut write)
}

#[cold]
fn write_slowly<R>(inside: &Inside, write: Wants<'_, R>) -> Option<R> {
    match (inside.how, inside.handle.slot()) {
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
pub(crate) fn write<R>(handle: Handle, mut write: impl FnMut(&'static Body, Writer) -> R) -> Option<R> {
    let inside = inside();
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
    let before = inside();
    if before.handle == handle {
        return Entered { before, did: Did::Nothing, _here: PhantomData };
    }
    let Some(slot) = handle.slot() else {
        move_to(OUTSIDE, None);
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
    move_to(Inside { handle, how, cpu }, Some(slot));
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
                move_back(self.before);
            }
            return;
        };
        let inside = inside();
        move_back(self.before);
        counters::left();
        let Some(slot) = inside.handle.slot() else { return };
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
    let inside = inside();
    if inside.handle != handle || inside.cpu == 0 {
        return 0;
    }
    HERE.with(|here| here.cpu.set(0));
    clocks::thread_cpu_nanos().saturating_sub(inside.cpu)
}
