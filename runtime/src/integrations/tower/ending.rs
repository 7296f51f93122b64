//! How a record that a layer began comes to its end.

use std::fmt;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::pipeline::Scope;
use crate::value::display;

/// Owns a record until its end is known. Dropped before that, it says why: a panic, or a client that went away.
#[derive(Debug)]
pub(super) struct Ending {
    scope: Option<Scope>,
    began: Instant,
    /// True while the service's code runs; still true on drop means that it panicked.
    running: bool,
    /// Whether the head of the response was produced, so that the status is what was sent.
    answered: bool,
}

impl Ending {
    pub(super) fn of(scope: Scope) -> Self {
        Ending { scope: Some(scope), began: Instant::now(), running: false, answered: false }
    }

    /// The end of nothing: for a layer that joined another's record.
    pub(super) fn nothing() -> Self {
        Ending { scope: None, began: Instant::now(), running: false, answered: false }
    }

    /// The record, while it has not ended.
    pub(super) fn context(&self) -> Context {
        self.scope.as_ref().map_or(Context::none(), Scope::context)
    }

    /// The time since the record began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn is_open(&self) -> bool {
        self.scope.is_some()
    }

    /// Runs the service's code: if it unwinds, the record ends as panicked.
    pub(super) fn run<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.running = true;
        let value = code();
        self.running = false;
        value
    }

    /// The head was produced.
    pub(super) fn answered(&mut self, status: u16) {
        self.answered = true;
        self.context().set_in("resp", "status", status);
    }

    /// An error reached the boundary: the record is failed, unless what is inside told about an error already.
    pub(super) fn failed(&self, error: &dyn fmt::Display, type_name: &'static str) {
        let Some(scope) = &self.scope else { return };
        let cx = scope.context();
        if cx.get_in("exc", "type").is_none() {
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
        let Some(scope) = self.scope.take() else { return };
        if !self.running {
            scope.cancelled();
        } else {
            if !self.answered {
                scope.context().set_in("resp", "status", 500_u16);
            }
            scope.failed();
        }
        scope.finish();
    }
}
