//! The fields and the time limit that attributes name.

use std::time::Duration;

use crate::context::{Context, OwnedValue, set_by};
pub use crate::fields::Key;
use crate::value::Value;

/// Sets `app_<key>` in the current record.
pub fn record(key: &'static str, value: Value<'_>) {
    Context::set(key, value);
}

/// Sets the field of a key in the current record.
#[inline(always)]
pub fn set(key: &'static Key, value: Value<'_>) {
    set_by(&key.0, value);
}

/// A value that outlives what it was made from.
pub fn keep(value: Value<'_>) -> OwnedValue {
    OwnedValue::from(value)
}

/// Sets fields that were kept until there was a record.
pub fn record_kept<const N: usize>(kept: [(&'static str, OwnedValue); N]) {
    for (key, value) in kept {
        Context::set(key, value);
    }
}

/// Sets the time limit of the current record.
pub fn timeout(nanos: u64) {
    Context::set_timeout(Duration::from_nanos(nanos));
}

/// Takes the time limit of the current record away.
pub fn timeout_off() {
    Context::set_timeout(None);
}

/// What stands in the place of a hidden value.
pub const REDACTED: &str = crate::redact::REDACTED;

/// Refuses, while the compiler runs it, a key that is not lower-case words joined by `_`.
pub const fn check_key(key: &str) {
    let bytes = key.as_bytes();
    assert!(bytes.len() <= 64, "a key has at most 64 characters");
    assert!(!bytes[0].is_ascii_digit(), "a key does not begin with a digit");
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        assert!(
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_',
            "a key is lower-case words joined by `_`, as in `cart_total`"
        );
        at += 1;
    }
}
