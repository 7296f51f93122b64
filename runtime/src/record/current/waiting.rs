//! What a frame waits for, at each poll of it.
//!
//! ```text
//! first poll    top is the frame ── not ready: top is what runs above it, and it waits from now on
//! next polls    top is the frame ── not ready: top is what it was
//!               through: nothing
//! ready         top is the frame
//! ```
//!
//! A frame is polled *through* that waits for the future of another annotated function and for nothing else: whatever runs in
//! there is that function's, or says itself where it is. So of a chain of functions only the innermost does something when it is
//! polled again, and of the others no memory but their own futures' is touched.

use super::frame::Above;
use super::{HERE, Here};
use crate::clock;
use crate::record::frames::Call;
use crate::sys::marked::Marked;

/// What waits, once it is polled: a frame, where there is one; marked if it is polled through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting(Marked<Call>);

impl Here {
    /// A frame waits from now on: since the poll began, where that is known.
    fn waits(&self, call: &Call) {
        match self.began.get() {
            0 => call.wait(clock::now()),
            began => call.wait(began),
        }
    }
}

impl Waiting {
    /// The frame that runs is about to wait.
    #[inline(always)]
    pub(crate) fn here() -> Waiting {
        HERE.with(|here| Waiting(Marked::new(here.top.get())))
    }

    /// What it waits for is about to be polled; what runs above it.
    #[inline(always)]
    pub(crate) fn run(self) -> Above {
        if self.0.is_marked() {
            return Above(None);
        }
        HERE.with(|here| Above(here.top.replace(self.0.get())))
    }

    /// It is not ready. The first time, `is_own` tells of the function whose frame rested last whether that is all that it waits for.
    #[inline(always)]
    pub(crate) fn rest(&mut self, above: Above, is_own: impl FnOnce(u32) -> bool) {
        if self.0.is_marked() {
            return;
        }
        HERE.with(|here| {
            if let Some(call) = self.0.get()
                && above.0.is_some_and(|above| std::ptr::eq(above, call))
            {
                if let Some(fun) = begins_to_wait(here, call)
                    && is_own(fun)
                {
                    call.wait_through();
                    self.0 = self.0.mark();
                }
                return;
            }
            // Of no frame: whatever ran inside may be of a record that this thread is not inside.
            here.top.set(above.0.filter(|_| self.0.get().is_some()));
        });
    }

    /// One of several things that it waits for is not ready.
    #[inline(always)]
    pub(crate) fn rest_one(mut self, above: Above) {
        self.rest(above, |_| false);
    }

    /// One of several things that it waits for is ready.
    #[inline(always)]
    pub(crate) fn ready_one(self) {
        HERE.with(|here| here.top.set(self.0.get()));
    }

    /// The only thing that it waits for is ready.
    #[inline(always)]
    pub(crate) fn ready(self) {
        self.ready_one();
        self.end();
    }

    /// It does not wait any more, or for something else.
    #[inline(always)]
    pub(crate) fn end(self) {
        if let Some(call) = self.0.get() {
            call.run();
        }
    }
}

/// A frame that has run is about to wait; the function of the frame that it has called, and that has rested last.
#[inline(never)]
fn begins_to_wait(here: &Here, call: &'static Call) -> Option<u32> {
    if !call.waits() {
        here.waits(call);
    }
    here.top.set(call.above());
    let rested = here.rested.replace(Some(call))?;
    let is_called = rested.caller().is_some_and(|caller| std::ptr::eq(caller, call));
    // What stands for functions without room is of many, and has no number.
    (is_called && call.at().0 != 0).then(|| rested.at().0).filter(|fun| *fun != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::current::Frame;
    use crate::{Context, Kind, begin};

    /// A function that waits, polled as a chain of awaits polls it.
    struct Level {
        _frame: Frame,
        waiting: Waiting,
    }

    /// The function begins, and is about to wait.
    fn begins(fun: u32) -> Level {
        let frame = Frame::enter(|| fun, fun * 10);
        Level { _frame: frame, waiting: Waiting::here() }
    }

    fn top() -> u32 {
        HERE.with(|here| here.top.get()).map_or(0, |call| call.at().0)
    }

    /// Each function waits for the next one's future, the last for something else.
    fn first_poll(funs: &[u32]) -> Vec<Level> {
        let Some((first, others)) = funs.split_first() else { return Vec::new() };
        let mut level = begins(*first);
        let above = level.waiting.run();
        let mut levels = first_poll(others);
        level.waiting.rest(above, |fun| others.first() == Some(&fun));
        levels.insert(0, level);
        levels
    }

    fn next_poll(levels: &mut [Level], inside: &mut dyn FnMut()) {
        let Some((first, others)) = levels.split_first_mut() else { return inside() };
        let above = first.waiting.run();
        next_poll(others, inside);
        first.waiting.rest(above, |_| panic!("it is asked once"));
    }

    /// Function, and the one that it was called from.
    fn seen() -> Vec<(u32, u32)> {
        let frames = Context::current().handle().frames();
        let fun = |up| frames.iter().find(|frame| frame.number == up).map_or(0, |frame| frame.fun);
        let mut seen: Vec<_> = frames.iter().map(|frame| (frame.fun, fun(frame.up))).collect();
        seen.sort_unstable();
        seen
    }

    #[test]
    fn of_functions_that_wait_for_each_other_only_the_innermost_says_that_it_runs() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let mut levels = first_poll(&[1, 2, 3]);
            assert_eq!(top(), 0);
            assert_eq!(levels.iter().map(|level| level.waiting.0.is_marked()).collect::<Vec<_>>(), [true, true, false]);
            next_poll(&mut levels, &mut || assert_eq!(top(), 3));
            assert_eq!(top(), 0);
            assert_eq!(seen(), [(1, 0), (2, 1), (3, 2)]);
        });
    }

    #[test]
    fn what_begins_beside_functions_that_are_polled_through_is_called_from_what_polls_them() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            // A function that waits for a collection of futures, which is polled like one of several things.
            let gathers = begins(9);
            let above = gathers.waiting.run();
            let mut levels = first_poll(&[1, 2, 3]);
            assert_eq!(top(), 9);
            let mut waiting = gathers.waiting;
            waiting.rest(above, |_| false);

            let above = waiting.run();
            next_poll(&mut levels, &mut || ());
            assert_eq!(top(), 9);
            let later = first_poll(&[4, 5]);
            assert_eq!(top(), 9);
            // The innermost of the first ones ends, and the one that has waited for it goes on to wait for another.
            levels.pop();
            levels[1].waiting.ready();
            assert_eq!(top(), 2);
            levels[1].waiting = Waiting::here();
            let above_2 = levels[1].waiting.run();
            let mut other = first_poll(&[6]);
            levels[1].waiting.rest(above_2, |fun| fun == 6);
            assert_eq!(top(), 9);
            next_poll(&mut levels, &mut || next_poll(&mut other, &mut || assert_eq!(top(), 6)));
            assert_eq!(top(), 9);
            assert_eq!(seen(), [(1, 9), (2, 1), (4, 9), (5, 4), (6, 2), (9, 0)]);
            waiting.rest(above, |_| false);
            drop((later, other, levels));
        });
    }

    #[test]
    fn a_future_that_somebody_else_has_polled_before_is_not_polled_through() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let mut one = begins(1);
            let above = one.waiting.run();
            let moved = first_poll(&[2]);
            one.waiting.ready();
            let mut two = begins(3);
            let above_two = two.waiting.run();
            next_poll(&mut { moved }, &mut || ());
            two.waiting.rest(above_two, |_| true);
            assert!(!two.waiting.0.is_marked());
            drop(two);
            one.waiting.rest(above, |_| false);
        });
    }
}
