//! What a message carries beside its text: a list that grows with the calls that build it, without an allocation.

use std::backtrace::Backtrace;
use std::{any, fmt};

use super::taking::Taking;
use crate::event::head;
use crate::fields::{Fields, Key};
use crate::scratch::guarded;
use crate::value::{ToValue, Value};

/// What a message carries; the calls that build one say what is added.
///
/// ```
/// use canonlog::{Message, message::Carried};
///
/// /// With whatever it carries already.
/// fn sign(message: Message<'_, impl Carried>) {
///     message.field("signed", true).info("done");
/// }
///
/// sign(canonlog::logger("shop").field("cart", 7));
/// ```
pub trait Carried {
    #[doc(hidden)]
    fn take(&self, into: &mut Taking<'_, '_>);
}

/// What a field of a message can hold: whatever a field can, or what is [`lazy`].
///
/// ```
/// fn note(value: impl canonlog::message::MessageValue) {
///     canonlog::logger("shop").field("note", value).info("noted");
/// }
///
/// note(7);
/// note(canonlog::lazy(|| std::process::id()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a field",
    label = "not a field value",
    note = "implement `canonlog::ToValue` for `{Self}`, or record `value.to_string()`"
)]
pub trait MessageValue {
    #[doc(hidden)]
    fn take(&self, key: &'static str, into: &mut Taking<'_, '_>);

    #[doc(hidden)]
    #[inline]
    fn take_by(&self, key: &'static Key, into: &mut Taking<'_, '_>) {
        self.take(key.0.key, into);
    }
}

#[diagnostic::do_not_recommend]
impl<T: ToValue + ?Sized> MessageValue for T {
    #[inline]
    fn take(&self, key: &'static str, into: &mut Taking<'_, '_>) {
        into.put(key, &self.to_value());
    }

    // Which kind it is, the compiler knows.
    #[inline(always)]
    fn take_by(&self, key: &'static Key, into: &mut Taking<'_, '_>) {
        match self.to_value() {
            Value::U64(value) => into.put_word(&key.0, head::U64, value),
            Value::I64(value) => into.put_word(&key.0, head::I64, value.cast_unsigned()),
            Value::F64(value) => into.put_word(&key.0, head::F64, value.to_bits()),
            Value::Bool(value) => into.put_word(&key.0, head::BOOL, u64::from(value)),
            Value::Str(value) => into.put_text(&key.0, value),
            value => into.put(key.0.key, &value),
        }
    }
}

/// A value that is computed for each message that somebody wants; made by [`lazy`].
#[derive(Clone, Copy)]
pub struct Lazy<F>(F);

impl<F> fmt::Debug for Lazy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazy")
    }
}

/// A value of a message that is computed if some emitter wants the message, and not before.
///
/// If it panics, the message goes out with nothing in its place, and that is counted.
///
/// ```
/// use canonlog::{lazy, logger};
///
/// # fn rows_in_cache() -> u64 { 3 }
/// logger("cache").field("rows", lazy(rows_in_cache)).debug("looked up");
/// ```
pub fn lazy<T: ToValue, F: Fn() -> T>(compute: F) -> Lazy<F> {
    Lazy(compute)
}

#[diagnostic::do_not_recommend]
impl<T: ToValue, F: Fn() -> T> MessageValue for Lazy<F> {
    fn take(&self, key: &'static str, into: &mut Taking<'_, '_>) {
        match guarded(&self.0) {
            Ok(value) => into.put(key, &value.to_value()),
            Err(_) => {
                into.failed();
                into.put(key, &Value::Null);
            }
        }
    }
}

impl<A: Carried + ?Sized, B: Carried + ?Sized> Carried for (&A, &B) {
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.0.take(into);
        self.1.take(into);
    }
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Carried for Nothing {
    fn take(&self, _: &mut Taking<'_, '_>) {}
}

/// A field behind what there is.
#[derive(Clone, Copy, Debug)]
pub struct And<C, V> {
    pub(super) rest: C,
    pub(super) key: &'static str,
    pub(super) value: V,
}

impl<C: Carried, V: MessageValue> Carried for And<C, V> {
    #[inline]
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.rest.take(into);
        self.value.take(self.key, into);
    }
}

/// The same by the key of a place in the program.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AndBy<C, V> {
    rest: C,
    key: &'static Key,
    value: V,
}

impl<C, V> AndBy<C, V> {
    #[inline(always)]
    pub(crate) fn new(rest: C, key: &'static Key, value: V) -> Self {
        AndBy { rest, key, value }
    }
}

impl<C: Carried, V: MessageValue> Carried for AndBy<C, V> {
    #[inline]
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.rest.take(into);
        self.value.take_by(self.key, into);
    }
}

/// All fields of a struct behind what there is.
#[derive(Clone, Copy, Debug)]
pub struct Many<C, T> {
    pub(super) rest: C,
    pub(super) fields: T,
}

impl<C: Carried, T: Fields> Carried for Many<C, T> {
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.rest.take(into);
        self.fields.record(&mut |key, value| into.put(key, &value));
    }
}

/// An error behind what there is.
#[derive(Debug)]
pub struct Error<'e, C, E: ?Sized> {
    pub(super) rest: C,
    pub(super) error: &'e E,
}

impl<C: Clone, E: ?Sized> Clone for Error<'_, C, E> {
    fn clone(&self) -> Self {
        Error { rest: self.rest.clone(), error: self.error }
    }
}

impl<C: Carried, E: std::error::Error + ?Sized> Carried for Error<'_, C, E> {
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.rest.take(into);
        into.own("exc", "type", Value::Str(any::type_name::<E>()));
        into.own("exc", "msg", Value::Display(&self.error));
        trace(self.error.source(), into);
    }
}

/// An error's sources, the root cause first.
pub(super) fn trace(source: Option<&(dyn std::error::Error + 'static)>, into: &mut Taking<'_, '_>) {
    // A chain that is a circle must end.
    const LONGEST: usize = 32;
    if source.is_some() {
        into.own_made("exc", "trace", |to| {
            let sources: Vec<_> = std::iter::successors(source, |error| error.source()).take(LONGEST).collect();
            for (at, error) in sources.into_iter().rev().enumerate() {
                write!(to, "{}{error}", if at == 0 { "" } else { " > " })?;
            }
            Ok(())
        });
    }
}

/// The stack that the thread has, behind what there is.
#[derive(Clone, Copy, Debug)]
pub struct Stack<C> {
    pub(super) rest: C,
}

impl<C: Carried> Carried for Stack<C> {
    fn take(&self, into: &mut Taking<'_, '_>) {
        self.rest.take(into);
        let stack = Backtrace::force_capture();
        into.own_made("exc", "trace", |to| write!(to, "{stack}"));
    }
}
