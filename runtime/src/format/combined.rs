//! The access log of web servers, for tools that read nothing else.
//!
//! ```text
//! 192.0.2.7 - - [20/Nov/2026:22:46:01 +0000] "GET /cart HTTP/1.1" 200 5316 "https://shop.example/" "curl/7.88.1"
//! client_ip     time                          method path         status size referrer           user agent
//! ```
//!
//! Only the event with which a request ends has a line; for others nothing is written.

use super::Format;
use super::line::{self, Line};
use super::number;
use super::time::{self, Civil};
use crate::event::{Event, EventType, HttpVersion};
use crate::value::Value;

/// Apache's combined access log, for the time of a migration: put it on an emitter of its own, before the canonical one.
///
/// A request has one line, at its end, as web servers have it: its `request` event, or its `late_response` where a `timeout` came
/// first. A `timeout` itself has none, as the status is not known then; nor have all other events. What is unknown is `-`, a
/// status `000`.
///
/// The path is written as a client would send it, with `%20` for a space and so on; it has no query, as none is recorded.
/// Other texts have the escapes of [`Logfmt`](crate::Logfmt), but that a quote is `\u0022`. The HTTP version is known of requests that `RequestLayer` or
/// `request = ..` has read; elsewhere it is `HTTP/1.1`.
///
/// ```
/// use canonlog::{Combined, EventType, Format, Level, OwnedEvent};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("req_method", "GET");
/// event.set("req_path", "/a b");
/// event.set("req_user_agent", "curl/7.88.1");
/// event.set("resp_status", 200);
///
/// let mut line = Vec::new();
/// Combined::new().format(&event.view(), &mut line);
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     r#"- - - [01/Jan/1970:00:00:00 +0000] "GET /a%20b HTTP/1.1" 200 - "-" "curl/7.88.1""#
/// );
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Combined;

impl Combined {
    /// The format; it has no options.
    pub const fn new() -> Self {
        Combined
    }
}

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The fields that a line is made of.
#[derive(Default)]
struct Parts<'a> {
    ip: Option<Value<'a>>,
    method: Option<Value<'a>>,
    path: Option<Value<'a>>,
    status: Option<Value<'a>>,
    size: Option<Value<'a>>,
    referrer: Option<Value<'a>>,
    user_agent: Option<Value<'a>>,
    is_job: bool,
}

impl<'a> Parts<'a> {
    fn of(event: &Event<'a>) -> Self {
        let mut parts = Parts::default();
        for (name, value) in event.fields() {
            let part = match name {
                "req_client_ip" => &mut parts.ip,
                "req_method" => &mut parts.method,
                "req_path" => &mut parts.path,
                "resp_status" => &mut parts.status,
                "resp_size" => &mut parts.size,
                "req_referrer" => &mut parts.referrer,
                "req_user_agent" => &mut parts.user_agent,
                "job_name" => {
                    parts.is_job = true;
                    continue;
                }
                _ => continue,
            };
            *part = Some(value);
        }
        parts
    }
}

impl Format for Combined {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        if !matches!(event.kind(), EventType::Request | EventType::LateResponse) {
            return;
        }
        let parts = Parts::of(event);
        if parts.is_job {
            return;
        }
        line::append(line, |line| parts.push(line, event.unix_nanos(), event.http()));
    }
}

impl Parts<'_> {
    fn push(&self, line: &mut Line<'_>, unix_nanos: i64, http: HttpVersion) {
        push_word(line, self.ip);
        line.fixed(b" - - [");
        push_time(line, unix_nanos);
        line.fixed(b"] \"");
        push_request(line, self.method, self.path, http);
        line.fixed(b"\" ");
        match self.status {
            // As nginx has it: a reader takes a line without a number there for none.
            None | Some(Value::Null) => line.fixed(b"000"),
            status => push_word(line, status),
        }
        line.byte(b' ');
        push_word(line, self.size);
        for quoted in [self.referrer, self.user_agent] {
            line.fixed(b" \"");
            push_quoted(line, quoted);
            line.byte(b'"');
        }
    }
}

/// `20/Nov/2026:22:46:01 +0000`
fn push_time(line: &mut Line<'_>, unix_nanos: i64) {
    let civil = Civil::from_seconds(unix_nanos.div_euclid(1_000_000_000));
    let month = 3 * usize::from(civil.month - 1);
    line.fixed(&time::two(civil.day));
    line.byte(b'/');
    line.bytes(&MONTHS[month..month + 3]);
    line.byte(b'/');
    line.fixed(&time::four(civil.year));
    for number in [civil.hour, civil.minute, civil.second] {
        line.byte(b':');
        line.fixed(&time::two(number));
    }
    line.fixed(b" +0000");
}

fn push_request(line: &mut Line<'_>, method: Option<Value<'_>>, path: Option<Value<'_>>, http: HttpVersion) {
    match (method, path) {
        (None | Some(Value::Null), None | Some(Value::Null)) => line.byte(b'-'),
        (method, path) => {
            push_word(line, method);
            line.byte(b' ');
            push_word(line, path);
            line.byte(b' ');
            line.bytes(http.as_str().as_bytes());
        }
    }
}

/// Appends a value as one word of visible ASCII; in a text anything else is written `%XX`, byte by byte.
#[inline(never)]
fn push_word(line: &mut Line<'_>, value: Option<Value<'_>>) {
    let text = match value {
        Some(Value::U64(number)) => return number::push_u64(line, number),
        Some(Value::I64(number)) => return number::push_i64(line, number),
        Some(Value::Str(text)) if !text.is_empty() => text,
        _ => return line.byte(b'-'),
    };
    for byte in text.bytes() {
        // `%`, `?` and `#` would be read as part of an encoding or as the end of the path, which is recorded decoded.
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'%' | b'?' | b'#') {
            line.byte(byte);
        } else {
            let digit = |number: u8| b"0123456789ABCDEF"[usize::from(number)];
            line.fixed(&[b'%', digit(byte >> 4), digit(byte & 0xF)]);
        }
    }
}

/// Appends a text without a quote in it: to some readers each is the end, whatever stands before it.
fn push_quoted(line: &mut Line<'_>, value: Option<Value<'_>>) {
    match value {
        Some(Value::Str(text)) => {
            for (at, piece) in text.split('"').enumerate() {
                if at > 0 {
                    line.fixed(b"\\u0022");
                }
                line.text(piece.as_bytes());
            }
        }
        _ => line.byte(b'-'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::OwnedEvent;
    use crate::level::Level;
    use std::time::{Duration, SystemTime};

    fn line(kind: EventType, fields: &[(&str, Value<'_>)]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_214_761);
        let mut event = OwnedEvent::new(kind, Level::Info, time);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Combined::new().format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn a_request_has_its_access_log_line() {
        let fields = [
            ("req_method", Value::Str("POST")),
            ("req_path", Value::Str("/cart")),
            ("req_referrer", Value::Str("https://shop.example/?a=b")),
            ("req_user_agent", Value::Str("curl/7.88.1")),
            ("req_client_ip", Value::Str("2001:db8::7")),
            ("resp_status", Value::U64(201)),
            ("resp_size", Value::U64(5316)),
        ];
        assert_eq!(
            line(EventType::Request, &fields),
            r#"2001:db8::7 - - [20/Nov/2026:22:46:01 +0000] "POST /cart HTTP/1.1" 201 5316 "https://shop.example/?a=b" "curl/7.88.1""#
        );
    }

    #[test]
    fn what_is_unknown_is_a_dash_and_a_status_three_zeros() {
        let expected = r#"- - - [20/Nov/2026:22:46:01 +0000] "-" 000 - "-" "-""#;
        assert_eq!(line(EventType::Request, &[]), expected);
        assert_eq!(line(EventType::LateResponse, &[("req_referrer", Value::Null)]), expected);
    }

    #[test]
    fn other_events_have_no_line() {
        for kind in [
            EventType::Timeout,
            EventType::Job,
            EventType::PartialFailure,
            EventType::Lost,
            EventType::Dropped,
            EventType::Log,
            EventType::Status,
        ] {
            assert_eq!(line(kind, &[("req_path", Value::Str("/"))]), "");
        }
        assert_eq!(line(EventType::LateResponse, &[("job_name", Value::Str("mail"))]), "", "a job is no request");
    }

    #[test]
    fn no_value_forges_a_field_or_a_line() {
        let fields = [
            ("req_method", Value::Str("GET / HTTP/1.1\" 200 1")),
            ("req_path", Value::Str("/a b\" 200\n\u{2028}%20?é\\")),
            ("req_user_agent", Value::Str("x\" \"y\r\n\u{1b}[0m")),
            ("req_client_ip", Value::Str("1.2.3.4 evil")),
        ];
        assert_eq!(
            line(EventType::Request, &fields),
            r#"1.2.3.4%20evil - - [20/Nov/2026:22:46:01 +0000] "GET%20/%20HTTP/1.1%22%20200%201 /a%20b%22%20200%0A%E2%80%A8%2520%3F%C3%A9%5C HTTP/1.1" 000 - "-" "x\u0022 \u0022y\r\n\u001b[0m""#
        );
    }
}
