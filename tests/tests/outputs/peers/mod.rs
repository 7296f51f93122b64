//! Collectors and readers that others wrote, where they are installed: each gives back what an event held, or says what it made of it.
//!
//! Debian's programs are found by their paths. What comes from the registries of Python and of Node lies in `peers` of the target
//! directory, where `.ci/run` puts it. What is not there is skipped, and said.

mod gelf;
mod journald;
mod lines;
mod otlp;
mod people;
mod syslog_ng;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use canonlog::{EventType, Format, Level, OwnedEvent, Value};

use super::sockets::SOON;

/// A program of the system; says so if there is none.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/bin", "/usr/sbin", "/usr/lib/systemd"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(more).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no {name}");
    }
    found
}

/// What `.ci/run` has installed from a registry, by its path in `peers` of the target directory; says so if it has not.
fn package(path: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().expect("a program has a path");
    let found = here.ancestors().nth(3).map(|target| target.join("peers").join(path)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no {path} in `peers` of the target directory");
    }
    found
}

/// A program that is spoken with by lines, and ended with the test.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let (out, (told, lines)) = (child.stdout.take().expect("piped"), mpsc::channel());
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).all(|line| told.send(line).is_ok());
        });
        Running { child, lines }
    }

    /// Where it reads.
    fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("piped, and taken once")
    }

    /// What it says next, as JSON.
    fn says(&self) -> serde_json::Value {
        let line = self.lines.recv_timeout(SOON).expect("it says something");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until there is an answer.
pub(super) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Texts that a reader can take for something else.
const TEXTS: [&str; 48] = [
    "",
    " ",
    "-",
    "word",
    "two words",
    " around ",
    "a=b",
    "a:b,c;d",
    "null",
    "true",
    "5",
    "007",
    "1e9",
    "0x1F",
    "NaN",
    "Infinity",
    "\"",
    "\\",
    "\\\\",
    "ends in \\",
    "ends in \\\"",
    "\"quoted\" req_id=\"forged",
    "\\n is no line end",
    "\\u0041",
    "one\ntwo",
    "\n",
    "one\r\ntwo\r",
    "a\tb",
    "\0",
    "a\0b",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{7f}",
    "\u{85}next",
    "\u{9b}31m",
    "\u{a0}",
    "a\u{2028}b\u{2029}c",
    "\u{202e}gpj.exe",
    "\u{feff}mark",
    "\u{fffd}",
    "é 日本 😀",
    "e\u{301}",
    "'one' `two` $(three) ${four}",
    "%s %n %20",
    "{} [] ()",
    "] [x@1 y=\"z\"]",
    "<14>1 - - - - - -",
    "<b>&amp;</b>",
    "10.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 1",
];

/// A value of each kind, at its limits too.
fn values() -> Vec<Value<'static>> {
    let numbers = [i64::MIN, -1_000, -1, 0, 7, i64::MAX].map(Value::I64);
    let unsigned = [0, 9_007_199_254_740_993, i64::MAX as u64, 1 << 63, u64::MAX].map(Value::U64);
    let floats = [0.0, -0.0, 0.1, -2.5, 1e21, 1e308, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let times = [(0, 0), (0, 1), (0, 16_500_000), (2, 0), (8_589_934_592, 123_456_789)];
    let times = times.map(|(secs, nanos)| Value::Duration(Duration::new(secs, nanos)));
    let plain = [Value::Null, Value::Bool(true), Value::Bool(false)];
    let texts = TEXTS.into_iter().map(Value::Str);
    plain.into_iter().chain(numbers).chain(unsigned).chain(floats.map(Value::F64)).chain(times).chain(texts).collect()
}

/// When all events here were.
fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_214_761_123)
}

/// Events with all these values, twelve a time, as `app_v0` and on; the level differs.
pub(super) fn events(kind: EventType) -> Vec<OwnedEvent> {
    let values = values();
    let chunks = values.chunks(12).zip(Level::ALL.into_iter().cycle());
    let event = |(values, level): (&[Value<'_>], Level)| {
        let mut event = OwnedEvent::new(kind, level, time());
        values.iter().enumerate().for_each(|(at, value)| event.set(&format!("app_v{at}"), value));
        event
    };
    chunks.map(event).collect()
}

/// Whether a text says this value, exactly; a duration in seconds.
pub(super) fn says(value: Value<'_>, text: &str) -> bool {
    match value {
        Value::Bool(value) => text.parse() == Ok(value),
        Value::I64(value) => text.parse() == Ok(value),
        Value::U64(value) => text.parse() == Ok(value),
        Value::F64(value) => text.parse().is_ok_and(|read| same(read, value)),
        Value::Duration(value) => {
            let Some((seconds, nanos)) = text.split_once('.') else { return false };
            seconds.parse() == Ok(value.as_secs()) && format!("{nanos:0<9}").parse() == Ok(value.subsec_nanos())
        }
        Value::Str(value) => text == value,
        _ => false,
    }
}

/// Whether two floats are the same, bit by bit.
fn same(read: f64, written: f64) -> bool {
    read.to_bits() == written.to_bits() || read.is_nan() && written.is_nan()
}

fn line(format: &impl Format, event: &OwnedEvent) -> String {
    let mut line = Vec::new();
    format.format(&event.view(), &mut line);
    String::from_utf8(line).expect("UTF-8")
}
