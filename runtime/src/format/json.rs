//! One flat JSON object (RFC 8259) a line: for log stores and programs.
//!
//! Names are unique and in the order of the event; nothing but the escapes of `escape.rs` is used in strings.

use super::line::{self, Line, Staged};
use super::number::{self, Digits};
use super::{Format, time};
use crate::event::{Event, Stored};

/// JSON: one flat object a line, `{"event_type":"request","event_time":"2026-11-20T22:46:01.123Z",...}`.
///
/// A field has one type for ever: integers are exact to 64 bits, floats always have a point or an exponent, durations are
/// seconds in full precision (`2.0`, `0.0164`). An absent value and a number that is not finite are `null`.
///
/// ```
/// use canonlog::{EventType, Format, Json, Level, OwnedEvent};
/// use std::time::{Duration, SystemTime};
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("req_path", "/a\"b");
/// event.set("resp_time", Duration::from_micros(16_400));
/// event.set("resp_status", 200);
///
/// let mut line = Vec::new();
/// Json::new().format(&event.view(), &mut line);
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"{"event_type":"request","event_time":"1970-01-01T00:00:00.000Z","event_level":"info","#.to_owned()
///         + r#""req_path":"/a\"b","resp_time":0.0164,"resp_status":200}"#
/// );
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Json;

impl Json {
    /// The format; it has no options.
    pub const fn new() -> Self {
        Json
    }
}

impl Format for Json {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append_staged(line, |staged| self.stage(event, staged));
    }
}

impl Json {
    #[inline(never)]
    pub(super) fn stage(&self, event: &Event<'_>, staged: Staged<'_>) -> usize {
        staged.line(|line| object(event, line))
    }
}

#[inline(always)]
fn object(event: &Event<'_>, line: &mut Line<'_>) {
    line.fixed(b"{\"event_type\":\"");
    line.bytes(event.kind().as_str().as_bytes());
    line.fixed(b"\",\"event_time\":\"");
    line.fixed(&time::rfc3339(event.unix_nanos()));
    line.fixed(b"\",\"event_level\":\"");
    line.bytes(event.level().as_str().as_bytes());
    line.byte(b'"');
    for (name, value) in event.raw_fields() {
        line.key(*b",\"", name, *b"\":");
        push_value(event, line, value);
    }
    line.byte(b'}');
}

#[inline(always)]
fn push_value(event: &Event<'_>, line: &mut Line<'_>, value: Stored) {
    match value {
        Stored::Text(text) => push_text(line, event.text_of(text)),
        Stored::U64(number) => number::push_u64(line, number),
        Stored::Nanos(nanos) => number::push_nanos(line, nanos, Digits::Exact),
        Stored::I64(number) => number::push_i64(line, number),
        Stored::F64(number) if number.is_finite() => number::push_f64(line, number),
        Stored::F64(_) | Stored::Null => line.fixed(b"null"),
        Stored::Bool(true) => line.fixed(b"true"),
        Stored::Bool(false) => line.fixed(b"false"),
    }
}

#[inline(always)]
fn push_text(line: &mut Line<'_>, text: &[u8]) {
    line.byte(b'"');
    line.text(text);
    line.byte(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::level::Level;
    use crate::value::Value;
    use std::time::{Duration, SystemTime};

    fn line(fields: &[(&str, Value<'_>)]) -> String {
        let mut event = OwnedEvent::new(EventType::Job, Level::Error, SystemTime::UNIX_EPOCH);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Json::new().format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn each_kind_of_value_has_its_json_type() {
        let written = line(&[
            ("app_a", Value::Str("text")),
            ("app_b", Value::U64(u64::MAX)),
            ("app_c", Value::I64(i64::MIN)),
            ("app_d", Value::F64(2.0)),
            ("app_e", Value::F64(-0.0)),
            ("app_f", Value::Bool(false)),
            ("app_g", Value::Duration(Duration::from_secs(2))),
            ("app_h", Value::Duration(Duration::from_nanos(1))),
            ("app_i", Value::Null),
        ]);
        assert_eq!(
            written,
            r#"{"event_type":"job","event_time":"1970-01-01T00:00:00.000Z","event_level":"error","#.to_owned()
                + r#""app_a":"text","app_b":18446744073709551615,"app_c":-9223372036854775808,"app_d":2.0,"app_e":-0.0,"#
                + r#""app_f":false,"app_g":2.0,"app_h":0.000000001,"app_i":null}"#
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(line(&[("app_a", Value::F64(number))]).ends_with(r#","app_a":null}"#));
        }
    }
}
