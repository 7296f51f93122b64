//! A line with places for fields, for status lines and whatever else has a shape of its own.

mod parse;

pub use parse::TemplateError;

use std::io::Write;

use self::parse::{Align, Moment, Piece, Place};
use super::logfmt::push_bare;
use super::number::Digits;
use super::time::{self, Civil};
use super::{Format, line, push_escaped};
use crate::event::{Event, EventType, Stored};
use crate::value::Value;

/// A line made of a text with places: `{event_time:%F %T} log messages: {status_error} ERROR`.
///
/// | place | shows |
/// |---|---|
/// | `{resp_status}` | the field of that name, or of `app_` and that name; `event_type`, `event_time`, `event_level` |
/// | `{resp_status\|none}` | `none` where the field is absent; without a word for that, `-`, and `0` in a `status` event |
/// | `{resp_time:>8.1}` | as Rust's `format!`: fill, `<` `^` `>`, `0`, width, decimals of a number or characters of a text |
/// | `{event_time:%H:%M:%S}` | the time, UTC, by `%Y %m %d %H %M %S`, `%L` (milliseconds), `%F` (`%Y-%m-%d`), `%T` (`%H:%M:%S`) |
/// | `{*}` | all fields that no place names, as `name=value` |
/// | `{{`, `}}` | a brace |
///
/// Values are escaped as in [`Logfmt`](crate::Logfmt), and have no quotes. Every event has a line, unless
/// [`only`](Self::only) says for which types the template is.
///
/// ```
/// use canonlog::{EventType, Format, Level, OwnedEvent, Template};
/// use std::time::{Duration, SystemTime};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_551_830_011);
/// let mut event = OwnedEvent::new(EventType::Status, Level::Info, time);
/// event.set("status_error", 1);
/// event.set("status_info", 5);
///
/// let status = "{event_time:%F %T} log messages: {status_error} ERROR, {status_warning} WARNING {status_info} INFO";
/// let mut line = Vec::new();
/// Template::new(status)?.format(&event.view(), &mut line);
/// assert_eq!(String::from_utf8_lossy(&line), "2019-03-05 23:53:31 log messages: 1 ERROR, 0 WARNING 5 INFO");
/// # Ok::<(), canonlog::TemplateError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    only: Vec<EventType>,
}

impl Template {
    /// By the text of the template.
    ///
    /// # Errors
    ///
    /// What is no template; the error says where, and what was expected.
    pub fn new(template: &str) -> Result<Self, TemplateError> {
        Ok(Template { pieces: parse::parse(template)?, only: Vec::new() })
    }

    /// Has no line for events of other types.
    ///
    /// ```
    /// use canonlog::{EventType, Format, Level, OwnedEvent, Template};
    ///
    /// let format = Template::new("{event_type}")?.only([EventType::Status]);
    /// let mut line = Vec::new();
    /// format.format(&OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::UNIX_EPOCH).view(), &mut line);
    /// assert!(line.is_empty());
    /// # Ok::<(), canonlog::TemplateError>(())
    /// ```
    #[must_use]
    pub fn only(mut self, kinds: impl IntoIterator<Item = EventType>) -> Self {
        self.only.extend(kinds);
        self
    }

    /// Whether a place names the field.
    fn names(&self, full: &str) -> bool {
        self.pieces.iter().any(|piece| match piece {
            Piece::Place(place) => is(&place.name, full.as_bytes()),
            _ => false,
        })
    }
}

/// Whether a place of that name shows the field, if no other fits better.
fn is(name: &str, full: &[u8]) -> bool {
    name.as_bytes() == full || full.strip_prefix(b"app_") == Some(name.as_bytes())
}

impl Format for Template {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        if !self.only.is_empty() && !self.only.contains(&event.kind()) {
            return;
        }
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => line.extend_from_slice(text.as_bytes()),
                Piece::Place(place) => place.push(event, line),
                Piece::Rest => self.push_rest(event, line),
            }
        }
    }
}

impl Template {
    fn push_rest(&self, event: &Event<'_>, out: &mut Vec<u8>) {
        let mut is_first = true;
        line::append(out, |line| {
            for (full, value) in event.raw_fields() {
                if self.names(str::from_utf8(full).unwrap_or_default()) {
                    continue;
                }
                if !is_first {
                    line.byte(b' ');
                }
                is_first = false;
                line.bytes(full);
                line.byte(b'=');
                push_bare(event, line, value, Digits::Millis);
            }
        });
    }
}

impl Place {
    fn push(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let from = line.len();
        let is_number = match self.name.as_str() {
            "event_type" => self.push_text(event.kind().as_str(), line),
            "event_level" => self.push_text(event.level().as_str(), line),
            "event_time" => {
                self.push_time(event.unix_nanos(), line);
                false
            }
            name => match find(event, name).map(|value| event.value_of(value)) {
                // A status that never saw a counter has counted none of it.
                None if event.kind() == EventType::Status && self.default.is_none() => {
                    let none = if self.precision.is_some() { Value::F64(0.0) } else { Value::U64(0) };
                    self.push_value(none, line)
                }
                None | Some(Value::Null) => self.push_text(self.default.as_deref().unwrap_or("-"), line),
                Some(value) => self.push_value(value, line),
            },
        };
        self.pad(line, from, is_number);
    }

    fn push_text(&self, text: &str, line: &mut Vec<u8>) -> bool {
        let end = self.precision.and_then(|most| text.char_indices().nth(most)).map_or(text.len(), |(at, _)| at);
        push_escaped(line, &text[..end]);
        // A default may be a number too.
        text.parse::<f64>().is_ok_and(f64::is_finite)
    }

    /// Whether it is a number that zeroes may stand before.
    fn push_value(&self, value: Value<'_>, line: &mut Vec<u8>) -> bool {
        // Writing to a vector does not fail.
        let _ = match (value, self.precision) {
            (Value::Str(text), _) => {
                self.push_text(text, line);
                return false;
            }
            (Value::F64(number), Some(decimals)) => write!(line, "{number:.decimals$}"),
            (Value::Duration(time), Some(decimals)) => write!(line, "{:.decimals$}", time.as_secs_f64()),
            (value, _) => write!(line, "{value}"),
        };
        !matches!(value, Value::Bool(_)) && !matches!(value, Value::F64(number) if !number.is_finite())
    }

    fn push_time(&self, unix_nanos: i64, line: &mut Vec<u8>) {
        if self.time.is_empty() {
            return line.extend_from_slice(&time::rfc3339(unix_nanos));
        }
        let civil = Civil::from_seconds(unix_nanos.div_euclid(1_000_000_000));
        for moment in &self.time {
            match moment {
                Moment::Year => line.extend_from_slice(&time::four(civil.year)),
                Moment::Month => line.extend_from_slice(&time::two(civil.month)),
                Moment::Day => line.extend_from_slice(&time::two(civil.day)),
                Moment::Hour => line.extend_from_slice(&time::two(civil.hour)),
                Moment::Minute => line.extend_from_slice(&time::two(civil.minute)),
                Moment::Second => line.extend_from_slice(&time::two(civil.second)),
                Moment::Millis => {
                    let millis = time::four(unix_nanos.rem_euclid(1_000_000_000) / 1_000_000);
                    line.extend_from_slice(&millis[1..]);
                }
                Moment::Other(character) => line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// Brings what was written since `from` to its width.
    fn pad(&self, line: &mut Vec<u8>, from: usize, is_number: bool) {
        // All but the bytes that continue a character.
        let width = line[from..].iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        let Some(missing @ 1..) = self.width.checked_sub(width) else { return };
        let zeros = self.zeros && is_number;
        let before = match self.align {
            _ if zeros => missing,
            None if is_number => missing,
            None | Some(Align::Left) => 0,
            Some(Align::Center) => missing / 2,
            Some(Align::Right) => missing,
        };
        let fill = if zeros { '0' } else { self.fill };
        let end = line.len();
        for _ in 0..missing {
            line.extend_from_slice(fill.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // Zeroes stand behind the sign.
        let from = from + usize::from(zeros && matches!(line.get(from), Some(b'-' | b'+')));
        // The value goes behind what stands before it.
        line[from..][..end - from + before * fill.len_utf8()].rotate_left(end - from);
    }
}

/// The field of that name, or else the user's.
fn find(event: &Event<'_>, name: &str) -> Option<Stored> {
    let exact = event.raw_fields().find(|(full, _)| *full == name.as_bytes());
    let found = exact.or_else(|| event.raw_fields().find(|(full, _)| is(name, full)));
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use crate::level::Level;
    use crate::value::ToValue;
    use std::time::{Duration, SystemTime};

    fn line(template: &str, fields: &[(&str, Value<'_>)]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_551_830_011_007);
        let mut event = OwnedEvent::new(EventType::Status, Level::Info, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = b"> ".to_vec();
        Template::new(template).expect("a template").format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8").split_off(2)
    }

    #[test]
    fn a_status_line_is_that_of_starlog() {
        let template = "{event_time:%Y-%m-%d %H:%M:%S} log messages: {status_error} ERROR, {status_warning} WARNING \
                        {status_info} INFO";
        let fields = [("status_error", 1.to_value()), ("status_warning", 4.to_value()), ("status_info", 5.to_value())];
        assert_eq!(line(template, &fields), "2019-03-05 23:53:31 log messages: 1 ERROR, 4 WARNING 5 INFO");
        assert_eq!(line(template, &[]), "2019-03-05 23:53:31 log messages: 0 ERROR, 0 WARNING 0 INFO");
    }

    #[test]
    fn values_have_the_width_and_the_side_that_was_asked_for() {
        let shown = |spec: &str, value: Value<'_>| line(&format!("[{{app_a:{spec}}}]"), &[("app_a", value)]);
        for (spec, value, expected) in [
            ("5", "é".to_value(), "[é    ]"),
            (">5", "é".to_value(), "[    é]"),
            ("^5", "é".to_value(), "[  é  ]"),
            ("→^6", "é".to_value(), "[→→é→→→]"),
            (".2", "éèê".to_value(), "[éè]"),
            ("5", 42.to_value(), "[   42]"),
            ("<5", 42.to_value(), "[42   ]"),
            ("05", 42.to_value(), "[00042]"),
            ("05", (-42).to_value(), "[-0042]"),
            ("05", "42".to_value(), "[42   ]"),
            ("08.2", (-1.005).to_value(), "[-0001.00]"),
            (".1", Value::Duration(Duration::from_millis(16_250)), "[16.2]"),
            ("", Value::Duration(Duration::from_micros(16_500)), "[0.017]"),
            ("6", true.to_value(), "[true  ]"),
            ("3", "\n\u{1b}".to_value(), r"[\n\u001b]"),
            (">12", "\u{2028}".to_value(), r"[      \u2028]"),
            ("3", Value::Null, "[-  ]"),
        ] {
            assert_eq!(shown(spec, value), expected, "{spec}");
        }
        assert_eq!(line("{app_n|0:03}", &[]), "000");
        assert_eq!(
            line("{2xx} {2xx.avg:.2} {3xx} {3xx.avg:.2} {4xx|none}", &[("app_2xx", 7.to_value())]),
            "7 0.00 0 0.00 none"
        );
    }

    #[test]
    fn places_find_a_users_field_and_the_rest_is_what_they_leave() {
        let fields = [("app_cart", 7.to_value()), ("app_b", "x y".to_value()), ("resp_status", 200.to_value())];
        assert_eq!(line("{cart} {{{event_level}}} {*}", &fields), r#"7 {info} app_b="x y" resp_status=200"#);
        let both = [("app_n", 1.to_value()), ("n", 2.to_value())];
        assert_eq!(line("{n}", &both), "2");
        assert_eq!(
            line("{event_time:%F %T.%L%%} {event_time}", &[]),
            "2019-03-05 23:53:31.007% 2019-03-05T23:53:31.007Z"
        );
    }
}
