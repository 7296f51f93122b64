//! What a field holds.
//!
//! ```text
//! your type ──ToValue──▶ Value ──▶ the record (text copied) ──▶ Event ──▶ a format
//! ```
//!
//! A value keeps its type until a format writes it: a number stays a number in JSON, and a duration has no unit before then.

use std::borrow::Cow;
use std::fmt;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroUsize, Wrapping,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What a field holds.
///
/// ```
/// use canonlog::{ToValue, Value};
///
/// assert!(matches!(3_u8.to_value(), Value::U64(3)));
/// assert!(matches!("cart".to_value(), Value::Str("cart")));
/// assert!(matches!(None::<u8>.to_value(), Value::Null));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing: `-` in logfmt, `null` in JSON.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number; one that is not finite is text in logfmt (`NaN`) and `null` in JSON.
    F64(f64),
    /// A length of time; the format owns its unit.
    Duration(Duration),
    /// Text.
    Str(&'a str),
    /// Text that is made when the value is recorded. An [`Event`](crate::Event) never holds one.
    Display(&'a dyn fmt::Display),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("Null"),
            Value::Bool(value) => f.debug_tuple("Bool").field(value).finish(),
            Value::I64(value) => f.debug_tuple("I64").field(value).finish(),
            Value::U64(value) => f.debug_tuple("U64").field(value).finish(),
            Value::F64(value) => f.debug_tuple("F64").field(value).finish(),
            Value::Duration(value) => f.debug_tuple("Duration").field(value).finish(),
            Value::Str(value) => f.debug_tuple("Str").field(value).finish(),
            Value::Display(value) => write!(f, "Display({value})"),
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::I64(a), Value::I64(b)) => a == b,
            (Value::U64(a), Value::U64(b)) => a == b,
            (Value::I64(a), Value::U64(b)) | (Value::U64(b), Value::I64(a)) => u64::try_from(*a) == Ok(*b),
            (Value::F64(a), Value::F64(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Display(a), Value::Display(b)) => a.to_string() == b.to_string(),
            (Value::Display(a), Value::Str(b)) | (Value::Str(b), Value::Display(a)) => a.to_string() == *b,
            _ => false,
        }
    }
}

/// The value as logfmt writes it, without quotes or escapes.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("-"),
            Value::Bool(value) => value.fmt(f),
            Value::I64(value) => value.fmt(f),
            Value::U64(value) => value.fmt(f),
            Value::F64(value) => f.write_str(zmij::Buffer::new().format(*value)),
            Value::Duration(value) => {
                let millis = (value.as_nanos() + 500_000) / 1_000_000;
                write!(f, "{}.{:03}", millis / 1_000, millis % 1_000)
            }
            Value::Str(value) => f.write_str(value),
            Value::Display(value) => value.fmt(f),
        }
    }
}

/// A type that can be recorded as a field.
///
/// Implemented for numbers, booleans, text, durations, network addresses, and options, references and smart pointers of
/// those. Anything else that has a `Display` or `Debug` is recorded through [`display`] or [`debug`].
///
/// ```
/// use canonlog::{ToValue, Value};
///
/// struct Cents(u64);
///
/// impl ToValue for Cents {
///     fn to_value(&self) -> Value<'_> {
///         Value::U64(self.0)
///     }
/// }
///
/// assert_eq!(Cents(250).to_value(), Value::U64(250));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a field",
    label = "not a field value",
    note = "implement `canonlog::ToValue` for `{Self}`, or record `value.to_string()`"
)]
pub trait ToValue {
    /// The value to record.
    fn to_value(&self) -> Value<'_>;
}

macro_rules! to_value {
    ($($kind:ident as $wide:ty: $($of:ty)*;)*) => {$($(
        #[diagnostic::do_not_recommend]
        impl ToValue for $of {
            fn to_value(&self) -> Value<'_> {
                Value::$kind(<$wide>::from(*self))
            }
        }
    )*)*};
}

to_value! {
    Bool as bool: bool;
    I64 as i64: i8 i16 i32 i64;
    U64 as u64: u8 u16 u32 u64;
    F64 as f64: f32 f64;
    Duration as Duration: Duration;
}

macro_rules! to_value_with {
    ($($of:ty: |$value:ident| $make:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl ToValue for $of {
            fn to_value(&self) -> Value<'_> {
                let $value = self;
                $make
            }
        }
    )*};
}

to_value_with! {
    (): |_unit| Value::Null;
    usize: |value| Value::U64(*value as u64);
    isize: |value| Value::I64(*value as i64);
    NonZeroU8: |value| Value::U64(value.get().into());
    NonZeroU16: |value| Value::U64(value.get().into());
    NonZeroU32: |value| Value::U64(value.get().into());
    NonZeroU64: |value| Value::U64(value.get());
    NonZeroUsize: |value| Value::U64(value.get() as u64);
    NonZeroI8: |value| Value::I64(value.get().into());
    NonZeroI16: |value| Value::I64(value.get().into());
    NonZeroI32: |value| Value::I64(value.get().into());
    NonZeroI64: |value| Value::I64(value.get());
    NonZeroIsize: |value| Value::I64(value.get() as i64);
    // Beyond 64 bits a number is text, as JSON readers would round it.
    u128: |value| u64::try_from(*value).map_or(Value::Display(value), Value::U64);
    i128: |value| i64::try_from(*value).map_or(Value::Display(value), Value::I64);
    str: |value| Value::Str(value);
    String: |value| Value::Str(value);
    Cow<'_, str>: |value| Value::Str(value);
    char: |value| Value::Display(value);
    std::net::IpAddr: |value| Value::Display(value);
    std::net::Ipv4Addr: |value| Value::Display(value);
    std::net::Ipv6Addr: |value| Value::Display(value);
    std::net::SocketAddr: |value| Value::Display(value);
    fmt::Arguments<'_>: |value| value.as_str().map_or(Value::Display(value), Value::Str);
}

macro_rules! to_value_through {
    ($($of:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: ToValue + ?Sized> ToValue for $of {
            fn to_value(&self) -> Value<'_> {
                (**self).to_value()
            }
        }
    )*};
}

to_value_through! { &T &mut T Box<T> Rc<T> Arc<T> }

#[diagnostic::do_not_recommend]
impl<T: ToValue> ToValue for Wrapping<T> {
    fn to_value(&self) -> Value<'_> {
        self.0.to_value()
    }
}

#[diagnostic::do_not_recommend]
impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

#[diagnostic::do_not_recommend]
impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

/// A value recorded by its [`Display`](fmt::Display); made by [`display`].
#[derive(Clone, Copy, Debug)]
pub struct DisplayValue<T>(T);

#[diagnostic::do_not_recommend]
impl<T: fmt::Display> ToValue for DisplayValue<T> {
    fn to_value(&self) -> Value<'_> {
        Value::Display(&self.0)
    }
}

/// A value recorded by its [`Debug`](fmt::Debug); made by [`debug`].
#[derive(Clone, Copy, Debug)]
pub struct DebugValue<T>(T);

impl<T: fmt::Debug> fmt::Display for DebugValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Debug> ToValue for DebugValue<T> {
    fn to_value(&self) -> Value<'_> {
        Value::Display(self)
    }
}

/// Records a value by its `Display`.
///
/// ```
/// use canonlog::{Context, display};
///
/// Context::set("peer", display(std::path::Path::new("/srv").display()));
/// ```
pub fn display<T: fmt::Display>(value: T) -> DisplayValue<T> {
    DisplayValue(value)
}

/// Records a value by its `Debug`.
///
/// ```
/// use canonlog::{Context, debug};
///
/// Context::set("ids", debug([1, 2, 3]));
/// ```
pub fn debug<T: fmt::Debug>(value: T) -> DebugValue<T> {
    DebugValue(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_three_words() {
        assert_eq!(size_of::<Value<'_>>(), 24);
    }

    #[test]
    fn integers_of_every_width_keep_their_number() {
        assert_eq!(i8::MIN.to_value(), Value::I64(-128));
        assert_eq!(usize::MAX.to_value(), Value::U64(u64::MAX));
        assert_eq!(u128::from(u64::MAX).to_value(), Value::U64(u64::MAX));
        assert_eq!(u128::MAX.to_value(), Value::Str("340282366920938463463374607431768211455"));
        assert_eq!(i128::MIN.to_value().to_string(), i128::MIN.to_string());
    }

    #[test]
    fn options_references_and_pointers_record_what_they_hold() {
        assert_eq!(Some(&Box::new("a")).to_value(), Value::Str("a"));
        assert_eq!(None::<String>.to_value(), Value::Null);
        assert_eq!(Arc::<str>::from("b").to_value(), Value::Str("b"));
        assert_eq!(Cow::Borrowed("c").to_value(), Value::Str("c"));
    }

    #[test]
    fn text_without_places_needs_no_formatting() {
        assert!(matches!(format_args!("plain").to_value(), Value::Str("plain")));
    }
}
