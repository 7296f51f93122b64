//! Where the parts meet: begin, end, emit.

use std::time::Duration;

use crate::context::{Context, OwnedValue};
use crate::event::{Event, EventType};
use crate::value::{ToValue, Value};

/// What kind of unit a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An HTTP request, or anything else that answers somebody.
    Request,
    /// Work that nobody waits for.
    Job,
}

/// Begins a record: always a new one. Its event is written when the [`Scope`] ends.
pub fn begin(kind: Kind) -> Scope {
    let _ = kind;
    todo!()
}

/// Owns a record: ends it, exactly once, when dropped.
#[must_use = "the record ends when the scope is dropped"]
#[derive(Debug)]
pub struct Scope {
    context: Context,
}

impl Scope {
    /// The record's handle.
    pub fn context(&self) -> Context {
        self.context
    }
    /// Marks the unit as cut off by its client: `req_cancelled="true"`; without a status so far, `resp_status="499"`.
    pub fn cancelled(&self) {
        todo!()
    }
    /// Marks the unit as failed (level error) where no status says so.
    pub fn failed(&self) {
        todo!()
    }
    /// Ends the record now.
    pub fn finish(self) {}
}

/// What an [`Instrumenter`](crate::Instrumenter) sees of a unit that ends: reads and adds fields.
#[derive(Debug)]
pub struct Unit<'a> {
    event: Event<'a>,
}

impl Unit<'_> {
    /// `request`, `job`, `timeout` or `late_response`.
    pub fn event_type(&self) -> EventType {
        todo!()
    }
    /// The unit's handle; writes through it come too late.
    pub fn context(&self) -> Context {
        todo!()
    }
    /// Time since the unit began.
    pub fn elapsed(&self) -> Duration {
        todo!()
    }
    /// A field by its full name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        todo!()
    }
    /// Sets `app_<key>`.
    pub fn set(&mut self, key: &'static str, value: impl ToValue) {
        todo!()
    }
    /// Sets `<namespace>_<key>`.
    pub fn set_in(&mut self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        let _: Option<OwnedValue> = None;
        todo!()
    }
}
