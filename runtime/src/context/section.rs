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
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(section) = &self.section {
            stop(section);
        }
    }
}

// So that a program has one call in each place, and where a thread is outside, a look.
#[inline(never)]
fn stop(section: &Section) {
    section.stop();
}

/// As [`Context::time`], inside a record.
#[inline(never)]
pub(super) fn time_here(key: &'static str) -> TimeGuard {
    match Section::start_here("app", key) {
        Some(section) => TimeGuard { section: Some(section) },
        None => time_slowly(key),
    }
}

/// The same where the thread is not alone in the record.
#[cold]
fn time_slowly(key: &'static str) -> TimeGuard {
    time(Context::current().handle, "app", key)
}

#[inline]
pub(super) fn time(handle: Handle, namespace: &'static str, key: &'static str) -> TimeGuard {
    TimeGuard { section: Section::start(handle, keys::find(namespace, key, Suffix::Time)) }
}
