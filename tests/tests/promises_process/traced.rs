//! What strace sees of a process; skipped where there is none.

use std::process::{Command, Stdio};

use super::{command, numbers, run};

/// The calls that a program made, each with the thread in front, and what it wrote; nothing without strace.
fn traced(program: &str, arguments: &[&str]) -> Option<(Vec<String>, super::Ended)> {
    let able = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let mut probe = Command::new("strace");
    probe.args(["-f", "-o", "/dev/null", "true"]);
    if !able(probe).is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace is not installed, or may not trace");
        return None;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let mut command = command("strace");
    command.args(["-f", "-s", "64", "-o"]).arg(&trace).arg(program).args(arguments);
    let ended = run(&mut command);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    let calls = std::fs::read_to_string(&trace).expect("the trace");
    Some((calls.lines().map(str::to_owned).collect(), ended))
}

/// The calls between the one that wrote `from` to stderr and the one that wrote `to`.
fn between<'a>(calls: &'a [String], from: &str, to: &str) -> &'a [String] {
    let at = |what: &str| {
        let wanted = format!("write(2, \"{what}");
        calls.iter().position(|call| call.contains(&wanted)).unwrap_or_else(|| panic!("no {wanted} in {calls:#?}"))
    };
    &calls[at(from) + 1..at(to)]
}

fn thread(call: &str) -> &str {
    call.split(' ').next().unwrap_or_default()
}

#[test]
fn a_request_makes_no_system_call_and_its_thread_only_wakes_the_writer() {
    const REQUESTS: usize = 2_000;
    let Some((calls, ended)) = traced(env!("CARGO_BIN_EXE_subject"), &["requests", "2000"]) else { return };
    assert_eq!(numbers(&ended.out).len(), 200 + REQUESTS, "{}", ended.err);
    let marked = between(&calls, "from here", "to here");
    assert!(marked.iter().all(|call| !call.contains("getrandom(")), "{marked:#?}");
    let main = thread(&calls[0]);
    // Those that another thread's interrupted have a second line, when they go on.
    let own: Vec<&String> = marked.iter().filter(|call| thread(call) == main && !call.contains("resumed>")).collect();
    let wakes = own.iter().filter(|call| call.contains("futex(")).count();
    let others: Vec<&&String> = own.iter().filter(|call| !call.contains("futex(")).collect();
    assert!(others.is_empty(), "{others:#?}");
    // A chunk holds 64 events; one that is full wakes the writer, and finding the lock taken costs two more.
    assert!(wakes <= 3 * REQUESTS / 64, "{wakes} calls for {REQUESTS} requests");
}

#[test]
fn no_signal_handler_is_installed_between_the_start_of_main_and_its_end() {
    let Some((calls, ended)) = traced(env!("CARGO_BIN_EXE_child"), &["signals"]) else { return };
    assert_eq!(ended.err.matches("SigCgt:").count(), 2, "{}", ended.err);
    let from = calls.iter().position(|call| call.contains("write(2, \"SigCgt:")).expect("told before");
    let to = calls.iter().rposition(|call| call.contains("write(2, \"SigCgt:")).expect("told after");
    let handlers: Vec<&String> = calls[from..to].iter().filter(|call| call.contains("rt_sigaction(")).collect();
    assert!(from < to && handlers.is_empty(), "{handlers:#?}");
    // That one would have been seen: those of the standard library, before `main`.
    assert!(calls[..from].iter().any(|call| call.contains("rt_sigaction(SIGSEGV")), "{calls:#?}");
}
