//! Files: rotation by size and by day, shared and under faults; the debug log.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use canonlog::{Emitter, EmitterSet, File, Level, Logfmt, Rotation};
use canonlog_tests::numbered::{Numbered, Read, emit, read};
use canonlog_tests::program;

const SOON: Duration = Duration::from_secs(20);

/// What a reader makes of all files of a folder.
fn all(folder: &Path) -> (Read, usize) {
    let entries: Vec<_> = fs::read_dir(folder).expect("the directory").flatten().collect();
    let texts: Vec<String> = entries.iter().map(|entry| fs::read_to_string(entry.path()).expect("a file")).collect();
    assert!(texts.iter().all(|text| text.is_empty() || text.ends_with('\n')), "whole lines");
    (read(&texts.concat()), texts.len())
}

#[test]
fn emitters_and_processes_that_share_a_rotated_file_lose_nothing_while_another_moves_it_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let rotation = Rotation::size(500).keep(10_000);
    let emitter = |name: &str, numbers: std::ops::Range<u64>| {
        let wanted = move |event: &canonlog::Event<'_>| match event.get("app_n") {
            Some(canonlog::Value::U64(n)) => numbers.contains(&n),
            _ => true,
        };
        Emitter::new(name).format(Numbered).filter(wanted).output(File::open(&path).expect("a file").rotate(rotation))
    };
    // Two emitters of one set share a queue; the other set is as another process would be.
    let one = EmitterSet::start([emitter("a", 0..1_000), emitter("b", 1_000..2_000)]).expect("they agree");
    let other = EmitterSet::start([emitter("c", 2_000..3_000).direct()]).expect("it starts");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..2_000).for_each(|n| emit(&one, n)));
        scope.spawn(|| (2_000..3_000).for_each(|n| emit(&other, n)));
        for round in 0..20 {
            let _ = fs::rename(&path, dir.path().join(format!("moved.{round}")));
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!((one.shutdown(SOON), other.shutdown(SOON)), (0, 0));
    let (read, files) = all(dir.path());
    assert_eq!((read.events.len(), read.torn.len(), read.reported), (3_000, 0, 0));
    assert_eq!(read.events.iter().collect::<BTreeSet<_>>().len(), 3_000);
    assert!(files > 25, "{files}");
}

#[test]
fn an_old_file_is_rotated_before_the_first_line_and_the_day_before_is_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    fs::write(&path, "<0>\n").expect("a file of before");
    let old = fs::File::options().append(true).open(&path).expect("the file");
    old.set_modified(SystemTime::now() - Duration::from_secs(2 * 86_400)).expect("a time");
    let file = File::open(&path).expect("a file").rotate(Rotation::daily().keep(1));
    let set = EmitterSet::start([Emitter::new("file").format(Numbered).output(file)]).expect("it starts");
    emit(&set, 1);
    assert_eq!(set.shutdown(SOON), 0);
    assert_eq!(fs::read_to_string(&path).expect("the file"), "<1>\n");
    let (read, files) = all(dir.path());
    assert_eq!((read.events.len(), files), (2, 2));
}

#[test]
fn the_debug_log_takes_everything_whatever_level_the_environment_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("debug.log");
    let mut command = program::command(env!("CARGO_BIN_EXE_child"));
    let ended = program::run(command.arg("debug_log").arg(&path).env("CANONLOG_LEVEL", "error"), SOON);
    assert_eq!((ended.code(), ended.out.as_str()), (Some(0), ""), "{}", ended.err);
    assert_eq!(fs::read_to_string(&path).expect("the file").lines().count(), 10);
}

#[test]
fn a_debug_log_is_an_emitter_that_can_be_changed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("debug.log");
    let log = Emitter::debug_log(&path).expect("a file").format(Logfmt::new().quote_needed()).level(Level::Error);
    let set = EmitterSet::start([log]).expect("it starts");
    emit(&set, 1);
    assert_eq!(set.shutdown(SOON), 0);
    assert_eq!(fs::read_to_string(&path).expect("the file"), "", "an info event is below");
    let error = Emitter::debug_log(dir.path().join("none").join("debug.log")).expect_err("no such folder");
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
}

/// A file system that fills up, as the kernel says it: a file of this process may grow to 4 KiB. In a program of its own.
#[test]
fn a_disk_that_is_full_is_counted_and_written_to_again_when_there_is_room() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    let mut command = program::command(env!("CARGO_BIN_EXE_child"));
    let ended = program::run(command.arg("full_disk").arg(&path), SOON);
    assert_eq!(ended.code(), Some(0), "{}", ended.err);
    let (lost, written) = ended.told();
    let (full, _) = all(&dir.path().join("full"));
    let now = read(&fs::read_to_string(&path).expect("the file"));
    assert!(lost > 0 && full.torn.len() <= 1, "{full:?}");
    assert_eq!((full.events.len() + now.events.len()) as u64, written);
    assert_eq!((now.reported, now.torn), (lost, Vec::new()), "it says what was lost");
}
