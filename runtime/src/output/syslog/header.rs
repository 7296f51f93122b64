//! An event as a message of syslog (RFC 5424, 6): header, structured data, text.

use std::io::Write;
use std::sync::Arc;

use crate::event::{Event, EventType};
use crate::format::{Format, push_escaped, rfc3339};
use crate::output::PerProcess;
use crate::output::text::{char_end, push_value, with_scratch};
use crate::sys::zone;
use crate::value::Value;

use super::Facility;

/// What is said of every event.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) facility: Facility,
    /// Printable ASCII, or empty.
    pub(super) host: String,
    pub(super) app: String,
    /// The id of the structured data that has the fields; without, the text has them.
    pub(super) id: Option<String>,
    /// The header of RFC 3164 without a host, as `syslog(3)` sends it to the socket of its own machine.
    pub(super) local: bool,
    /// The longest message.
    pub(super) longest: usize,
}

/// A line of the emitter's format as a message.
pub(super) struct Message {
    pub(super) format: Arc<dyn Format>,
    pub(super) origin: Origin,
    pub(super) pid: PerProcess<u32>,
}

/// Ends what was cut.
const CUT: &str = "…";
/// What structured data leaves to the text, if that needs it.
const FOR_TEXT: usize = 128;
/// The longest name of a parameter (RFC 5424, 6.3.3).
const NAME: usize = 32;

/// Text for a part of the header: printable ASCII without spaces, of some length at most; empty if nothing is left.
pub(super) fn header_text(text: &str, longest: usize) -> String {
    let printable = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    text.trim().chars().take(longest).map(printable).collect()
}

/// The same for the id or a name of structured data, where some characters mean something.
pub(super) fn name_text(text: &str) -> String {
    header_text(text, NAME).replace(['=', ']', '"'], "_")
}

fn or_nil(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

impl Format for Message {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let start = line.len();
        self.push_header(event, line);
        let text_of_log = match event.get("log_msg") {
            Some(Value::Str(text)) if event.kind() == EventType::Log => Some(text),
            _ => None,
        };
        let header = line.len();
        if let Some(id) = &self.origin.id {
            self.push_data(event, id, text_of_log.is_some(), line, start);
        }
        line.push(b' ');
        let text = line.len();
        match text_of_log {
            Some(message) if self.origin.id.is_some() => push_escaped(line, message),
            _ => self.format.format(event, line),
        }
        if line.len() == text {
            // A format that has no line for an event: with structured data its fields are the message.
            line.truncate(if self.origin.id.is_some() { text - 1 } else { start });
        } else if line.len() - start > self.origin.longest {
            let room = (start + self.origin.longest).saturating_sub(text + CUT.len());
            let end = text + char_end(&line[text..], room);
            line.truncate(end);
            line.extend_from_slice(CUT.as_bytes());
        }
        debug_assert!(line.len() == start || line.len() >= header);
    }
}

impl Message {
    fn push_header(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        let Origin { facility, host, app, local, id, .. } = &self.origin;
        let priority = u32::from(facility.code()) * 8 + u32::from(event.level().syslog_severity());
        let pid = *self.pid.get(std::process::id);
        // To a vector nothing can fail.
        let _ = write!(line, "<{priority}>");
        if *local {
            line.extend_from_slice(&rfc3164(&rfc3339(local_time(event.unix_nanos()))));
            let _ = write!(line, " {}[{pid}]:", or_nil(app));
            return;
        }
        line.extend_from_slice(b"1 ");
        line.extend_from_slice(&rfc3339(event.unix_nanos()));
        let _ = write!(line, " {} {} {pid} {} ", or_nil(host), or_nil(app), event.kind());
        if id.is_none() {
            line.push(b'-');
        }
    }

    /// Appends the fields; where they are too long, the longest are cut.
    fn push_data(&self, event: &Event<'_>, id: &str, has_text: bool, line: &mut Vec<u8>, start: usize) {
        let from = line.len();
        let end = start + self.origin.longest.saturating_sub(FOR_TEXT);
        let mut longest = usize::MAX;
        loop {
            let left_out =
                push_fields(event, id, has_text, line, longest, if longest <= 16 { end } else { usize::MAX });
            if line.len() <= end || longest <= 16 {
                if left_out > 0 {
                    // Over the closing bracket.
                    line.pop();
                    let _ = write!(line, " fields_left_out=\"{left_out}\"]");
                }
                return;
            }
            longest = longest.min(self.origin.longest) / 2;
            line.truncate(from);
        }
    }
}

/// Appends `[id name="value" ...]` with values of at most so many bytes, up to an end; how many fields did not fit.
fn push_fields(event: &Event<'_>, id: &str, has_text: bool, line: &mut Vec<u8>, longest: usize, end: usize) -> usize {
    line.push(b'[');
    line.extend_from_slice(id.as_bytes());
    let mut left_out = 0;
    with_scratch(|text| {
        for (name, value) in event.fields() {
            if matches!(value, Value::Null) || (has_text && name == "log_msg") {
                continue;
            }
            let before = line.len();
            line.push(b' ');
            push_name(line, name);
            line.extend_from_slice(b"=\"");
            text.clear();
            push_value(text, &value);
            let cut = char_end(text, longest);
            push_param(line, &text[..cut]);
            if cut < text.len() {
                line.extend_from_slice(CUT.as_bytes());
            }
            line.push(b'"');
            if line.len() >= end {
                line.truncate(before);
                left_out += 1;
            }
        }
    });
    line.push(b']');
    left_out
}

/// Appends the name of a parameter.
fn push_name(line: &mut Vec<u8>, name: &str) {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    if name.len() <= NAME && name.bytes().all(fits) {
        line.extend_from_slice(name.as_bytes());
    } else {
        line.extend_from_slice(name_text(name).as_bytes());
    }
}

/// Appends the value of a parameter: escapes for what must not stand in a line, and over these those of the RFC.
fn push_param(line: &mut Vec<u8>, value: &[u8]) {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b']');
    if value.iter().all(|byte| plain(*byte)) {
        return line.extend_from_slice(value);
    }
    let mut escaped = Vec::new();
    let value = str::from_utf8(value).unwrap_or_default();
    // A quote is escaped once, by the rule of the RFC.
    for (at, piece) in value.split('"').enumerate() {
        if at > 0 {
            escaped.push(b'"');
        }
        push_escaped(&mut escaped, piece);
    }
    for byte in escaped {
        if matches!(byte, b'"' | b'\\' | b']') {
            line.push(b'\\');
        }
        line.push(byte);
    }
}

/// A time as the clocks of this place show it, by which RFC 3164 has it without saying so.
fn local_time(unix_nanos: i64) -> i64 {
    let offset = zone::offset(unix_nanos.div_euclid(1_000_000_000));
    unix_nanos.saturating_add(offset * 1_000_000_000)
}

/// `Nov 20 22:46:01` of `2026-11-20T22:46:01.123Z`.
fn rfc3164(time: &[u8; 24]) -> [u8; 15] {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = usize::from((time[5] - b'0') * 10 + (time[6] - b'0')).clamp(1, 12) - 1;
    let mut text = *b"Jan  0 00:00:00";
    text[..3].copy_from_slice(&MONTHS[month * 3..month * 3 + 3]);
    text[4] = if time[8] == b'0' { b' ' } else { time[8] };
    text[5] = time[9];
    text[7..].copy_from_slice(&time[11..19]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_one_digit_has_a_space_before_it() {
        assert_eq!(&rfc3164(b"2026-11-20T22:46:01.123Z"), b"Nov 20 22:46:01");
        assert_eq!(&rfc3164(b"2026-01-02T03:04:05.123Z"), b"Jan  2 03:04:05");
    }

    #[test]
    fn what_may_not_stand_in_a_header_is_replaced_and_what_is_long_is_cut() {
        assert_eq!(header_text(" my shop\u{e9}\n", 48), "my_shop_");
        assert_eq!(header_text(&"x".repeat(60), 48).len(), 48);
        assert_eq!(name_text("a=b]c\"d e"), "a_b_c_d_e");
        assert_eq!(header_text("", 48), "");
    }
}
