//! Through which lines errors pass.
//!
//! ```text
//! operand?      ──▶ Tap::tap(mark(), operand, FUN, line)?
//! return value  ──▶ return (..Leaving::<Ret>::NEW).__canonlog_exit(mark(), value, FUN, line)
//! bail!(..);    ──▶ let about = about(|| left_at::<Ret>(FUN, line)); bail!(..);
//! ```
//!
//! All give back what they were given. `Ret` is the declared type of the function, `()` where an error does not leave it.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::task::Poll;

use super::site::Fun;
use crate::record::current;
use crate::trace::errors::{self, Join};

/// When an expression began that may fail: what errors had passed by then.
#[derive(Clone, Copy, Debug)]
pub struct Mark(u32);

/// Before an expression that may fail.
#[inline(always)]
pub fn mark() -> Mark {
    Mark(current::errors_mark())
}

/// A value that was there before the expression that it fails in.
#[derive(Clone, Copy, Debug)]
pub struct Place(fn() -> &'static str);

/// A value, by its type alone: it is not read.
#[inline(always)]
pub fn place<T: ?Sized>(_: *const T) -> Place {
    Place(type_name::<T>)
}

/// How an error is told from one that came before.
pub trait Joins: Copy {
    #[doc(hidden)]
    fn pass(self, fun: &'static Fun, line: u32, error: &'static str, left: &'static str);
}

impl Joins for Mark {
    #[inline(always)]
    fn pass(self, fun: &'static Fun, line: u32, error: &'static str, left: &'static str) {
        errors::pass(Join::Call(self.0), fun, line, error, left);
    }
}

impl<const N: usize> Joins for (Mark, [Place; N]) {
    fn pass(self, fun: &'static Fun, line: u32, error: &'static str, left: &'static str) {
        let (Mark(mark), places) = self;
        errors::pass(Join::Place(mark, &places.map(|place| place.0)), fun, line, error, left);
    }
}

/// Of an error that is not followed.
impl Joins for () {
    #[inline(always)]
    fn pass(self, _: &'static Fun, _: u32, _: &'static str, _: &'static str) {}
}

/// What can stand before `?`. No implementation has a bound, so that a tap changes nothing about type inference.
#[diagnostic::on_unimplemented(
    message = "the `?` operator can only be applied to values that implement `Try`",
    label = "the `?` operator cannot be applied to type `{Self}`"
)]
pub trait Tap: Sized {
    #[doc(hidden)]
    fn fails(&self) -> bool;

    /// The name of the error's type.
    #[doc(hidden)]
    fn error() -> &'static str {
        ""
    }

    /// The operand of a `?`, unchanged.
    #[inline(always)]
    fn tap<R, J: Joins>(join: J, operand: Self, fun: &'static Fun, line: u32) -> Self {
        if operand.fails() {
            tapped::<Self, R, J>(join, fun, line);
        }
        operand
    }
}

#[cold]
#[inline(never)]
fn tapped<T: Tap, R, J: Joins>(join: J, fun: &'static Fun, line: u32) {
    join.pass(fun, line, T::error(), type_name::<R>());
}

#[diagnostic::do_not_recommend]
impl<T, E> Tap for Result<T, E> {
    #[inline(always)]
    fn fails(&self) -> bool {
        self.is_err()
    }

    fn error() -> &'static str {
        type_name::<E>()
    }
}

#[diagnostic::do_not_recommend]
impl<T> Tap for Option<T> {
    #[inline(always)]
    fn fails(&self) -> bool {
        false
    }
}

#[diagnostic::do_not_recommend]
impl<B, C> Tap for ControlFlow<B, C> {
    #[inline(always)]
    fn fails(&self) -> bool {
        false
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Tap for Poll<Result<T, E>> {
    #[inline(always)]
    fn fails(&self) -> bool {
        matches!(self, Poll::Ready(Err(_)))
    }

    fn error() -> &'static str {
        type_name::<E>()
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Tap for Poll<Option<Result<T, E>>> {
    #[inline(always)]
    fn fails(&self) -> bool {
        matches!(self, Poll::Ready(Some(Err(_))))
    }

    fn error() -> &'static str {
        type_name::<E>()
    }
}

/// The declared type of a function, by which its values are told from failures.
pub struct Leaving<R>(PhantomData<fn() -> R>);

impl<R> Leaving<R> {
    /// The declared type `R`.
    pub const NEW: Self = Leaving(PhantomData);
}

impl<R> fmt::Debug for Leaving<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

/// A type that may be an error.
pub trait FallibleLeaving<R> {
    #[doc(hidden)]
    fn __canonlog_exit<J: Joins>(&self, join: J, value: R, fun: &'static Fun, line: u32) -> R;
}

macro_rules! fallible {
    ($($result:ty),*) => {$(
        impl<T, E> FallibleLeaving<$result> for &Leaving<$result> {
            #[inline(always)]
            fn __canonlog_exit<J: Joins>(&self, join: J, value: $result, fun: &'static Fun, line: u32) -> $result {
                <$result as Tap>::tap::<$result, J>(join, value, fun, line)
            }
        }
    )*};
}

fallible!(Result<T, E>, Poll<Result<T, E>>, Poll<Option<Result<T, E>>>);

/// Any other type: no error.
pub trait ValueLeaving<R> {
    #[doc(hidden)]
    fn __canonlog_exit<J: Joins>(&self, join: J, value: R, fun: &'static Fun, line: u32) -> R;
}

impl<R> ValueLeaving<R> for Leaving<R> {
    #[inline(always)]
    fn __canonlog_exit<J: Joins>(&self, _: J, value: R, _: &'static Fun, _: u32) -> R {
        value
    }
}

/// A line of a function, and the name of the type that the function returns.
#[derive(Clone, Copy, Debug)]
pub struct LeftAt {
    fun: &'static Fun,
    line: u32,
    left: &'static str,
}

/// A line of a function that returns an `R`.
pub fn left_at<R>(fun: &'static Fun, line: u32) -> LeftAt {
    LeftAt { fun, line, left: type_name::<R>() }
}

/// Around a macro that may leave the function with an error of its own making. What it runs before may have errors of its own,
/// and other code may run while it waits: so nothing is noted until it leaves. Dropped there, it says that it did.
#[must_use = "dropped, it says that an error has left the function"]
pub struct About<F: Fn() -> LeftAt> {
    mark: u32,
    line: F,
}

impl<F: Fn() -> LeftAt> fmt::Debug for About<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("About")
    }
}

/// Before such a macro.
#[inline(always)]
pub fn about<F: Fn() -> LeftAt>(line: F) -> About<F> {
    About { mark: current::errors_mark(), line }
}

/// After one that did not leave.
#[inline(always)]
pub fn past<F: Fn() -> LeftAt>(about: About<F>) {
    std::mem::forget(about);
}

impl<F: Fn() -> LeftAt> Drop for About<F> {
    fn drop(&mut self) {
        arises(self.mark, (self.line)());
    }
}

#[cold]
#[inline(never)]
fn arises(mark: u32, LeftAt { fun, line, left }: LeftAt) {
    // A panic is noted by itself.
    if !std::thread::panicking() {
        errors::arise(mark, fun, line, left);
    }
}
