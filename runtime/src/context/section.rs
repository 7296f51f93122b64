//! Sections that are timed.

use super::Context;
use crate::record::keys::{self, Suffix};
use crate::record::{Handle, Section};

/// A section being timed; made by [`Context::time`]. It ends when the guard is dropped.
///
/// ```
/// let section = canonlog::Context::time("parse");
/// // ... the work ...
/// drop(section);
/// ```
#[must_use = "the section ends when the guard is dropped"]
#[derive(Debug)]
pub struct TimeGuard {
    pub(super) section: Option<Section>,
}

impl Drop for TimeGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(section) = self.section {
            section.stop();
        }
    }
}

/// As [`Context::time`], where the thread is outside, or not alone in the record.
#[inline(never)]
pub(super) fn time_slowly(key: &'static str) -> TimeGuard {
    time(Context::current().handle, "app", key)
}

#[inline]
pub(super) fn time(handle: Handle, namespace: &'static str, key: &'static str) -> TimeGuard {
    TimeGuard { section: Section::start(handle, keys::find(namespace, key, Suffix::Time)) }
}
