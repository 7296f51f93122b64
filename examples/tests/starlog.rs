//! Starlog's demonstrations, run as programs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    for variable in ["CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT", "CANONLOG_CONFIG"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().expect("the program starts")
}

/// All that the program writes, once these requests were its input and it has ended.
fn after(mut program: Child, requests: &[&str]) -> Vec<String> {
    let mut input = program.stdin.take().expect("its input");
    for request in requests {
        writeln!(input, "{request}").expect("it reads");
    }
    drop(input);
    let output = program.wait_with_output().expect("it ends with its input");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// The line without its time, which is a date and a time of day.
fn without_time(line: &str) -> &str {
    let (time, rest) = line.split_at(19);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    assert_eq!(shape, "9999-99-99 99:99:99", "{line}");
    rest
}

#[test]
fn the_status_line_is_starlogs_and_the_last_one_comes_with_the_end() {
    let program = start(env!("CARGO_BIN_EXE_status"), &["1h"]);
    let lines = after(program, &["tea", "oops", "odd", "odd", "coffee", "odd", "odd", "tea", "tea", "tea"]);
    let told: Vec<&str> = lines.iter().map(|line| without_time(line)).collect();
    // `info` was said five times, of "served {request}".
    let want = " log messages: 1 ERROR, 4 WARNING 5 INFO, 80 bytes; \
                requests: 10, 9 good, 0 elsewhere, 3.40 letters";
    assert_eq!(told, [want]);
}

#[test]
fn every_period_has_its_line_and_a_quiet_end_has_none() {
    let mut program = start(env!("CARGO_BIN_EXE_status"), &["50ms"]);
    let mut lines = BufReader::new(program.stdout.take().expect("its output")).lines();
    let mut next = || lines.next().expect("it still runs").expect("text");
    assert!(next().ends_with(" requests: 0, 0 good, 0 elsewhere, 0.00 letters"));
    let mut input = program.stdin.take().expect("its input");
    writeln!(input, "tea").expect("it reads");
    // However many periods pass before it is served.
    let told = std::iter::from_fn(|| Some(next())).take(1_000).find(|line| !line.contains(" requests: 0,"));
    assert!(told.is_some_and(|line| line.contains(" 1 INFO, 16 bytes; requests: 1, 1 good,")));
    assert!(next().contains(" 0 INFO, 0 bytes; requests: 0, 0 good,"));
    drop(input);
    assert!(program.wait().expect("it ends with its input").success());
    assert!(lines.all(|line| line.expect("text").contains(" requests: 0,")));
}

#[test]
fn a_period_that_is_none_is_refused_with_what_is_wrong() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_status"));
    let output = program.arg("5M").stdin(Stdio::null()).output().expect("it runs");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("there is no unit `M`"), "{error}");
}

#[test]
fn quiet_messages_are_written_only_where_something_goes_wrong() {
    let program = start(env!("CARGO_BIN_EXE_lookback"), &[]);
    let want = [
        "info request -", // tea
        "debug log oops: step 2",
        "debug log oops: step 3",
        "debug log oops: step 4",
        "error log no oops today",
        "info request -",
        "debug log down: step 3",
        "debug log down: step 4",
        "info log done with down",
        "error request -",
        "info request -", // coffee
    ];
    assert_eq!(after(program, &["tea", "oops", "down", "coffee"]), want);
}
