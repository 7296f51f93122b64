//! A time limit that is kept: the task is woken at it, and answers for a handler that did not.

use std::task::Waker;

use crate::clock;
use crate::context::Context;
use crate::monitor::enforce;
use crate::pipeline::timed_out;
use crate::trace::stuck;

/// Keeps the limit of one record while its response is awaited.
#[derive(Debug)]
pub(super) struct Enforced(Context);

impl Enforced {
    pub(super) fn new(cx: Context) -> Self {
        Enforced(cx)
    }

    /// Whether it is time to answer. The record is then reported as `timeout`, also if the monitor is behind.
    pub(super) fn is_over(&self) -> bool {
        let over = enforce::is_past_limit(self.0.handle());
        if over {
            let handle = self.0.handle();
            let stuck = stuck::look(handle);
            if let Some(unit) = timed_out::close(handle, clock::now()) {
                unit.report(&stuck);
            }
        }
        over
    }

    /// Has the task woken at the limit as it stands now, which may be another than before.
    pub(super) fn wake_at_limit(&self, waker: &Waker) {
        enforce::wake_at_limit(self.0.handle(), waker);
    }
}

impl Drop for Enforced {
    fn drop(&mut self) {
        enforce::forget(self.0.handle());
    }
}
