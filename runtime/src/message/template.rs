//! Texts with places that are filled by name when a message is made: for texts that come from configuration.
//!
//! ```text
//! {name}  {{ }}       $name  ${name}  $$       %(name)s  %%
//! ```
//!
//! A place that cannot be filled stays as it is written: the message goes out.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::text::{Form, Text};
use crate::clock;
use crate::counters::{self, Count};
use crate::event::Content;
use crate::record::Name;
use crate::record::keys::Suffix;
use crate::sys::fd;
use crate::value::ToValue;

/// How places are written in a text that is filled at run time.
///
/// ```
/// use canonlog::message::Style;
/// use canonlog::{Value, logger, testing};
///
/// let capture = testing::capture();
/// let text = String::from("checked out ${items}"); // from configuration
/// logger("shop").style(Style::Dollar).field("items", 3).info(text);
/// assert_eq!(capture.one().view().get("log_msg"), Some(Value::Str("checked out 3")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// `{name}`; `{{` and `}}` are braces.
    Brace,
    /// `%(name)s`, with any of the letters `s`, `d`, `i`, `f`, `g`, `r`; `%%` is a percent sign.
    Percent,
    /// `$name` or `${name}`; `$$` is a dollar sign.
    Dollar,
}

/// A text whose places are filled when a message is made; made by [`brace`], [`percent`] and [`dollar`].
///
/// A place takes the value of that name from [`with`](Template::with), else the field of that name, `app_` or whole. One that there is no
/// value for stays as it is written. It is counted in the message (`canonlog_value_errors`) and in [`stats`](crate::stats) (`text_errors`),
/// and stderr hears of it once a second.
#[derive(Clone)]
pub struct Template<'a> {
    style: Style,
    text: Cow<'a, str>,
    values: &'a [(&'a str, &'a dyn ToValue)],
}

impl fmt::Debug for Template<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("style", &self.style).field("text", &self.text).finish_non_exhaustive()
    }
}

/// A text with places like `{name}`, for [`Logger`](crate::Logger)'s methods.
///
/// ```
/// use canonlog::message::brace;
/// use canonlog::{Value, logger, testing};
///
/// let capture = testing::capture();
/// logger("shop").field("items", 3).info(brace("checked out {items}"));
/// logger("shop").info(brace("checked out {items}").with(&[("items", &3)])); // without a field
/// assert!(capture.events().iter().all(|event| event.view().get("log_msg") == Some(Value::Str("checked out 3"))));
/// ```
pub fn brace<'a>(text: impl Into<Cow<'a, str>>) -> Template<'a> {
    Template { style: Style::Brace, text: text.into(), values: &[] }
}

/// A text with places like `%(name)s`.
///
/// ```
/// use canonlog::message::percent;
///
/// canonlog::logger("shop").field("items", 3).info(percent("checked out %(items)d, 100%%"));
/// ```
pub fn percent<'a>(text: impl Into<Cow<'a, str>>) -> Template<'a> {
    Template { style: Style::Percent, text: text.into(), values: &[] }
}

/// A text with places like `$name` and `${name}`.
///
/// ```
/// use canonlog::message::dollar;
///
/// canonlog::logger("shop").field("items", 3).info(dollar("checked out $items for $$${price}"));
/// ```
pub fn dollar<'a>(text: impl Into<Cow<'a, str>>) -> Template<'a> {
    Template { style: Style::Dollar, text: text.into(), values: &[] }
}

impl<'a> Template<'a> {
    /// The text, with its places.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// With values for its places that are no fields.
    #[must_use]
    pub fn with(self, values: &'a [(&'a str, &'a dyn ToValue)]) -> Self {
        Template { values, ..self }
    }
}

impl<'a> From<Template<'a>> for Text<'a> {
    fn from(template: Template<'a>) -> Self {
        Text(Form::Template(template))
    }
}

/// What a text is made of.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    /// A place: its name, and how it is written.
    Place(&'t str, &'t str),
    /// What looks like a place, and is none.
    Wrong(&'t str),
}

/// The first piece of a text that is not empty, and the rest.
fn piece(style: Style, text: &str) -> (Piece<'_>, &str) {
    let marks: &[char] = match style {
        Style::Brace => &['{', '}'],
        Style::Percent => &['%'],
        Style::Dollar => &['$'],
    };
    let at = text.find(marks).unwrap_or(text.len());
    if at > 0 {
        return (Piece::Text(&text[..at]), &text[at..]);
    }
    // The marks have one byte each.
    let (mark, behind) = text.split_at(1);
    if let Some(rest) = behind.strip_prefix(mark) {
        return (Piece::Text(mark), rest);
    }
    let closed = |inside: &'_ str, open: usize, end: &str| {
        let (name, _) = inside.split_once(end)?;
        is_name(name).then_some(open + name.len() + end.len())
    };
    let len = match style {
        Style::Brace if mark == "{" => closed(behind, 1, "}"),
        Style::Brace => None,
        Style::Percent => behind.strip_prefix('(').and_then(|inside| {
            let end = closed(inside, 2, ")")?;
            text[end..].starts_with(['s', 'd', 'i', 'f', 'g', 'r']).then_some(end + 1)
        }),
        Style::Dollar => match behind.strip_prefix('{') {
            Some(inside) => closed(inside, 2, "}"),
            None => {
                let len = behind.find(|c: char| !is_part(c)).unwrap_or(behind.len());
                is_name(&behind[..len]).then_some(1 + len)
            }
        },
    };
    match len {
        Some(len) => {
            let (written, rest) = text.split_at(len);
            let inside = written.trim_start_matches(['{', '%', '$', '(']);
            let end = inside.find(|c: char| !is_part(c)).unwrap_or(inside.len());
            (Piece::Place(&inside[..end], written), rest)
        }
        None => (Piece::Wrong(mark), behind),
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(is_part)
}

/// A text to fill, wherever it came from.
pub(super) struct Filling<'t> {
    pub(super) style: Style,
    pub(super) text: &'t str,
    values: &'t [(&'t str, &'t dyn ToValue)],
}

impl<'t> Filling<'t> {
    pub(super) fn of(template: &'t Template<'_>) -> Self {
        Filling { style: template.style, text: &template.text, values: template.values }
    }

    pub(super) fn plain(style: Style, text: &'t str) -> Self {
        Filling { style, text, values: &[] }
    }

    /// Writes the text, with its places filled; how many of them could not be.
    pub(super) fn write(&self, fields: &Content, to: &mut dyn fmt::Write) -> Result<u64, fmt::Error> {
        let (mut rest, mut wrong) = (self.text, 0);
        while !rest.is_empty() {
            let (piece, after) = piece(self.style, rest);
            rest = after;
            match piece {
                Piece::Text(text) => to.write_str(text)?,
                Piece::Wrong(mark) => {
                    wrong += 1;
                    to.write_str(mark)?;
                }
                Piece::Place(name, written) => {
                    if !self.fill(name, fields, to)? {
                        wrong += 1;
                        to.write_str(written)?;
                    }
                }
            }
        }
        Ok(wrong)
    }

    /// Counts that there was no value for some place, and says so on stderr, at most once a second.
    #[cold]
    pub(super) fn complain(&self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        counters::add(Count::TextErrors, 1);
        let (now, last) = (clock::now(), LAST.load(Relaxed));
        if last != 0 && clock::between(last, now) < 1_000_000_000 {
            return;
        }
        if LAST.compare_exchange(last, now.max(1), Relaxed, Relaxed).is_ok() {
            let text: String = self.text.chars().take(100).collect();
            fd::complain(&format!("the text {text:?} of a message has a place without a value"));
        }
    }

    fn fill(&self, name: &str, fields: &Content, to: &mut dyn fmt::Write) -> Result<bool, fmt::Error> {
        if let Some((_, value)) = self.values.iter().find(|(known, _)| *known == name) {
            return write!(to, "{}", value.to_value()).map(|()| true);
        }
        let key = Name::new("app", name, Suffix::None);
        let event = fields.view();
        match event.get(key.as_str()).or_else(|| event.get(name)) {
            Some(value) => write!(to, "{value}").map(|()| true),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::EventType;
    use crate::level::Level;

    fn filled(style: Style, text: &str) -> (String, u64) {
        let mut content = Content::new();
        content.reset(EventType::Log, Level::Info, 0);
        content.push_text("app_items", crate::event::order("app_items"), false, crate::Value::U64(3));
        let mut made = String::new();
        let filling = Filling { style, text, values: &[("price", &19.5)] };
        let wrong = filling.write(&content, &mut made).expect("a string takes everything");
        (made, wrong)
    }

    #[test]
    fn places_of_every_style_are_filled_from_values_and_fields() {
        for (style, text, want) in [
            (Style::Brace, "{items} for {price}", "3 for 19.5"),
            (Style::Brace, "{{items}} {{{items}}}", "{items} {3}"),
            (Style::Percent, "%(items)d for %(price)s, 100%%", "3 for 19.5, 100%"),
            (Style::Dollar, "$items for $$${price}", "3 for $19.5"),
            (Style::Dollar, "${items}s or $items.", "3s or 3."),
            (Style::Brace, "", ""),
        ] {
            assert_eq!(filled(style, text), (want.to_owned(), 0), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_stays_as_it_is_written_and_is_counted() {
        for (style, text, wrong) in [
            (Style::Brace, "{other}", 1),
            (Style::Brace, "{} {0} {items!r} {items:>5}", 8),
            (Style::Brace, "a } b { c", 2),
            (Style::Percent, "100% of %(other)s %d %(items) %(items)x", 5),
            (Style::Dollar, "$ $1 ${ ${other} $other", 5),
        ] {
            assert_eq!(filled(style, text), (text.to_owned(), wrong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_wrong(text in "[{}%$()a-z0-9é ]{0,24}") {
            for style in [Style::Brace, Style::Percent, Style::Dollar] {
                let (made, wrong) = filled(style, &text);
                prop_assert!(wrong as usize <= text.len());
                if !text.contains(['{', '}', '%', '$']) {
                    prop_assert_eq!(&made, &text);
                }
            }
        }
    }
}
