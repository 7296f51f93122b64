//! A name to speak under, with fields that all of its messages carry.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use super::builder::{Message, Speaker};
use super::carried::{And, Carried, Error, Many, MessageValue, Nothing, Stack};
use super::pass::Head;
use super::taking::Taking;
use super::template::Style;
use super::text::Text;
use super::{heard, pass, wanted};
use crate::context::OwnedValue;
use crate::counters::measures;
use crate::emitter::{Filter, filter};
use crate::event::{Event, Origin, Source};
use crate::fields::Fields;
use crate::level::{Level, LevelFilter};
use crate::scratch::guarded;
use crate::value::{ToValue, Value};

/// A name to speak under, with fields that all of its messages carry.
///
/// A logger can be a `static`, be kept in a struct, or be made where it is used. There is no hierarchy: each is independent, with its
/// own fields, minimum level and filter, which a copy takes along as they are at that moment.
///
/// ```
/// use canonlog::{Level, Logger, Value, testing};
///
/// static SHOP: Logger = Logger::new("shop");
///
/// let capture = testing::capture();
/// let cart = SHOP.bind("cart", 7); // a logger of its own
/// cart.field("items", 3).info("checked out");
///
/// let event = capture.one();
/// let event = event.view();
/// assert_eq!(event.get("log_name"), Some(Value::Str("shop")));
/// assert_eq!(event.get("log_msg"), Some(Value::Str("checked out")));
/// assert_eq!((event.get("app_cart"), event.get("app_items")), (Some(Value::U64(7)), Some(Value::U64(3))));
/// ```
///
/// A library names its logger and keeps quiet, until the program that it is in asks for more:
///
/// ```
/// use canonlog::{Level, Logger};
///
/// pub static LOG: Logger = Logger::library("tabnab"); // in the library
///
/// LOG.set_min_level(Level::Info); // in the program
/// # assert!(LOG.is_enabled(Level::Info) && !LOG.is_enabled(Level::Debug));
/// ```
pub struct Logger {
    name: Cow<'static, str>,
    minimum: AtomicU8,
    style: Option<Style>,
    on_one_line: bool,
    kept: Option<Arc<Vec<(&'static str, Bound)>>>,
    filter: Option<Arc<Filter>>,
}

/// A field of a logger.
#[derive(Clone)]
enum Bound {
    Value(OwnedValue),
    Lazy(Arc<dyn Fn() -> OwnedValue + Send + Sync>),
}

/// Begins a message, or a logger of one's own.
///
/// ```
/// use canonlog::logger;
///
/// logger("shop").field("cart", 7).info("checked out");
/// ```
pub fn logger(name: impl Into<Cow<'static, str>>) -> Logger {
    Logger { name: name.into(), ..Logger::new("") }
}

impl Logger {
    /// A logger that says everything.
    ///
    /// ```
    /// use canonlog::Logger;
    ///
    /// static SHOP: Logger = Logger::new("shop");
    ///
    /// SHOP.info("open");
    /// ```
    pub const fn new(name: &'static str) -> Logger {
        Logger::from_level(name, LevelFilter::Debug)
    }

    /// A logger that says nothing before the program raises it by [`set_min_level`](Logger::set_min_level).
    ///
    /// ```
    /// use canonlog::{Level, Logger};
    ///
    /// static HTTP: Logger = Logger::library("http");
    ///
    /// assert!(!HTTP.is_enabled(Level::Critical));
    /// HTTP.set_min_level(Level::Info);
    /// assert!(HTTP.is_enabled(Level::Info));
    /// ```
    pub const fn library(name: &'static str) -> Logger {
        Logger::from_level(name, LevelFilter::Disabled)
    }

    const fn from_level(name: &'static str, minimum: LevelFilter) -> Logger {
        let (name, minimum) = (Cow::Borrowed(name), AtomicU8::new(minimum as u8));
        Logger { name, minimum, style: None, on_one_line: false, kept: None, filter: None }
    }

    /// The same under another name.
    #[must_use]
    pub fn name(&self, name: impl Into<Cow<'static, str>>) -> Logger {
        Logger { name: name.into(), ..self.clone() }
    }

    /// The same with another minimum level.
    ///
    /// ```
    /// use canonlog::{Level, LevelFilter, logger};
    ///
    /// assert!(logger("shop").min_level(Level::Warning).is_enabled(Level::Error));
    /// assert!(!logger("shop").min_level(LevelFilter::Disabled).is_enabled(Level::Critical));
    /// ```
    #[must_use]
    pub fn min_level(self, minimum: impl Into<LevelFilter>) -> Logger {
        self.set_min_level(minimum);
        self
    }

    /// Changes the minimum level from now on; copies made before keep theirs.
    pub fn set_min_level(&self, minimum: impl Into<LevelFilter>) {
        self.minimum.store(minimum.into() as u8, Relaxed);
    }

    /// Whether a message of this level would be made: the logger lets it through, and some emitter wants it.
    #[inline]
    pub fn is_enabled(&self, level: Level) -> bool {
        wanted(level) && level as u8 >= self.minimum.load(Relaxed)
    }

    /// The same with a test that each message has to pass, as an event, before it goes to the emitters. A test that panics lets
    /// it pass, and is counted.
    ///
    /// ```
    /// use canonlog::{Value, logger, testing};
    ///
    /// let capture = testing::capture();
    /// let log = logger("shop").filter(|event| event.get("app_cart") != Some(Value::U64(0)));
    /// log.field("cart", 0).info("nothing in it");
    /// log.field("cart", 7).info("checked out");
    /// assert_eq!(capture.one().view().get("log_msg"), Some(Value::Str("checked out")));
    /// ```
    #[must_use]
    pub fn filter(self, test: impl Fn(&Event<'_>) -> bool + Send + Sync + 'static) -> Logger {
        self.matching(test)
    }

    /// The same with a filter that each message has to pass; see [`Filter`] for what can be one. One that cannot be (its
    /// [`check`](Filter::check) says why) lets everything pass.
    ///
    /// ```
    /// use canonlog::filter::field;
    ///
    /// let log = canonlog::logger("shop").matching(field("app_items").gt(0));
    /// ```
    #[must_use]
    pub fn matching(self, filter: impl Into<Filter>) -> Logger {
        let filter = match self.filter {
            Some(before) => filter::all([Filter::clone(&before), filter.into()]),
            None => filter.into(),
        };
        Logger { filter: Some(Arc::new(filter)), ..self }
    }

    /// The same, whose texts have places of this style, filled from the fields of each message; for texts that come from configuration.
    /// What `format_args!` or a macro makes stays what it is, and without this every text does.
    ///
    /// A place that there is no field for stays as it is written, and is counted.
    ///
    /// ```
    /// use canonlog::message::Style;
    ///
    /// canonlog::logger("shop").style(Style::Brace).field("items", 3).info("checked out {items}");
    /// ```
    #[must_use]
    pub fn style(self, style: Style) -> Logger {
        Logger { style: Some(style), ..self }
    }

    /// With `true`, line ends in the text and in the values of its messages become the two characters `\n`, for readers who undo the
    /// escapes of a format and still want one line. As it is, they stay what they are, and each format escapes them in its own way.
    ///
    /// ```
    /// use canonlog::{Value, logger, testing};
    ///
    /// let capture = testing::capture();
    /// logger("shop").suppress_newlines(true).info("two\nlines");
    /// assert_eq!(capture.one().view().get("log_msg"), Some(Value::Str("two\\nlines")));
    /// ```
    #[must_use]
    pub fn suppress_newlines(self, suppress: bool) -> Logger {
        Logger { on_one_line: suppress, ..self }
    }

    /// A logger of its own, with a field that all of its messages carry. A key bound again takes the new value.
    ///
    /// ```
    /// let cart = canonlog::logger("shop").bind("cart", 7);
    /// cart.info("opened");
    /// cart.info("checked out");
    /// ```
    #[must_use]
    pub fn bind(&self, key: &'static str, value: impl ToValue) -> Logger {
        self.with_bound(key, Bound::Value(OwnedValue::from(value.to_value())))
    }

    /// The same for a value that is computed for each message that somebody wants.
    ///
    /// ```
    /// let log = canonlog::logger("shop").bind_lazy("thread", || format!("{:?}", std::thread::current().id()));
    /// ```
    #[must_use]
    pub fn bind_lazy<T: ToValue>(&self, key: &'static str, compute: impl Fn() -> T + Send + Sync + 'static) -> Logger {
        self.with_bound(key, Bound::Lazy(Arc::new(move || OwnedValue::from(compute().to_value()))))
    }

    /// The same for every field of a struct.
    ///
    /// ```
    /// #[derive(canonlog::Fields)]
    /// struct Cart {
    ///     cart_id: u64,
    ///     items: u32,
    /// }
    ///
    /// let log = canonlog::logger("shop").bind_all(&Cart { cart_id: 7, items: 3 });
    /// ```
    #[must_use]
    pub fn bind_all(&self, fields: &(impl Fields + ?Sized)) -> Logger {
        let mut all = Vec::new();
        fields.record(&mut |key, value| all.push((key, OwnedValue::from(value))));
        all.into_iter().fold(self.clone(), |logger, (key, value)| logger.with_bound(key, Bound::Value(value)))
    }

    fn with_bound(&self, key: &'static str, value: Bound) -> Logger {
        let mut kept = self.kept.as_ref().map_or_else(Vec::new, |kept| kept.to_vec());
        match kept.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = value,
            None => kept.push((key, value)),
        }
        Logger { kept: Some(Arc::new(kept)), ..self.clone() }
    }

    /// A message with a field; more can follow, then the level and the text. It borrows the logger.
    ///
    /// ```
    /// canonlog::logger("shop").field("cart", 7).field("items", 3).info("checked out");
    /// ```
    #[inline]
    pub fn field<V: MessageValue>(&self, key: &'static str, value: V) -> Message<'_, And<Nothing, V>> {
        self.message().field(key, value)
    }

    /// A message with all fields of a struct.
    ///
    /// ```
    /// #[derive(canonlog::Fields)]
    /// struct Cart {
    ///     cart_id: u64,
    ///     items: u32,
    /// }
    ///
    /// canonlog::logger("shop").fields(Cart { cart_id: 7, items: 3 }).info("checked out");
    /// ```
    pub fn fields<T: Fields>(&self, fields: T) -> Message<'_, Many<Nothing, T>> {
        self.message().fields(fields)
    }

    /// A message about an error: `exc_type`, `exc_msg`, and its sources as `exc_trace`.
    ///
    /// ```
    /// use canonlog::{Value, logger, testing};
    ///
    /// let capture = testing::capture();
    /// if let Err(error) = "seven".parse::<u32>() {
    ///     logger("shop").trace(&error).warning("no such cart");
    /// }
    /// assert_eq!(capture.one().view().get("exc_msg"), Some(Value::Str("invalid digit found in string")));
    /// ```
    pub fn trace<'e, E: std::error::Error + ?Sized>(&self, error: &'e E) -> Message<'_, Error<'e, Nothing, E>> {
        self.message().trace(error)
    }

    /// A message with the stack of the thread, as `exc_trace`.
    pub fn stack(&self) -> Message<'_, Stack<Nothing>> {
        self.message().stack()
    }

    fn message(&self) -> Message<'_, Nothing> {
        Message { speaker: Speaker::Borrowed(self), carried: Nothing }
    }

    /// Says something at a level.
    ///
    /// ```
    /// use canonlog::{Level, logger, testing};
    ///
    /// let capture = testing::capture();
    /// logger("shop").log(Level::Notice, "open");
    /// assert_eq!(capture.one().view().level(), Level::Notice);
    /// ```
    #[inline]
    #[track_caller]
    pub fn log<'a>(&self, level: Level, text: impl Into<Text<'a>>) {
        if heard(level) {
            let (place, text) = (Location::caller(), text.into());
            self.count(level, || text.template_len().unwrap_or(0));
            if self.is_enabled(level) {
                self.pass(level, (place.file(), place.line()), &text, &Nothing);
            }
        }
    }

    /// Counts a message for [`Status`](crate::Status), whether or not some emitter wants it; `size` is asked for only then.
    #[inline]
    pub(crate) fn count(&self, level: Level, size: impl FnOnce() -> usize) {
        if measures::counts_messages() && level as u8 >= self.minimum.load(Relaxed) {
            measures::message(level, size());
        }
    }

    /// Says it, past the level.
    #[inline(never)]
    pub(crate) fn pass(&self, level: Level, place: (&'static str, u32), text: &Text<'_>, carried: &dyn Carried) {
        let (name, style, on_one_line) = (&*self.name, self.style, self.on_one_line);
        let source = match self.name {
            Cow::Borrowed(name) if style.is_none() && !on_one_line && self.filter.is_none() => {
                Some(Source { name, place })
            }
            _ => None,
        };
        let (place, filter) = (Some(place), self.filter.as_deref());
        let (origin, own_keys) = (Origin::Here, true);
        let head = Head { level, name, place, source, style, on_one_line, origin, own_keys, filter };
        pass(&head, text, &mut |into| {
            if let Some(kept) = &self.kept {
                kept.iter().for_each(|(key, value)| value.take(key, into));
            }
            carried.take(into);
        });
    }
}

impl Bound {
    fn take(&self, key: &'static str, into: &mut Taking<'_, '_>) {
        match self {
            Bound::Value(value) => into.put(key, &value.to_value()),
            Bound::Lazy(compute) => match guarded(|| compute()) {
                Ok(value) => into.put(key, &value.to_value()),
                Err(_) => {
                    into.failed();
                    into.put(key, &Value::Null);
                }
            },
        }
    }
}

impl Clone for Logger {
    fn clone(&self) -> Self {
        Logger {
            name: self.name.clone(),
            minimum: AtomicU8::new(self.minimum.load(Relaxed)),
            style: self.style,
            on_one_line: self.on_one_line,
            kept: self.kept.clone(),
            filter: self.filter.clone(),
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.kept.iter().flat_map(|kept| kept.iter()).map(|(key, _)| *key).collect();
        f.debug_struct("Logger").field("name", &self.name).field("fields", &keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_copies_nothing_of_its_logger_before_it_is_owned() {
        let log = logger("shop").bind("cart", 7);
        let holders = || log.kept.as_ref().map(Arc::strong_count);
        let message = log.field("items", 3).field("plan", "business");
        message.debug("opened");
        assert_eq!(holders(), Some(1));
        let owned = message.owned();
        assert_eq!(holders(), Some(2));
        drop(owned);
        assert_eq!(holders(), Some(1));
    }
}
