//! Many fields at once, and the key of one that a place in the program has.

use crate::record::keys::{self, Suffix};
use crate::value::Value;

/// `app_<key>`, which finds its number once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Key(pub(crate) keys::Key);

impl Key {
    pub const fn new(key: &'static str) -> Key {
        Key(keys::Key::new("app", key, Suffix::None))
    }
}

/// A struct that is recorded whole; derive it.
///
/// ```
/// use canonlog::{Fields, Value};
///
/// #[derive(Fields)]
/// struct Cart {
///     #[canonlog(rename = "cart_id")]
///     id: u64,
///     #[canonlog(skip)]
///     lines: Vec<String>,
/// }
///
/// let mut names = Vec::new();
/// Cart { id: 7, lines: Vec::new() }.record(&mut |name, _| names.push(name));
/// assert_eq!(names, ["cart_id"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields to record",
    label = "not a `canonlog::Fields`",
    note = "derive it: `#[derive(canonlog::Fields)]`"
)]
pub trait Fields {
    /// Hands each field to `into`, by its key.
    fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>));
}

#[diagnostic::do_not_recommend]
impl<T: Fields + ?Sized> Fields for &T {
    fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>)) {
        (**self).record(into);
    }
}

#[diagnostic::do_not_recommend]
impl<T: Fields + ?Sized> Fields for Box<T> {
    fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>)) {
        (**self).record(into);
    }
}

/// `None` records nothing.
#[diagnostic::do_not_recommend]
impl<T: Fields> Fields for Option<T> {
    fn record(&self, into: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Some(fields) = self {
            fields.record(into);
        }
    }
}
