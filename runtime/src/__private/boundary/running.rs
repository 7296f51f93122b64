//! A function that runs: inside a record of its own, or that of another.

use std::fmt;

use super::unit::Unit;
use crate::__private::probe::Failure;
use crate::pipeline::Scope;
use crate::record::current::Frame;

/// What an annotated function is while it runs.
#[derive(Debug)]
pub(super) struct Running {
    // The first field: it is left before the record ends.
    pub(super) frame: Frame,
    pub(super) what: What,
}

/// What an annotated function is to a record.
#[derive(Debug)]
pub(super) enum What {
    /// A record of its own.
    Own(Scope),
    /// The view of a record that somebody else began.
    View,
    /// A timed section.
    Operation,
}

impl Running {
    fn parts(&mut self) -> (Option<&Scope>, Inside<'_>) {
        let Running { frame, what } = self;
        let inside = Inside { frame, is_operation: matches!(what, What::Operation) };
        let scope = if let What::Own(scope) = what { Some(&*scope) } else { None };
        (scope, inside)
    }

    pub(super) fn leave(&mut self, unit: &'static Unit) {
        self.parts().1.leave(unit);
    }
}

/// What an annotated function is to its record, seen from inside.
pub(super) struct Inside<'f> {
    pub(super) frame: &'f mut Frame,
    is_operation: bool,
}

impl Inside<'_> {
    /// It runs for the first time.
    pub(super) fn enter(&mut self, unit: &'static Unit) {
        *self.frame = if self.is_operation { unit.timed_frame() } else { unit.frame() };
    }

    /// It runs no more.
    pub(super) fn leave(&mut self, unit: &'static Unit) {
        let frame = std::mem::replace(self.frame, Frame::NONE);
        if self.is_operation {
            frame.measured(unit.key());
        }
    }
}

/// Times an operation until it is dropped: 4 bytes, as `U` has no size.
#[must_use = "the operation ends when the guard is dropped"]
pub struct OperationGuard<U: Fn() -> &'static Unit> {
    unit: U,
    frame: Frame,
}

impl<U: Fn() -> &'static Unit> OperationGuard<U> {
    /// The function runs again, which has waited in a macro, for what only that knows, or for several things.
    pub fn back(&self) {
        self.frame.back();
    }
}

impl<U: Fn() -> &'static Unit> fmt::Debug for OperationGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationGuard").field("frame", &self.frame).finish_non_exhaustive()
    }
}

impl<U: Fn() -> &'static Unit> Drop for OperationGuard<U> {
    fn drop(&mut self) {
        self.frame.measured((self.unit)().key());
    }
}

/// Begins an operation.
pub fn operation<U: Fn() -> &'static Unit>(unit: U) -> OperationGuard<U> {
    let frame = unit().timed_frame();
    OperationGuard { unit, frame }
}

/// Ends what runs while its thread unwinds through the boundary: later, the panic may have been caught.
pub(super) struct Bomb<'a> {
    pub(super) unit: &'static Unit,
    pub(super) running: &'a mut Option<Running>,
}

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(running) = self.running.take()
        {
            self.unit.panicked(running);
        }
    }
}

impl Bomb<'_> {
    pub(super) fn run<R>(&mut self, is_poll: bool, f: impl FnOnce(&mut Inside<'_>) -> R) -> R {
        let mut none = Frame::NONE;
        let (scope, mut inside) = match self.running {
            Some(running) => running.parts(),
            None => (None, Inside { frame: &mut none, is_operation: false }),
        };
        match scope {
            Some(scope) if is_poll => scope.poll(|| f(&mut inside)),
            Some(scope) => scope.enter(|| f(&mut inside)),
            None => f(&mut inside),
        }
    }
}

/// Runs the body of a function inside its record.
pub fn call<R>(
    unit: &'static Unit,
    body: impl FnOnce() -> R,
    probe: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> R {
    let mut running = Some(unit.begin());
    let value = Bomb { unit, running: &mut running }.run(false, |inside| {
        inside.enter(unit);
        let value = body();
        inside.leave(unit);
        value
    });
    if let Some(running) = running {
        unit.end(running, probe(&value));
    }
    value
}
