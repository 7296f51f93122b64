//! System calls that fail, or that must not be made.

use super::{Ended, numbers, run, subject};

/// Runs it; nothing where the system lets no program filter its calls.
fn denied(arguments: &[&str]) -> Option<Ended> {
    let ended = run(&mut subject(arguments));
    if ended.code() == Some(77) {
        eprintln!("skipped: {}", ended.err.trim_end());
        return None;
    }
    Some(ended)
}

#[test]
fn ids_come_without_a_system_call_once_a_thread_has_its_generator() {
    let Some(ended) = denied(&["without_randomness"]) else { return };
    assert_eq!(ended.code(), Some(0), "{:?} {}", ended.status, ended.err);
    assert_eq!(numbers(&ended.out), (0..1_100).collect::<Vec<_>>());
    let ids: std::collections::BTreeSet<&str> = ended
        .out
        .lines()
        .filter_map(|line| line.split_once("req_id=\"")?.1.split_once('"'))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids.len(), 1_100);

    // That a call would have been seen.
    let seen = denied(&["without_randomness", "then_with"]).expect("the filter works");
    assert_eq!(seen.signal(), Some(libc::SIGSYS), "{}", seen.err);
}

#[test]
fn set_up_requests_panics_and_timeouts_install_no_signal_handler() {
    let Some(ended) = denied(&["without_handlers"]) else { return };
    assert_eq!(ended.code(), Some(0), "{:?} {}", ended.status, ended.err);
    assert_eq!((ended.of("request").len(), ended.of("job").len()), (10, 1), "{}", ended.out);
    assert_eq!((ended.of("timeout").len(), ended.of("late_response").len()), (1, 1), "{}", ended.out);

    let seen = denied(&["without_handlers", "then_with"]).expect("the filter works");
    assert_eq!(seen.signal(), Some(libc::SIGSYS), "`on_sighup` installs one: {}", seen.err);
}

/// Ten requests, a job that panicked, and a unit that is past its limit: reported in time or, where there is no thread to watch it, not.
fn assert_nothing_missing(ended: &Ended, in_time: bool) {
    assert_eq!(ended.code(), Some(0), "{:?} {}", ended.status, ended.err);
    let (reported, late) = (usize::from(in_time), u64::from(in_time));
    assert_eq!((ended.of("request").len(), ended.of("job").len()), (11 - reported, 1), "{} {}", ended.out, ended.err);
    assert_eq!((ended.of("timeout").len(), ended.of("late_response").len()), (reported, reported), "{}", ended.out);
    assert!(ended.of("job")[0].contains("exc_panic=\"true\""), "{}", ended.out);
    let mut numbers = numbers(&ended.out);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..12).collect::<Vec<_>>());
    assert_eq!(ended.told(), (0, 12 + late));
    assert_eq!(ended.err.matches("panicked at").count(), 1, "the test's own panic: {}", ended.err);
}

#[test]
fn without_threads_a_set_up_with_a_queue_is_an_error_and_events_go_to_stdout() {
    let Some(ended) = denied(&["without_threads"]) else { return };
    assert_eq!(ended.code(), Some(0), "{:?} {}", ended.status, ended.err);
    assert!(ended.err.lines().any(|line| line.contains("thread")), "{}", ended.err);
    assert_eq!(numbers(&ended.out).iter().filter(|n| **n < 10).count(), 10, "{}", ended.out);
    assert_eq!(ended.err.matches("panicked at").count(), 1, "the test's own panic: {}", ended.err);
}

#[test]
fn without_threads_a_direct_emitter_works_and_nothing_is_lost() {
    let Some(ended) = denied(&["direct_without_threads"]) else { return };
    assert_nothing_missing(&ended, false);
}

#[test]
fn when_threads_run_out_after_the_set_up_nothing_is_lost() {
    let Some(ended) = denied(&["threads_run_out"]) else { return };
    // Its thread came with the set-up.
    assert_nothing_missing(&ended, true);
}

#[test]
fn without_files_a_set_up_works_on_stdout_and_is_an_error_on_a_file() {
    let ended = run(&mut subject(&["without_files"]));
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    assert_eq!(numbers(&ended.out), (0..10).collect::<Vec<_>>());

    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let ended = run(subject(&["without_files"]).env("CANONLOG_OUTPUT", &path));
    assert_eq!(ended.code(), Some(2), "{}", ended.err);
    let said = ended.err.trim_end();
    assert!(said.starts_with("`CANONLOG_OUTPUT`: cannot open `") && said.lines().count() == 1, "{said}");
}

#[test]
fn when_files_run_out_the_output_keeps_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let ended = run(&mut subject(&["files_run_out", path.to_str().expect("text")]));
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    assert_eq!(ended.told(), (0, 40));
    let read = |path| numbers(&std::fs::read_to_string(path).expect("the file"));
    // Moved away while no file could be opened, it took what came; then a new one was opened.
    assert_eq!(read(path.with_extension("old")), (0..30).collect::<Vec<_>>());
    assert_eq!(read(path), (30..40).collect::<Vec<_>>());
}
