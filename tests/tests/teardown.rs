//! However a program ends: what was answered is written, and it ends in time.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use canonlog_tests::logfmt;
use canonlog_tests::program::{self, Ended, text};

const LIMIT: Duration = Duration::from_secs(30);
const RUNTIMES: [&str; 4] = ["multi_thread", "one_worker", "current_thread", "none"];

fn command(args: &[&str]) -> Command {
    let mut command = program::command(env!("CARGO_BIN_EXE_child"));
    command.args(args);
    command
}

fn wait(child: &mut Child, what: &str) -> ExitStatus {
    program::wait(child, what, LIMIT)
}

fn run(args: &[&str]) -> Ended {
    program::run(&mut command(args), LIMIT)
}

/// The `app_n` of each line, every one of which is whole.
fn numbers(out: &str) -> Vec<u64> {
    assert!(out.is_empty() || out.ends_with('\n'), "{out}");
    let number = |line: &str| {
        let fields = logfmt::parse(line).unwrap_or_else(|error| panic!("{error:?}: {line}"));
        let n = fields.iter().find(|(name, _)| name == "app_n").map(|(_, value)| value.to_string());
        n.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no number: {line}"))
    };
    out.lines().map(number).collect()
}

fn each_once(ended: &Ended, want: impl IntoIterator<Item = u64>, what: &str) {
    let mut numbers = numbers(&ended.out);
    numbers.sort_unstable();
    let want: Vec<u64> = want.into_iter().collect();
    assert_eq!(numbers, want, "{what}\n{}", ended.err);
}

fn on_every_runtime(how: &str, code: i32, want: &[u64]) {
    for runtime in RUNTIMES {
        let ended = run(&[how, runtime]);
        let what = format!("{how} {runtime}");
        assert_eq!(ended.status.code(), Some(code), "{what}: {}", ended.err);
        each_once(&ended, want.iter().copied(), &what);
    }
}

const TEN: [u64; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn a_guard_that_is_dropped_writes_everything() {
    on_every_runtime("drop", 0, &TEN);
}

#[test]
fn after_a_flush_a_process_may_exit() {
    on_every_runtime("flush", 7, &TEN);
}

#[test]
fn requests_that_a_dropped_runtime_cuts_off_are_written() {
    on_every_runtime("runtime_drop", 0, &TEN);
}

#[test]
fn requests_that_are_cut_off_after_the_guard_are_written_too() {
    on_every_runtime("runtime_drop_after_guard", 0, &TEN);
}

#[test]
fn a_panic_of_main_writes_everything() {
    on_every_runtime("panic", 101, &TEN);
}

#[test]
fn a_flush_in_the_panic_hook_and_while_unwinding_writes_everything() {
    let all: Vec<u64> = (0..20).collect();
    on_every_runtime("flush_while_panicking", 7, &all);
}

#[test]
fn an_exit_without_a_flush_ends_at_once_and_tears_nothing() {
    for runtime in RUNTIMES {
        let ended = run(&["exit", runtime]);
        assert_eq!(ended.status.code(), Some(3), "{runtime}: {}", ended.err);
        assert!(numbers(&ended.out).len() <= TEN.len());
    }
}

#[test]
fn events_of_thread_local_destructors_are_written() {
    for runtime in ["multi_thread", "one_worker", "none"] {
        let ended = run(&["thread_local", runtime]);
        assert_eq!(ended.status.code(), Some(0), "{runtime}: {}", ended.err);
        each_once(&ended, TEN.into_iter().chain([100, 101]), runtime);
    }
    // The work ran on the main thread, whose destructors may or may not run.
    let ended = run(&["thread_local", "current_thread"]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(BTreeSet::from_iter(numbers(&ended.out)).is_superset(&BTreeSet::from(TEN)));
}

#[test]
fn a_child_made_by_fork_writes_its_own_events_and_only_those() {
    for runtime in RUNTIMES {
        let ended = run(&["fork", runtime]);
        assert_eq!(ended.status.code(), Some(0), "{runtime}: {}", ended.err);
        each_once(&ended, (0..20).chain(1_000..1_500), runtime);
        let ids: BTreeSet<String> = ended.out.lines().filter_map(|line| field(line, "req_id")).collect();
        assert_eq!(ids.len(), 520, "every id is another one");
    }
    let ended = run(&["fork_without_flush"]);
    each_once(&ended, 0..20, "guards of both");
}

fn field(line: &str, name: &str) -> Option<String> {
    let fields = logfmt::parse(line).ok()?;
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string())
}

/// The two numbers of `lost <n> written <n>` on stderr.
fn told(err: &str) -> (u64, u64) {
    let line = err.lines().find_map(|line| line.strip_prefix("lost ")).unwrap_or_else(|| panic!("nothing told: {err}"));
    let (lost, written) = line.split_once(" written ").expect("two numbers");
    (lost.parse().expect("a number"), written.parse().expect("a number"))
}

#[test]
fn a_program_whose_output_nobody_reads_ends_and_says_what_was_lost() {
    let mut child = command(&["many", "30000"]).spawn().expect("it starts");
    let err = text(child.stderr.take().expect("piped"));
    let status = wait(&mut child, "a stuck output");
    assert_eq!(status.code(), Some(0));
    let err = err.join().expect("no panic");
    let (lost, written) = told(&err);
    assert_eq!(lost + written, 30_000, "{err}");
    assert!(err.contains(&format!("canonlog: output `stdout`: {lost} events lost, {written} written")), "{err}");
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    assert_eq!(numbers(&out).len() as u64, written);
}

#[test]
fn a_reader_that_is_gone_ends_nothing() {
    let mut child = command(&["many", "2000"]).spawn().expect("it starts");
    drop(child.stdout.take());
    let err = text(child.stderr.take().expect("piped"));
    assert_eq!(wait(&mut child, "a closed pipe").code(), Some(0));
    let (lost, written) = told(&err.join().expect("no panic"));
    assert_eq!(lost + written, 2_000);
    assert!(lost > 0);
}

#[test]
fn a_full_device_ends_nothing() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("this is Linux");
    let mut child = command(&["many", "2000"]).stdout(full).spawn().expect("it starts");
    let err = text(child.stderr.take().expect("piped"));
    assert_eq!(wait(&mut child, "a full device").code(), Some(0));
    let err = err.join().expect("no panic");
    assert_eq!(told(&err), (2_000, 0), "{err}");
    // At most one complaint a second, and the one at the end.
    assert!(err.lines().filter(|line| line.starts_with("canonlog: ")).count() <= 4, "{err}");
}

#[allow(unsafe_code)]
fn make_non_blocking(fd: i32) {
    // SAFETY: sets a flag of a descriptor that the caller holds open.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK) }, 0);
}

#[test]
fn a_pipe_that_does_not_block_loses_and_tears_nothing() {
    use std::os::fd::AsRawFd;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    make_non_blocking(writer.as_raw_fd());
    let mut child = command(&["many", "3000"]).stdout(writer).spawn().expect("it starts");
    let err = text(child.stderr.take().expect("piped"));
    // Slower than the program, so that the pipe is full again and again.
    let reading = std::thread::spawn(move || {
        let (mut reader, mut all, mut buffer) = (reader, Vec::new(), [0; 8_192]);
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            all.extend_from_slice(&buffer[..read]);
            std::thread::sleep(Duration::from_micros(100));
        }
        String::from_utf8(all).expect("text")
    });
    assert_eq!(wait(&mut child, "a pipe that does not block").code(), Some(0));
    assert_eq!(told(&err.join().expect("no panic")), (0, 3_000));
    assert_eq!(numbers(&reading.join().expect("no panic")), (0..3_000).collect::<Vec<_>>());
}

#[test]
fn a_limit_on_the_size_of_files_is_a_failure_like_any_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let mut child = command(&["file_size", "100"]).env("CANONLOG_OUTPUT", &path).spawn().expect("it starts");
    let err = text(child.stderr.take().expect("piped"));
    assert_eq!(wait(&mut child, "a limit on files").code(), Some(0));
    let (lost, written) = told(&err.join().expect("no panic"));
    assert_eq!(lost + written, 100);
    assert!(lost > 0 && written > 0);
    let text = std::fs::read_to_string(&path).expect("the file");
    let whole = text.lines().filter(|line| logfmt::parse(line).is_ok() && line.contains("resp_time=")).count();
    assert!(whole as u64 >= written && text.lines().count() as u64 <= written + 1, "{text}");
}

#[test]
fn without_a_set_up_lines_go_to_stdout_at_once() {
    let ended = run(&["without_setup", "20"]);
    assert_eq!(numbers(&ended.out), (0..20).collect::<Vec<_>>());
    assert_eq!(told(&ended.err), (0, 20));
}

#[test]
fn without_a_set_up_and_a_reader_a_program_waits_once_and_counts() {
    let began = Instant::now();
    let mut child = command(&["without_setup", "5000"]).spawn().expect("it starts");
    let err = text(child.stderr.take().expect("piped"));
    assert_eq!(wait(&mut child, "a stuck output without a set-up").code(), Some(0));
    // Each of them waiting as long as the first would take minutes.
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    let (lost, written) = told(&err.join().expect("no panic"));
    assert_eq!(lost + written, 5_000);
    assert!(lost > 0);
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    assert_eq!(numbers(&out).len() as u64, written);
}

#[test]
fn a_second_set_up_is_an_error() {
    let ended = run(&["again"]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}

#[test]
fn an_unknown_value_in_the_environment_stops_the_set_up_and_is_named() {
    for (variable, value, nearest) in [
        ("CANONLOG_FORMAT", "jsno", "json"),
        ("CANONLOG_LEVEL", "inof", "info"),
        ("CANONLOG_OUTPUT", "stdot", "stdout"),
        ("CANONLOG_CLOCK", "instnat", "instant"),
    ] {
        let ended = command(&["drop", "none"]).env(variable, value).output().expect("it runs");
        let err = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(ended.status.code(), Some(2), "{err}");
        assert!(err.starts_with(&format!("`{variable}` is `{value}`; expected ")), "{err}");
        assert!(err.contains(&format!("the nearest is `{nearest}`")), "{err}");
    }
}

#[test]
fn an_unknown_variable_of_the_environment_stops_the_set_up_and_is_named() {
    let ended = command(&["drop", "none"]).env("CANONLOG_LEVLE", "info").output().expect("it runs");
    let err = String::from_utf8(ended.stderr).expect("text");
    assert_eq!(ended.status.code(), Some(2), "{err}");
    assert!(err.starts_with("`CANONLOG_LEVLE` is no variable of canonlog; expected `CANONLOG_LEVEL`"), "{err}");
    assert!(err.contains("the nearest is `CANONLOG_LEVEL`"), "{err}");
}

#[test]
fn the_environment_decides_format_output_and_level() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.json");
    let mut json = command(&["drop", "none"]);
    json.env("CANONLOG_FORMAT", "json").env("CANONLOG_OUTPUT", &path);
    assert!(json.output().expect("it runs").stdout.is_empty());
    let text = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count(), 10);
    let quiet = command(&["drop", "none"]).env("CANONLOG_LEVEL", "critical").output().expect("it runs");
    assert!(quiet.stdout.is_empty());
}

#[test]
fn a_developer_has_lines_for_eyes_where_no_format_is_named() {
    let lines = |variables: &[(&str, &str)]| {
        let output = command(&["drop", "none"]).envs(variables.iter().copied()).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(text.lines().count(), 10, "{text}");
        text
    };
    assert!(lines(&[("DEVEL", "1")]).lines().all(|line| line[12..].starts_with(" INFO    ")));
    for variables in [&[("DEVEL", "0")][..], &[("DEVEL", "1"), ("CANONLOG_FORMAT", "logfmt")], &[]] {
        assert!(lines(variables).starts_with("event_type="), "{variables:?}");
    }
}

#[test]
fn what_is_opened_after_stdout_was_closed_gets_no_events() {
    let dir = tempfile::tempdir().expect("a directory");
    let precious = dir.path().join("precious.db");
    let script = format!("exec '{}' closed_stdout '{}' >&-", env!("CARGO_BIN_EXE_child"), precious.display());
    let ended = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(std::fs::read(&precious).expect("the file"), b"");
}

#[allow(unsafe_code)]
fn hang_up(child: &Child) {
    let id = i32::try_from(child.id()).expect("a process id");
    // SAFETY: sends a signal to a child that was not waited for yet.
    assert_eq!(unsafe { libc::kill(id, libc::SIGHUP) }, 0);
}

#[test]
fn after_sighup_the_file_is_opened_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, old) = (dir.path().join("events.log"), dir.path().join("events.log.1"));
    let mut child =
        command(&["sighup", path.to_str().expect("text")]).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("piped");
    let mut ready = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut step = || {
        input.write_all(b"\n").expect("it reads");
        assert_eq!(ready.next().expect("a line").expect("text"), "ready");
    };
    step();
    std::fs::rename(&path, &old).expect("renamed");
    hang_up(&child);
    let began = Instant::now();
    // The signal alone, without an event, opens the file again.
    while !path.exists() {
        assert!(began.elapsed() < LIMIT, "not opened again");
        std::thread::sleep(Duration::from_millis(2));
    }
    step();
    drop(input);
    assert_eq!(wait(&mut child, "its input ended").code(), Some(0));
    let read = |path| numbers(&std::fs::read_to_string(path).expect("the file"));
    assert_eq!((read(&old), read(&path)), (vec![0], vec![1]));
}

#[test]
fn two_processes_that_append_to_one_file_tear_none_of_each_others_lines() {
    const EACH: u64 = 20_000;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let start = || {
        let mut command = command(&["many", &EACH.to_string()]);
        command.env("CANONLOG_OUTPUT", &path).spawn().expect("it starts")
    };
    let ended = [start(), start()].map(|mut child| {
        let err = text(child.stderr.take().expect("piped"));
        assert_eq!(wait(&mut child, "a writer of a shared file").code(), Some(0));
        told(&err.join().expect("no panic"))
    });
    for (lost, written) in ended {
        assert_eq!(lost + written, EACH);
    }
    let mut events = std::collections::BTreeMap::new();
    let mut reported = 0;
    for line in std::fs::read_to_string(&path).expect("the file").split_inclusive('\n') {
        // Each line is whole, and parses by the strict grammar.
        let fields = logfmt::parse(line.strip_suffix('\n').expect("a whole line"))
            .unwrap_or_else(|error| panic!("{error:?}: {line}"));
        let number = |wanted: &str| {
            let value = fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.to_string());
            value.and_then(|value| value.parse::<u64>().ok())
        };
        match (number("app_n"), number("dropped_count")) {
            (Some(n), _) => *events.entry(n).or_insert(0) += 1,
            (None, count) => reported += count.unwrap_or_else(|| panic!("neither an event nor a report: {line}")),
        }
    }
    let (lost, written) = (ended[0].0 + ended[1].0, ended[0].1 + ended[1].1);
    assert_eq!((events.values().sum::<u64>(), reported), (written, lost));
    assert!(events.values().all(|times| *times <= 2));
}
