//! A value that does not get into an event.

use std::fmt;

use super::REDACTED;
use crate::value::{ToValue, Value};

/// A value that is not shown: neither by `Display` nor by `Debug`, and recorded only as its length in bytes.
///
/// It is what it holds and nothing else: no copy, no allocation, and nothing is wiped when it is dropped.
///
/// ```
/// use canonlog::{Secret, ToValue, Value};
///
/// let card = Secret::new("4111 1111 1111 1111");
/// assert_eq!(format!("{card} {card:?}"), "[redacted] [redacted]");
/// assert_eq!(card.to_value(), Value::U64(19));
/// assert_eq!(card.expose().len(), 19);
/// ```
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub struct Secret<T: ?Sized>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value, no longer hidden.
    ///
    /// ```
    /// let key = canonlog::Secret::new(String::from("k"));
    /// assert_eq!(key.into_inner(), "k");
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: ?Sized> Secret<T> {
    /// The value, for those that need it. Its name is to be seen where code is read.
    ///
    /// ```
    /// let key = canonlog::Secret::new("k");
    /// assert_eq!(*key.expose(), "k");
    /// ```
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Secret(value)
    }
}

impl<T: ?Sized> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T: ?Sized> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The length in bytes; there is none of what has no bytes to show, and such a secret cannot be recorded.
#[diagnostic::do_not_recommend]
impl<T: AsRef<[u8]> + ?Sized> ToValue for Secret<T> {
    fn to_value(&self) -> Value<'_> {
        Value::U64(self.0.as_ref().len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_takes_the_room_of_what_it_holds() {
        assert_eq!(size_of::<Secret<String>>(), size_of::<String>());
        assert_eq!(size_of::<Secret<[u8; 3]>>(), 3);
        let text = String::from("in its place");
        let place = text.as_ptr();
        let secret = Secret::from(text);
        assert_eq!(secret.expose().as_ptr(), place);
        let text = secret.into_inner();
        assert_eq!(text.as_ptr(), place);
    }
}
