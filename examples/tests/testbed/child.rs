//! The testbed as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use canonlog_tests::client::{Client, PATIENCE, Reply};
use serde_json::{Map, Value};

/// An event as its reader gets it.
pub(crate) type Event = Map<String, Value>;

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
    command.env_remove("TESTBED_TIMEOUT_MS").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the end, within bounds.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the testbed did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
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

/// Everything that a program which should fail says, and how it ended.
pub(crate) fn run_to_the_end(command: &mut Command) -> (ExitStatus, String, String) {
    let mut child = command.spawn().expect("the testbed starts");
    let status = wait(&mut child);
    let mut stdout = String::new();
    let mut stderr = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("text");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    (status, stdout, stderr)
}
