//! Which events pass: tests on an event's type, level, logger and any field, put together.
//!
//! ```text
//! true, false ─┐
//! a closure ───┤
//! names, globs ┼──▶ Filter ◀── all of a list, any of one, not
//! field tests ─┤      ▲
//! pattern ─────┘      └── a condition as text: `event_type == request and resp_status >= 500`
//! ```
//!
//! A filter that holds a mistake (a pattern that is none, a level that there is not) is an error of the emitter that gets it.

mod compare;
mod error;
mod field;
mod glob;
mod parse;

use std::fmt;
use std::sync::Arc;

use crate::event::Event;

use self::compare::FieldTest;

pub use self::error::FilterError;
pub use self::field::{Field, field};

/// What an event has to be like to pass.
///
/// | made from | passes |
/// |---|---|
/// | `true`, `false` | every event, none |
/// | a closure `\|event: &Event<'_>\| ...` | what it says |
/// | [`names`], [`globs`] | events of these loggers |
/// | [`field`] and a comparison | events with such a field |
/// | [`pattern`] (feature `regex`) | messages that begin so |
/// | a list | what passes all of it; an empty one, everything |
/// | [`any`], [`not`] | what passes one of it; what does not pass |
/// | [a text](#conditions-as-text), by `parse` | what it says |
///
/// ```
/// use canonlog::filter::{any, field, names};
/// use canonlog::{Emitter, Event, Filter, Level};
///
/// let slow = field("resp_time").ge(0.5);
/// let failed: Filter = "event_type == request and resp_status >= 500".parse()?;
/// let shop = names(["shop", "cart"]);
/// let bad = Emitter::new("bad").matching(any([slow, failed]));
/// let both = Emitter::new("both").matching([Filter::from(|event: &Event<'_>| event.fields().len() > 3), shop]);
/// # Ok::<(), canonlog::FilterError>(())
/// ```
///
/// # Conditions as text
///
/// A condition is made of tests, `and`, `or`, `not` and parentheses; `and` binds stronger than `or`. A test is the name of a field,
/// a comparison and a value; or the name alone, which asks whether the event has the field.
///
/// | comparison | holds if the field |
/// |---|---|
/// | `==`, `!=` | is this value; is another, or is not there |
/// | `<`, `<=`, `>`, `>=` | is less, or more |
/// | `in [a, b]` | is one of these |
/// | `like "shop.*"` | is a text like this pattern of shells: `*`, `?`, `[a-z]`, `[!a-z]` |
/// | `~ "(GET\|PUT) "` | is a text that begins as this regular expression says (feature `regex`) |
///
/// A value is a number, a number with `ns`, `us`, `ms`, `s`, `m` or `h`, `true`, `false`, a word, or a text in double or single quotes.
/// Values are compared by what they are: numbers with numbers and lengths of time (in seconds), texts with texts. Whatever cannot be
/// compared is neither less nor more, nor the same. `event_type` and `event_level` are asked as fields are; levels are compared by
/// how much they matter.
///
/// ```
/// use canonlog::{EventType, Filter, Level, OwnedEvent};
///
/// let filter: Filter = r#"event_level >= warning and (resp_time > 500ms or log_name like "shop.*")"#.parse()?;
/// let mut event = OwnedEvent::new(EventType::Log, Level::Error, std::time::SystemTime::UNIX_EPOCH);
/// event.set("log_name", "shop.cart");
/// assert!(filter.passes(&event.view()));
///
/// let error = "resp_status => 500".parse::<Filter>().expect_err("which comparison?");
/// assert_eq!(
///     error.to_string(),
///     "`resp_status => 500`: at character 13, `=>` is no comparison; expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~`, `in`, `like`; \
///      the nearest is `>=`",
/// );
/// # Ok::<(), canonlog::FilterError>(())
/// ```
#[derive(Clone)]
pub struct Filter(Node);

type Test = dyn Fn(&Event<'_>) -> bool + Send + Sync;

#[derive(Clone)]
enum Node {
    Always(bool),
    Test(Arc<Test>),
    Field(Arc<FieldTest>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Mistake(FilterError),
}

impl Filter {
    /// Whether the event passes.
    ///
    /// ```
    /// use canonlog::filter::field;
    /// use canonlog::{EventType, Level, OwnedEvent};
    ///
    /// let mut event = OwnedEvent::new(EventType::Request, Level::Error, std::time::SystemTime::UNIX_EPOCH);
    /// event.set("resp_status", 503);
    /// assert!(field("resp_status").ge(500).passes(&event.view()));
    /// ```
    pub fn passes(&self, event: &Event<'_>) -> bool {
        match &self.0 {
            Node::Always(passes) => *passes,
            Node::Test(test) => test(event),
            Node::Field(test) => test.passes(event),
            Node::All(filters) => filters.iter().all(|filter| filter.passes(event)),
            Node::Any(filters) => filters.iter().any(|filter| filter.passes(event)),
            Node::Not(filter) => !filter.passes(event),
            // No emitter takes it; what fails lets events pass.
            Node::Mistake(_) => true,
        }
    }

    /// The first mistake in it.
    ///
    /// # Errors
    ///
    /// A pattern that is none, or a level or a type that there is not.
    ///
    /// ```
    /// use canonlog::filter::field;
    ///
    /// let error = field("event_level").ge("wraning").check().expect_err("no such level");
    /// assert!(error.to_string().ends_with("the nearest is `warning`"), "{error}");
    /// ```
    pub fn check(&self) -> Result<(), FilterError> {
        match &self.0 {
            Node::Mistake(error) => Err(error.clone()),
            Node::All(filters) | Node::Any(filters) => filters.iter().try_for_each(Filter::check),
            Node::Not(filter) => filter.check(),
            Node::Always(_) | Node::Test(_) | Node::Field(_) => Ok(()),
        }
    }

    fn of_field(test: FieldTest) -> Filter {
        Filter(Node::Field(Arc::new(test)))
    }

    fn mistake(error: FilterError) -> Filter {
        Filter(Node::Mistake(error))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::Always(passes) => passes.fmt(f),
            Node::Test(_) => f.write_str("test"),
            Node::Field(test) => test.fmt(f),
            Node::All(filters) => f.debug_tuple("all").field(filters).finish(),
            Node::Any(filters) => f.debug_tuple("any").field(filters).finish(),
            Node::Not(filter) => f.debug_tuple("not").field(filter).finish(),
            Node::Mistake(error) => f.debug_tuple("mistake").field(error).finish(),
        }
    }
}

impl From<bool> for Filter {
    /// Lets every event pass, or none.
    fn from(passes: bool) -> Self {
        Filter(Node::Always(passes))
    }
}

impl<F: Fn(&Event<'_>) -> bool + Send + Sync + 'static> From<F> for Filter {
    fn from(test: F) -> Self {
        Filter(Node::Test(Arc::new(test)))
    }
}

impl<F: Into<Filter>> From<Vec<F>> for Filter {
    /// Lets pass what passes all of them.
    fn from(filters: Vec<F>) -> Self {
        all(filters)
    }
}

impl<F: Into<Filter>, const N: usize> From<[F; N]> for Filter {
    /// Lets pass what passes all of them.
    fn from(filters: [F; N]) -> Self {
        all(filters)
    }
}

#[cfg(feature = "regex")]
impl From<regex::Regex> for Filter {
    /// Lets messages pass that begin so, as [`pattern`].
    fn from(pattern: regex::Regex) -> Self {
        field("log_msg").begins_with(pattern)
    }
}

/// Lets pass what passes every one of these: nothing else is asked after the first that says no. An empty list lets everything pass.
///
/// ```
/// use canonlog::filter::{all, field};
///
/// let filter = all([field("event_type").eq("request"), field("resp_status").ge(500)]);
/// ```
pub fn all<F: Into<Filter>>(filters: impl IntoIterator<Item = F>) -> Filter {
    Filter(Node::All(filters.into_iter().map(Into::into).collect()))
}

/// Lets pass what passes one of these at least.
///
/// ```
/// use canonlog::filter::{any, field};
///
/// let filter = any([field("exc_type").exists(), field("resp_status").ge(500)]);
/// ```
pub fn any<F: Into<Filter>>(filters: impl IntoIterator<Item = F>) -> Filter {
    Filter(Node::Any(filters.into_iter().map(Into::into).collect()))
}

/// Lets pass what does not pass this.
///
/// ```
/// use canonlog::filter::{field, not};
///
/// let filter = not(field("req_path").eq("/health"));
/// ```
pub fn not(filter: impl Into<Filter>) -> Filter {
    Filter(Node::Not(Box::new(filter.into())))
}

/// Lets pass what loggers of these names say. An event without `log_name` has the name "".
///
/// ```
/// use canonlog::Emitter;
/// use canonlog::filter::names;
///
/// let emitter = Emitter::new("shop").matching(names(["shop", "cart"]));
/// ```
pub fn names<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Filter {
    let names = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    Filter::of_field(FieldTest::names(names))
}

/// Lets pass what loggers say whose names are like one of these patterns of shells: `*`, `?`, `[a-z]`, `[!a-z]`, upper and lower case
/// told apart. An event without `log_name` has the name "".
///
/// ```
/// use canonlog::Emitter;
/// use canonlog::filter::globs;
///
/// let emitter = Emitter::new("shop").matching(globs(["shop.*", "cart"]));
/// ```
pub fn globs<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Filter {
    let patterns = patterns.into_iter().map(|pattern| pattern.as_ref().to_owned()).collect();
    Filter::of_field(FieldTest::globs("log_name", patterns, true))
}

/// Lets pass messages whose text (`log_msg`) begins as this regular expression says. An event without one has the text "".
///
/// ```
/// use canonlog::Emitter;
/// use canonlog::filter::pattern;
///
/// let emitter = Emitter::new("orders").matching(pattern("order [0-9]+ "));
/// ```
#[cfg(feature = "regex")]
#[cfg_attr(docsrs, doc(cfg(feature = "regex")))]
pub fn pattern(pattern: &str) -> Filter {
    field("log_msg").matches(pattern)
}

#[cfg(test)]
mod tests;
