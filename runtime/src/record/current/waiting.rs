//! What a frame waits for, at each poll of it.
//!
//! ```text
//! begins        it waits from now on ── top is its caller
//! each poll     top is the frame ── not ready: top is what it was
//! ready         top is the frame, which runs again
//! ```
//!
//! The poll decides nothing: of a chain of functions each does this at every poll, and two stores take less than to find out that
//! they need not be. No memory is touched by it but the future's own and the thread's.

use std::ptr;

use super::frame::Above;
use super::{HERE, Here};
use crate::clock;
use crate::record::frames::Call;
use crate::sys::again::again;

/// What waits, once it is polled: a frame, where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting(Option<&'static Call>);

impl Here {
    /// When a frame waits that begins to do so now: in a poll that is timed, as many ticks after its beginning as others have begun before. So
    /// no clock is read, and whatever began last is told from all others ([`crate::trace`]).
    #[inline(always)]
    fn since(&self) -> u64 {
        match self.waits.get() {
            0 => now(),
            since => {
                self.waits.set(since + 1);
                since
            }
        }
    }
}

/// A frame runs, which something else has left as what runs.
#[cold]
#[inline(never)]
fn runs(call: Option<&'static Call>) {
    HERE.with(|here| here.top.set(call));
}

#[cold]
#[inline(never)]
fn now() -> u64 {
    clock::now().max(1)
}

impl Waiting {
    /// The frame that runs waits from now on, and is polled next.
    #[inline(always)]
    pub(crate) fn begin() -> Waiting {
        Self::begin_with(|_| {})
    }

    /// The same, in a line that it has just come to.
    #[inline(always)]
    pub(crate) fn begin_at(line: u32) -> Waiting {
        Self::begin_with(|call| call.line(line))
    }

    #[inline(always)]
    fn begin_with(with: impl FnOnce(&Call)) -> Waiting {
        HERE.with(|here| {
            let call = here.top.get();
            if let Some(call) = call {
                // All is read before anything is written: what is written could be anywhere, as far as the compiler knows.
                let (since, caller) = (here.since(), call.caller());
                // What the first poll finds above it.
                here.top.set(caller);
                with(call);
                call.wait(since);
            }
            Waiting(call)
        })
    }

    /// The frame that runs waits from now on for several things, of which this is one.
    #[inline(always)]
    pub(crate) fn begin_one() -> Waiting {
        HERE.with(|here| {
            let call = here.top.get();
            if let Some(call) = call {
                call.wait(here.since());
            }
            Waiting(call)
        })
    }

    /// What it waits for is about to be polled; what runs above it.
    #[inline(always)]
    pub(crate) fn run(self) -> Above {
        HERE.with(|here| Above(here.top.replace(self.0)))
    }

    /// It is not ready.
    #[inline(always)]
    pub(crate) fn rest(self, above: Above) {
        HERE.with(|here| here.top.set(above.0));
    }

    /// One of several things that it waits for is not ready.
    #[inline(always)]
    pub(crate) fn rest_one(self, above: Above) {
        let caller = || self.0.and_then(Call::caller);
        // What polls it may be the function itself, which then waits for the others.
        let is_itself = above.0.zip(self.0).is_some_and(|(above, call)| ptr::eq(above, call));
        HERE.with(|here| here.top.set(if is_itself { caller() } else { above.0 }));
    }

    /// One of several things that it waits for is ready.
    #[inline(always)]
    pub(crate) fn ready_one(self) {
        HERE.with(|here| here.top.set(self.0));
    }

    /// What it waits for is ready, and it runs again.
    #[inline(always)]
    pub(crate) fn ready(&self) {
        // Read again, so that nothing is kept for this while it is polled.
        let Waiting(call) = again(self);
        // Whatever ran inside has left it as what runs, but for a future that was polled first by another: to look is faster than to
        // write what the next await reads at once.
        let top = HERE.with(|here| here.top.get());
        if top.map(ptr::from_ref) != call.map(ptr::from_ref) {
            runs(call);
        }
        if let Some(call) = call {
            call.run();
        }
    }
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
        Level { _frame: frame, waiting: Waiting::begin() }
    }

    fn top() -> u32 {
        HERE.with(|here| here.top.get()).map_or(0, |call| call.at().0)
    }

    /// Each function waits for the next one's future, the last for something else.
    fn first_poll(funs: &[u32]) -> Vec<Level> {
        let Some((first, others)) = funs.split_first() else { return Vec::new() };
        let level = begins(*first);
        let above = level.waiting.run();
        let mut levels = first_poll(others);
        level.waiting.rest(above);
        levels.insert(0, level);
        levels
    }

    fn next_poll(levels: &[Level], inside: &mut dyn FnMut()) {
        let Some((first, others)) = levels.split_first() else { return inside() };
        let above = first.waiting.run();
        next_poll(others, inside);
        first.waiting.rest(above);
    }

    /// Function, and the one that it was called from.
    fn seen() -> Vec<(u32, u32)> {
        let frames = Context::current().handle().frames();
        let fun = |up| frames.iter().find(|frame| frame.number == up).map_or(0, |frame| frame.fun);
        let mut seen: Vec<_> = frames.iter().map(|frame| (frame.fun, fun(frame.up))).collect();
        seen.sort_unstable();
        seen
    }

    /// The functions that wait, by when they began to.
    fn waits() -> Vec<u32> {
        let mut frames = Context::current().handle().frames();
        frames.sort_unstable_by_key(|frame| frame.since);
        frames.iter().filter(|frame| frame.since.is_some()).map(|frame| frame.fun).collect()
    }

    #[test]
    fn of_functions_that_wait_for_each_other_the_innermost_runs_while_they_are_polled() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let levels = first_poll(&[1, 2, 3]);
            assert_eq!(top(), 0);
            next_poll(&levels, &mut || assert_eq!(top(), 3));
            assert_eq!(top(), 0);
            assert_eq!(seen(), [(1, 0), (2, 1), (3, 2)]);
            assert_eq!(waits(), [1, 2, 3]);
        });
    }

    #[test]
    fn what_begins_beside_functions_that_wait_is_called_from_what_polls_them() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            // A function that waits for a collection of futures.
            let gathers = begins(9);
            let above = gathers.waiting.run();
            let mut levels = first_poll(&[1, 2, 3]);
            assert_eq!(top(), 9);
            gathers.waiting.rest(above);

            let above = gathers.waiting.run();
            next_poll(&levels, &mut || ());
            assert_eq!(top(), 9);
            let later = first_poll(&[4, 5]);
            assert_eq!(top(), 9);
            // The innermost of the first ones ends, and the one that has waited for it goes on to wait for another.
            levels.pop();
            levels[1].waiting.ready();
            assert_eq!(top(), 2);
            levels[1].waiting = Waiting::begin();
            let above_2 = levels[1].waiting.run();
            let other = first_poll(&[6]);
            levels[1].waiting.rest(above_2);
            levels[0].waiting.rest(Above(gathers.waiting.0));
            assert_eq!(top(), 9);
            next_poll(&levels, &mut || next_poll(&other, &mut || assert_eq!(top(), 6)));
            assert_eq!(top(), 9);
            assert_eq!(seen(), [(1, 9), (2, 1), (4, 9), (5, 4), (6, 2), (9, 0)]);
            gathers.waiting.rest(above);
            assert_eq!(top(), 0);
            drop((later, other, levels));
        });
    }

    #[test]
    fn a_future_that_goes_elsewhere_leaves_what_polls_it_there_as_what_runs() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let one = begins(1);
            let above = one.waiting.run();
            let moved = first_poll(&[2]);
            one.waiting.ready();
            let two = begins(3);
            let above_two = two.waiting.run();
            next_poll(&moved, &mut || assert_eq!(top(), 2));
            assert_eq!(top(), 3);
            two.waiting.rest(above_two);
            assert_eq!(top(), 1);
            drop(two);
            one.waiting.rest(above);
        });
    }

    #[test]
    fn of_what_begins_to_wait_in_one_poll_the_last_is_told_by_its_time_whatever_ran_in_between() {
        let scope = begin(Kind::Request);
        let future = std::future::poll_fn(|_| {
            let first = begins(1);
            let others = [begins(2), begins(3)];
            let job = begin(Kind::Job);
            job.enter(|| assert!(waits().is_empty()));
            let last = begins(4);
            assert_eq!(waits(), [1, 2, 3, 4]);
            others[0].waiting.ready();
            others[0].waiting.ready_one();
            assert_eq!((waits(), top()), (vec![1, 3, 4], 2));
            let _again = Waiting::begin_one();
            assert_eq!((waits(), top()), (vec![1, 3, 4, 2], 2));
            drop((last, first));
            std::task::Poll::Ready(())
        });
        let mut future = std::pin::pin!(scope.context().scope(future));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_ready());
    }

    #[test]
    fn of_several_things_that_a_function_waits_for_none_leaves_it_as_what_runs() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let _outer = Frame::enter(|| 1, 10);
            let _joins = Frame::enter(|| 2, 20);
            let (one, other) = (Waiting::begin_one(), Waiting::begin_one());
            for waiting in [one, other] {
                let above = waiting.run();
                waiting.rest_one(above);
                assert_eq!(top(), 1);
            }
            // The next time one of them is ready before the other is polled.
            let _above = one.run();
            one.ready_one();
            assert_eq!(top(), 2);
            let above = other.run();
            other.rest_one(above);
            assert_eq!((top(), waits()), (1, vec![2]));
        });
    }
}
