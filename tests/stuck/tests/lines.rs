//! What a timeout tells of a thread that is stuck, in programs that were built in the ways that users build theirs.
//!
//! ```text
//! cargo build           lines and names
//! cargo build --release the same, although functions were merged
//!   line-tables-only    lines; the names of merged functions without their path
//!   debug = 0           names of functions that were not merged; the rest is what annotations tell
//!   strip = "symbols"   nothing: what annotations tell is all
//! ```
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use canonlog_tests::logfmt;

/// A `timeout` event.
struct Timeout(HashMap<String, String>);

impl Timeout {
    fn get(&self, field: &str) -> &str {
        self.0.get(field).unwrap_or_else(|| panic!("no `{field}` in {:?}", self.0))
    }
}

/// One program at a time, and none while another is built: what runs has to get a processor within a tenth of a second.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The timeouts of a program, by handler.
fn timeouts(program: &Path) -> HashMap<String, Timeout> {
    timeouts_with(program, &[])
}

fn timeouts_with(program: &Path, args: &[&str]) -> HashMap<String, Timeout> {
    timeouts_of(run(program, args))
}

fn run(program: &Path, args: &[&str]) -> Output {
    let _alone = alone();
    Command::new(program).args(args).output().expect("the program runs")
}

fn timeouts_of(output: Output) -> HashMap<String, Timeout> {
    let text = String::from_utf8(output.stdout).expect("text");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let events = text.lines().map(|line| logfmt::parse(line).expect("an event").into_iter().collect());
    let timeouts = events.map(Timeout).filter(|event| event.get("event_type") == "timeout");
    let found: HashMap<String, Timeout> = timeouts.map(|event| (event.get("resp_view").to_owned(), event)).collect();
    assert_eq!(found.len(), 6, "{text}{said}");
    found
}

/// The program as `cargo build --release` makes it, but for some options of the compiler.
fn release(options: &[&str]) -> PathBuf {
    let _alone = alone();
    // Its own folder: cargo waits for who else builds in one.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stuck");
    let status = Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "--locked", "--offline", "--release", "--bin", "stuck", "--target-dir"])
        .arg(&folder)
        .arg("--")
        .args(options)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo");
    assert!(status.success(), "{options:?}: {status}");
    let name = options.join("").replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let kept = folder.join(format!("stuck-{name}"));
    std::fs::copy(folder.join("release/stuck"), &kept).expect("a copy");
    kept
}

/// Where a comment stands in the program's source.
fn line(mark: &str) -> String {
    let source = include_str!("../src/main.rs");
    let at = source.lines().position(|line| line.ends_with(&format!("// {mark}"))).expect("a mark");
    format!("src/main.rs:{}:", at + 1)
}

/// The line of the source that a `file:line:function` names, in the crate without annotations.
fn of_legacy(loc: &str) -> &'static str {
    let source = include_str!("../../../examples/legacy/src/lib.rs");
    let line: usize = loc.split(':').nth(1).and_then(|line| line.parse().ok()).expect("a line");
    source.lines().nth(line - 1).expect("a line").trim()
}

/// What holds wherever there are lines: `inner` is the handlers' own innermost function with its path, if that is known.
fn check_lines(timeouts: &HashMap<String, Timeout>, has_names: bool) {
    for (view, event) in timeouts {
        let handler = view.strip_prefix("stuck::").expect("a handler of the program");
        let (loc, cause, stack) =
            (event.get("timeout_loc"), event.get("timeout_cause_loc"), event.get("timeout_stack"));
        assert!(loc.starts_with(&line(&format!("of {handler}"))), "{handler}: {loc}");
        assert!(!has_names || loc.ends_with(&format!(":{view}")), "{handler}: {loc}");
        assert!(stack.contains(" < ") || handler == "spin", "{handler}: {stack}");
        let (state, inner) = match handler {
            "spin" => ("running", "legacy::"),
            "block" => ("blocked", "legacy::wait"),
            "sync" => ("blocked", "stuck::inner"),
            _ => ("blocked", view.as_str()),
        };
        assert_eq!(event.get("timeout_state"), state, "{handler}");
        match handler {
            "spin" => {
                assert!(cause.starts_with("legacy/src/lib.rs:") && cause.contains(inner), "{cause}");
                let lines = ["for n in 0..", "sum = ", "while began", "let mut sum = std"];
                assert!(lines.iter().any(|line| of_legacy(cause).starts_with(line)), "{cause}");
                assert!(stack.contains("legacy::compute"), "{stack}");
                continue;
            }
            "block" => {
                assert_eq!(of_legacy(cause), "std::thread::sleep(pause);", "{cause}");
                assert!(cause.starts_with("legacy/src/lib.rs:"), "{cause}");
            }
            "sync" | "callback" => assert!(cause.starts_with(&line(&format!("in {handler}"))), "{handler}: {cause}"),
            _ => assert!(cause.starts_with(&line(&format!("of {handler}"))), "{handler}: {cause}"),
        }
        assert!(!has_names || cause.ends_with(&format!(":{inner}")), "{handler}: {cause}");
        assert!(stack.starts_with("std/src/"), "the innermost is a library's, and no location: {stack}");
    }
    assert!(timeouts["stuck::callback"].get("timeout_stack").contains("once_cell-"), "a dependency's place is told");
}

/// Without lines in the handlers' crate: they are named all the same, and what is not the application's stands in the stack alone.
fn check_handlers(timeouts: &HashMap<String, Timeout>) {
    for (view, event) in timeouts {
        for field in ["timeout_loc", "timeout_cause_loc"] {
            let at = event.get(field);
            let in_legacy = field == "timeout_cause_loc" && at.starts_with("legacy/src/lib.rs:");
            assert!(in_legacy || at.starts_with("src/main.rs:"), "{field} of {view}: {at}");
            assert!(in_legacy || at.ends_with(&format!(":{view}")), "{field} of {view}: {at}");
        }
    }
}

#[test]
fn a_debug_build_names_every_line() {
    check_lines(&timeouts(Path::new(env!("CARGO_BIN_EXE_stuck"))), true);
}

#[test]
fn a_release_build_names_every_line() {
    check_lines(&timeouts(&release(&[])), true);
}

#[test]
fn a_release_build_with_line_tables_alone_names_every_line() {
    check_lines(&timeouts(&release(&["-C", "debuginfo=line-tables-only"])), false);
}

#[test]
fn a_release_build_without_debug_information_names_handlers_and_what_has_lines() {
    let timeouts = timeouts(&release(&["-C", "debuginfo=0"]));
    check_handlers(&timeouts);
    for (handler, function) in [("block", "legacy::wait"), ("sync", "std::thread::functions::sleep")] {
        let stack = timeouts[&format!("stuck::{handler}")].get("timeout_stack");
        assert!(stack.contains(function), "{handler}: {stack}");
    }
}

#[test]
fn a_stripped_build_names_handlers_and_says_that_there_is_no_stack() {
    let timeouts = timeouts(&release(&["-C", "strip=symbols"]));
    check_handlers(&timeouts);
    for (view, event) in &timeouts {
        assert_eq!(event.get("timeout_stack"), "unavailable", "{view}");
        assert!(event.get("timeout_cause_loc").ends_with(&format!(":{view}")), "{view}");
    }
}

/// How many of them have a stack.
fn with_stack(timeouts: &HashMap<String, Timeout>) -> usize {
    timeouts.values().filter(|event| event.get("timeout_stack") != "unavailable").count()
}

#[test]
fn no_more_stacks_are_taken_in_a_second_than_were_asked_for() {
    let program = Path::new(env!("CARGO_BIN_EXE_stuck"));
    let taken = with_stack(&timeouts_with(program, &["2"]));
    // All time out at once, but that may be at the turn of a second.
    assert!((2..=4).contains(&taken), "{taken}");
    let none = timeouts_with(program, &["0"]);
    assert!(none.values().all(|event| !event.0.contains_key("timeout_stack")));
    assert_eq!(none["stuck::spin"].get("timeout_state"), "running");
}

#[test]
fn a_program_that_handles_the_signal_itself_gets_none() {
    let timeouts = timeouts_with(Path::new(env!("CARGO_BIN_EXE_stuck")), &["100", "own"]);
    assert_eq!(timeouts["stuck::spin"].get("timeout_stack"), "unavailable");
    assert_eq!(with_stack(&timeouts), 5, "the others sleep");
}

#[test]
fn a_program_that_may_not_read_what_its_threads_do_tells_what_annotations_tell() {
    let timeouts = timeouts_with(Path::new(env!("CARGO_BIN_EXE_stuck")), &["100", "dropped"]);
    check_handlers(&timeouts);
    for (view, event) in &timeouts {
        // Whether a thread sleeps can be read all the same; where it does, cannot.
        let state = if view == "stuck::spin" { "running" } else { "blocked" };
        assert_eq!(event.get("timeout_state"), state, "{view}");
        if view != "stuck::spin" {
            assert_eq!(event.get("timeout_stack"), "unavailable", "{view}");
            assert!(event.get("timeout_cause_loc").ends_with(&format!(":{view}")), "{view}");
        }
    }
}

#[test]
#[allow(clippy::print_stderr)] // says why it is skipped
fn a_program_without_proc_tells_what_annotations_tell() {
    const NOT_PERMITTED: i32 = 77;
    let output = run(Path::new(env!("CARGO_BIN_EXE_stuck")), &["100", "hidden"]);
    if output.status.code() == Some(NOT_PERMITTED) {
        let why = String::from_utf8_lossy(&output.stderr);
        eprintln!("skipped: {why}");
        return;
    }
    let timeouts = timeouts_of(output);
    check_handlers(&timeouts);
    for (view, event) in &timeouts {
        assert_eq!(event.get("timeout_stack"), "unavailable", "{view}");
        assert!(event.get("timeout_cause_loc").ends_with(&format!(":{view}")), "{view}");
        // Nobody can say whether its thread sleeps.
        assert!(!event.0.contains_key("timeout_state"), "{view}");
    }
}
