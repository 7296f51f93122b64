//! Where annotated functions are: which line each has come to, and what it waits for.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::site::Fun;
use crate::record::current::{self, Frame, Waiting};
use crate::record::frames::Place;

/// A function that is neither timed nor a boundary, until the guard is dropped.
#[must_use = "the function ends when the guard is dropped"]
#[derive(Debug)]
pub struct FrameGuard {
    frame: Frame,
}

impl FrameGuard {
    /// The function runs again, which has waited in a macro, for what only that knows, or for several things.
    pub fn back(&self) {
        self.frame.back();
    }
}

/// A function begins.
#[inline]
pub fn frame(fun: &'static Fun) -> FrameGuard {
    FrameGuard { frame: Frame::enter(|| fun.number(), fun.line()) }
}

/// The function that runs has come to a line.
#[inline]
pub fn line(line: u32) {
    current::line(line);
}

/// A future that an annotated function waits for. It lies beside this in the function's own future, which therefore nests as
/// deep as without it: the compiler's limit counts types within types.
#[must_use = "futures do nothing unless polled"]
pub struct Awaiting<'f, F> {
    future: Pin<&'f mut F>,
    waiting: Waiting,
}

impl<F> fmt::Debug for Awaiting<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaiting").finish_non_exhaustive()
    }
}

/// The function that runs is about to wait.
#[inline]
pub fn awaiting<F: Future>(future: Pin<&mut F>) -> Awaiting<'_, F> {
    Awaiting { future, waiting: Waiting::begin() }
}

/// The frame that runs, for a function whose guard is elsewhere.
pub fn here() -> Here {
    Here(current::place_here())
}

/// A frame, in 4 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Here(Place);

impl Here {
    /// As [`FrameGuard::back`].
    pub fn back(&self) {
        current::back(self.0);
    }
}

/// As [`awaiting`], in a line that it has just come to.
#[inline]
pub fn awaiting_at<F: Future>(future: Pin<&mut F>, line: u32) -> Awaiting<'_, F> {
    Awaiting { future, waiting: Waiting::begin_at(line) }
}

impl<F: Future> Future for Awaiting<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let Awaiting { future, waiting } = &mut *self;
        let above = waiting.run();
        let poll = future.as_mut().poll(task);
        if poll.is_ready() {
            waiting.ready();
        } else {
            waiting.rest(above);
        }
        poll
    }
}

pin_project! {
    /// One of the futures that a macro waits for at the same time.
    #[must_use = "futures do nothing unless polled"]
    pub struct Together<F> {
        #[pin]
        future: F,
        waiting: Waiting,
    }
}

impl<F> fmt::Debug for Together<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

/// An argument of a macro by whose name it waits for several futures: a future, or, in a macro of that name that is none of
/// those, anything else.
#[derive(Debug)]
pub struct Argument<T>(Other<T>);

/// An argument that is no future.
#[derive(Debug)]
pub struct Other<T>(Option<T>);

impl<T> Argument<T> {
    #[inline]
    pub fn of(value: T) -> Self {
        Argument(Other(Some(value)))
    }
}

impl<I: IntoFuture> Argument<I> {
    /// The function that runs is about to wait for several futures, of which this is one, in a line.
    #[inline]
    pub fn __canonlog_together(self, line: u32) -> Together<I::IntoFuture> {
        let Argument(Other(future)) = self;
        let future = future.expect("it is taken once").into_future();
        current::line(line);
        Together { future, waiting: Waiting::begin_one() }
    }
}

// Where it is no future, the method is looked for here: no trait has to be imported.
impl<T> Deref for Argument<T> {
    type Target = Other<T>;

    fn deref(&self) -> &Other<T> {
        &self.0
    }
}

impl<T> DerefMut for Argument<T> {
    fn deref_mut(&mut self) -> &mut Other<T> {
        &mut self.0
    }
}

impl<T> Other<T> {
    /// The argument as it was.
    #[inline]
    pub fn __canonlog_together(&mut self, _line: u32) -> T {
        self.0.take().expect("it is taken once")
    }
}

impl<F: Future> Future for Together<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let above = this.waiting.run();
        let poll = this.future.poll(task);
        if poll.is_ready() {
            this.waiting.ready_one();
        } else {
            this.waiting.rest_one(above);
        }
        poll
    }
}
