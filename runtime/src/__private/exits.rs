//! Through which lines errors pass.
//!
//! ```text
//! operand?      ──▶ Tap::tap(mark(), operand, FUN, line)?
//! return value  ──▶ return (..Leaving::<Ret>::NEW).__canonlog_exit(mark(), value, FUN, line)
//! bail!(..);    ──▶ about::<Ret>(FUN, line); bail!(..);
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

/// Before a macro that may leave the function with an error of its own making.
#[inline(never)]
pub fn about<R>(fun: &'static Fun, line: u32) {
    errors::approach(fun, line, type_name::<R>());
}

/// After one that did not.
pub fn past() {
    errors::move_past();
}
