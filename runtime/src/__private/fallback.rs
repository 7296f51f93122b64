//! Failures that become an event while the caller gets a fallback.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::exits::{Joins, Tap};
use super::probe::{Failure, Probe};
use super::site::Fun;
use crate::context::Context;
use crate::event::EventType;
use crate::level::Level;
use crate::trace::errors::{self, Trace};
use crate::value::Value;

/// What can stand before `?` in an `#[on_error]` function; `T` is what the operator gives, `E` what it leaves with.
///
/// They are parameters and not associated types, so that a wrong operand is reported once.
#[diagnostic::on_unimplemented(
    message = "`?` on `{Self}` is no failure that `#[on_error]` can report",
    label = "not a `Result`",
    note = "make a `Result` of it, as with `.ok_or(..)?`, or write `let Some(..) = .. else {{ return .. }}`"
)]
pub trait Fallible<T, E> {
    #[doc(hidden)]
    fn branch<J: Joins>(join: J, operand: Self, fun: &'static Fun, line: u32) -> Result<T, E>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible<T, E> for Result<T, E> {
    #[inline(always)]
    fn branch<J: Joins>(join: J, operand: Self, fun: &'static Fun, line: u32) -> Result<T, E> {
        <Self as Tap>::tap::<(), J>(join, operand, fun, line)
    }
}

/// What can stand before `?` in an `#[on_error]` function that returns an `Option`.
#[diagnostic::on_unimplemented(
    message = "`?` on `{Self}` is no failure that `#[on_error]` can report",
    label = "neither a `Result` nor an `Option`",
    note = "make a `Result` or an `Option` of it"
)]
pub trait FallibleOrNone<T, E> {
    #[doc(hidden)]
    fn branch<J: Joins>(join: J, operand: Self, fun: &'static Fun, line: u32) -> Branch<T, E>;
}

/// What became of the operand of a `?`.
#[derive(Debug)]
pub enum Branch<T, E> {
    /// The value of the operator.
    Value(T),
    /// `None`, which is no failure.
    Nothing,
    /// A failure.
    Failed(E),
}

#[diagnostic::do_not_recommend]
impl<T, E> FallibleOrNone<T, E> for Result<T, E> {
    #[inline(always)]
    fn branch<J: Joins>(join: J, operand: Self, fun: &'static Fun, line: u32) -> Branch<T, E> {
        match <Self as Tap>::tap::<(), J>(join, operand, fun, line) {
            Ok(value) => Branch::Value(value),
            Err(error) => Branch::Failed(error),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T> FallibleOrNone<T, Infallible> for Option<T> {
    #[inline(always)]
    fn branch<J: Joins>(_: J, operand: Self, _: &'static Fun, _: u32) -> Branch<T, Infallible> {
        match operand {
            Some(value) => Branch::Value(value),
            None => Branch::Nothing,
        }
    }
}

/// The declared type of a function that `bail!` or `ensure!` leaves.
#[diagnostic::on_unimplemented(
    message = "`bail!` and `ensure!` leave `#[on_error]` functions that return a `Result`, not `{Self}`",
    note = "in any other function write `Err(..)?`"
)]
pub trait Attempted {
    #[doc(hidden)]
    type Error;
}

#[diagnostic::do_not_recommend]
impl<T, E> Attempted for Result<T, E> {
    type Error = E;
}

/// Runs a macro that hides a `return` of the function `R`.
#[inline(always)]
pub fn attempt<R: Attempted, T>(run: impl FnOnce() -> Result<T, R::Error>) -> Result<T, R::Error> {
    run()
}

/// An error that has a text.
pub trait ShownErrorProbe<'a> {
    #[doc(hidden)]
    fn __canonlog_error(&self) -> Failure<'a>;
}

impl<'a, E: fmt::Display> ShownErrorProbe<'a> for &Probe<'a, E> {
    fn __canonlog_error(&self) -> Failure<'a> {
        Failure { type_name: std::any::type_name::<E>(), message: Some(self.0) }
    }
}

/// Any error.
pub trait ErrorProbe<'a> {
    #[doc(hidden)]
    fn __canonlog_error(&self) -> Failure<'a>;
}

impl<'a, E> ErrorProbe<'a> for Probe<'a, E> {
    fn __canonlog_error(&self) -> Failure<'a> {
        Failure { type_name: std::any::type_name::<E>(), message: None }
    }
}

/// The declared type of a function, by which its values are told from failures.
pub struct Exit<R>(PhantomData<fn() -> R>);

impl<R> Exit<R> {
    /// The declared type `R`.
    pub const NEW: Self = Exit(PhantomData);
}

impl<R> fmt::Debug for Exit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exit")
    }
}

/// A `Result` whose error has a text.
pub trait ShownResultExit<R> {
    #[doc(hidden)]
    fn __canonlog_leave(&self, value: R, fun: &'static Fun, line: u32) -> Option<R>;
}

impl<T, E: fmt::Display> ShownResultExit<Result<T, E>> for &&Exit<Result<T, E>> {
    fn __canonlog_leave(&self, value: Result<T, E>, fun: &'static Fun, line: u32) -> Option<Result<T, E>> {
        if let Err(error) = &value {
            partial_failure(ShownErrorProbe::__canonlog_error(&&Probe(error)), fun, line);
            return None;
        }
        Some(value)
    }
}

/// Any `Result`.
pub trait ResultExit<R> {
    #[doc(hidden)]
    fn __canonlog_leave(&self, value: R, fun: &'static Fun, line: u32) -> Option<R>;
}

impl<T, E> ResultExit<Result<T, E>> for &Exit<Result<T, E>> {
    fn __canonlog_leave(&self, value: Result<T, E>, fun: &'static Fun, line: u32) -> Option<Result<T, E>> {
        if let Err(error) = &value {
            partial_failure(ErrorProbe::__canonlog_error(&Probe(error)), fun, line);
            return None;
        }
        Some(value)
    }
}

/// Anything else: no failure.
pub trait ValueExit<R> {
    #[doc(hidden)]
    fn __canonlog_leave(&self, value: R, fun: &'static Fun, line: u32) -> Option<R>;
}

impl<R> ValueExit<R> for Exit<R> {
    #[inline(always)]
    fn __canonlog_leave(&self, value: R, _: &'static Fun, _: u32) -> Option<R> {
        Some(value)
    }
}

/// Writes a `partial_failure` event.
#[cold]
pub fn partial_failure(failure: Failure<'_>, fun: &'static Fun, line: u32) {
    // The error's own `Display` runs here, before the event is begun.
    let message = failure.message.map(crate::scratch::display);
    let message: Option<&dyn fmt::Display> = match &message {
        Some(message) => Some(message),
        None => None,
    };
    let cx = Context::current();
    let trace = Trace::leaving(cx.handle(), fun, line, failure.type_name);
    let failure = Failure { message, ..failure };
    emit(cx, |unit| failure.tell(&trace, |namespace, key, value| unit.set_in(namespace, key, value)));
    errors::forget(cx.handle());
}

fn emit(cx: Context, fill: impl FnOnce(&mut crate::unit::Unit<'_>)) {
    crate::pipeline::emit_now(cx, EventType::PartialFailure, Level::Warning, fill);
}

fn panicked(payload: &(dyn std::any::Any + Send), fun: &'static Fun) {
    let text = payload.downcast_ref::<&'static str>().copied();
    let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let cx = Context::current();
    let at = fun.at(fun.line());
    let note = crate::pipeline::panic::newest();
    let cause = note.as_ref().and_then(|note| note.frames?.innermost.at()).unwrap_or(at);
    emit(cx, |unit| {
        unit.set_in("exc", "type", "panic");
        if let Some(message) = message {
            unit.set_in("exc", "msg", message);
        }
        unit.set_in("exc", "loc", Value::Display(&at));
        unit.set_in("exc", "cause_loc", Value::Display(&cause));
        unit.set_in("exc", "panic", true);
        if let Some(place) = note.as_ref().and_then(|note| note.place()) {
            unit.set_in("exc", "panic_loc", Value::Display(&place));
        }
    });
    errors::forget(cx.handle());
}

/// Runs a body whose panic is a failure.
pub fn catch<R>(fun: &'static Fun, body: impl FnOnce() -> Option<R>) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            panicked(&*payload, fun);
            None
        }
    }
}

pin_project! {
    /// A body whose panic is a failure.
    #[derive(Debug)]
    pub struct CatchAsync<F> {
        fun: &'static Fun,
        #[pin]
        future: F,
    }
}

/// Runs an async body whose panic is a failure.
pub fn catch_async<R, F: Future<Output = Option<R>>>(fun: &'static Fun, future: F) -> CatchAsync<F> {
    CatchAsync { fun, future }
}

impl<R, F: Future<Output = Option<R>>> Future for CatchAsync<F> {
    type Output = Option<R>;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<R>> {
        let this = self.project();
        match catch_unwind(AssertUnwindSafe(|| this.future.poll(task))) {
            Ok(poll) => poll,
            Err(payload) => {
                panicked(&*payload, this.fun);
                Poll::Ready(None)
            }
        }
    }
}

pin_project! {
    /// A future whose failure gives a fallback.
    pub struct Recovered<F, L, X> {
        #[pin]
        future: F,
        leave: L,
        fallback: Option<X>,
    }
}

impl<F, L, X> fmt::Debug for Recovered<F, L, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recovered")
    }
}

/// What a function that returns a future wraps it in.
pub struct Recovery<R, L, X> {
    leave: L,
    fallback: X,
    result: PhantomData<fn() -> R>,
}

impl<R, L, X> fmt::Debug for Recovery<R, L, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recovery")
    }
}

/// Prepares the wrapping of a returned future; `leave` gives nothing for a failure, after it has reported it.
pub fn recovery<R, L: Fn(R) -> Option<R>, X: FnOnce() -> R>(leave: L, fallback: X) -> Recovery<R, L, X> {
    Recovery { leave, fallback, result: PhantomData }
}

impl<R, L, X> Recovery<R, L, X> {
    /// Wraps the future.
    pub fn wrap<F: Future<Output = R>>(self, future: F) -> Recovered<F, L, X> {
        Recovered { future, leave: self.leave, fallback: Some(self.fallback) }
    }
}

impl<F, L, X> Future for Recovered<F, L, X>
where
    F: Future,
    L: Fn(F::Output) -> Option<F::Output>,
    X: FnOnce() -> F::Output,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Poll::Ready(value) = this.future.poll(task) else { return Poll::Pending };
        match ((this.leave)(value), this.fallback.take()) {
            (Some(value), _) => Poll::Ready(value),
            (None, Some(fallback)) => Poll::Ready(fallback()),
            (None, None) => panic!("`async fn` resumed after completion"),
        }
    }
}
