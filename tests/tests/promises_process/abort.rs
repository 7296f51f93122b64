//! `panic = "abort"`: the panic hook is the last that runs.
//!
//! A crate of its own, built here with that profile, from the workspace's lock file and what is downloaded already.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Ended, command, numbers, run};

const MANIFEST: &str = r#"
[package]
name = "aborts"
version = "0.0.0"
edition = "2024"

[dependencies]
canonlog = { path = "RUNTIME" }

[profile.dev]
panic = "abort"
debug = false

[workspace]
"#;

const MAIN: &str = r#"
use canonlog::{Context, Kind, begin};

fn emit(n: u64) {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set("n", n));
    scope.finish();
}

#[canonlog::instrument_request]
fn view(n: u64) -> u64 {
    Context::set("n", n);
    let nothing: Option<u64> = None;
    nothing.expect("the program's bug")
}

#[canonlog::register_instrumenter]
struct Breaks;

impl canonlog::Instrumenter for Breaks {
    fn call(&self, unit: &mut canonlog::Unit<'_>) -> Result<(), canonlog::InstrumenterError> {
        assert!(unit.get("app_break").is_none(), "of the instrumenter");
        Ok(())
    }
}

struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("of the display")
    }
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let _guard = (how != "without_setup").then(|| canonlog::setup().init().expect("a set-up"));
    (0..10).for_each(emit);
    match how.as_str() {
        "outside" => panic!("outside any request"),
        "thread" => drop(std::thread::spawn(|| view(10)).join()),
        "display" => begin(Kind::Request).enter(|| {
            Context::set("n", 10);
            Context::set("shown", canonlog::display(Broken));
        }),
        "instrumenter" => begin(Kind::Request).enter(|| Context::set("break", true)),
        "instrumenter_in_the_hook" => begin(Kind::Request).enter(|| {
            Context::set("break", true);
            panic!("the program's bug");
        }),
        "twice" => {
            let outer = begin(Kind::Request);
            outer.enter(|| {
                Context::set("n", 11);
                begin(Kind::Job).enter(|| drop(view(10)))
            });
        }
        _ => drop(view(10)),
    }
}
"#;

/// The program, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aborts");
        std::fs::create_dir_all(dir.join("src")).expect("a directory");
        let runtime = workspace.join("runtime");
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file");
        write("Cargo.toml", &MANIFEST.replace("RUNTIME", runtime.to_str().expect("text")));
        write("src/main.rs", MAIN);
        std::fs::copy(workspace.join("Cargo.lock"), dir.join("Cargo.lock")).expect("the lock file");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--offline", "--target-dir"]).arg(dir.join("target")).current_dir(&dir);
        let built = build.output().expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        dir.join("target/debug/aborts")
    })
}

fn aborted(how: &str) -> Ended {
    let ended = run(command(program().to_str().expect("text")).arg(how));
    assert_eq!(ended.signal(), Some(libc::SIGABRT), "{how}: {:?} {}", ended.status, ended.err);
    ended
}

#[test]
fn the_request_that_panics_has_its_event_and_those_before_it_are_flushed() {
    for how in ["request", "thread", "without_setup"] {
        let ended = aborted(how);
        assert_eq!(numbers(&ended.out), (0..=10).collect::<Vec<_>>(), "{how}: {}", ended.err);
        let last = ended.out.lines().last().expect("a line");
        for field in ["event_level=\"error\"", "exc_panic=\"true\"", "the program's bug", "resp_view=\"aborts::view\""]
        {
            assert!(last.contains(field), "{how}: {field} in {last}");
        }
    }
}

#[test]
fn a_panic_outside_any_request_flushes_what_there_is() {
    let ended = aborted("outside");
    assert_eq!(numbers(&ended.out), (0..10).collect::<Vec<_>>(), "{}", ended.err);
}

#[test]
fn the_record_that_the_thread_is_inside_has_its_event_and_what_came_before_is_flushed() {
    let ended = aborted("twice");
    let numbers = numbers(&ended.out);
    assert_eq!(numbers[..10], (0..10).collect::<Vec<_>>(), "{}", ended.err);
    assert_eq!(ended.out.matches("exc_panic=\"true\"").count(), 1, "{}", ended.out);
}

#[test]
fn a_display_that_panics_is_the_end_of_the_process_and_has_its_requests_event() {
    let ended = aborted("display");
    assert_eq!(numbers(&ended.out), (0..=10).collect::<Vec<_>>(), "{}", ended.err);
    let last = ended.out.lines().last().expect("a line");
    assert!(last.contains("exc_panic=\"true\"") && last.contains("exc_msg=\"of the display\""), "{last}");
}

#[test]
fn an_instrumenter_that_panics_is_the_end_of_the_process_and_what_came_before_is_flushed() {
    for how in ["instrumenter", "instrumenter_in_the_hook"] {
        let ended = aborted(how);
        assert_eq!(numbers(&ended.out), (0..10).collect::<Vec<_>>(), "{how}: {}", ended.err);
    }
}
