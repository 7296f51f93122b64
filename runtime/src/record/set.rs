//! Setting a field, in the usual case: a new key, by the thread that has the record to itself.
//!
//! What a value is, its type says: so the choice between these falls where a program calls, when it is compiled.

use super::log::Kind;
use super::{Handle, current, keys};
use crate::value::Value;

/// Sets a field of the record that this thread is inside; false where it must be set the long way.
#[inline(always)]
pub(crate) fn here(namespace: &'static str, key: &'static str, value: &Value<'_>) -> bool {
    match *value {
        Value::Str(text) => text_here(namespace, key, text),
        ref value => word(value).is_some_and(|(kind, word)| word_here(namespace, key, kind, word)),
    }
}

/// The same in the record of this handle.
#[inline(always)]
pub(crate) fn within(handle: Handle, namespace: &'static str, key: &'static str, value: &Value<'_>) -> bool {
    match *value {
        Value::Str(text) => text_within(handle, namespace, key, text),
        ref value => word(value).is_some_and(|(kind, word)| word_within(handle, namespace, key, kind, word)),
    }
}

#[inline(always)]
fn word(value: &Value<'_>) -> Option<(Kind, u64)> {
    Some(match *value {
        Value::U64(value) => (Kind::U64, value),
        Value::F64(value) => (Kind::F64, value.to_bits()),
        Value::I64(value) => (Kind::I64, value.cast_unsigned()),
        Value::Bool(value) => (Kind::Bool, u64::from(value)),
        _ => return None,
    })
}

#[inline(never)]
fn text_here(namespace: &'static str, key: &'static str, text: &str) -> bool {
    let Some((body, _)) = current::claimed_here() else { return false };
    body.first_text(keys::find(namespace, key, keys::Suffix::None), text.as_bytes())
}

#[inline(never)]
fn word_here(namespace: &'static str, key: &'static str, kind: Kind, word: u64) -> bool {
    let Some((body, _)) = current::claimed_here() else { return false };
    body.first_word(keys::find(namespace, key, keys::Suffix::None), kind, word)
}

#[inline(never)]
fn text_within(handle: Handle, namespace: &'static str, key: &'static str, text: &str) -> bool {
    let Some(body) = current::claimed(handle) else { return false };
    body.first_text(keys::find(namespace, key, keys::Suffix::None), text.as_bytes())
}

#[inline(never)]
fn word_within(handle: Handle, namespace: &'static str, key: &'static str, kind: Kind, word: u64) -> bool {
    let Some(body) = current::claimed(handle) else { return false };
    body.first_word(keys::find(namespace, key, keys::Suffix::None), kind, word)
}
