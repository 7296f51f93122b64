//! talisker's line: time, level, logger and message in front, then tags.

use super::line::{self, Line};
use super::logfmt::{is_bare, push_bare};
use super::number::{self, Digits};
use super::people::{self, Naming, Part, Shown, Told};
use super::{Format, time};
use crate::event::{Event, EventType, Stored};
use crate::sys::errno::errno_name;

/// logfmt as talisker writes it: `2026-11-20 23:01:48.784Z WARNING shop "sold out" cart=7 request_id=...`.
///
/// For log stores that read such lines already. In front stand the time, the level, the logger and the message; then the tags, quoted
/// only where it is needed, the id last. A user's field is shown without `app_`; where a more general field has the name, it gets a
/// `_` behind it.
///
/// ```text
/// line    = date " " time "Z" " " LEVEL " " word " " quoted *( " " key "=" ( word / quoted ) )
/// word    = 1*( visible ASCII but quote, backslash and "=" )     ; `-` for an absent logger
/// quoted  = as in Logfmt, with the same escapes
/// ```
///
/// An event that is no message has a logger and a message too: `canonlog.request "GET /cart"`, and a request's tags have talisker's
/// names and units: `method`, `path`, `status`, `view`, `duration_ms`, `ip`, `length`, `referrer`, `ua`, `sql_count`,
/// `sql_time_ms`, `timeout`.
///
/// A text that reads as a number is quoted, and one that is empty is `""`; zeroes stay; what is absent has no tag. An event is one line:
/// an error's `exc_type`, `exc_msg` and `exc_trace`, and the field `trailer` of a message, are tags behind the id; so are `errno` and
/// `strerror`, if the root of an error is one of the system.
///
/// ```
/// use canonlog::{EventType, Format, Level, OwnedEvent, Talisker};
/// use std::time::{Duration, SystemTime};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_452_680_647_357);
/// let mut event = OwnedEvent::new(EventType::Log, Level::Info, time);
/// event.set("req_id", "b0a1e9f4");
/// event.set("log_name", "app");
/// event.set("log_msg", "something happened");
/// event.set("app_context", "I haz it");
///
/// let mut line = Vec::new();
/// Talisker::new().format(&event.view(), &mut line);
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"2016-01-13 10:24:07.357Z INFO app "something happened" context="I haz it" request_id=b0a1e9f4"#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Talisker {
    digits: Digits,
    locations: bool,
}

impl Default for Talisker {
    fn default() -> Self {
        Talisker::new()
    }
}

impl Talisker {
    /// Durations have three decimals, and a message does not tell where it was said.
    pub const fn new() -> Self {
        Talisker { digits: Digits::Millis, locations: false }
    }

    /// Shows where a message was said: `log_loc=src/shop.rs:12`.
    ///
    /// ```
    /// # use canonlog::{EventType, Format, Level, OwnedEvent, Talisker};
    /// let mut event = OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::UNIX_EPOCH);
    /// event.set("log_loc", "src/shop.rs:12");
    ///
    /// let mut line = Vec::new();
    /// Talisker::new().locations().format(&event.view(), &mut line);
    /// assert!(line.ends_with(b" log_loc=src/shop.rs:12"));
    /// ```
    #[must_use]
    pub const fn locations(mut self) -> Self {
        self.locations = true;
        self
    }

    /// Writes durations to the nanosecond; those in `duration_ms` and `sql_time_ms` too.
    ///
    /// ```
    /// # use canonlog::{EventType, Format, Level, OwnedEvent, Talisker};
    /// # use std::time::{Duration, SystemTime};
    /// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
    /// event.set("app_render_time", Duration::from_micros(1_250));
    /// event.set("resp_time", Duration::from_nanos(16_400_001));
    ///
    /// let mut line = Vec::new();
    /// Talisker::new().exact_durations().format(&event.view(), &mut line);
    /// assert!(line.ends_with(b"render_time=0.00125 duration_ms=16.400001"));
    /// ```
    #[must_use]
    pub const fn exact_durations(mut self) -> Self {
        self.digits = Digits::Exact;
        self
    }
}

/// talisker's names of fields, and whether they are counted in milliseconds there.
const TAGS: [(&str, &str, bool); 11] = [
    ("req_method", "method", false),
    ("req_path", "path", false),
    ("resp_status", "status", false),
    ("resp_view", "view", false),
    ("resp_time", "duration_ms", true),
    ("req_client_ip", "ip", false),
    ("resp_size", "length", false),
    ("req_referrer", "referrer", false),
    ("req_user_agent", "ua", false),
    ("db_queries", "sql_count", false),
    ("db_time", "sql_time_ms", true),
];

fn tag(full: &[u8]) -> Option<&'static (&'static str, &'static str, bool)> {
    TAGS.iter().find(|(known, _, _)| known.as_bytes() == full)
}

struct Names {
    is_log: bool,
}

impl Naming for Names {
    fn name<'a>(&self, full: &'a [u8]) -> &'a [u8] {
        if self.is_log { full } else { tag(full).map_or(full, |(_, name, _)| name.as_bytes()) }
    }

    fn gives(&self, name: &[u8]) -> bool {
        !self.is_log && TAGS.iter().any(|(_, tag, _)| tag.as_bytes() == name)
    }

    fn is_taken(&self, name: &[u8]) -> bool {
        matches!(name, b"request_id" | b"errno" | b"strerror")
            || name == if self.is_log { b"trailer" } else { b"timeout" }
    }
}

/// What stands elsewhere than among the tags.
const APART: [Part; 8] =
    [Part::Name, Part::Message, Part::Id, Part::ErrorType, Part::ErrorText, Part::Trailer, Part::Trace, Part::Place];
/// What stands behind the id, in this order.
const BEHIND: [(&str, Part); 5] = [
    ("log_loc", Part::Place),
    ("exc_type", Part::ErrorType),
    ("exc_msg", Part::ErrorText),
    ("trailer", Part::Trailer),
    ("exc_trace", Part::Trace),
];

impl Format for Talisker {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append(line, |line| self.push(event, line));
    }
}

impl Talisker {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        let naming = Names { is_log: event.kind() == EventType::Log };
        let told = Told::of(event, &naming);
        push_head(event, &told, line);
        for field in told.fields(&naming, &APART) {
            self.push_tag(event, &naming, field, line);
        }
        if event.kind() == EventType::Timeout {
            line.fixed(b" timeout=true");
        }
        if let Some((name, id)) = told.id() {
            let name = if name == b"req_id" { b"request_id" } else { name };
            self.push_pair(event, name, id, line);
        }
        if told.part(Part::ErrorText).is_some()
            && let Some((code, text)) = people::system_error(&told)
        {
            push_system_error(code, text, line);
        }
        for (name, part) in BEHIND {
            if let Some(value) = told.part(part)
                && (self.locations || part != Part::Place)
            {
                self.push_pair(event, name.as_bytes(), value, line);
            }
        }
    }

    fn push_tag(&self, event: &Event<'_>, naming: &Names, field: Shown<'_>, line: &mut Line<'_>) {
        if matches!(field.value, Stored::Null) {
            return;
        }
        line.byte(b' ');
        field.push_name(line);
        line.byte(b'=');
        match field.value {
            Stored::Nanos(nanos) if !naming.is_log && tag(field.full).is_some_and(|(_, _, millis)| *millis) => {
                push_millis(line, nanos, self.digits);
            }
            value => push_bare(event, line, value, self.digits),
        }
    }

    fn push_pair(&self, event: &Event<'_>, name: &[u8], value: Stored, line: &mut Line<'_>) {
        line.byte(b' ');
        line.bytes(name);
        line.byte(b'=');
        push_bare(event, line, value, self.digits);
    }
}

/// `errno=ENOENT strerror="No such file or directory"`
fn push_system_error(code: i32, text: &[u8], line: &mut Line<'_>) {
    line.fixed(b" errno=");
    match errno_name(code) {
        Some(name) => line.bytes(name.as_bytes()),
        None => number::push_i64(line, i64::from(code)),
    }
    line.fixed(b" strerror=");
    push_word(text, line);
}

/// A text, in quotes if it needs them.
fn push_word(text: &[u8], line: &mut Line<'_>) {
    if is_bare(text) {
        return line.bytes(text);
    }
    line.byte(b'"');
    line.text(text);
    line.byte(b'"');
}

/// A duration in milliseconds.
fn push_millis(line: &mut Line<'_>, nanos: u64, digits: Digits) {
    match nanos.checked_mul(1_000) {
        Some(thousandfold) => number::push_nanos(line, thousandfold, digits),
        // 200 days and more, for which milliseconds are enough.
        None => {
            number::push_u64(line, nanos / 1_000_000);
            line.fixed(b".000");
        }
    }
}

/// `2026-11-20 23:01:48.784Z WARNING shop "sold out"`
fn push_head(event: &Event<'_>, told: &Told<'_>, line: &mut Line<'_>) {
    let mut stamp = time::rfc3339(event.unix_nanos());
    stamp[10] = b' ';
    line.fixed(&stamp);
    line.byte(b' ');
    line.bytes(people::level(event.level()).as_bytes());
    line.byte(b' ');
    match told.part(Part::Name) {
        Some(Stored::Text(name)) => push_word(event.text_of(name), line),
        Some(name) => push_bare(event, line, name, Digits::Millis),
        None if event.kind() == EventType::Log => line.byte(b'-'),
        None => line.bytes(people::own_name(event.kind()).as_bytes()),
    }
    line.fixed(b" \"");
    for (at, value) in told.message().into_iter().flatten().enumerate() {
        if at > 0 {
            line.byte(b' ');
        }
        match value {
            Stored::Text(text) => line.text(event.text_of(text)),
            value => push_bare(event, line, value, Digits::Millis),
        }
    }
    line.byte(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use crate::level::Level;
    use crate::value::{ToValue, Value};
    use std::time::{Duration, SystemTime};

    fn line(kind: EventType, level: Level, fields: &[(&str, Value<'_>)]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_215_708_784);
        let mut event = OwnedEvent::new(kind, level, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Talisker::new().format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn a_message_has_its_logger_and_text_in_front_and_the_id_last() {
        let fields = [
            ("req_id", "48388b3b".to_value()),
            ("app_own", "o".to_value()),
            ("app_n", 5.to_value()),
            ("log_name", "myapp.mod".to_value()),
            ("log_msg", "say \"hi\"\nto all\\".to_value()),
        ];
        assert_eq!(
            line(EventType::Log, Level::Warning, &fields),
            r#"2026-11-20 23:01:48.784Z WARNING myapp.mod "say \"hi\"\nto all\\" own=o n=5 request_id=48388b3b"#
        );
    }

    #[test]
    fn the_user_of_a_name_that_is_taken_gets_an_underscore() {
        let fields = [
            ("req_id", "48388b3b".to_value()),
            ("app_n", 9.to_value()),
            ("app_request_id", "mine".to_value()),
            ("n", 5.to_value()),
        ];
        assert_eq!(
            line(EventType::Log, Level::Info, &fields),
            r#"2026-11-20 23:01:48.784Z INFO - "" n_=9 request_id_=mine n=5 request_id=48388b3b"#
        );
    }

    #[test]
    fn what_talisker_dropped_or_cut_is_there() {
        let fields = [
            ("app_zero", 0.to_value()),
            ("app_empty", "".to_value()),
            ("app_digits", "1.5".to_value()),
            ("app_version", "1.2.3".to_value()),
            ("app_minus", "-1".to_value()),
            ("app_lines", "l1\nl2".to_value()),
            ("app_back", "a\\b".to_value()),
            ("app_tab", "a\tb".to_value()),
            ("app_no", false.to_value()),
            ("app_none", Value::Null),
        ];
        let written = line(EventType::Log, Level::Info, &fields);
        let (_, tags) = written.split_once("\"\" ").expect("an empty message");
        assert_eq!(
            tags,
            r#"zero=0 empty="" digits="1.5" version=1.2.3 minus="-1" lines="l1\nl2" back="a\\b" tab="a\tb" no=false"#
        );
    }

    #[test]
    fn a_request_has_taliskers_names_and_units() {
        let fields = [
            ("req_id", "48388b3b".to_value()),
            ("req_method", "GET".to_value()),
            ("req_path", "/cart".to_value()),
            ("app_method", "card".to_value()),
            ("resp_time", Value::Duration(Duration::from_micros(150_790))),
            ("resp_status", 200.to_value()),
            ("db_queries", 3.to_value()),
            ("db_time", Value::Duration(Duration::from_micros(7_001))),
        ];
        assert_eq!(
            line(EventType::Timeout, Level::Error, &fields),
            r#"2026-11-20 23:01:48.784Z ERROR canonlog.timeout "GET /cart" method=GET path=/cart method_=card "#
                .to_owned()
                + "duration_ms=150.790 status=200 sql_count=3 sql_time_ms=7.001 timeout=true request_id=48388b3b"
        );
        let long = [("resp_time", Value::Duration(Duration::from_nanos(u64::MAX)))];
        assert!(line(EventType::Request, Level::Info, &long).ends_with(" duration_ms=18446744073709.000"));
    }

    #[test]
    #[cfg(unix)]
    fn an_error_of_the_system_has_its_name() {
        let tags = |fields: &[(&str, Value<'_>)]| {
            let written = line(EventType::Log, Level::Error, fields);
            let from = written.find(" errno=").map_or("", |at| &written[at..]).to_owned();
            from.split(" exc_msg=").next().unwrap_or_default().to_owned()
        };
        let told = "no cart";
        let missing = "cart.toml: No such file or directory (os error 2)";
        let found = r#" errno=ENOENT strerror="No such file or directory""#;
        assert_eq!(tags(&[("exc_msg", missing.to_value())]), found);
        assert_eq!(
            tags(&[("exc_msg", told.to_value()), ("exc_trace", format!("{missing} > sold out").to_value())]),
            found
        );
        let unknown = std::io::Error::from_raw_os_error(9_999).to_string();
        assert!(tags(&[("exc_msg", unknown.to_value())]).starts_with(" errno=9999 strerror="), "{unknown}");
        // What only looks like one of the system's.
        for forged in ["odd (os error 2)", "no No such file or directory (os error 2)", "sold out (os error 9999)"] {
            assert_eq!(tags(&[("exc_msg", forged.to_value())]), "", "{forged}");
        }
        assert_eq!(tags(&[("exc_msg", told.to_value()), ("exc_trace", "a.rs:1:f".to_value())]), "");
        assert_eq!(tags(&[("app_errno", 1.to_value()), ("exc_msg", "(os error x)".to_value())]), "");
    }

    #[test]
    fn an_error_and_a_trailer_stand_behind_the_id() {
        let fields = [
            ("req_id", "48388b3b".to_value()),
            ("app_trailer", "one\ntwo".to_value()),
            ("app_cart", 7.to_value()),
            ("exc_type", "shop::Error".to_value()),
            ("exc_msg", "sold out".to_value()),
            ("exc_trace", "a.rs:1:f".to_value()),
            ("log_msg", "no".to_value()),
        ];
        assert_eq!(
            line(EventType::Log, Level::Error, &fields),
            r#"2026-11-20 23:01:48.784Z ERROR - "no" cart=7 request_id=48388b3b exc_type=shop::Error "#.to_owned()
                + r#"exc_msg="sold out" trailer="one\ntwo" exc_trace=a.rs:1:f"#
        );
    }
}
