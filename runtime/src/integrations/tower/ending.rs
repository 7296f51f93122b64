//! How a record that a layer began comes to its end.

use std::fmt;

use crate::context::Context;
use crate::pipeline::Scope;
use crate::record::keys::builtin;
use crate::value::display;

/// Owns a record until its end is known. Dropped before that, it says why: a panic, or a client that went away.
#[derive(Debug)]
pub(super) struct Ending {
    /// The record, where it is this layer's.
    scope: Option<Scope>,
    /// The record that somebody else ends.
    joined: Context,
    /// True while the service's code runs; still true on drop means that it panicked.
    running: bool,
}

impl Ending {
    pub(super) fn of(scope: Scope) -> Self {
        Ending { scope: Some(scope), joined: Context::none(), running: false }
    }

    /// The end of nothing: of a layer within a record that somebody else ends.
    pub(super) fn nothing(joined: Context) -> Self {
        Ending { scope: None, joined, running: false }
    }

    /// The record.
    pub(super) fn context(&self) -> Context {
        self.scope.as_ref().map_or(self.joined, Scope::context)
    }

    /// Whether there is a record that this layer has to end.
    pub(super) fn is_open(&self) -> bool {
        self.scope.is_some()
    }

    /// Hands the end on, from the future to the body.
    pub(super) fn take(&mut self) -> Self {
        Ending { scope: self.scope.take(), ..*self }
    }

    /// Runs the service's code inside the record: if it unwinds, the record ends as panicked.
    pub(super) fn run<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let Some(scope) = &self.scope else {
            // A record that has ended must not hide one that somebody further out is inside.
            return if self.joined.is_active() { self.joined.enter(code) } else { code() };
        };
        let before = std::mem::replace(&mut self.running, true);
        // A future's poll, or as short as one should be.
        let value = scope.poll(code);
        // What panicked is dropped by way of here, and has panicked all the same.
        self.running = before;
        value
    }

    /// Before the service's future is dropped unfinished.
    pub(super) fn note_place(&self) {
        if let (Some(scope), false) = (&self.scope, self.running) {
            scope.note_place();
        }
    }

    /// An error reached the boundary: the record is failed, unless what is inside told about an error already.
    pub(super) fn failed(&self, error: &dyn fmt::Display, type_name: &'static str) {
        let Some(scope) = &self.scope else { return };
        let cx = scope.context();
        if cx.lacks(builtin::EXC_TYPE) {
            cx.set_in("exc", "type", type_name);
            cx.set_in("exc", "msg", display(error));
        }
        scope.failed();
    }

    /// Everything was sent.
    pub(super) fn finish(&mut self) {
        if let Some(scope) = self.scope.take() {
            scope.finish();
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let (Some(scope), false) = (&self.scope, self.running) {
            scope.cancelled();
        }
    }
}
