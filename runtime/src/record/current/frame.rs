//! Frames of the record that this thread is inside.
//!
//! ```text
//! enter ──▶ top is the new frame ── an await that is not ready (`waiting.rs`): top is what runs above it ── ready: top is the frame
//! ```

use std::ptr;

use super::{HERE, Here, How};
use crate::counters::{self, Count};
use crate::record::frames::{Call, Frames, LOST, Place, ROOT};
use crate::record::{Handle, Section, keys, section, slot, state};

/// Instead of a frame's number: what it is measured by lies elsewhere (`record/section.rs`).
const ELSEWHERE: u8 = 126;

impl Here {
    /// The frames of the record that this thread is inside.
    #[inline(always)]
    fn frames(&self) -> Option<&'static Frames> {
        match self.log.get() {
            Some((_, body)) => Some(&body.frames),
            None => self.frames_beside(),
        }
    }

    #[cold]
    fn frames_beside(&self) -> Option<&'static Frames> {
        let is_inside = matches!(self.how.get(), How::Joined);
        is_inside.then(|| self.handle.get().slot().map(|slot| &slot.body.frames)).flatten()
    }

    #[inline(never)]
    fn enter_beside(&self, fun: impl FnOnce() -> u32, line: u32) -> Option<(u8, &'static Call)> {
        self.frames()?.enter_beside(self.handle.get().generation, fun(), line, self.top.get())
    }

    fn is_top(&self, call: &'static Call) -> bool {
        self.top.get().is_some_and(|top| ptr::eq(top, call))
    }
}

fn frames_of(place: Place) -> Option<&'static Frames> {
    slot::slot(place.number()).map(|slot| &slot.body.frames)
}

/// A frame that lasts until it is dropped: in 4 bytes, beside which a future keeps its state.
#[must_use = "the frame is left when it is dropped"]
#[derive(Debug)]
pub(crate) struct Frame(Place);

impl Frame {
    pub(crate) const NONE: Frame = Frame(Place::NONE);

    /// The frame, to be kept as a number and made from it again.
    pub(crate) fn keep(self) -> Place {
        let place = self.0;
        std::mem::forget(self);
        place
    }

    #[inline(always)]
    pub(crate) fn kept(place: Place) -> Frame {
        Frame(place)
    }

    /// Where the function says what it does, if it has a frame.
    #[inline]
    fn call(&self) -> Option<&'static Call> {
        call_of(self.0)
    }

    /// A function begins, at a line.
    #[inline]
    pub(crate) fn enter(fun: impl FnOnce() -> u32, line: u32) -> Frame {
        HERE.with(|here| {
            let Handle { number, generation } = here.handle.get();
            let entered = match here.log.get() {
                Some((_, body)) => body.frames.enter(generation, fun(), line, here.top.get()),
                None => here.enter_beside(fun, line),
            };
            let Some((at, call)) = entered else { return lost(here) };
            here.top.set(Some(call));
            Frame(Place::new(number, at, call))
        })
    }

    /// As [`enter`](Self::enter), of a function that is only measured and never seen.
    pub(crate) fn hidden() -> Frame {
        HERE.with(|here| {
            let Some((_, body)) = here.log.get() else { return Frame::NONE };
            let Handle { number, generation } = here.handle.get();
            let entered = body.frames.enter(generation, 0, 0, None);
            entered.map_or(Frame::NONE, |(at, call)| Frame(Place::new(number, at, call)))
        })
    }

    /// Begins to measure the function.
    #[inline]
    pub(crate) fn measure(self, key: keys::KeyId) -> Frame {
        let Some(handle) = super::handle() else { return self };
        let section = Section::start(handle, key);
        if let Some(call) = self.call() {
            call.set_section(section.map_or(0, Section::word));
            return self;
        }
        let Some(section) = section else { return self };
        Frame(Place::instead(section::put_aside(section, self.keep()), ELSEWHERE))
    }

    /// Ends the measurement that [`measure`](Self::measure) began.
    #[inline]
    pub(crate) fn measured(&self, key: keys::KeyId) {
        let place = self.0;
        let section = match self.call() {
            Some(call) => match call.section() {
                0 => None,
                word => Some(Section::of_word(Handle::new(place.number(), call.generation()), key, word)),
            },
            None => aside(place).and_then(|number| section::aside(number, key)),
        };
        if let Some(section) = section {
            section.stop();
        }
    }

    /// Its future is polled again.
    #[inline]
    pub(crate) fn resume(&self) {
        let call = self.call().or_else(|| self.lost());
        if call.is_some() {
            HERE.with(|here| here.top.set(call));
        }
    }

    /// It runs again that has waited for what only a macro knows, or for several things.
    pub(crate) fn back(&self) {
        back(self.0);
    }

    /// Its future is not ready: what ran above it runs on.
    #[inline]
    pub(crate) fn rest(&self, above: Above) {
        if self.call().or_else(|| self.lost()).is_some() {
            HERE.with(|here| here.top.set(above.0));
        }
    }

    fn lost(&self) -> Option<&'static Call> {
        lost_of(self.0)
    }
}

/// The frame that runs, to be found again by [`back`].
pub(crate) fn place_here() -> Place {
    HERE.with(|here| {
        let Some((frames, call)) = here.frames().zip(here.top.get()) else { return Place::NONE };
        let number = here.handle.get().number;
        match frames.number(Some(call)) {
            ROOT => Place::NONE,
            LOST => Place::instead(number, LOST),
            at => Place::new(number, at, call),
        }
    })
}

/// The function of a frame runs again that has waited for what only a macro knows, or for several things.
pub(crate) fn back(place: Place) {
    let call = call_of(place);
    if let Some(call) = call {
        call.run();
    }
    let call = call.or_else(|| lost_of(place));
    if call.is_some() {
        HERE.with(|here| here.top.set(call));
    }
}

#[inline]
fn call_of(place: Place) -> Option<&'static Call> {
    let call = frames_of(place)?.call(place.at())?;
    (place.at() != LOST && call.is_of(place)).then_some(call)
}

fn lost_of(place: Place) -> Option<&'static Call> {
    if place.at() == LOST { frames_of(place)?.call(LOST) } else { None }
}

/// The number under which what a frame is measured by was put aside.
fn aside(place: Place) -> Option<u32> {
    (place.at() == ELSEWHERE && place != Place::NONE).then(|| place.put_instead())
}

/// A function finds no room for a frame, or is outside.
#[cold]
fn lost(here: &Here) -> Frame {
    let Some(frames) = here.frames() else {
        here.top.set(None);
        return Frame::NONE;
    };
    counters::add(Count::FramesLost, 1);
    here.top.set(Some(frames.lost(here.top.get())));
    Frame(Place::instead(here.handle.get().number, LOST))
}

/// The record that lies now where a frame is.
pub(crate) fn handle_of(place: Place) -> Option<Handle> {
    let slot = slot::slot(place.number())?;
    let (generation, _) = state::look(&slot.head.word);
    Some(Handle::new(slot.number, generation))
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        let place = self.0;
        if place.at() >= LOST {
            if place != Place::NONE {
                leave_elsewhere(place);
            }
            return;
        }
        HERE.with(|here| match here.log.get() {
            Some((_, body)) if here.handle.get().number == place.number() => {
                let Some(call) = body.frames.call(place.at()).filter(|call| call.is_of(place)) else { return };
                body.frames.leave(place.at());
                if here.is_top(call) {
                    here.top.set(call.caller());
                }
            }
            _ => leave_beside(here, place),
        });
    }
}

/// A function ends that has no frame, or one beside the claim.
#[cold]
fn leave_elsewhere(place: Place) {
    let place = aside(place).and_then(section::forget_aside).unwrap_or(place);
    if place.at() > LOST {
        return HERE.with(|here| leave_beside(here, place));
    }
    if place.at() == LOST
        && let Some(call) = frames_of(place).and_then(|frames| frames.call(LOST))
    {
        HERE.with(|here| {
            if here.is_top(call) {
                here.top.set(call.caller());
            }
        });
    }
}

/// A future is dropped where nobody is inside its record, or somebody else.
#[cold]
fn leave_beside(here: &Here, place: Place) {
    let Some(frames) = frames_of(place) else { return };
    let Some(call) = frames.call(place.at()).filter(|call| call.is_of(place)) else { return };
    if here.is_top(call) {
        here.top.set(call.caller());
    }
    frames.leave_beside(place);
}

/// The frame that runs, while something else does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above(pub(super) Option<&'static Call>);

impl Above {
    #[inline(always)]
    pub(crate) fn here() -> Above {
        HERE.with(|here| Above(here.top.get()))
    }
}

/// The frame that runs has come to a line.
#[inline(always)]
pub(crate) fn line(line: u32) {
    HERE.with(|here| {
        if let Some(call) = here.top.get() {
            call.line(line);
        }
    });
}

/// Function and line of the innermost of the frames that run, and of the outermost. Nothing is allocated.
pub(crate) fn ends() -> Option<[(u32, u32); 2]> {
    let mut next = HERE.with(|here| here.top.get());
    let up = move |_| {
        let call = next?;
        next = call.caller();
        Some(call.at())
    };
    // No chain is followed for ever.
    let mut chain = (0..LOST).map_while(up).filter(|(fun, _)| *fun != 0);
    let innermost = chain.next()?;
    Some([innermost, chain.last().unwrap_or(innermost)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::current::Waiting;
    use crate::{Kind, begin};

    /// Function, line, and the function that it was called from, 0 for none.
    fn seen(handle: Handle) -> Vec<(u32, u32, u32)> {
        let frames = handle.frames();
        let fun = |up| frames.iter().find(|frame| frame.number == up).map_or(0, |frame| frame.fun);
        let mut seen: Vec<_> = frames.iter().map(|frame| (frame.fun, frame.line, fun(frame.up))).collect();
        seen.sort_unstable();
        seen
    }

    fn top() -> Option<*const Call> {
        HERE.with(|here| here.top.get()).map(ptr::from_ref)
    }

    fn of(frame: &Frame) -> Option<*const Call> {
        frame.call().map(ptr::from_ref)
    }

    fn pending(waiting: Waiting) {
        let above = waiting.run();
        waiting.rest(above);
    }

    #[test]
    fn branches_of_one_function_have_it_above_them() {
        let scope = begin(Kind::Request);
        let handle = scope.context().handle();
        scope.enter(|| {
            let outer = Frame::enter(|| 1, 10);
            assert_eq!(top(), of(&outer));
            // As `join!` polls its branches, each of which waits.
            let first = Frame::enter(|| 2, 20);
            line(21);
            let waits = Waiting::begin();
            pending(waits);
            assert_eq!(top(), of(&outer));
            let second = Frame::enter(|| 3, 30);
            line(32);
            pending(Waiting::begin());
            assert_eq!(seen(handle), [(1, 10, 0), (2, 21, 1), (3, 32, 1)]);
            pending(waits);
            assert_eq!(top(), of(&outer));
            let _above = waits.run();
            waits.ready();
            assert_eq!(top(), of(&first));
            drop(first);
            assert_eq!(top(), of(&outer));
            drop(second);
            drop(outer);
            assert_eq!((seen(handle), top()), (Vec::new(), None));
        });
    }

    #[test]
    fn a_frame_can_be_left_anywhere_and_one_of_a_record_that_ended_is_nobodys() {
        assert_eq!(Frame::enter(|| 1, 1).0, Place::NONE);
        let scope = begin(Kind::Request);
        let handle = scope.context().handle();
        let (one, two) = scope.enter(|| (Frame::enter(|| 1, 1), Frame::enter(|| 2, 2)));
        drop(two);
        std::thread::spawn(move || drop(one)).join().expect("no panic");
        assert_eq!(seen(handle), []);

        let old = scope.enter(|| Frame::enter(|| 1, 1));
        drop(scope);
        // The slot used last is used again.
        let scope = begin(Kind::Request);
        assert_eq!(scope.context().handle().number, handle.number);
        scope.enter(|| {
            let new = Frame::enter(|| 7, 7);
            drop(old);
            assert_eq!(top(), of(&new));
            assert_eq!(seen(scope.context().handle()), [(7, 7, 0)]);
        });
    }

    #[test]
    fn records_within_each_other_have_frames_of_their_own() {
        let (outer, inner) = (begin(Kind::Request), begin(Kind::Job));
        outer.enter(|| {
            let frame = Frame::enter(|| 1, 1);
            inner.enter(|| {
                assert_eq!(top(), None);
                let inside = Frame::enter(|| 2, 2);
                assert_eq!(seen(inner.context().handle()), [(2, 2, 0)]);
                drop(inside);
            });
            assert_eq!(top(), of(&frame));
        });
    }

    #[test]
    fn a_function_that_is_only_measured_is_not_seen() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let _outer = Frame::enter(|| 1, 10);
            let _hidden = Frame::hidden();
            let _inner = Frame::enter(|| 2, 20);
            assert_eq!(seen(scope.context().handle()), [(1, 10, 0), (2, 20, 1)]);
        });
    }
}
