//! Values that do not belong to a record any more.

use std::time::Duration;

use crate::scratch;
use crate::value::{ToValue, Value};

/// A value that was copied out of a record by [`Context::get`](crate::Context::get).
///
/// ```
/// use canonlog::{OwnedValue, Value};
///
/// assert_eq!(OwnedValue::from(Value::Str("red")), OwnedValue::Text("red".to_owned()));
/// ```
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

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => OwnedValue::Null,
            Value::Bool(value) => OwnedValue::Bool(value),
            Value::I64(value) => OwnedValue::I64(value),
            Value::U64(value) => OwnedValue::U64(value),
            Value::F64(value) => OwnedValue::F64(value),
            Value::Duration(value) => OwnedValue::Duration(value),
            Value::Str(value) => OwnedValue::Text(value.to_owned()),
            Value::Display(value) => OwnedValue::Text(scratch::display(value)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ToValue for OwnedValue {
    fn to_value(&self) -> Value<'_> {
        match self {
            OwnedValue::Null => Value::Null,
            OwnedValue::Bool(value) => Value::Bool(*value),
            OwnedValue::I64(value) => Value::I64(*value),
            OwnedValue::U64(value) => Value::U64(*value),
            OwnedValue::F64(value) => Value::F64(*value),
            OwnedValue::Duration(value) => Value::Duration(*value),
            OwnedValue::Text(value) => Value::Str(value),
        }
    }
}
