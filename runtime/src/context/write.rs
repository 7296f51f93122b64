//! How a value gets into a record.

use super::Context;
use crate::counters::{self, Count};
use crate::event::order;
use crate::record::keys::{self, Key, NOT_INTERNED, Suffix};
use crate::record::log::{By, Writer};
use crate::record::slot::Body;
use crate::record::{self, Name, current};
use crate::scratch;
use crate::value::Value;

/// Writes a value where `write` says: text is made before the record is touched.
#[inline]
pub(super) fn with_text<R>(value: Value<'_>, write: impl FnOnce(Value<'_>, bool) -> R) -> R {
    match value {
        Value::Display(value) => {
            let (text, whole) = scratch::display_checked(value);
            write(Value::Str(&text), whole)
        }
        value => write(value, true),
    }
}

#[inline]
pub(super) fn set(body: &Body, by: By<'_>, value: Value<'_>, whole: bool, writer: Writer) {
    body.set(by, value, writer);
    if !whole {
        body.count_value_error();
    }
}

/// Adds to the field of a key that stands at one place of the program.
#[inline]
pub(crate) fn add_by(key: &'static Key, value: Value<'_>) {
    let id = key.listed().id();
    if id == NOT_INTERNED {
        return Context::add(key.key, value);
    }
    let handle = Context::current().handle;
    current::write_here(|body, writer| handle.add(By::Id(id), value, body, writer));
}

/// A record written to by key: where the key is interned it is found by its number, else by its name.
#[inline]
pub(super) fn with_key<R>(namespace: &'static str, key: &'static str, write: impl FnOnce(By<'_>) -> R) -> R {
    let id = keys::find(namespace, key, Suffix::None);
    if id != NOT_INTERNED {
        return write(By::Id(id));
    }
    let name = Name::new(namespace, key, Suffix::None);
    let name = name.as_str();
    write(By::Name(name, order(name)))
}

/// Sets a field of the record that this thread is inside.
#[inline(always)]
pub(crate) fn set_here(namespace: &'static str, key: &'static str, value: Value<'_>) {
    if current::is_outside() {
        return outside();
    }
    if !record::set::here(namespace, key, &value) {
        set_slowly(namespace, key, value);
    }
}

/// The same, of a key that stands at one place of the program.
#[inline(always)]
pub(crate) fn set_by(key: &'static Key, value: Value<'_>) {
    if current::is_outside() {
        return outside();
    }
    if !record::set::here_by(key, &value) {
        set_slowly(key.namespace, key.key, value);
    }
}

#[inline(never)]
fn set_slowly(namespace: &'static str, key: &'static str, value: Value<'_>) {
    with_text(value, |value, whole| {
        with_key(namespace, key, |by| {
            current::write_here(|body, writer| set(body, by, value, whole, writer));
        });
    });
}

pub(super) fn set_named(body: &Body, name: &Name, value: Value<'_>, whole: bool, writer: Writer) {
    let text = name.as_str();
    // The name may be known to the program after all: then it is the same field.
    set(body, keys::known(text).map_or(By::Name(text, order(text)), By::Id), value, whole, writer);
    if name.is_renamed() {
        body.count_renamed();
    }
}

/// Counts a write outside any record.
#[inline(never)]
pub(super) fn outside() {
    counters::add(Count::OutsideWrites, 1);
}
