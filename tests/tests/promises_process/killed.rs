//! SIGKILL while a process writes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use canonlog_tests::program::wait;

use super::{PATIENCE, numbers, subject};

/// The whole lines of a file, and what stands after the last.
fn read(path: &Path) -> (String, String) {
    let text = std::fs::read_to_string(path).expect("the file");
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    (text[..end].to_owned(), text[end..].to_owned())
}

/// Lets it write until it has told this often what is in the file; then kills it. What it told last.
fn kill_after(path: &Path, times: usize) -> u64 {
    let mut command = subject(&["until_killed", path.to_str().expect("text")]);
    let mut child = command.spawn().expect("it starts");
    let mut told = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut last = None;
    for _ in 0..times {
        last = Some(told.next().expect("it goes on").expect("text"));
    }
    child.kill().expect("it runs");
    assert_eq!(wait(&mut child, "what was killed", PATIENCE).code(), None, "it was killed");
    // What it told until it died.
    last = told.map_while(Result::ok).filter(|line| line.parse::<u64>().is_ok()).last().or(last);
    last.and_then(|line| line.parse().ok()).expect("a number")
}

#[test]
fn what_was_flushed_before_a_kill_is_in_the_file_in_whole_lines_but_the_last() {
    for times in [1, 5, 40] {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("events.log");
        let flushed = kill_after(&path, times);
        let (lines, torn) = read(&path);
        // Each is in the grammar, and is there once.
        let numbers = numbers(&lines);
        let distinct = numbers.iter().collect::<BTreeSet<_>>().len();
        assert_eq!(distinct, numbers.len());
        assert!(numbers.len() as u64 >= flushed, "{} lines, {flushed} flushed", numbers.len());
        assert!(torn.len() < 4_096 && !torn.contains('\n'), "{torn}");
    }
}

#[test]
fn after_a_kill_the_next_process_goes_on_in_the_same_file_on_a_line_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let mut flushed = 0;
    let mut torn_by_kills = 0;
    for _ in 0..3 {
        flushed += kill_after(&path, 5);
        torn_by_kills += usize::from(!read(&path).1.is_empty());
    }
    // A kill within a write is rare: one of this test's own.
    let (mut lines, torn) = read(&path);
    lines.push_str(&torn);
    if !torn.is_empty() {
        lines.push('\n');
    }
    lines.push_str("event_type=\"request\" event_ti");
    std::fs::write(&path, &lines).expect("the file");
    flushed += kill_after(&path, 5);
    let (lines, _) = read(&path);
    let whole = lines.lines().filter(|line| canonlog_tests::logfmt::parse(line).is_ok()).count();
    let torn = lines.lines().count() - whole;
    assert_eq!(lines.lines().filter(|line| *line == "event_type=\"request\" event_ti").count(), 1);
    assert!(torn <= 1 + torn_by_kills, "{torn} lines are torn by {torn_by_kills} kills and this test");
    assert!(whole as u64 >= flushed, "{whole} lines, {flushed} flushed");
}
