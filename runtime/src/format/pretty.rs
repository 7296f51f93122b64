//! One line an event for a person at a terminal, with colours there.
//!
//! ```text
//! 22:46:01.101 INFO    shop    checked out 3 items             req_id=944e3dc1-... app_cart=7
//! 22:46:01.123 INFO    request POST /checkout 200 0.016        req_id=944e3dc1-... app_cart_total=19.99 db_queries=3
//! time         level   who     what                            the rest, dimmed
//! ```

use std::ffi::OsString;
use std::io::IsTerminal;

use super::escape::escaped_len;
use super::line::{self, Line};
use super::logfmt::{is_bare, push_bare};
use super::number::Digits;
use super::people::push_text;
use super::{Format, time};
use crate::event::{Event, EventType, Stored};
use crate::level::Level;

/// The format for development: what matters first, one line an event, in columns, coloured by level on a terminal.
///
/// It is what events are written in where nobody names a format and standard output is a terminal, or [`DEVEL=1`](Self::is_wanted).
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
/// assert_eq!(String::from_utf8_lossy(&line), "00:00:00.000 INFO    request GET /cart 200 0.016               app_user=ann");
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

    /// Whether this is the format where nobody names one: if `DEVEL` says so (`1`, `true`, `yes`, `on`; or `0`, `false`, `no`, `off`), or if
    /// it says nothing and standard output is a terminal.
    ///
    /// ```
    /// use canonlog::{Emitter, Json, Pretty};
    ///
    /// let events = Emitter::new("events");
    /// let events = if Pretty::is_wanted() { events.format(Pretty::new()) } else { events.format(Json::new()) };
    /// # let _ = events;
    /// ```
    pub fn is_wanted() -> bool {
        Pretty::is_wanted_at(true)
    }

    /// The same of an output that is standard output, or another one.
    pub(crate) fn is_wanted_at(stdout: bool) -> bool {
        wants_development(std::env::var_os("DEVEL"), || stdout && std::io::stdout().is_terminal())
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

fn wants_development(devel: Option<OsString>, is_terminal: impl FnOnce() -> bool) -> bool {
    let devel = devel.map(|devel| devel.to_string_lossy().trim().to_ascii_lowercase());
    match devel.as_deref() {
        Some("1" | "true" | "yes" | "on") => true,
        Some("0" | "false" | "no" | "off") => false,
        _ => is_terminal(),
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

/// How wide the columns are.
const LEVEL: usize = 7;
const WHO: usize = 7;
const WHAT: usize = 32;

impl Pretty {
    fn push(&self, event: &Event<'_>, line: &mut Line<'_>) {
        self.painted(line, DIM, |line| line.bytes(&time::rfc3339(event.unix_nanos())[11..23]));
        line.byte(b' ');
        let (name, color) = level(event.level());
        self.painted(line, color, |line| line.bytes(name.as_bytes()));
        fill(line, name.len(), LEVEL);
        line.byte(b' ');
        let who = self.push_who(event, line);
        let wide = who + self.push_what(event, who, line);
        let mut is_first = true;
        for (name, value) in event.raw_fields().filter(|(name, _)| !is_in_front(event.kind(), name)) {
            if is_first {
                fill(line, wide, WHO + 1 + WHAT);
                line.byte(b' ');
                is_first = false;
            }
            line.byte(b' ');
            self.painted(line, DIM, |line| {
                line.bytes(name);
                line.byte(b'=');
            });
            let color = if name.starts_with(b"exc_") { RED } else { PLAIN };
            self.value(line, color, event, value);
        }
    }

    /// The event's type, or the logger of a message; how wide it is.
    fn push_who(&self, event: &Event<'_>, line: &mut Line<'_>) -> usize {
        let logger = match field(event, "log_name") {
            Some(Stored::Text(name)) if event.kind() == EventType::Log => event.text_of(name),
            _ => b"",
        };
        if is_bare(logger) {
            self.painted(line, YELLOW, |line| line.bytes(logger));
            return logger.len();
        }
        let kind = event.kind().as_str();
        self.painted(line, BOLD, |line| line.bytes(kind.as_bytes()));
        kind.len()
    }

    /// What the event is about; how wide that is, with what stands before it.
    fn push_what(&self, event: &Event<'_>, who: usize, line: &mut Line<'_>) -> usize {
        let mut wide = 0;
        let space = |line: &mut Line<'_>, wide: usize| {
            if wide > 0 {
                line.byte(b' ');
                return 1;
            }
            fill(line, who, WHO);
            line.byte(b' ');
            WHO.saturating_sub(who) + 1
        };
        if event.kind() == EventType::Log {
            if let Some(Stored::Text(text)) = field(event, "log_msg") {
                let text = event.text_of(text);
                wide += space(line, wide);
                self.painted(line, BOLD, |line| push_text(line, text));
                wide += width(text) - text.iter().filter(|byte| **byte == b'"').count();
            }
            return wide;
        }
        for front in FRONT {
            if let Some(value) = field(event, front) {
                wide += space(line, wide);
                self.value(line, front_color(front, value), event, value);
                wide += value_width(event, value);
            }
        }
        wide
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

fn field(event: &Event<'_>, name: &str) -> Option<Stored> {
    event.raw_fields().find_map(|(known, value)| (known == name.as_bytes()).then_some(value))
}

/// Whether a field stands before the rest.
fn is_in_front(kind: EventType, name: &[u8]) -> bool {
    if kind == EventType::Log {
        return name == b"log_name" || name == b"log_msg";
    }
    FRONT.iter().any(|front| front.as_bytes() == name)
}

/// Spaces up to a width.
fn fill(line: &mut Line<'_>, wide: usize, to: usize) {
    (wide..to).for_each(|_| line.byte(b' '));
}

/// How many characters a text has once it is escaped; of escapes beyond ASCII a little less than there are.
fn width(text: &[u8]) -> usize {
    let continued = text.iter().filter(|byte| **byte & 0xC0 == 0x80).count();
    escaped_len(str::from_utf8(text).unwrap_or_default()).saturating_sub(continued)
}

fn value_width(event: &Event<'_>, value: Stored) -> usize {
    match value {
        Stored::Text(text) if is_bare(event.text_of(text)) => event.text_of(text).len(),
        Stored::Text(text) => width(event.text_of(text)) + 2,
        Stored::U64(number) => itoa::Buffer::new().format(number).len(),
        Stored::I64(number) => itoa::Buffer::new().format(number).len(),
        Stored::F64(number) => zmij::Buffer::new().format(number).len(),
        Stored::Bool(value) => 5 - usize::from(value),
        Stored::Null => 1,
        // Seconds and three decimals; how many seconds there are after rounding does not matter here.
        Stored::Nanos(nanos) => itoa::Buffer::new().format(nanos / 1_000_000_000).len() + 4,
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
            let written = line(false, EventType::Status, level, &[]);
            assert_eq!(written.find("status"), Some(21), "{written}");
        }
    }

    #[test]
    fn fields_stand_in_one_column_where_there_is_room() {
        let long = "x".repeat(50);
        let texts =
            [("log_msg", "checked out \"3\" items, né"), ("log_msg", ""), ("req_path", "/a b\n"), ("req_path", "/")];
        for (name, text) in texts {
            let kind = if name == "log_msg" { EventType::Log } else { EventType::Request };
            let log_name = if name == "log_msg" { "log_name" } else { "job_name" };
            let fields = [(name, Value::Str(text)), (log_name, Value::I64(-20)), ("app_n", Value::U64(1))];
            let written = line(false, kind, Level::Info, &fields);
            let place =
                written.chars().collect::<Vec<_>>().windows(5).position(|five| five == ['a', 'p', 'p', '_', 'n']);
            assert_eq!(place, Some(63), "{written}");
        }
        let fields = [("log_msg", Value::Str(&long)), ("app_n", Value::U64(1))];
        assert!(line(false, EventType::Log, Level::Info, &fields).ends_with("x  app_n=1"));
    }

    #[test]
    fn a_message_has_its_logger_and_text_in_front() {
        let fields = [("log_name", Value::Str("shop::cart")), ("log_msg", Value::Str("sold \"out\""))];
        let written = line(false, EventType::Log, Level::Warning, &fields);
        assert_eq!(written, r#"00:00:00.000 WARNING shop::cart sold "out""#);
        let hostile = [("log_name", Value::Str("\u{1b}[2J")), ("log_msg", Value::Str("\u{1b}[2J"))];
        assert_eq!(line(false, EventType::Log, Level::Info, &hostile), r"00:00:00.000 INFO    log     \u001b[2J");
    }

    #[test]
    fn no_value_sends_the_terminal_a_command() {
        let hostile = "\u{1b}[2J\u{9b}2J\r\n\u{7}\u{202e}";
        let fields = [("req_path", Value::Str(hostile)), ("app_a", Value::Str(hostile))];
        let written = line(false, EventType::Request, Level::Info, &fields);
        let escaped = r#""\u001b[2J\u009b2J\r\n\u0007\u202e""#;
        let words: Vec<&str> = written.split_whitespace().collect();
        assert_eq!(words, ["00:00:00.000", "INFO", "request", escaped, &format!("app_a={escaped}")]);
    }

    #[test]
    fn a_developer_or_a_terminal_decides() {
        let wants = |devel: &str, terminal| wants_development(Some(OsString::from(devel)), || terminal);
        for devel in ["1", "true", "YES", " on "] {
            assert!(wants(devel, false), "{devel}");
        }
        for devel in ["0", "false", "No", "off"] {
            assert!(!wants(devel, true), "{devel}");
        }
        assert!(wants("", true) && !wants("perhaps", false));
        assert!(wants_development(None, || true) && !wants_development(None, || false));
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
