//! Through which line a function fails.
//!
//! ```text
//! operand?  ──▶ Tap::tap(operand, FUN, line)?        return value  ──▶ return exit(value, FUN, line)
//! ```
//!
//! Both give back what they were given. The last exit of the thread is kept until the boundary looks at the result; between
//! the two only destructors run.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::task::Poll;

use super::site::{At, Fun};

thread_local! {
    static LAST: Cell<Option<(&'static Fun, u32)>> = const { Cell::new(None) };
}

/// What can stand before `?`. No implementation has a bound, so that a tap changes nothing about type inference.
#[diagnostic::on_unimplemented(
    message = "the `?` operator can only be applied to values that implement `Try`",
    label = "the `?` operator cannot be applied to type `{Self}`"
)]
pub trait Tap: Sized {
    #[doc(hidden)]
    fn fails(&self) -> bool;

    /// The operand of a `?`, unchanged.
    #[inline(always)]
    fn tap(self, fun: &'static Fun, line: u32) -> Self {
        if self.fails() {
            left(fun, line);
        }
        self
    }
}

impl<T, E> Tap for Result<T, E> {
    #[inline(always)]
    fn fails(&self) -> bool {
        self.is_err()
    }
}

impl<T> Tap for Option<T> {
    #[inline(always)]
    fn fails(&self) -> bool {
        false
    }
}

impl<B, C> Tap for ControlFlow<B, C> {
    #[inline(always)]
    fn fails(&self) -> bool {
        false
    }
}

impl<T, E> Tap for Poll<Result<T, E>> {
    #[inline(always)]
    fn fails(&self) -> bool {
        matches!(self, Poll::Ready(Err(_)))
    }
}

impl<T, E> Tap for Poll<Option<Result<T, E>>> {
    #[inline(always)]
    fn fails(&self) -> bool {
        matches!(self, Poll::Ready(Some(Err(_))))
    }
}

/// A value that leaves a function, unchanged.
#[inline(always)]
pub fn exit<T>(value: T, fun: &'static Fun, line: u32) -> T {
    left(fun, line);
    value
}

#[inline(never)]
fn left(fun: &'static Fun, line: u32) {
    // A thread that is being torn down keeps no exits.
    let _torn_down = LAST.try_with(|last| last.set(Some((fun, line))));
}

/// Forgets what was left before a body runs.
pub(super) fn forget() {
    let _torn_down = LAST.try_with(|last| last.set(None));
}

/// Where `fun` was left last; the line of its name, if that was by no way that is known.
pub(super) fn last_of(fun: &'static Fun) -> At {
    let last = LAST.try_with(Cell::get).ok().flatten().filter(|(left, _)| std::ptr::eq(*left, fun));
    fun.at(last.map_or(fun.line(), |(_, line)| line))
}
