//! What canonlog does to a process, and what becomes of it when the process forks or ends; each in a program of its own.

use std::collections::BTreeSet;

use canonlog_tests::logfmt;
use canonlog_tests::program::{self, Ended};

use super::PATIENCE;

fn run(how: &str) -> Ended {
    program::run(program::command(env!("CARGO_BIN_EXE_child")).arg(how), PATIENCE)
}

fn run_forks(how: &str) -> Ended {
    program::run(program::command(env!("CARGO_BIN_EXE_forks")).arg(how), PATIENCE)
}

/// The `app_n` of all lines, sorted; every line is whole.
fn numbers(out: &str) -> Vec<u64> {
    let number = |line| logfmt::field(line, "app_n").unwrap_or_else(|error| panic!("{error}")).parse();
    let mut numbers: Vec<u64> = out.lines().map(|line| number(line).expect("a number")).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_guard_bound_to_an_underscore_loses_nothing() {
    let ended = run("unbound");
    assert_eq!((ended.code(), ended.err.as_str()), (Some(0), ""));
    assert_eq!(numbers(&ended.out), (0..10).collect::<Vec<_>>());
}

#[test]
fn many_threads_flush_at_once_and_each_finds_its_events_written() {
    let ended = run("flush_at_once");
    assert_eq!(ended.code(), Some(7), "{}", ended.err);
    assert_eq!(numbers(&ended.out), (0..200).collect::<Vec<_>>());
}

#[test]
fn children_made_by_fork_under_load_end_at_once_with_ids_and_lines_of_their_own() {
    let ended = run("fork_under_load");
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let numbers = numbers(&ended.out);
    let children: Vec<u64> = numbers.iter().copied().filter(|n| *n >= 1_000_000).collect();
    let want: Vec<u64> = (1..=20).flat_map(|child| (0..10).map(move |n| child * 1_000_000 + n)).collect();
    assert_eq!(children, want, "each child's lines, once");
    let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(distinct.len(), numbers.len(), "no line of the parent's came twice");
    let ids: BTreeSet<String> = ended.out.lines().filter_map(|line| logfmt::field(line, "req_id").ok()).collect();
    assert_eq!(ids.len(), numbers.len(), "no id came twice");
}

#[test]
fn a_child_times_out_its_own_request_and_leaves_the_parents_to_the_parent() {
    let ended = run_forks("time_out");
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let told = |n: &str| -> Vec<String> {
        let lines = ended.out.lines().filter(|line| logfmt::field(line, "app_n").is_ok_and(|of| of == n));
        lines.map(|line| logfmt::field(line, "event_type").expect("a type")).collect()
    };
    // The late responses repeat no field, so they are told by their number.
    assert_eq!((told("1"), told("2")), (vec!["timeout".to_owned()], vec!["timeout".to_owned()]), "{}", ended.out);
    let mut types: Vec<_> = ended.out.lines().map(|line| logfmt::field(line, "event_type").expect("a type")).collect();
    types.sort_unstable();
    assert_eq!(types, ["late_response", "late_response", "timeout", "timeout"]);
    let ids: BTreeSet<String> = ended.out.lines().filter_map(|line| logfmt::field(line, "req_id").ok()).collect();
    assert_eq!(ids.len(), 2, "{}", ended.out);
}

#[test]
fn a_fork_while_stacks_are_taken_leaves_the_child_able_to_take_its_own() {
    let ended = run_forks("while_captured");
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let timeouts: Vec<(u64, bool)> = ended
        .out
        .lines()
        .filter(|line| logfmt::field(line, "event_type").is_ok_and(|kind| kind == "timeout"))
        .map(|line| {
            let n = logfmt::field(line, "app_n").expect("a number").parse().expect("a number");
            (n, logfmt::field(line, "timeout_stack").is_ok_and(|stack| stack.contains("forks::spin")))
        })
        .collect();
    let children: BTreeSet<u64> = timeouts.iter().map(|(n, _)| *n).filter(|n| *n > 0).collect();
    assert_eq!(children, (1..=12).collect());
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let with_stack = timeouts.iter().filter(|(n, has_stack)| *n > 0 && *has_stack).count();
        // A child may get no processor for a tenth of a second.
        assert!(with_stack >= 10, "{timeouts:?}");
    }
}

#[test]
fn a_fork_at_any_moment_leaves_the_child_no_lock_that_nobody_has() {
    let ended = run_forks("any_moment");
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let children: Vec<u64> = ended
        .out
        .lines()
        .filter_map(|line| logfmt::field(line, "app_n").ok()?.parse().ok())
        .filter(|n| *n >= 10)
        .collect();
    let distinct: BTreeSet<u64> = children.iter().copied().collect();
    assert_eq!((children.len(), distinct.len()), (450, 450), "three lines of each child, once");
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_handles_no_signal_by_itself() {
    let ended = run("signals");
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let masks: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("Sig")).collect();
    assert_eq!(masks.len(), 6, "{}", ended.err);
    // Caught, ignored, blocked: before anything, and after set-up, requests, a timeout and a panic.
    assert_eq!(masks[..3], masks[3..]);
}
