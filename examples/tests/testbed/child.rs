//! The testbed as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use canonlog_tests::client::{Client, PATIENCE, Reply};
use canonlog_tests::program;
use serde_json::{Map, Value};

/// An event as its reader gets it.
pub(crate) type Event = Map<String, Value>;

pub(crate) fn command() -> Command {
    let mut command = program::command(env!("CARGO_BIN_EXE_testbed"));
    command.env_remove("TESTBED_TIMEOUT_MS");
    command
}

/// Waits for the end, within bounds.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    program::wait(child, "the testbed", PATIENCE)
}

/// A running testbed that writes JSON.
pub(crate) struct Testbed {
    pub(crate) addr: SocketAddr,
    child: Child,
    lines: Receiver<String>,
}

impl Testbed {
    pub(crate) fn start() -> Self {
        Testbed::start_with(|command| {
            command.args(["--format", "json"]);
        })
    }

    pub(crate) fn with_timeout(limit: Duration) -> Self {
        Testbed::start_with(|command| {
            command.args(["--format", "json"]).env("TESTBED_TIMEOUT_MS", limit.as_millis().to_string());
        })
    }

    pub(crate) fn start_with(adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = command();
        adjust(command.args(["--port", "0"]));
        let mut child = command.spawn().expect("the testbed starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        let addr = loop {
            let before = said.len();
            assert_ne!(stderr.read_line(&mut said).expect("stderr"), 0, "it ended: {said}");
            if let Some((_, addr)) = said[before..].split_once("listening on http://") {
                break addr.trim().parse().expect("an address");
            }
        };
        // Read on, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8(line).expect("events are UTF-8");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Testbed { addr, child, lines }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.connect().get(path)
    }

    /// The next line.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    /// The next event.
    pub(crate) fn event(&self) -> Event {
        parse(&self.line())
    }

    /// One `GET` and its one event.
    pub(crate) fn ask(&self, path: &str) -> (Reply, Event) {
        let reply = self.get(path);
        (reply, self.event())
    }

    /// Nothing is written for a while.
    pub(crate) fn assert_silent(&self, time: Duration) {
        assert_eq!(self.lines.recv_timeout(time), Err(RecvTimeoutError::Timeout));
    }

    /// Sends a signal (`TERM`, `STOP`), by the shell's own `kill`: a bare system has no program of that name.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &script]).status().expect("a shell");
        assert!(sent.success());
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// The lines that come until none comes for a while.
    pub(crate) fn lines_until_quiet(&self, time: Duration) -> Vec<String> {
        std::iter::from_fn(|| self.lines.recv_timeout(time).ok()).collect()
    }

    /// Waits for the end; its status, and the lines that nobody took before.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = wait(&mut self.child);
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => return (status, rest),
                Err(RecvTimeoutError::Timeout) => panic!("stdout stays open"),
            }
        }
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn parse(line: &str) -> Event {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
}

/// A text field.
#[track_caller]
pub(crate) fn text<'a>(event: &'a Event, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} in {event:#?}"))
}

/// A number.
#[track_caller]
pub(crate) fn number(event: &Event, name: &str) -> f64 {
    event.get(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("{name} in {event:#?}"))
}
