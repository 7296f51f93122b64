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

use std::process::Command;
use std::time::Duration;

use canonlog_tests::logfmt;
use canonlog_tests::program::{self, Ended, command};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn run(command: &mut Command) -> Ended {
    program::run(command, PATIENCE)
}

fn subject(arguments: &[&str]) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_subject"));
    command.args(arguments);
    command
}

/// The `app_n` of each line that has one, in order; every line is in the grammar.
fn numbers(out: &str) -> Vec<u64> {
    let number = |line: &str| {
        let fields = logfmt::parse(line).unwrap_or_else(|error| panic!("{error}"));
        fields.into_iter().find(|(name, _)| name == "app_n").and_then(|(_, n)| n.parse().ok())
    };
    out.lines().filter_map(number).collect()
}
