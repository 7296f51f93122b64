//! Tables that say how fields become one text: which first, each in which form, and what becomes of the rest.
//!
//! ```text
//! fields ──▶ converters, in table order: key ▸ value ▸ item ──▶ items ──▶ joined, or aggregated
//!        └─▶ the rest, sorted by name: rest's value ▸ item ────▲
//! ```

use std::fmt;
use std::sync::Arc;

use super::super::line::{self, Line};
use super::super::people::push_text;
use super::converter::Converter;
use super::entry::{Entry, Marks};
use crate::value::Value;

type Aggregate = Arc<dyn Fn(&[String]) -> String + Send + Sync>;

/// A table that says how fields become one text; [`TextLine`](crate::TextLine) writes its fields by one.
///
/// For each converter, in the order of the table, the fields of its key; then the rest, sorted by name, as [`rest`](Self::rest) says. The
/// items are joined by a `:`, or by what [`separator`](Self::separator) or [`aggregate`](Self::aggregate) says.
///
/// A text in which a separator, a `=` or a quote stands is quoted, with the escapes of [`Logfmt`](crate::Logfmt); so is a `-`, as that
/// stands for an absent value. [`unquoted`](Self::unquoted) leaves the quotes away.
///
/// ```
/// use canonlog::{Conversion, Value};
///
/// let fields = [("time", Value::Str("12:00")), ("level", Value::Str("INFO")), ("Z", Value::U64(3)), ("a", Value::Str("x:y"))];
/// assert_eq!(Conversion::shell().convert(fields)?, r#"INFO:Z=3:a="x:y""#);
/// # Ok::<(), canonlog::MissingFields>(())
/// ```
#[derive(Clone)]
pub struct Conversion {
    converters: Vec<Converter>,
    rest: Converter,
    separator: String,
    aggregate: Option<Aggregate>,
    unquoted: bool,
}

impl Default for Conversion {
    fn default() -> Self {
        Conversion::new()
    }
}

impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Conversion");
        shown.field("converters", &self.converters).field("rest", &self.rest).field("separator", &self.separator);
        shown.field("unquoted", &self.unquoted).field("aggregated", &self.aggregate.is_some()).finish()
    }
}

/// Fields that a [`Conversion`] requires and that are not there.
///
/// ```
/// let error = canonlog::Conversion::line().convert([]).expect_err("no time, no level");
/// assert_eq!(error.to_string(), "missing fields: `time`, `level`");
/// assert_eq!(error.keys(), ["time", "level"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFields {
    keys: Vec<String>,
}

impl MissingFields {
    /// Their keys, in the order of the table.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

impl fmt::Display for MissingFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("missing fields: ")?;
        for (at, key) in self.keys.iter().enumerate() {
            write!(f, "{}`{key}`", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for MissingFields {}

impl Conversion {
    /// No converters: every field is `key=value`, sorted by name, joined by `:`.
    pub fn new() -> Self {
        Conversion {
            converters: Vec::new(),
            rest: Converter::new(""),
            separator: ":".to_owned(),
            aggregate: None,
            unquoted: false,
        }
    }

    /// The time, the level, the name where there is one, then the rest: `2026-11-20T23:00:49Z:INFO:shop:cart=7`.
    ///
    /// The line at which a message was said, `log_loc`, is hidden; `without("log_loc")` shows it.
    pub fn line() -> Self {
        Conversion::new()
            .with(Converter::new("time").required().value_only())
            .with(Converter::new("level").required().value_only())
            .with(Converter::new("name").value_only())
            .with(Converter::new("log_loc").hidden())
    }

    /// The same without the time: `INFO:shop:cart=7`.
    pub fn shell() -> Self {
        Conversion::line().without("time").first(Converter::new("time").required().hidden())
    }

    /// Adds a converter behind those that are there; several may have the same key.
    #[must_use]
    pub fn with(mut self, converter: Converter) -> Self {
        self.converters.push(converter);
        self
    }

    /// Adds a converter before those that are there.
    #[must_use]
    pub fn first(mut self, converter: Converter) -> Self {
        self.converters.insert(0, converter);
        self
    }

    /// Takes all converters of a key away: its fields are among the rest.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.converters.retain(|converter| converter.key != key);
        self
    }

    /// The converters of a key.
    ///
    /// ```
    /// use canonlog::Conversion;
    ///
    /// assert!(Conversion::line().get("time").next().is_some());
    /// assert!(Conversion::line().without("time").get("time").next().is_none());
    /// ```
    pub fn get(&self, key: &str) -> impl Iterator<Item = &Converter> {
        self.converters.iter().filter(move |converter| converter.key == key)
    }

    /// What becomes of fields that have no converter; the key of this one does not matter.
    #[must_use]
    pub fn rest(mut self, converter: Converter) -> Self {
        self.rest = converter;
        self
    }

    /// What stands between two items.
    #[must_use]
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Makes the text of all items, in place of joining them.
    ///
    /// ```
    /// use canonlog::{Conversion, Value};
    ///
    /// let table = Conversion::new().aggregate(|items| format!("[{}]", items.join("; ")));
    /// assert_eq!(table.convert([("b", Value::U64(2)), ("a", Value::U64(1))])?, "[a=1; b=2]");
    /// # Ok::<(), canonlog::MissingFields>(())
    /// ```
    #[must_use]
    pub fn aggregate(mut self, make: impl Fn(&[String]) -> String + Send + Sync + 'static) -> Self {
        self.aggregate = Some(Arc::new(make));
        self
    }

    /// Writes texts without quotes, whatever stands in them: `x=a:b` can then be one field or two.
    #[must_use]
    pub fn unquoted(mut self) -> Self {
        self.unquoted = true;
        self
    }

    /// What stands between two items.
    pub(super) fn between(&self) -> &str {
        &self.separator
    }

    /// Whether texts stand without quotes.
    pub(super) fn is_unquoted(&self) -> bool {
        self.unquoted
    }

    /// The text of these fields, in which nothing ends a line.
    ///
    /// # Errors
    ///
    /// Required fields that are not there.
    pub fn convert<'a>(&self, fields: impl IntoIterator<Item = (&'a str, Value<'a>)>) -> Result<String, MissingFields> {
        let entry = |(name, value): (&'a str, _)| Entry { name: name.as_bytes(), value, ..Entry::NONE };
        let mut entries: Vec<Entry<'_>> = fields.into_iter().map(entry).collect();
        let is_there = |key: &str| entries.iter().any(|entry| entry.is(key));
        let missing = self.converters.iter().filter(|converter| converter.required && !is_there(&converter.key));
        let keys: Vec<String> = missing.map(|converter| converter.key.clone()).collect();
        if !keys.is_empty() {
            return Err(MissingFields { keys });
        }
        let mut text = Vec::new();
        let marks = Marks::of(self, "");
        line::append(&mut text, |line| self.push(&mut entries, &marks, line));
        Ok(String::from_utf8(text).unwrap_or_default())
    }

    /// Writes the text of these fields, which it sorts. A required one that is not there is `-`.
    pub(super) fn push(&self, entries: &mut [Entry<'_>], marks: &Marks, line: &mut Line<'_>) {
        entries.sort_unstable_by(Entry::order);
        if let Some(aggregate) = &self.aggregate {
            let mut items = Vec::new();
            self.each(entries, |converter, entry| {
                let mut item = Vec::new();
                let mut is_there = false;
                line::append(&mut item, |line| is_there = entry.push(converter, marks, b"", line));
                if is_there {
                    items.push(String::from_utf8(item).unwrap_or_default());
                }
            });
            push_text(line, aggregate(&items).as_bytes());
            return;
        }
        let mut before: &[u8] = b"";
        self.each(entries, |converter, entry| {
            if entry.push(converter, marks, before, line) {
                before = self.separator.as_bytes();
            }
        });
    }

    fn each(&self, entries: &[Entry<'_>], mut see: impl FnMut(&Converter, &Entry<'_>)) {
        for converter in &self.converters {
            let mut found = entries.iter().filter(|entry| entry.is(&converter.key)).peekable();
            if found.peek().is_none() && converter.required {
                see(converter, &Entry { name: converter.key.as_bytes(), ..Entry::NONE });
            }
            found.for_each(|entry| see(converter, entry));
        }
        let is_known = |entry: &Entry<'_>| self.converters.iter().any(|converter| entry.is(&converter.key));
        entries.iter().filter(|entry| !is_known(entry)).for_each(|entry| see(&self.rest, entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_first_in_its_own_order_and_then_the_rest_by_name() {
        let table = Conversion::new().with(Converter::new("z")).with(Converter::new("m").value_only());
        let fields = [("b", 1), ("m", 2), ("Z", 3), ("z", 4), ("a", 5)].map(|(key, value)| (key, Value::U64(value)));
        assert_eq!(table.convert(fields).as_deref(), Ok("z=4:2:Z=3:a=5:b=1"));
    }

    #[test]
    fn several_converters_may_share_a_key() {
        let table = Conversion::new().with(Converter::new("a").value_only()).with(Converter::new("a"));
        assert_eq!(table.convert([("a", Value::U64(1))]).as_deref(), Ok("1:a=1"));
        assert_eq!(table.get("a").count(), 2);
        assert_eq!(table.without("a").get("a").count(), 0);
    }

    #[test]
    fn a_required_field_that_is_not_there_is_an_error_or_a_dash() {
        let table = Conversion::line();
        let error = table.convert([("level", Value::Str("INFO"))]).expect_err("there is no time");
        assert_eq!(error.keys(), ["time"]);
        let mut text = Vec::new();
        let marks = Marks::of(&table, "");
        line::append(&mut text, |line| table.push(&mut [], &marks, line));
        assert_eq!(text, b"-:-");
    }

    #[test]
    fn a_text_with_a_separator_is_quoted_unless_asked_otherwise() {
        let fields = [("x", Value::Str("a:b|c=d")), ("y", Value::Str("-")), ("z", Value::Str("two words"))];
        assert_eq!(Conversion::new().convert(fields).as_deref(), Ok(r#"x="a:b|c=d":y="-":z=two words"#));
        assert_eq!(Conversion::new().unquoted().convert(fields).as_deref(), Ok("x=a:b|c=d:y=-:z=two words"));
        let other = Conversion::new().separator("; ");
        assert_eq!(other.convert(fields).as_deref(), Ok(r#"x="a:b|c=d"; y="-"; z="two words""#));
    }
}
