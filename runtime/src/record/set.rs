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
        Value::U64(value) => word_here::<{ Kind::U64 as u8 }>(namespace, key, value),
        Value::F64(value) => word_here::<{ Kind::F64 as u8 }>(namespace, key, value.to_bits()),
        Value::I64(value) => word_here::<{ Kind::I64 as u8 }>(namespace, key, value.cast_unsigned()),
        Value::Bool(value) => word_here::<{ Kind::Bool as u8 }>(namespace, key, u64::from(value)),
        _ => false,
    }
}

/// The same, of a key that stands at one place of the program.
#[inline(always)]
pub(crate) fn here_by(key: &'static keys::Key, value: &Value<'_>) -> bool {
    match *value {
        Value::Str(text) => text_here_by(key, text),
        Value::U64(value) => word_here_by::<{ Kind::U64 as u8 }>(key, value),
        Value::F64(value) => word_here_by::<{ Kind::F64 as u8 }>(key, value.to_bits()),
        Value::I64(value) => word_here_by::<{ Kind::I64 as u8 }>(key, value.cast_unsigned()),
        Value::Bool(value) => word_here_by::<{ Kind::Bool as u8 }>(key, u64::from(value)),
        _ => false,
    }
}

/// The same in the record of this handle.
#[inline(always)]
pub(crate) fn within(handle: Handle, namespace: &'static str, key: &'static str, value: &Value<'_>) -> bool {
    match *value {
        Value::Str(text) => text_within(handle, namespace, key, text),
        Value::U64(value) => word_within::<{ Kind::U64 as u8 }>(handle, namespace, key, value),
        Value::F64(value) => word_within::<{ Kind::F64 as u8 }>(handle, namespace, key, value.to_bits()),
        Value::I64(value) => word_within::<{ Kind::I64 as u8 }>(handle, namespace, key, value.cast_unsigned()),
        Value::Bool(value) => word_within::<{ Kind::Bool as u8 }>(handle, namespace, key, u64::from(value)),
        _ => false,
    }
}

#[inline(never)]
fn text_here(namespace: &'static str, key: &'static str, text: &str) -> bool {
    let Some((body, _)) = current::claimed_here() else { return false };
    body.first_text(keys::find_listed(namespace, key, keys::Suffix::None), text.as_bytes())
}

#[inline(never)]
fn word_here<const KIND: u8>(namespace: &'static str, key: &'static str, word: u64) -> bool {
    let Some((body, _)) = current::claimed_here() else { return false };
    body.first_word(keys::find_listed(namespace, key, keys::Suffix::None), const { kind(KIND) }, word)
}

#[inline(never)]
fn text_here_by(key: &'static keys::Key, text: &str) -> bool {
    current::claimed_here().is_some_and(|(body, _)| body.first_text(key.listed(), text.as_bytes()))
}

#[inline(never)]
fn word_here_by<const KIND: u8>(key: &'static keys::Key, word: u64) -> bool {
    current::claimed_here().is_some_and(|(body, _)| body.first_word(key.listed(), const { kind(KIND) }, word))
}

#[inline(never)]
fn text_within(handle: Handle, namespace: &'static str, key: &'static str, text: &str) -> bool {
    let Some(body) = current::claimed(handle) else { return false };
    body.first_text(keys::find_listed(namespace, key, keys::Suffix::None), text.as_bytes())
}

#[inline(never)]
fn word_within<const KIND: u8>(handle: Handle, namespace: &'static str, key: &'static str, word: u64) -> bool {
    let Some(body) = current::claimed(handle) else { return false };
    body.first_word(keys::find_listed(namespace, key, keys::Suffix::None), const { kind(KIND) }, word)
}

/// The kind of this number.
const fn kind(number: u8) -> Kind {
    Kind::ALL[number as usize]
}
