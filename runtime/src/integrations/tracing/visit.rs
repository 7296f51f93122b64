//! Values of `tracing`, in their own types.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};

use crate::context::OwnedValue;
use crate::message::Taking;
use crate::value::{ToValue, Value, debug};

/// A field's name without the mark of a raw identifier.
fn key(field: &Field) -> &'static str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

/// The field that holds an event's text.
const MESSAGE: &str = "message";

/// Takes the fields of an event; `message` is its text.
pub(super) struct Fields<'v, 't, 'd>(pub(super) &'v mut Taking<'t, 'd>);

impl Fields<'_, '_, '_> {
    fn take(&mut self, field: &Field, value: impl ToValue) {
        match key(field) {
            MESSAGE => self.0.text(value),
            key => self.0.field(key, value),
        }
    }
}

impl Visit for Fields<'_, '_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, debug(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.take(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.take(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }

    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.0.error(value);
    }
}

/// Keeps the fields of a span.
#[derive(Debug, Default)]
pub(super) struct Kept(pub(super) Vec<(&'static str, OwnedValue)>);

impl Kept {
    fn keep(&mut self, field: &Field, value: impl ToValue) {
        self.put(key(field), OwnedValue::from(value.to_value()));
    }

    /// Takes over what was recorded later.
    pub(super) fn merge(&mut self, later: Kept) {
        later.0.into_iter().for_each(|(key, value)| self.put(key, value));
    }

    fn put(&mut self, key: &'static str, value: OwnedValue) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = value,
            None => self.0.push((key, value)),
        }
    }
}

impl Visit for Kept {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, debug(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.keep(field, Value::Display(&value));
    }
}
