//! OpenTelemetry's log data model as JSON, as OTLP has it.
//!
//! ```text
//! resource: service.name ...  ▸  scope: the logger's name  ▸  record: time, severity, event, body, attributes, trace
//! ```
//!
//! Sources: the model, <https://opentelemetry.io/docs/specs/otel/logs/data-model/>; its JSON,
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>; one `LogsData` a line,
//! <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>; names of attributes,
//! <https://opentelemetry.io/docs/specs/semconv/>.

use super::Format;
use super::line::{self, Line};
use super::number::{self, Digits};
use super::people::{Part, Told, own_name};
use crate::event::{Event, EventType, Stored};

/// OpenTelemetry's log data model as JSON: one `LogsData` of OTLP a line, as its file exporter writes them.
///
/// A collector reads such a file by its receiver `otlpjsonfile`. The body is the text of a message; of other events method and path, or
/// the job's name, and `eventName` is `canonlog.request` and so on. The scope is the logger. Fields are attributes; those for which
/// OpenTelemetry has a name get it:
///
/// | field | attribute |
/// |---|---|
/// | `req_method`, `req_path`, `req_route` | `http.request.method`, `url.path`, `http.route` |
/// | `req_user_agent`, `req_client_ip` | `user_agent.original`, `client.address` |
/// | `resp_status`, `resp_size` | `http.response.status_code`, `http.response.body.size` |
/// | `exc_type`, `exc_msg`, `exc_trace` | `exception.type`, `exception.message`, `exception.stacktrace` |
/// | `log_loc` | `code.file.path`, `code.line.number` |
/// | `trace_id`, `trace_span_id`, `trace_sampled` | `traceId`, `spanId`, `flags` of the record |
///
/// Durations are seconds; an integer beyond 63 bits is text, and so is `NaN` or an infinity. What is absent is left out. Collectors differ in
/// how they read an empty value, and a float that is not finite; some refuse all that came with it.
///
/// ```
/// use canonlog::{EventType, Format, Level, Otlp, OwnedEvent};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Log, Level::Warning, SystemTime::UNIX_EPOCH);
/// event.set("log_name", "shop");
/// event.set("log_msg", "sold out");
/// event.set("app_cart", 7);
///
/// let line = |format: Otlp| {
///     let mut line = Vec::new();
///     format.format(&event.view(), &mut line);
///     String::from_utf8_lossy(&line).into_owned()
/// };
/// let record = r#"{"timeUnixNano":"0","observedTimeUnixNano":"0","severityNumber":13,"severityText":"warning","#.to_owned()
///     + r#""body":{"stringValue":"sold out"},"attributes":[{"key":"app_cart","value":{"intValue":"7"}}]}"#;
/// assert_eq!(
///     line(Otlp::new().service("shop-web")),
///     r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop-web"}}]},"#.to_owned()
///         + r#""scopeLogs":[{"scope":{"name":"shop"},"logRecords":["# + &record + "]}]}]}"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Otlp {
    resource: Vec<(String, String)>,
    record_only: bool,
}

impl Default for Otlp {
    fn default() -> Self {
        Otlp::new()
    }
}

impl Otlp {
    /// Of a resource without attributes.
    pub const fn new() -> Self {
        Otlp { resource: Vec::new(), record_only: false }
    }

    /// The name of the service: the resource's `service.name`.
    #[must_use]
    pub fn service(self, name: impl Into<String>) -> Self {
        self.resource("service.name", name)
    }

    /// An attribute of the resource, by its full name; a second one of the same name takes the place of the first.
    ///
    /// ```
    /// let format = canonlog::Otlp::new().service("shop").resource("deployment.environment.name", "test");
    /// # let _ = format;
    /// ```
    #[must_use]
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let key = key.into();
        self.resource.retain(|(known, _)| *known != key);
        self.resource.push((key, value.into()));
        self
    }

    /// Writes the `LogRecord` alone, without resource and scope; the logger is an attribute then, `log_name`.
    ///
    /// ```
    /// use canonlog::{EventType, Format, Level, Otlp, OwnedEvent};
    ///
    /// let event = OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::UNIX_EPOCH);
    /// let mut line = Vec::new();
    /// Otlp::new().record_only().format(&event.view(), &mut line);
    /// assert!(line.starts_with(br#"{"timeUnixNano":"0","#));
    /// ```
    #[must_use]
    pub fn record_only(mut self) -> Self {
        self.record_only = true;
        self
    }
}

/// Fields for which OpenTelemetry has a name.
const ATTRIBUTES: [(&str, &str); 10] = [
    ("req_method", "http.request.method"),
    ("req_path", "url.path"),
    ("req_route", "http.route"),
    ("req_user_agent", "user_agent.original"),
    ("req_client_ip", "client.address"),
    ("resp_status", "http.response.status_code"),
    ("resp_size", "http.response.body.size"),
    ("exc_type", "exception.type"),
    ("exc_msg", "exception.message"),
    ("exc_trace", "exception.stacktrace"),
];
const FILE: &str = "code.file.path";
const LINE: &str = "code.line.number";

impl Format for Otlp {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append(line, |line| self.push(event, line));
    }
}

impl Otlp {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        let told = Told::in_full(event);
        if self.record_only {
            return push_record(event, &told, true, line);
        }
        line.fixed(b"{\"resourceLogs\":[{\"resource\":{\"attributes\":[");
        for (at, (key, value)) in self.resource.iter().enumerate() {
            push_key(at > 0, key.as_bytes(), false, line);
            push_string(value.as_bytes(), line);
            line.byte(b'}');
        }
        line.fixed(b"]},\"scopeLogs\":[{\"scope\":{\"name\":\"");
        match told.part(Part::Name) {
            Some(Stored::Text(name)) => line.text(event.text_of(name)),
            _ => line.fixed(b"canonlog"),
        }
        line.fixed(b"\"},\"logRecords\":[");
        push_record(event, &told, !matches!(told.part(Part::Name), Some(Stored::Text(_))), line);
        line.fixed(b"]}]}]}");
    }
}

/// What of a record has a place of its own.
#[derive(Default)]
struct Trace<'a> {
    id: Option<&'a [u8]>,
    span: Option<&'a [u8]>,
    sampled: Option<bool>,
}

fn push_record(event: &Event<'_>, told: &Told<'_>, with_name: bool, line: &mut Line<'_>) {
    let nanos = u64::try_from(event.unix_nanos()).unwrap_or(0);
    line.fixed(b"{\"timeUnixNano\":\"");
    number::push_u64(line, nanos);
    line.fixed(b"\",\"observedTimeUnixNano\":\"");
    number::push_u64(line, nanos);
    line.fixed(b"\",\"severityNumber\":");
    number::push_u64(line, u64::from(event.level().otel_severity()));
    line.fixed(b",\"severityText\":\"");
    line.bytes(event.level().as_str().as_bytes());
    line.byte(b'"');
    if event.kind() != EventType::Log {
        line.fixed(b",\"eventName\":\"");
        line.bytes(own_name(event.kind()).as_bytes());
        line.byte(b'"');
    }
    push_body(event, told, line);
    let trace = push_attributes(event, told, with_name, line);
    for (name, id) in [(b",\"traceId\":\"".as_slice(), trace.id), (b",\"spanId\":\"", trace.span)] {
        if let Some(id) = id {
            line.bytes(name);
            line.bytes(id);
            line.byte(b'"');
        }
    }
    if let Some(sampled) = trace.sampled {
        line.fixed(b",\"flags\":");
        line.byte(b'0' + u8::from(sampled));
    }
    line.byte(b'}');
}

fn push_body(event: &Event<'_>, told: &Told<'_>, line: &mut Line<'_>) {
    let [Some(first), second] = told.message() else { return };
    line.fixed(b",\"body\":");
    match (first, second) {
        (Stored::Text(first), Some(Stored::Text(second))) => {
            line.fixed(b"{\"stringValue\":\"");
            line.text(event.text_of(first));
            line.byte(b' ');
            line.text(event.text_of(second));
            line.fixed(b"\"}");
        }
        (first, _) => push_value(event, first, line),
    }
}

fn push_attributes<'a>(event: &Event<'a>, told: &Told<'_>, with_name: bool, line: &mut Line<'_>) -> Trace<'a> {
    let (name, message) = (told.place(Part::Name), told.place(Part::Message));
    let mut trace = Trace::default();
    let mut more = false;
    line.fixed(b",\"attributes\":[");
    for (at, (full, value)) in event.raw_fields().enumerate() {
        // An empty value is allowed, but collectors written in Rust refuse it.
        if Some(at) == message || Some(at) == name && !with_name || matches!(value, Stored::Null) {
            continue;
        }
        match (full, value) {
            (b"trace_id", Stored::Text(text)) if is_hex(event.text_of(text), 32) => {
                trace.id = Some(event.text_of(text))
            }
            (b"trace_span_id", Stored::Text(text)) if is_hex(event.text_of(text), 16) => {
                trace.span = Some(event.text_of(text));
            }
            (b"trace_sampled", Stored::Bool(sampled)) => trace.sampled = Some(sampled),
            (b"log_loc", Stored::Text(text)) if place(event.text_of(text)).is_some() => {
                let (file, number) = place(event.text_of(text)).unwrap_or_default();
                push_key(more, FILE.as_bytes(), false, line);
                push_string(file, line);
                line.byte(b'}');
                push_key(true, LINE.as_bytes(), false, line);
                push_quoted(b"{\"intValue\":\"", number, line);
                line.byte(b'}');
                more = true;
            }
            (full, value) => {
                push_key(more, key(full), is_given(full), line);
                push_value(event, value, line);
                line.byte(b'}');
                more = true;
            }
        }
    }
    line.byte(b']');
    trace
}

/// Whether a text is an id of so many digits that is not zero, which would be none.
fn is_hex(text: &[u8], digits: usize) -> bool {
    text.len() == digits && text.iter().all(u8::is_ascii_hexdigit) && text.iter().any(|digit| *digit != b'0')
}

/// File and line of a `file:line`.
fn place(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|byte| *byte == b':')?;
    let (file, number) = (&text[..at], &text[at + 1..]);
    let is_number = (1..10).contains(&number.len()) && number.iter().all(u8::is_ascii_digit);
    (is_number && !file.is_empty() && number[0] != b'0').then_some((file, number))
}

/// The attribute of a field.
fn key(full: &[u8]) -> &[u8] {
    ATTRIBUTES.iter().find(|(field, _)| field.as_bytes() == full).map_or(full, |(_, attribute)| attribute.as_bytes())
}

/// Whether a name is one that other fields get.
fn is_given(name: &[u8]) -> bool {
    ATTRIBUTES.iter().map(|(_, attribute)| *attribute).chain([FILE, LINE]).any(|given| given.as_bytes() == name)
}

/// `{"key":"name","value":`, behind another one or not; a name that is taken gets a `_`.
fn push_key(more: bool, name: &[u8], taken: bool, line: &mut Line<'_>) {
    if more {
        line.byte(b',');
    }
    line.fixed(b"{\"key\":\"");
    line.text(name);
    if taken {
        line.byte(b'_');
    }
    line.fixed(b"\",\"value\":");
}

fn push_string(text: &[u8], line: &mut Line<'_>) {
    push_quoted(b"{\"stringValue\":\"", text, line);
}

fn push_quoted(before: &[u8], text: &[u8], line: &mut Line<'_>) {
    line.bytes(before);
    line.text(text);
    line.fixed(b"\"}");
}

fn push_value(event: &Event<'_>, value: Stored, line: &mut Line<'_>) {
    match value {
        Stored::Text(text) => push_string(event.text_of(text), line),
        Stored::I64(number) => {
            line.fixed(b"{\"intValue\":\"");
            number::push_i64(line, number);
            line.fixed(b"\"}");
        }
        Stored::U64(number) => {
            // More is no integer to OpenTelemetry.
            line.bytes(if i64::try_from(number).is_ok() { b"{\"intValue\":\"" } else { b"{\"stringValue\":\"" });
            number::push_u64(line, number);
            line.fixed(b"\"}");
        }
        Stored::Nanos(nanos) => {
            line.fixed(b"{\"doubleValue\":");
            number::push_nanos(line, nanos, Digits::Exact);
            line.byte(b'}');
        }
        Stored::F64(number) if number.is_finite() => {
            line.fixed(b"{\"doubleValue\":");
            number::push_f64(line, number);
            line.byte(b'}');
        }
        // Protobuf's names, but as texts: in its JSON they are texts too, and collectors written in Rust refuse a `doubleValue` that is one.
        Stored::F64(number) if number.is_nan() => line.fixed(b"{\"stringValue\":\"NaN\"}"),
        Stored::F64(number) if number > 0.0 => line.fixed(b"{\"stringValue\":\"Infinity\"}"),
        Stored::F64(_) => line.fixed(b"{\"stringValue\":\"-Infinity\"}"),
        Stored::Bool(true) => line.fixed(b"{\"boolValue\":true}"),
        Stored::Bool(false) => line.fixed(b"{\"boolValue\":false}"),
        Stored::Null => line.fixed(b"{\"stringValue\":\"\"}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use crate::level::Level;
    use crate::value::{ToValue, Value};
    use std::time::SystemTime;

    fn record(kind: EventType, fields: &[(&str, Value<'_>)]) -> serde_json::Value {
        let mut event = OwnedEvent::new(kind, Level::Notice, SystemTime::UNIX_EPOCH);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Otlp::new().record_only().format(&event.view(), &mut line);
        serde_json::from_slice(&line).expect("JSON")
    }

    #[test]
    fn a_request_has_opentelemetrys_names() {
        let read = record(
            EventType::Request,
            &[
                ("req_method", "GET".to_value()),
                ("req_path", "/cart".to_value()),
                ("resp_status", 200.to_value()),
                ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".to_value()),
                ("trace_span_id", "00f067aa0ba902b7".to_value()),
                ("trace_sampled", true.to_value()),
            ],
        );
        assert_eq!(read["severityNumber"], 10);
        assert_eq!(read["eventName"], "canonlog.request");
        assert_eq!(read["body"]["stringValue"], "GET /cart");
        assert_eq!(read["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(read["spanId"], "00f067aa0ba902b7");
        assert_eq!(read["flags"], 1);
        let keys: Vec<_> = read["attributes"].as_array().expect("a list").iter().map(|one| &one["key"]).collect();
        assert_eq!(keys, ["http.request.method", "url.path", "http.response.status_code"]);
        assert_eq!(read["attributes"][2]["value"]["intValue"], "200");
    }

    #[test]
    fn what_is_no_id_or_place_stays_a_field() {
        let zero = "00000000000000000000000000000000";
        let read = record(
            EventType::Log,
            &[("trace_id", zero.to_value()), ("log_loc", "a.rs:".to_value()), ("log_msg", 7.to_value())],
        );
        assert_eq!(read.get("traceId"), None);
        assert_eq!(read["body"]["intValue"], "7");
        let keys: Vec<_> = read["attributes"].as_array().expect("a list").iter().map(|one| &one["key"]).collect();
        assert_eq!(keys, ["log_loc", "trace_id"]);
        let read = record(EventType::Log, &[("log_loc", "C:\\a.rs:17".to_value())]);
        assert_eq!(read["attributes"][0]["value"]["stringValue"], "C:\\a.rs");
        assert_eq!(read["attributes"][1]["value"]["intValue"], "17");
    }
}
