//! Which record this thread is inside.
//!
//! `enter` claims the record's log for this thread, once a poll; while it is inside, a write is one look at the record's word
//! and a few plain stores. Where another thread has the claim, this one joins: it may write the side log.

mod busy;
mod frame;
mod polls;
mod waiting;

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) use self::busy::{busy, is_busy};
pub(crate) use self::frame::{Above, Frame, back, ends, handle_of, line, place_here};
pub(crate) use self::polls::settle;
use self::polls::{add_cpu, end_poll};
pub(crate) use self::waiting::Waiting;
use super::errors::Errors;
use super::frames::Call;
use super::log::Writer;
use super::slot::{Body, Head, Slot};
use super::state::{self, Refused};
use super::{Handle, Packed, Wants, meter, return_slot, write_main};
use crate::clock;
use crate::counters::{self, Count};

/// How this thread is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Not in a record.
    Outside,
    /// With the claim.
    Claimed,
    /// Beside the claim.
    Joined,
    /// The record had ended: writes are late. Or it has no slot, and what is written here has no place.
    Gone,
}

#[derive(Clone, Copy)]
struct Inside {
    handle: Handle,
    how: How,
    /// The thread's CPU time when it entered, in ticks ([`meter`]); [`UNMEASURED`] where it is not measured.
    cpu: u64,
    /// When a poll began that is to be timed, in ticks; 0 for none.
    began: u64,
    /// The frame that runs.
    top: Option<&'static Call>,
}

const UNMEASURED: u64 = u64::MAX;

const OUTSIDE: Inside = Inside { handle: Handle::NONE, how: How::Outside, cpu: UNMEASURED, began: 0, top: None };

/// Where this thread is. What the usual write needs stands first.
struct Here {
    /// The head and the log of the record that this thread has claimed.
    log: Cell<Option<(&'static Head, &'static Body)>>,
    /// What the head's word is while the record is open; 0 outside.
    open: Cell<u64>,
    handle: Cell<Handle>,
    how: Cell<How>,
    cpu: Cell<u64>,
    began: Cell<u64>,
    /// Whether canonlog is at work on this thread ([`busy`]).
    busy: Cell<bool>,
    /// Where errors in the record have passed; of no record, outside.
    errors: Cell<&'static Errors>,
    /// The frame that runs.
    top: Cell<Option<&'static Call>>,
    /// The moment at which the next frame is said to wait ([`Here::since`]); 0 for that at which it does.
    waits: Cell<u64>,
}

static NO_ERRORS: Errors = Errors::new();

thread_local! {
    static HERE: Here = const {
        Here {
            log: Cell::new(None),
            open: Cell::new(0),
            handle: Cell::new(Handle::NONE),
            how: Cell::new(How::Outside),
            cpu: Cell::new(UNMEASURED),
            began: Cell::new(0),
            busy: Cell::new(false),
            errors: Cell::new(&NO_ERRORS),
            top: Cell::new(None),
            waits: Cell::new(0),
        }
    };
}

#[inline]
fn inside() -> Inside {
    HERE.with(|here| Inside {
        handle: here.handle.get(),
        how: here.how.get(),
        cpu: here.cpu.get(),
        began: here.began.get(),
        top: here.top.get(),
    })
}

/// Moves this thread's idea of where it is to a record, which lies in the slot.
#[inline(always)]
fn move_to(Inside { handle, how, cpu, began, top }: Inside, slot: Option<Slot>) {
    HERE.with(|here| {
        here.log.set(slot.filter(|_| how == How::Claimed).map(|slot| (slot.head, slot.body)));
        here.open.set(if how == How::Outside { 0 } else { state::open_word(handle.generation()) });
        here.handle.set(handle);
        here.how.set(how);
        here.cpu.set(cpu);
        here.began.set(began);
        here.top.set(top);
        here.waits.set(began);
        // Of a record that has ended, the slot may be another's.
        let errors = slot.filter(|_| matches!(how, How::Claimed | How::Joined)).map(|slot| &slot.body.errors);
        here.errors.set(errors.unwrap_or(&NO_ERRORS));
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
    if before.began != 0 {
        // After all that has begun to wait before.
        HERE.with(|here| here.waits.set(clock::now()));
    }
}

/// The record this thread is inside.
#[inline]
pub(crate) fn handle() -> Option<Handle> {
    HERE.with(|here| (here.open.get() != 0).then(|| here.handle.get()))
}

/// Whether this thread is inside the record, with its claim.
#[inline]
pub(crate) fn has_claim(handle: Handle) -> bool {
    HERE.with(|here| here.how.get() == How::Claimed && here.handle.get() == handle)
}

/// Whether this thread is in no record.
#[inline(always)]
pub(crate) fn is_outside() -> bool {
    HERE.with(|here| here.open.get() == 0)
}

/// What tells later whether an error has passed meanwhile, in the record this thread is inside.
#[inline(always)]
pub(crate) fn errors_mark() -> u32 {
    HERE.with(|here| here.errors.get().mark())
}

/// Where errors have passed in the record this thread is inside, and the record's generation.
#[inline]
pub(crate) fn errors_here() -> Option<(&'static Errors, u64)> {
    HERE.with(|here| {
        let errors = here.errors.get();
        (!std::ptr::eq(errors, &NO_ERRORS)).then(|| (errors, here.handle.get().generation()))
    })
}

/// The log of the record this thread is inside, in the usual case: it has the claim, nobody has written beside it, the
/// record is open.
#[inline(always)]
pub(crate) fn claimed_here() -> Option<(&'static Body, Handle)> {
    HERE.with(|here| {
        let (head, body) = here.log.get()?;
        let usual = state::is_open_alone(head.word.load(Relaxed), here.open.get());
        usual.then(|| (body, here.handle.get()))
    })
}

/// As [`claimed_here`], with all of its slot.
#[inline(always)]
pub(crate) fn claimed_slot() -> Option<(Slot, Handle)> {
    HERE.with(|here| {
        let (head, body) = here.log.get()?;
        let usual = state::is_open(head.word.load(Relaxed), here.open.get()) && head.side.load(Relaxed) == 0;
        let handle = here.handle.get();
        usual.then_some((Slot { head, body, number: handle.number }, handle))
    })
}

/// As [`claimed_here`], of a record by its handle.
#[inline(always)]
pub(crate) fn claimed(handle: Handle) -> Option<&'static Body> {
    HERE.with(|here| {
        let (head, body) = here.log.get()?;
        let usual = state::is_open_alone(head.word.load(Relaxed), here.open.get());
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
        && let word = head.word.load(Relaxed)
        && state::is_open(word, state::open_word(inside.handle.generation()))
    {
        let beside = state::is_beside(word);
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
#[inline(always)]
pub(crate) fn enter(handle: Handle) -> Entered {
    let frame = 0_u8;
    enter_as(handle, false, (&raw const frame).addr())
}

/// As [`enter`], to poll a future: a poll that takes too long is counted.
#[inline(always)]
pub(crate) fn enter_poll(handle: Handle) -> Entered {
    let frame = 0_u8;
    enter_as(handle, true, (&raw const frame).addr())
}

/// `frame` is an address in the caller's stack frame: what is called from there lies below it.
#[inline]
fn enter_as(handle: Handle, poll: bool, frame: usize) -> Entered {
    let before = inside();
    if before.handle == handle {
        return Entered { before, did: Did::Nothing, _here: PhantomData };
    }
    let Some(slot) = handle.slot() else {
        let slotless = Inside { handle, how: How::Gone, ..OUTSIDE };
        move_to(if handle.is_slotless() { slotless } else { OUTSIDE }, None);
        return Entered { before, did: Did::Moved, _here: PhantomData };
    };
    let word = &slot.head.word;
    let how = match state::claim(word, handle.generation()) {
        Ok(()) => How::Claimed,
        Err(Refused::Busy) if state::join(word, handle.generation()) => How::Joined,
        Err(_) => How::Gone,
    };
    let mut inside = Inside { handle, how, cpu: UNMEASURED, began: 0, top: None };
    if how == How::Gone {
        move_to(inside, Some(slot));
        return Entered { before, did: Did::Moved, _here: PhantomData };
    }
    let times = poll && slot.body.poll_limit.load(Relaxed) != 0;
    if times || slot.measures_cpu() {
        let now = clock::now();
        inside.began = if times { now } else { 0 };
        inside.cpu = if slot.measures_cpu() { meter::enter(now) } else { UNMEASURED };
    }
    move_to(inside, Some(slot));
    counters::entered(Packed::handle_of(handle), frame, inside.began, before.how != How::Outside);
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
        let claimed = HERE.with(|here| here.log.get());
        let slot = claimed.map(|(head, body)| Slot { head, body, number: inside.handle.number });
        move_back(self.before);
        counters::left(self.before.how != How::Outside);
        let Some(slot) = slot.or_else(|| inside.handle.slot()) else { return };
        if inside.cpu != UNMEASURED || inside.began != 0 {
            let now = clock::now();
            if inside.cpu != UNMEASURED {
                add_cpu(slot, how, meter::leave(now).wrapping_sub(inside.cpu));
            }
            end_poll(slot, inside.began, now);
        }
        let word = &slot.head.word;
        if if how == How::Claimed { state::unclaim(word) } else { state::unjoin(word) } {
            return_slot(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::{Context as Task, Poll, Waker};
    use std::time::Duration;

    use super::*;
    use crate::event::OwnedEvent;
    use crate::pipeline::Settings;
    use crate::{Kind, Value, begin, testing};

    /// The event of a request whose future keeps its thread for these times, a poll each.
    fn polled(limit: Option<Duration>, millis: &[u64]) -> OwnedEvent {
        let capture = testing::capture_with(Settings { poll_limit: limit, ..Settings::default() });
        let scope = begin(Kind::Request);
        let mut left = millis.iter();
        let future = poll_fn(move |_| match left.next() {
            Some(millis) => {
                std::thread::sleep(Duration::from_millis(*millis));
                Poll::Pending
            }
            None => Poll::Ready(()),
        });
        let mut future: Pin<&mut dyn Future<Output = ()>> = pin!(scope.context().scope(future));
        while future.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending() {}
        scope.finish();
        capture.one()
    }

    fn blocked(event: &OwnedEvent) -> Option<(u64, Duration)> {
        match (event.view().get("poll_blocked_count")?, event.view().get("poll_max_time")?) {
            (Value::U64(count), Value::Duration(longest)) => Some((count, longest)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn polls_past_the_limit_are_counted_with_the_longest() {
        let event = polled(Some(Duration::from_millis(30)), &[0, 40, 0, 60, 1]);
        let (count, longest) = blocked(&event).expect("two of them");
        assert_eq!(count, 2);
        assert!(longest >= Duration::from_millis(60), "{longest:?}");
    }

    #[test]
    fn short_polls_and_no_limit_leave_no_trace() {
        assert_eq!(blocked(&polled(Some(Duration::from_secs(20)), &[1, 40])), None);
        assert_eq!(blocked(&polled(None, &[40])), None);
    }

    #[test]
    fn what_is_no_poll_may_take_its_time() {
        let settings = Settings { poll_limit: Some(Duration::from_millis(5)), ..Settings::default() };
        let capture = testing::capture_with(settings);
        let scope = begin(Kind::Request);
        scope.enter(|| std::thread::sleep(Duration::from_millis(10)));
        let cx = scope.context();
        let blocking = std::thread::spawn(move || cx.enter(|| std::thread::sleep(Duration::from_millis(10))));
        blocking.join().expect("no panic");
        scope.finish();
        assert_eq!(blocked(&capture.one()), None);
    }

    #[test]
    fn a_thread_is_seen_in_both_of_two_records_within_each_other() {
        let (outer, inner) = (begin(Kind::Request), begin(Kind::Job));
        let tid = crate::sys::thread::tid();
        let seen = |handle: Handle| {
            let mut visits = Vec::new();
            counters::each_thread(|_, block| visits.extend(block.visit(Packed::handle_of(handle))));
            visits
        };
        let (of_outer, of_inner) = (outer.context().handle(), inner.context().handle());
        assert_eq!(seen(of_outer), []);
        outer.enter(|| {
            let alone = seen(of_outer);
            assert_eq!((alone.len(), alone[0].tid), (1, tid));
            inner.enter(|| {
                let (out, within) = (seen(of_outer)[0], seen(of_inner)[0]);
                assert_eq!(out.frame, alone[0].frame);
                assert!(within.frame < out.frame, "what is inside lies further down");
            });
            let again = seen(of_outer);
            assert_eq!((again[0].frame, again.len()), (alone[0].frame, 1));
            assert_eq!(seen(of_inner), []);
        });
        assert_eq!(seen(of_outer), []);
    }
}
