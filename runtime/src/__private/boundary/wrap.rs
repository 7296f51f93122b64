//! What expansions wrap the body of a function in.

use std::fmt;
use std::pin::Pin;

use super::future::Boundary;
use super::unit::Unit;
use crate::__private::probe::Failure;

/// What is still to be done at the first poll.
pub trait Init {
    #[doc(hidden)]
    fn run(&mut self);
}

impl Init for () {
    fn run(&mut self) {}
}

/// Something to do once.
#[derive(Debug)]
pub struct Once<I>(Option<I>);

impl<I: FnOnce()> Init for Once<I> {
    fn run(&mut self) {
        if let Some(init) = self.0.take() {
            init();
        }
    }
}

/// Wraps the body of an `async fn`.
pub fn boundary<F, U, P>(unit: U, future: F, probe: P) -> Boundary<F, U, P, ()>
where
    F: Future,
    U: Fn() -> &'static Unit,
    P: for<'v> Fn(&'v F::Output) -> Option<Failure<'v>>,
{
    Boundary::new(future, unit, probe, ())
}

/// What a function that returns a future wraps it in.
#[derive(Clone, Copy)]
pub struct Start<R, U, P, I> {
    unit: U,
    init: I,
    probe: P,
    result: std::marker::PhantomData<fn() -> R>,
}

impl<R, U, P, I> fmt::Debug for Start<R, U, P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}

/// Prepares the wrapping of a returned future; `init` runs at its first poll.
pub fn start<R, U, P, I>(unit: U, init: I, probe: P) -> Start<R, U, P, I>
where
    U: Fn() -> &'static Unit,
    P: for<'v> Fn(&'v R) -> Option<Failure<'v>>,
    I: FnOnce(),
{
    Start { unit, init, probe, result: std::marker::PhantomData }
}

impl<R, U: Fn() -> &'static Unit, P, I> Start<R, U, P, I> {
    /// Wraps the future.
    pub fn wrap<F: Future<Output = R>>(self, future: F) -> Boundary<F, U, P, Once<I>> {
        let Start { unit, init, probe, .. } = self;
        Boundary::new(future, unit, probe, Once(Some(init)))
    }
}

/// Boxes a future again.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// A value of any type, in code that is never run.
#[cold]
pub fn never<T>() -> T {
    unreachable!("this stands in dead code, for its type alone")
}
