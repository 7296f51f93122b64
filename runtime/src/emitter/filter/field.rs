//! Tests of one field, by calls.

use super::Filter;
use super::compare::{Comparison, FieldTest, Question};
use crate::context::OwnedValue;
use crate::value::ToValue;

/// A field of events that is asked for; made by [`field`].
///
/// ```
/// use canonlog::Level;
/// use canonlog::filter::field;
/// use std::time::Duration;
///
/// let server_errors = field("resp_status").ge(500);
/// let slow = field("resp_time").gt(Duration::from_millis(500));
/// let loud = field("event_level").ge(Level::Warning);
/// let shop = field("resp_view").like("shop::*");
/// let writes = field("req_method").one_of(["POST", "PUT", "DELETE"]);
/// ```
#[derive(Clone, Debug)]
pub struct Field {
    name: String,
}

/// A field of events, by its full name: `resp_status`, `app_cart_total`; or `event_type`, `event_level`.
///
/// ```
/// use canonlog::Emitter;
/// use canonlog::filter::field;
///
/// let paid = Emitter::new("paid").matching(field("app_cart_total").gt(100.0));
/// ```
pub fn field(name: impl Into<String>) -> Field {
    Field { name: name.into() }
}

impl Field {
    fn ask(&self, question: Question) -> Filter {
        FieldTest::new(&self.name, question).map_or_else(Filter::mistake, Filter::of_field)
    }

    fn compare(&self, comparison: Comparison, value: &impl ToValue) -> Filter {
        self.ask(Question::Compare(comparison, OwnedValue::from(value.to_value())))
    }

    /// Passes events that have the field.
    pub fn exists(self) -> Filter {
        self.ask(Question::Exists)
    }

    /// Passes events whose field is this value.
    pub fn eq(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Eq, &value)
    }

    /// Passes events whose field is another value, or that have none.
    pub fn ne(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Ne, &value)
    }

    /// Passes events whose field is less than this value.
    pub fn lt(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Lt, &value)
    }

    /// Passes events whose field is this value at most.
    pub fn le(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Le, &value)
    }

    /// Passes events whose field is more than this value.
    pub fn gt(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Gt, &value)
    }

    /// Passes events whose field is this value at least.
    pub fn ge(self, value: impl ToValue) -> Filter {
        self.compare(Comparison::Ge, &value)
    }

    /// Passes events whose field is one of these values.
    pub fn one_of<V: ToValue>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let values = values.into_iter().map(|value| OwnedValue::from(value.to_value())).collect();
        self.ask(Question::OneOf(values))
    }

    /// Passes events whose field is a text like this pattern of shells: `*`, `?`, `[a-z]`, `[!a-z]`.
    pub fn like(self, pattern: impl Into<String>) -> Filter {
        Filter::of_field(FieldTest::globs(&self.name, vec![pattern.into()], false))
    }

    /// Passes events whose field is a text that begins as this regular expression says.
    ///
    /// ```
    /// use canonlog::filter::field;
    ///
    /// let filter = field("req_path").matches("/(cart|checkout)/");
    /// assert!(field("req_path").matches("(").check().is_err());
    /// ```
    #[cfg(feature = "regex")]
    #[cfg_attr(docsrs, doc(cfg(feature = "regex")))]
    pub fn matches(self, pattern: &str) -> Filter {
        match regex::Regex::new(pattern) {
            Ok(regex) => self.begins_with(regex),
            Err(error) => Filter::mistake(bad_pattern(pattern, &error)),
        }
    }

    #[cfg(feature = "regex")]
    pub(super) fn begins_with(self, pattern: regex::Regex) -> Filter {
        self.ask(Question::Begins(pattern))
    }
}

/// In one line: the crate draws several, with a mark below the place.
#[cfg(feature = "regex")]
fn bad_pattern(pattern: &str, error: &regex::Error) -> super::FilterError {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    super::FilterError::new(format!("`{pattern}` is no regular expression: {reason}"))
}
