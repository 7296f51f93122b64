//! Sets the time limits that the monitor watches.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::timeout;
use crate::clock;
use crate::context::Context;
use crate::record;

impl Context {
    /// Sets the time limit of the current record, counted from its beginning; `None` for no limit. The latest wins.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// canonlog::Context::set_timeout(Duration::from_secs(2));
    /// ```
    pub fn set_timeout(limit: impl Into<Option<Duration>>) {
        Context::current().limit(limit.into());
    }

    /// Sets the time limit of this record, counted from its beginning; `None` for no limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let scope = canonlog::begin(canonlog::Kind::Job);
    /// scope.context().limit(Some(Duration::from_secs(60)));
    /// ```
    pub fn limit(&self, limit: Option<Duration>) {
        let Some(slot) = self.handle().slot() else { return };
        let started = slot.head.started.load(Relaxed);
        let deadline = limit.map_or(0, |limit| started.saturating_add(clock::ticks(limit)).max(1));
        record::set_deadline(self.handle(), deadline);
        if limit.is_some() {
            timeout::ensure_started(limit);
        }
    }
}
