//! One line an event for a person at a terminal, with colours there.
//!
//! ```text
//! 22:46:01.123 INFO    request POST /checkout 200 0.016  req_id=944e3dc1-... app_cart_total=19.99 db_queries=3
//! time         level   type    method path status time   the rest, dimmed
//! ```

use std::ffi::OsString;
use std::io::IsTerminal;

use super::line::{self, Line};
use super::logfmt::push_bare;
use super::number::Digits;
use super::{Format, time};
use crate::event::{Event, Stored};
use crate::level::Level;

/// The format for development: what matters first, one line an event, coloured on a terminal.
///
/// Made for eyes: it may change between versions. A program reads [`Logfmt`](crate::Logfmt) or [`Json`](crate::Json).
/// Values are escaped as there, so none can send the terminal a command.
///
/// ```
/// use canonlog::{EventType, Format, Level, OwnedEvent, Pretty};
/// use std::time::{Duration, SystemTime};
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("req_method", "GET");
/// event.set("req_path", "/cart");
/// event.set("app_user", "ann");
/// event.set("resp_time", Duration::from_millis(16));
/// event.set("resp_status", 200);
///
/// let mut line = Vec::new();
/// Pretty::new().color(false).format(&event.view(), &mut line);
/// assert_eq!(String::from_utf8_lossy(&line), "00:00:00.000 INFO    request GET /cart 200 0.016  app_user=ann");
/// ```
#[derive(Clone, Debug)]
pub struct Pretty {
    color: bool,
}

impl Default for Pretty {
    fn default() -> Self {
        Pretty::new()
    }
}

impl Pretty {
    /// Coloured if standard output is a terminal; the environment has the last word.
    ///
    /// `NO_COLOR` (set and not empty) turns colours off, `CLICOLOR_FORCE` (set and not `0`) turns them on, and `TERM=dumb`
    /// stands for a terminal without them; the first of the three that is set decides.
    pub fn new() -> Self {
        Pretty { color: wants_color(|name| std::env::var_os(name), std::io::stdout().is_terminal()) }
    }

    /// Coloured or not, wherever it goes.
    ///
    /// ```
    /// # use canonlog::{EventType, Format, Level, OwnedEvent, Pretty};
    /// # use std::time::SystemTime;
    /// let event = OwnedEvent::new(EventType::Log, Level::Error, SystemTime::UNIX_EPOCH);
    /// let mut line = Vec::new();
    /// Pretty::new().color(true).format(&event.view(), &mut line);
    /// assert!(line.contains(&0x1b));
    /// ```
    #[must_use]
    pub const fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }
}

fn wants_color(var: impl Fn(&str) -> Option<OsString>, terminal: bool) -> bool {
    let is_set = |name| var(name).is_some_and(|value| !value.is_empty());
    if is_set("NO_COLOR") {
        return false;
    }
    if is_set("CLICOLOR_FORCE") && var("CLICOLOR_FORCE").is_none_or(|value| value != "0") {
        return true;
    }
    terminal && var("TERM").is_none_or(|term| term != "dumb")
}

const PLAIN: &[u8] = b"";
const BOLD: &[u8] = b"\x1b[1m";
const DIM: &[u8] = b"\x1b[2m";
const RED: &[u8] = b"\x1b[31m";
const GREEN: &[u8] = b"\x1b[32m";
const YELLOW: &[u8] = b"\x1b[33m";
const BLUE: &[u8] = b"\x1b[34m";
const BOLD_RED: &[u8] = b"\x1b[1;31m";
const RESET: &[u8] = b"\x1b[0m";

/// The fields that stand in front, in this order.
const FRONT: [&str; 6] = ["req_method", "req_path", "job_name", "resp_status", "resp_time", "job_time"];

impl Format for Pretty {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        line::append(line, |line| self.push(event, line));
    }
}

impl Pretty {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        self.painted(line, DIM, |line| line.bytes(&time::rfc3339(event.unix_nanos())[11..23]));
        line.byte(b' ');
        let (name, color) = level(event.level());
        self.painted(line, color, |line| line.bytes(name.as_bytes()));
        line.bytes(&b"       "[name.len() - 1..]);
        self.painted(line, BOLD, |line| line.bytes(event.kind().as_str().as_bytes()));
        for front in FRONT {
            if let Some((_, value)) = event.raw_fields().find(|(name, _)| *name == front.as_bytes()) {
                line.byte(b' ');
                self.value(line, front_color(front, value), event, value);
            }
        }
        let is_front = |name: &[u8]| FRONT.iter().any(|front| front.as_bytes() == name);
        let mut rest = event.raw_fields().filter(|(name, _)| !is_front(name)).peekable();
        if rest.peek().is_some() {
            line.byte(b' ');
        }
        for (name, value) in rest {
            line.byte(b' ');
            self.painted(line, DIM, |line| {
                line.bytes(name);
                line.byte(b'=');
            });
            let color = if name.starts_with(b"exc_") { RED } else { PLAIN };
            self.value(line, color, event, value);
        }
    }

    #[inline(never)]
    fn value(&self, line: &mut Line<'_>, color: &[u8], event: &Event<'_>, value: Stored) {
        self.painted(line, color, |line| push_bare(event, line, value, Digits::Millis));
    }

    fn painted(&self, line: &mut Line<'_>, color: &[u8], write: impl FnOnce(&mut Line<'_>)) {
        if self.color && !color.is_empty() {
            line.bytes(color);
            write(line);
            line.bytes(RESET);
        } else {
            write(line);
        }
    }
}

/// A level's name in at most seven letters, and its colour.
fn level(level: Level) -> (&'static str, &'static [u8]) {
    match level {
        Level::Debug => ("DEBUG", BLUE),
        Level::Info => ("INFO", GREEN),
        Level::Notice => ("NOTICE", GREEN),
        Level::Warning => ("WARNING", YELLOW),
        Level::Error => ("ERROR", RED),
        Level::Critical => ("CRIT", BOLD_RED),
    }
}

fn front_color(name: &str, value: Stored) -> &'static [u8] {
    match (name, value) {
        ("req_path" | "job_name", _) => BOLD,
        ("resp_status", Stored::U64(500..)) => RED,
        ("resp_status", Stored::U64(400..)) => YELLOW,
        ("resp_status", Stored::U64(_)) => GREEN,
        _ => PLAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::value::Value;
    use std::time::SystemTime;

    fn line(color: bool, kind: EventType, level: Level, fields: &[(&str, Value<'_>)]) -> String {
        let mut event = OwnedEvent::new(kind, level, SystemTime::UNIX_EPOCH);
        for (name, value) in fields {
            event.set(name, value);
        }
        let mut line = Vec::new();
        Pretty::new().color(color).format(&event.view(), &mut line);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn levels_of_every_length_end_in_the_same_column() {
        for level in Level::ALL {
            let written = line(false, EventType::Log, level, &[]);
            assert_eq!(written.find("log"), Some(21), "{written}");
        }
    }

    #[test]
    fn no_value_sends_the_terminal_a_command() {
        let hostile = "\u{1b}[2J\u{9b}2J\r\n\u{7}\u{202e}";
        let fields = [("req_path", Value::Str(hostile)), ("app_a", Value::Str(hostile))];
        let written = line(false, EventType::Request, Level::Info, &fields);
        let escaped = r#""\u001b[2J\u009b2J\r\n\u0007\u202e""#;
        assert_eq!(written, format!("00:00:00.000 INFO    request {escaped}  app_a={escaped}"));
    }

    #[test]
    fn without_its_colours_a_line_is_the_plain_one() {
        let fields = [
            ("req_path", Value::Str("/cart")),
            ("exc_msg", Value::Str("out of stock")),
            ("resp_status", Value::U64(500)),
        ];
        let mut colored = line(true, EventType::Request, Level::Error, &fields);
        assert!(colored.contains("\u{1b}[31m500\u{1b}[0m"), "{colored:?}");
        for code in [BOLD, DIM, RED, GREEN, YELLOW, BLUE, BOLD_RED, RESET] {
            colored = colored.replace(std::str::from_utf8(code).expect("ASCII"), "");
        }
        assert_eq!(colored, line(false, EventType::Request, Level::Error, &fields));
    }

    #[test]
    fn the_environment_decides_before_the_terminal() {
        let wants = |vars: &[(&str, &str)], terminal| {
            let var = |name: &str| vars.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
            wants_color(var, terminal)
        };
        assert!(wants(&[], true));
        assert!(!wants(&[], false));
        assert!(!wants(&[("NO_COLOR", "1")], true));
        assert!(wants(&[("NO_COLOR", "")], true));
        assert!(!wants(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(wants(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!wants(&[("CLICOLOR_FORCE", "0")], false));
        assert!(wants(&[("CLICOLOR_FORCE", "0")], true));
        assert!(!wants(&[("TERM", "dumb")], true));
        assert!(wants(&[("TERM", "xterm")], true));
    }
}
