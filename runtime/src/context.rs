//! The cheap, copyable handle to a record.

use std::time::Duration;

use crate::value::{ToValue, Value};

/// A value that a record held, copied out of it by [`Context::get`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A length of time.
    Duration(Duration),
    /// Text.
    Text(String),
}

/// The cheap, copyable handle to a record: 16 bytes, no reference count.
///
/// Outside a record it does nothing, and that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    slot: u32,
    generation: u64,
}

impl Context {
    // ---- ambient: the record that the current thread is inside ----

    /// Sets `app_<key>` in the current record.
    pub fn set(key: &'static str, value: impl ToValue) {
        todo!()
    }
    /// As `set`, for a key made at run time.
    pub fn set_dynamic(key: &str, value: impl ToValue) {
        todo!()
    }
    /// Adds a number or duration to `app_<key>`.
    pub fn add(key: &'static str, value: impl ToValue) {
        todo!()
    }
    /// Reads `app_<key>`.
    pub fn get(key: &str) -> Option<OwnedValue> {
        todo!()
    }
    /// Times until the guard is dropped: `app_<key>_time`, summed.
    pub fn time(key: &'static str) -> TimeGuard {
        todo!()
    }
    /// Sets the time limit of the current record, counted from its beginning.
    pub fn set_timeout(limit: impl Into<Option<Duration>>) {
        todo!()
    }
    /// The record the current thread is inside; an inactive one outside.
    pub fn current() -> Context {
        todo!()
    }

    // ---- by handle ----

    /// A handle to no record.
    pub const fn none() -> Context {
        Context { slot: u32::MAX, generation: 0 }
    }
    /// Whether the record is still running.
    pub fn is_active(&self) -> bool {
        todo!()
    }
    /// Sets `<namespace>_<key>`: for integrations, which own namespaces (`req`, `resp`, `db`).
    pub fn set_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        todo!()
    }
    /// Adds to `<namespace>_<key>`.
    pub fn add_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        todo!()
    }
    /// Reads `<namespace>_<key>`.
    pub fn get_in(&self, namespace: &str, key: &str) -> Option<OwnedValue> {
        todo!()
    }
    /// Runs `f` inside this record.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        todo!()
    }
    /// A future that is polled, and dropped, inside this record.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        todo!()
    }
    /// The request's id (`req_id`).
    pub fn request_id(&self) -> Option<String> {
        todo!()
    }
    /// Takes an id from outside: 1 to 128 visible ASCII characters, else false and nothing changes.
    pub fn set_request_id(&self, id: &str) -> bool {
        todo!()
    }
}

/// Times a section; made by [`Context::time`].
#[must_use = "the section ends when the guard is dropped"]
#[derive(Debug)]
pub struct TimeGuard {}

/// A future inside a record; made by [`Context::scope`].
#[derive(Debug)]
pub struct Scoped<F> {
    future: F,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;
    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<F::Output> {
        let _ = (&self.future, cx, Value::Null);
        todo!()
    }
}
