//! What a user's format makes, held to one line.
//!
//! An event is one line for any reader, and a batch has as many lines as it has events: counts of what was written rest on it.
//! So whatever any reader takes for the end of a line is escaped, unless it is the end, where it is taken away.

use crate::event::Event;
use crate::format::{Format, push_escaped};
use crate::internal::guarded;

/// Puts the event's line into `line`, which is empty, with its end; nothing if the format has none for it.
///
/// # Errors
///
/// The format panicked: what it said.
pub(super) fn format(format: &dyn Format, event: &Event<'_>, line: &mut Vec<u8>) -> Result<(), String> {
    guarded(|| format.format(event, line))?;
    hold(line);
    if !line.is_empty() {
        line.push(b'\n');
    }
    Ok(())
}

/// Makes one line of what may be several.
fn hold(line: &mut Vec<u8>) {
    if line.len() > 1 && line.ends_with(b"\n") {
        line.pop();
        if line.len() > 1 && line.ends_with(b"\r") {
            line.pop();
        }
    }
    if next_break(line, 0).is_some() {
        *line = escaped(line);
    }
}

#[cold]
fn escaped(line: &[u8]) -> Vec<u8> {
    let mut held = Vec::with_capacity(line.len() + 64);
    let mut from = 0;
    while let Some((at, len)) = next_break(line, from) {
        held.extend_from_slice(&line[from..at]);
        push_escaped(&mut held, str::from_utf8(&line[at..at + len]).unwrap_or_default());
        from = at + len;
    }
    held.extend_from_slice(&line[from..]);
    held
}

/// Where the next character stands that some reader takes for the end of a line, and how long it is.
fn next_break(line: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = &line[from..];
    rest.iter().enumerate().find_map(|(at, byte)| {
        let after = |n| rest.get(at + n).copied().unwrap_or_default();
        let len = match byte {
            b'\n' | b'\r' | 0x0B | 0x0C | 0x1C..=0x1E => 1,
            0xC2 if after(1) == 0x85 => 2,
            0xE2 if after(1) == 0x80 && matches!(after(2), 0xA8 | 0xA9) => 3,
            _ => return None,
        };
        Some((from + at, len))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(text: &str) -> String {
        let mut line = text.as_bytes().to_vec();
        hold(&mut line);
        String::from_utf8(line).expect("text stays text")
    }

    #[test]
    fn whatever_a_reader_takes_for_the_end_of_a_line_is_escaped() {
        assert_eq!(held("a\nb\r\nc"), r"a\nb\r\nc");
        assert_eq!(held("a\u{b}\u{c}\u{1c}\u{85}\u{2028}\u{2029}b"), r"a\u000b\f\u001c\u0085\u2028\u2029b");
        assert_eq!(held("\n"), r"\n");
    }

    #[test]
    fn all_else_stays_and_an_end_at_the_end_is_none_of_the_line() {
        for line in ["", "a \"b\"\\ \u{1b}[31mé\t\u{202e}\0", "\u{2027}\u{202a}\u{84}"] {
            assert_eq!(held(line), line);
        }
        assert_eq!((held("a\n"), held("a\r\n"), held("a\n\n")), ("a".into(), "a".into(), r"a\n".into()));
    }
}
