//! An event as an entry of the journal: on one line until it is sent, then in the journal's own form.
//!
//! ```text
//! PRIORITY=6 ⇥ MESSAGE=... ⇥ REQ_PATH=/a\nb        on the way through the queue: values escaped
//! PRIORITY=6 ↵ ... REQ_PATH ↵ 8 bytes of length, the value ↵      to the journal: values as they are
//! ```

use std::sync::Arc;

use crate::event::{Event, EventType};
use crate::format::{Format, push_escaped, rfc3339};
use crate::output::text::{char_end, push_value, with_scratch};
use crate::value::Value;

/// A line of the emitter's format, and each field, as an entry on one line.
pub(super) struct Entry {
    pub(super) format: Arc<dyn Format>,
    pub(super) identifier: String,
}

/// The longest entry with a line of the emitter's format, which says once more what the fields say: less than a queue takes.
const LONGEST: usize = 120 * 1024;

/// The longest name of a field of the journal.
const NAME: usize = 64;

/// Names that mean something to the journal, or to those that read it.
const KNOWN: [&str; 12] = [
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "CODE_FILE",
    "CODE_LINE",
    "CODE_FUNC",
    "ERRNO",
    "INVOCATION_ID",
    "USER_INVOCATION_ID",
    "TID",
    "UNIT",
    "USER_UNIT",
];
const KNOWN_STARTS: [&str; 4] = ["SYSLOG_", "OBJECT_", "COREDUMP_", "DOCUMENTATION"];

/// Appends the name of a field in the journal: upper case; letters, digits and `_`, a letter first; none that means something there.
fn push_name(line: &mut Vec<u8>, field: &str) {
    let start = line.len();
    let fit = |byte: u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_uppercase() } else { b'_' };
    line.extend(field.bytes().map(fit));
    let name = &line[start..];
    let own = name.first().is_some_and(u8::is_ascii_alphabetic)
        && !KNOWN.iter().any(|known| known.as_bytes() == name)
        && !KNOWN_STARTS.iter().any(|known| name.starts_with(known.as_bytes()));
    if !own {
        let prefix: &[u8] = if name.starts_with(b"_") { b"APP" } else { b"APP_" };
        line.splice(start..start, prefix.iter().copied());
    }
    line.truncate(start + NAME);
}

/// Appends `=value`, and the end of the field.
fn push_text(line: &mut Vec<u8>, value: &[u8]) {
    line.push(b'=');
    push_escaped(line, &String::from_utf8_lossy(value));
    line.push(b'\t');
}

/// Appends a field of the journal's own.
fn push(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    line.extend_from_slice(name.as_bytes());
    push_text(line, value);
}

impl Format for Entry {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        with_scratch(|value| self.format_by(event, line, value));
    }
}

impl Entry {
    fn format_by(&self, event: &Event<'_>, line: &mut Vec<u8>, value: &mut Vec<u8>) {
        let log = event.kind() == EventType::Log;
        let start = line.len();
        let message = match event.get("log_msg") {
            Some(Value::Str(message)) if log => Some(message),
            _ => None,
        };
        if message.is_none() {
            self.format.format(event, value);
            if value.is_empty() && !log {
                return;
            }
        }
        push(line, "PRIORITY", &[b'0' + event.level().syslog_severity()]);
        if let Some(message) = message {
            push(line, "MESSAGE", message.as_bytes());
        }
        if !self.identifier.is_empty() {
            push(line, "SYSLOG_IDENTIFIER", self.identifier.as_bytes());
        }
        if let Some(Value::Str(place)) = event.get("log_loc")
            && let Some((file, number)) = place.rsplit_once(':')
        {
            push(line, "CODE_FILE", file.as_bytes());
            push(line, "CODE_LINE", number.as_bytes());
        }
        push(line, "EVENT_TYPE", event.kind().as_str().as_bytes());
        push(line, "EVENT_TIME", &rfc3339(event.unix_nanos()));
        push(line, "EVENT_LEVEL", event.level().as_str().as_bytes());
        let line_of_format = value.len();
        for (field, of_field) in event.fields() {
            if matches!(of_field, Value::Null) || (log && field == "log_msg") {
                continue;
            }
            value.truncate(line_of_format);
            push_value(value, &of_field);
            push_name(line, field);
            push_text(line, &value[line_of_format..]);
        }
        if message.is_none() {
            push_line(line, &value[..line_of_format], start + LONGEST);
        }
        line.pop();
    }
}

/// Appends the line of the emitter's format as the message, cut so that all ends before `end`: no field is lost for it.
fn push_line(line: &mut Vec<u8>, text: &[u8], end: usize) {
    let start = line.len();
    push(line, "MESSAGE", text);
    let mut keep = text.len();
    while line.len() > end && keep > 0 {
        // Escapes are of unequal length: less is kept until it fits.
        let room = end.saturating_sub(start);
        keep = char_end(text, (keep.saturating_mul(room) / (line.len() - start)).min(keep - 1));
        line.truncate(start);
        line.extend_from_slice(b"MESSAGE=");
        push_escaped(line, &String::from_utf8_lossy(&text[..keep]));
        line.extend_from_slice("…\t".as_bytes());
    }
}

/// Appends an entry, which comes on one line, in the journal's own form.
pub(super) fn encode(line: &[u8], out: &mut Vec<u8>) {
    for field in line.split(|byte| *byte == b'\t') {
        let Some(equals) = field.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (&field[..equals], unescape(&field[equals + 1..]));
        out.extend_from_slice(name);
        if value.contains(&b'\n') {
            out.push(b'\n');
            out.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            out.push(b'=');
        }
        out.extend_from_slice(&value);
        out.push(b'\n');
    }
}

/// A text before it was escaped.
fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(escaped.len());
    let mut at = 0;
    while at < escaped.len() {
        let next = (escaped[at] == b'\\').then(|| escaped.get(at + 1)).flatten();
        let (character, width) = match next {
            None => (char::REPLACEMENT_CHARACTER, 0),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'u') => {
                let digits = escaped.get(at + 2..at + 6).and_then(|digits| str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                (code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
            }
            Some(other) => (char::from(*other), 2),
        };
        if width == 0 {
            text.push(escaped[at]);
            at += 1;
        } else {
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            at += width;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(field: &str) -> String {
        let mut line = b"x".to_vec();
        push_name(&mut line, field);
        String::from_utf8(line).expect("ASCII")[1..].to_owned()
    }

    #[test]
    fn a_name_is_one_that_the_journal_takes_and_that_means_nothing_else_there() {
        assert_eq!(name("req_path"), "REQ_PATH");
        assert_eq!(name("app_k:v/w-x.y"), "APP_K_V_W_X_Y");
        assert_eq!((name("_1a").as_str(), name("@x").as_str()), ("APP_1A", "APP_X"));
        assert_eq!((name("message").as_str(), name("syslog_pid").as_str()), ("APP_MESSAGE", "APP_SYSLOG_PID"));
        assert_eq!(name(&"x".repeat(100)).len(), 64);
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(text in any::<String>()) {
            let mut escaped = Vec::new();
            push_escaped(&mut escaped, &text);
            prop_assert_eq!(unescape(&escaped), text.into_bytes());
        }
    }
}
