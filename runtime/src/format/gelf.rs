//! GELF 1.1, the format of Graylog: one JSON object with fixed members, then what the event holds.
//!
//! <https://go2docs.graylog.org/current/getting_in_log_data/gelf.html> is the specification.

use super::Format;
use super::line::{self, Line};
use super::number::{self, Digits};
use super::people::{Part, Told};
use crate::event::{Event, Stored};
use crate::sys::host::host_name;

/// GELF 1.1: `{"version":"1.1","host":"web-1","short_message":"GET /cart","timestamp":1795215708.784,"level":6,...}`.
///
/// `short_message` is the text of a message; of other events method and path, or the job's name, or the event's type. `full_message` is
/// there where there is an error: the same, then the error line by line. `level` is a severity of syslog. All fields of the event
/// follow with a `_` in front, `_event_type` first.
///
/// Numbers are numbers, durations are seconds; as GELF knows only texts and numbers, `true`, `false` and `NaN` are texts, and so is a
/// number of more than 63 bits, which Graylog would make another of. What is absent is left out. In a name `/`, `:` and `@` become
/// `_`; `_id`, which GELF forbids, becomes `_id_`.
///
/// Over TCP an input of Graylog expects a null byte behind each: [`Tcp::null_terminated`](crate::Tcp::null_terminated). Over UDP a long
/// one goes in chunks: [`Udp::chunked`](crate::Udp::chunked).
///
/// ```
/// use canonlog::{EventType, Format, Gelf, Level, OwnedEvent};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Log, Level::Warning, SystemTime::UNIX_EPOCH);
/// event.set("log_msg", "sold out");
/// event.set("app_cart", 7);
///
/// let mut line = Vec::new();
/// Gelf::new().host("web-1").format(&event.view(), &mut line);
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"{"version":"1.1","host":"web-1","short_message":"sold out","timestamp":0.000,"level":4,"#.to_owned()
///         + r#""_event_type":"log","_app_cart":7}"#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Gelf {
    host: String,
}

impl Default for Gelf {
    fn default() -> Self {
        Gelf::new()
    }
}

impl Gelf {
    /// From the host that this is.
    pub fn new() -> Self {
        Gelf { host: host_name() }
    }

    /// The name of the host, in place of the machine's own.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = name.into();
        self
    }
}

impl Format for Gelf {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append(line, |line| self.push(event, line));
    }
}

impl Gelf {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        let told = Told::in_full(event);
        let short = !is_blank_message(event, &told);
        line.fixed(b"{\"version\":\"1.1\",\"host\":\"");
        line.text(if is_blank(self.host.as_bytes()) { b"-" } else { self.host.as_bytes() });
        line.fixed(b"\",\"short_message\":\"");
        push_short(event, &told, short, line);
        if told.traceback().next().is_some() {
            line.fixed(b"\",\"full_message\":\"");
            push_short(event, &told, short, line);
            for pieces in told.traceback() {
                line.fixed(b"\\n");
                pieces.into_iter().for_each(|piece| line.text(piece));
            }
        }
        line.fixed(b"\",\"timestamp\":");
        push_seconds(event.unix_nanos(), line);
        line.fixed(b",\"level\":");
        number::push_u64(line, u64::from(event.level().syslog_severity()));
        line.fixed(b",\"_event_type\":\"");
        line.bytes(event.kind().as_str().as_bytes());
        line.byte(b'"');
        let empty = matches!(told.part(Part::Message), Some(Stored::Text(text)) if event.text_of(text).is_empty());
        let message = told.place(Part::Message).filter(|_| short || empty);
        for (at, (name, value)) in event.raw_fields().enumerate() {
            if Some(at) != message && !matches!(value, Stored::Null) {
                push_name(event, name, line);
                push_value(event, value, line);
            }
        }
        line.byte(b'}');
    }
}

/// Graylog refuses a message without a text or a host, and takes spaces for nothing.
fn is_blank(text: &[u8]) -> bool {
    let is_nothing = |text: &str| text.chars().all(|c| c.is_whitespace() || c.is_control());
    !text.iter().any(u8::is_ascii_graphic) && str::from_utf8(text).is_ok_and(is_nothing)
}

fn is_blank_message(event: &Event<'_>, told: &Told<'_>) -> bool {
    told.message().into_iter().flatten().all(|value| match value {
        Stored::Text(text) => is_blank(event.text_of(text)),
        _ => false,
    })
}

fn push_short(event: &Event<'_>, told: &Told<'_>, short: bool, line: &mut Line<'_>) {
    if !short {
        return line.bytes(event.kind().as_str().as_bytes());
    }
    for (at, value) in told.message().into_iter().flatten().enumerate() {
        if at > 0 {
            line.byte(b' ');
        }
        match value {
            Stored::Text(text) => line.text(event.text_of(text)),
            value => line.bytes(event.value_of(value).to_string().as_bytes()),
        }
    }
}

/// Seconds since 1970, to the millisecond.
fn push_seconds(unix_nanos: i64, line: &mut Line<'_>) {
    if unix_nanos < 0 {
        line.byte(b'-');
    }
    number::push_nanos(line, unix_nanos.unsigned_abs(), Digits::Millis);
}

fn fits(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// `,"_name":`
fn push_name(event: &Event<'_>, name: &[u8], line: &mut Line<'_>) {
    line.fixed(b",\"_");
    if name == b"id" || !name.iter().all(|byte| fits(*byte)) {
        push_other_name(event, name, line);
    } else {
        line.bytes(name);
    }
    line.fixed(b"\":");
}

/// A name that GELF does not allow, changed to one that no other field has.
#[cold]
fn push_other_name(event: &Event<'_>, name: &[u8], line: &mut Line<'_>) {
    let change = |name: &[u8]| -> Vec<u8> { name.iter().map(|byte| if fits(*byte) { *byte } else { b'_' }).collect() };
    let mut used: Vec<Vec<u8>> = vec![b"id".to_vec(), b"event_type".to_vec()];
    let is_other = |name: &[u8]| name == b"id" || !name.iter().all(|byte| fits(*byte));
    used.extend(event.raw_fields().filter(|(other, _)| !is_other(other)).map(|(other, _)| other.to_vec()));
    // Those before it choose first.
    for (other, _) in event.raw_fields().filter(|(other, _)| is_other(other)) {
        let mut changed = change(other);
        while used.contains(&changed) {
            changed.push(b'_');
        }
        if other == name {
            return line.bytes(&changed);
        }
        used.push(changed);
    }
}

fn push_value(event: &Event<'_>, value: Stored, line: &mut Line<'_>) {
    match value {
        Stored::Text(text) => {
            line.byte(b'"');
            line.text(event.text_of(text));
            line.byte(b'"');
        }
        Stored::U64(number) if i64::try_from(number).is_err() => {
            line.byte(b'"');
            number::push_u64(line, number);
            line.byte(b'"');
        }
        Stored::U64(number) => number::push_u64(line, number),
        Stored::I64(number) => number::push_i64(line, number),
        Stored::Nanos(nanos) => number::push_nanos(line, nanos, Digits::Exact),
        Stored::F64(number) if number.is_finite() => number::push_f64(line, number),
        Stored::F64(number) => {
            line.byte(b'"');
            number::push_f64(line, number);
            line.byte(b'"');
        }
        Stored::Bool(true) => line.fixed(b"\"true\""),
        Stored::Bool(false) => line.fixed(b"\"false\""),
        Stored::Null => line.fixed(b"\"-\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::level::Level;
    use crate::value::{ToValue, Value};
    use std::time::{Duration, SystemTime};

    fn line(kind: EventType, time: SystemTime, fields: &[(&str, Value<'_>)]) -> String {
        let mut event = OwnedEvent::new(kind, Level::Error, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Gelf::new().host("h").format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn a_request_is_told_by_its_method_and_path() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_215_708_784);
        let fields = [
            ("req_method", "GET".to_value()),
            ("req_path", "/cart".to_value()),
            ("app_paid", true.to_value()),
            ("resp_time", Value::Duration(Duration::from_micros(16_400))),
            ("resp_view", Value::Null),
            ("exc_type", "shop::Error".to_value()),
            ("exc_msg", "sold\nout".to_value()),
        ];
        assert_eq!(
            line(EventType::Request, time, &fields),
            r#"{"version":"1.1","host":"h","short_message":"GET /cart","#.to_owned()
                + r#""full_message":"GET /cart\nshop::Error: sold\nout","timestamp":1795215708.784,"level":3,"#
                + r#""_event_type":"request","_req_method":"GET","_req_path":"/cart","_app_paid":"true","#
                + r#""_exc_type":"shop::Error","_exc_msg":"sold\nout","_resp_time":0.0164}"#
        );
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
        let status = line(EventType::Status, before, &[("app_n", f64::NAN.to_value())]);
        assert!(status.contains(r#""short_message":"status","timestamp":-1.500,"#), "{status}");
        assert!(status.ends_with(r#","_app_n":"NaN"}"#), "{status}");
    }

    #[test]
    fn what_graylog_would_refuse_or_change_is_told_in_another_way() {
        let mut event = OwnedEvent::new(EventType::Log, Level::Info, SystemTime::UNIX_EPOCH);
        event.set("log_msg", " \n");
        event.set("app_n", u64::MAX);
        let mut line = Vec::new();
        Gelf::new().host("").format(&event.view(), &mut line);
        assert_eq!(
            String::from_utf8_lossy(&line),
            r#"{"version":"1.1","host":"-","short_message":"log","timestamp":0.000,"level":6,"_event_type":"log","#
                .to_owned()
                + r#""_log_msg":" \n","_app_n":"18446744073709551615"}"#
        );
    }

    #[test]
    fn a_name_that_gelf_forbids_becomes_one_of_its_own() {
        let names = ["a/b", "a:b", "a_b", "id", "id_", "a-b.c"];
        let fields = names.map(|name| (name, 1.to_value()));
        let written = line(EventType::Log, SystemTime::UNIX_EPOCH, &fields);
        for name in ["a_b_", "a_b__", "a_b", "id__", "id_", "a-b.c"] {
            assert_eq!(written.matches(&format!("\"_{name}\":1")).count(), 1, "{name} in {written}");
        }
    }
}
