//! `key="value"` tokens, one space between two: for people, `grep`, and log stores.

use super::line::{self, Line, Staged};
use super::number::{self, Digits};
use super::{Format, time};
use crate::event::{Event, Raw, Stored, head};

/// The default format: `event_type="request" event_time="2026-11-20T22:46:01.123Z" event_level="info" req_id="..."`.
///
/// Every value is quoted, and escaped as JSON escapes strings; so a strict reader of JSON strings gives each text back
/// unchanged, and no value can forge a field or a line. Durations are seconds with three decimals, absent values `-`.
///
/// ```text
/// line      = token *( " " token )      ; starts with event_type, event_time, event_level
/// token     = key "=" quoted            ; a key stands once
/// key       = [A-Za-z_@][A-Za-z0-9_.\-/:@]{0,127}
/// quoted    = %x22 *( character / escape ) %x22
/// escape    = "\" ( %x22 / "\" / "b" / "f" / "n" / "r" / "t" / "u" 4( "0"-"9" / "a"-"f" ) )
/// character = any of Unicode but quote, backslash, U+0000-U+001F, U+007F-U+009F, U+061C, U+200E-U+200F,
///             U+2028-U+202E, U+2066-U+2069 and U+FEFF, which are always escaped; nothing else is
/// ```
///
/// ```
/// use canonlog::{EventType, Format, Level, Logfmt, OwnedEvent};
/// use std::time::{Duration, SystemTime};
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("req_path", "/a\"b\nc");
/// event.set("resp_time", Duration::from_micros(16_400));
/// event.set("resp_status", 200);
///
/// let mut line = Vec::new();
/// Logfmt::new().format(&event.view(), &mut line);
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"event_type="request" event_time="1970-01-01T00:00:00.000Z" event_level="info" "#.to_owned()
///         + r#"req_path="/a\"b\nc" resp_time="0.016" resp_status="200""#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Logfmt {
    quote_needed: bool,
    digits: Digits,
}

impl Default for Logfmt {
    fn default() -> Self {
        Logfmt::new()
    }
}

impl Logfmt {
    /// Every value quoted, durations with three decimals.
    pub const fn new() -> Self {
        Logfmt { quote_needed: false, digits: Digits::Millis }
    }

    /// Quotes only where they are needed: numbers, booleans and simple words stand bare.
    ///
    /// A text that is empty, holds anything but visible ASCII, or reads as a number, a boolean or `null` keeps its quotes.
    /// So `-` without quotes is always an absent value, and `5` always a number. Nothing else in the grammar changes.
    ///
    /// ```
    /// # use canonlog::{EventType, Format, Level, Logfmt, OwnedEvent};
    /// # use std::time::SystemTime;
    /// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
    /// event.set("req_path", "/cart");
    /// event.set("app_note", "two words");
    /// event.set("app_code", "007");
    /// event.set("resp_status", 200);
    ///
    /// let mut line = Vec::new();
    /// Logfmt::new().quote_needed().format(&event.view(), &mut line);
    /// let line = String::from_utf8_lossy(&line);
    /// assert!(line.ends_with(r#"req_path=/cart app_note="two words" app_code="007" resp_status=200"#));
    /// ```
    #[must_use]
    pub const fn quote_needed(mut self) -> Self {
        self.quote_needed = true;
        self
    }

    /// Writes durations to the nanosecond: `0.0164` instead of `0.016`.
    ///
    /// ```
    /// # use canonlog::{EventType, Format, Level, Logfmt, OwnedEvent};
    /// # use std::time::{Duration, SystemTime};
    /// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
    /// event.set("resp_time", Duration::from_nanos(1_016_400_001));
    ///
    /// let mut line = Vec::new();
    /// Logfmt::new().exact_durations().format(&event.view(), &mut line);
    /// assert!(line.ends_with(br#"resp_time="1.016400001""#));
    /// ```
    #[must_use]
    pub const fn exact_durations(mut self) -> Self {
        self.digits = Digits::Exact;
        self
    }
}

impl Format for Logfmt {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append_staged(line, |staged| self.stage(event, staged));
    }
}

impl Logfmt {
    // One copy of the code for all who call it.
    #[inline(never)]
    pub(super) fn stage(&self, event: &Event<'_>, staged: Staged<'_>) -> usize {
        if self.quote_needed {
            staged.line(|line| quote_needed(event, line, self.digits))
        } else {
            staged.line(|line| quote_all(event, line, self.digits))
        }
    }
}

#[inline(always)]
fn quote_all(event: &Event<'_>, line: &mut Line<'_>, digits: Digits) {
    line.fixed(b"event_type=\"");
    line.bytes(event.kind().as_str().as_bytes());
    line.fixed(b"\" event_time=\"");
    line.fixed(&time::rfc3339(event.unix_nanos()));
    line.fixed(b"\" event_level=\"");
    line.bytes(event.level().as_str().as_bytes());
    for field in event.entries() {
        // The quote that ends the value before this one goes along, which makes one write of two.
        match field.token() {
            (_, 0) => line.key(*b"\" ", field.name(), *b"=\""),
            (token, len) => line.first(token, len),
        }
        push_raw(line, &field, digits);
    }
    line.byte(b'"');
}

#[inline(always)]
fn quote_needed(event: &Event<'_>, line: &mut Line<'_>, digits: Digits) {
    line.fixed(b"event_type=");
    line.bytes(event.kind().as_str().as_bytes());
    line.fixed(b" event_time=");
    line.fixed(&time::rfc3339(event.unix_nanos()));
    line.fixed(b" event_level=");
    line.bytes(event.level().as_str().as_bytes());
    for (name, value) in event.raw_fields() {
        line.byte(b' ');
        line.bytes(name);
        line.byte(b'=');
        push_bare(event, line, value, digits);
    }
}

/// Appends a value, quoted only if it needs quotes.
pub(super) fn push_bare(event: &Event<'_>, line: &mut Line<'_>, value: Stored, digits: Digits) {
    match value {
        Stored::Text(text) => {
            let text = event.text_of(text);
            if is_bare(text) {
                line.bytes(text);
            } else {
                line.byte(b'"');
                line.text(text);
                line.byte(b'"');
            }
        }
        value => push_value(event, line, value, digits),
    }
}

/// Appends a value's text, escaped and without quotes; what is most frequent is asked for first.
#[inline(always)]
fn push_raw(line: &mut Line<'_>, field: &Raw<'_>, digits: Digits) {
    let (kind, word) = (field.kind(), field.word);
    if kind == head::TEXT {
        line.text(field.text());
    } else if kind == head::U64 {
        number::push_u64(line, word);
    } else if kind == head::NANOS {
        number::push_nanos(line, word, digits);
    } else {
        match kind {
            head::F64 => number::push_f64(line, f64::from_bits(word)),
            head::I64 => number::push_i64(line, word.cast_signed()),
            head::BOOL if word != 0 => line.fixed(b"true"),
            head::BOOL => line.fixed(b"false"),
            _ => line.byte(b'-'),
        }
    }
}

/// Appends a value's text, escaped and without quotes.
#[inline(always)]
fn push_value(event: &Event<'_>, line: &mut Line<'_>, value: Stored, digits: Digits) {
    match value {
        Stored::Text(text) => line.text(event.text_of(text)),
        Stored::U64(number) => number::push_u64(line, number),
        Stored::Nanos(nanos) => number::push_nanos(line, nanos, digits),
        Stored::I64(number) => number::push_i64(line, number),
        Stored::F64(number) => number::push_f64(line, number),
        Stored::Bool(true) => line.fixed(b"true"),
        Stored::Bool(false) => line.fixed(b"false"),
        Stored::Null => line.byte(b'-'),
    }
}

/// Whether a text can stand without quotes and still be read as that text.
pub(super) fn is_bare(text: &[u8]) -> bool {
    let visible = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
    !text.is_empty() && text.iter().all(visible) && !reads_as_other(text)
}

/// Whether a reader that guesses types would take the text for a number, a boolean or nothing.
fn reads_as_other(text: &[u8]) -> bool {
    match text[0].to_ascii_lowercase() {
        b't' | b'f' => is_one_of(text, &["true", "false"]),
        // `f64` also reads `inf`, `infinity` and `nan`, in any case.
        b'0'..=b'9' | b'.' | b'i' => is_number(text),
        b'+' | b'-' => text.len() == 1 || is_number(text),
        b'n' => is_one_of(text, &["null", "nil", "none"]) || is_number(text),
        _ => false,
    }
}

fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_number(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::level::Level;
    use crate::value::{ToValue, Value};
    use std::time::{Duration, SystemTime};

    const HEAD: &str = r#"event_type="request" event_time="2026-11-20T22:46:01.123Z" event_level="info""#;

    fn event(fields: &[(&str, Value<'_>)]) -> OwnedEvent {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_214_761_123);
        let mut event = OwnedEvent::new(EventType::Request, Level::Info, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        event
    }

    fn line(format: &Logfmt, fields: &[(&str, Value<'_>)]) -> String {
        let mut line = Vec::new();
        format.format(&event(fields).view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn every_value_is_quoted() {
        let fields = [
            ("req_referrer", Value::Null),
            ("req_user_agent", Value::Str("curl/7.88.1")),
            ("app_cart_total", Value::F64(19.99)),
            ("app_empty", Value::Str("")),
            ("app_paid", Value::Bool(true)),
            ("app_balance", Value::I64(-5)),
            ("resp_time", Value::Duration(Duration::from_micros(15_500))),
            ("resp_status", Value::U64(200)),
        ];
        let expected = r#" req_referrer="-" req_user_agent="curl/7.88.1" app_cart_total="19.99" app_empty="" app_paid="true" app_balance="-5" resp_time="0.016" resp_status="200""#;
        assert_eq!(line(&Logfmt::new(), &fields), format!("{HEAD}{expected}"));
    }

    #[test]
    fn an_event_without_fields_is_its_head() {
        assert_eq!(line(&Logfmt::new(), &[]), HEAD);
        assert_eq!(line(&Logfmt::new().quote_needed(), &[]), HEAD.replace('"', ""));
    }

    #[test]
    fn what_is_in_the_line_already_stays() {
        let mut line = b"before ".to_vec();
        Logfmt::new().format(&event(&[]).view(), &mut line);
        assert!(line.starts_with(b"before event_type="));
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let hostile = "x\" req_id=\"forged\"\nevent_type=\"request\\";
        let written = line(&Logfmt::new(), &[("app_a", hostile.to_value())]);
        assert_eq!(written, format!(r#"{HEAD} app_a="x\" req_id=\"forged\"\nevent_type=\"request\\""#));
    }

    #[test]
    fn quotes_stay_where_a_bare_word_would_be_read_as_something_else() {
        for text in [
            "", " ", "a b", "a=b", "a\"b", "a\\b", "é", "\u{a0}", "-", "+", "5", "-5", "007", ".5", "1e9", "inf",
            "-inf", "NaN", "nan", "Infinity", "true", "FALSE", "null", "nil", "None", "\u{0}",
        ] {
            assert!(!is_bare(text.as_bytes()), "{text:?}");
        }
        for text in ["a", "/cart", "GET", "2026-11-20T22:46:01.123Z", "944e3dc1-14df", "--", "curl/7.88.1", "a:b", "{}"]
        {
            assert!(is_bare(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn without_quotes_an_absent_value_and_a_dash_differ() {
        let fields = [("app_absent", Value::Null), ("app_dash", Value::Str("-")), ("app_n", Value::U64(5))];
        let written = line(&Logfmt::new().quote_needed(), &fields);
        assert!(written.ends_with(r#" app_absent=- app_dash="-" app_n=5"#), "{written}");
    }
}
