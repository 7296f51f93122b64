//! What is done to a whole process: it is killed, stopped, watched, and denied threads, files, randomness and handlers.
//!
//! | promise | proven in |
//! |---|---|
//! | E7, F10 what SIGKILL leaves behind is whole, and was not flushed at most | `killed` |
//! | F7 two processes, one pipe | `piped` |
//! | F12 without files and threads nothing panics, and nothing is lost | `denied` |
//! | R9 no signal handler | `denied`, `traced` |
//! | R11 steps of the date | `clock` |
//! | an id, and a whole request, without a system call | `denied`, `traced` |
//! | `panic = "abort"` | `abort` |
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr)] // says why something is skipped

mod abort;
mod clock;
mod denied;
mod killed;
mod piped;
mod traced;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use canonlog_tests::logfmt;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Ended {
    fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// How it ended, unless it could not do what it was to do.
    fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The lines of one type of event.
    fn of(&self, kind: &str) -> Vec<&str> {
        let head = format!("event_type=\"{kind}\" ");
        self.out.lines().filter(|line| line.starts_with(&head)).collect()
    }

    /// The last two numbers of `lost <n> written <n>` on stderr.
    fn told(&self) -> (u64, u64) {
        let line = self.err.lines().rev().find_map(|line| line.strip_prefix("lost "));
        let (lost, written) = line.and_then(|line| line.split_once(" written ")).expect(&self.err);
        (lost.parse().expect("a number"), written.parse().expect("a number"))
    }
}

fn text(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe");
        String::from_utf8(bytes).expect("text")
    })
}

/// A program that is not told by this one's environment where its events go.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in ["CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT"] {
        command.env_remove(variable);
    }
    command
}

fn subject(arguments: &[&str]) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_subject"));
    command.args(arguments);
    command
}

/// Runs a program to its end, within bounds.
fn run(command: &mut Command) -> Ended {
    let mut child = command.spawn().expect("it starts");
    let (out, err) = (text(child.stdout.take().expect("piped")), text(child.stderr.take().expect("piped")));
    let status = wait(&mut child, command);
    Ended { status, out: out.join().expect("no panic"), err: err.join().expect("no panic") }
}

fn wait(child: &mut Child, what: &Command) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{what:?} has not ended after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The `app_n` of each line that has one, in order; every line is in the grammar.
fn numbers(out: &str) -> Vec<u64> {
    let number = |line: &str| {
        let fields = logfmt::parse(line).unwrap_or_else(|error| panic!("{error}"));
        fields.into_iter().find(|(name, _)| name == "app_n").and_then(|(_, n)| n.parse().ok())
    };
    out.lines().filter_map(number).collect()
}
