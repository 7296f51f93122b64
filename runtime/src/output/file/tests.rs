use super::*;

/// A file's place in a folder that goes away with the test.
fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a scratch directory");
    let path = folder.path().join("events.log");
    (folder, path)
}

fn write(file: &File, line: &str) -> Result<(), WriteError> {
    file.write(Batch::new(format!("{line}\n").as_bytes(), 1))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file")
}

#[test]
fn a_file_that_was_moved_is_opened_again() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file");
    write(&file, "one").expect("room");
    let old = path.with_extension("old");
    fs::rename(&path, &old).expect("moved");
    write(&file, "two").expect("room");
    fs::remove_file(&path).expect("removed");
    write(&file, "three").expect("room");
    assert_eq!((read(&old).as_str(), read(&path).as_str()), ("one\n", "three\n"));
}

#[test]
fn a_file_that_was_truncated_is_written_on_from_its_start() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file");
    write(&file, "one").expect("room");
    fs::File::create(&path).expect("truncated");
    write(&file, "two").expect("room");
    assert_eq!(read(&path), "two\n");
}

#[test]
fn a_line_torn_by_a_crash_is_ended_first() {
    let (_folder, path) = scratch();
    fs::write(&path, "event_type=\"req").expect("a torn line");
    let file = File::open(&path).expect("a file");
    write(&file, "one").expect("room");
    write(&file, "two").expect("room");
    assert_eq!(read(&path), "event_type=\"req\none\ntwo\n");
}

#[test]
fn without_its_directory_a_file_is_counted_as_failed_until_it_is_back() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file");
    let dir = path.parent().expect("a directory");
    fs::remove_dir_all(dir).expect("removed");
    let error = write(&file, "lost").expect_err("nowhere to write to");
    assert_eq!((error.written, error.source.kind()), (0, ErrorKind::NotFound));
    fs::create_dir_all(dir).expect("made again");
    write(&file, "kept").expect("room");
    assert_eq!(read(&path), "kept\n");
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_with_its_path() {
    let error = File::open("/nonexistent/events.log").expect_err("no such directory");
    assert!(error.to_string().starts_with("cannot open `/nonexistent/events.log`: "), "{error}");
}

#[test]
fn the_file_is_not_for_everyone() {
    let (_folder, path) = scratch();
    File::open(&path).expect("a file");
    assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o137, 0);
}

/// What is in the files of the folder, by their names, the oldest day first.
fn files(path: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(path.parent().expect("a directory")).expect("the directory").flatten();
    let mut found: Vec<(String, String)> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path()))).collect();
    found.sort();
    found
}

fn named(found: &[(&str, &str)]) -> Vec<(String, String)> {
    found.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_file_grows_to_its_size_and_the_newest_old_ones_are_kept() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file").rotate(Rotation::size(8).keep(2));
    for line in ["one", "two", "three", "four", "longer than eight", "five"] {
        write(&file, line).expect("room");
    }
    let kept = [("events.log", "five\n"), ("events.log.1", "longer than eight\n"), ("events.log.2", "four\n")];
    assert_eq!(files(&path), named(&kept));
}

#[test]
fn numbers_beyond_those_that_are_kept_now_are_removed() {
    for keep in [0, 1] {
        let (_folder, path) = scratch();
        let rotated = |keep| File::open(&path).expect("a file").rotate(Rotation::size(8).keep(keep));
        let file = rotated(5);
        ["first", "second", "third", "fourth"].iter().for_each(|line| write(&file, line).expect("room"));
        drop(file);
        fs::write(path.with_extension("log.5"), "of somebody else, after a hole").expect("room");
        write(&rotated(keep), "fifth").expect("room");
        let hole = ("events.log.5", "of somebody else, after a hole");
        let kept = [("events.log", "fifth\n"), ("events.log.1", "fourth\n"), hole];
        let kept: Vec<_> = kept.into_iter().filter(|(name, _)| keep == 1 || *name != "events.log.1").collect();
        assert_eq!(files(&path), named(&kept));
    }
}

#[test]
fn the_lines_of_one_batch_fill_as_many_files_as_they_need() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file").rotate(Rotation::size(8).keep(9));
    file.write(Batch::new(b"one\ntwo\nthree\nfour\nlonger than eight\nfive\n", 6)).expect("room");
    let kept = [
        ("events.log", "five\n"),
        ("events.log.1", "longer than eight\n"),
        ("events.log.2", "four\n"),
        ("events.log.3", "three\n"),
        ("events.log.4", "one\ntwo\n"),
    ];
    assert_eq!(files(&path), named(&kept));
}

#[test]
fn nothing_old_is_kept_where_none_is_wanted() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file").rotate(Rotation::size(8).keep(0));
    ["one", "two", "three"].iter().for_each(|line| write(&file, line).expect("room"));
    assert_eq!(files(&path), named(&[("events.log", "three\n")]));
}

/// A clock for a file: the seconds since 1970 that the test of this thread says.
mod held {
    use std::cell::Cell;
    use std::time::{Duration, SystemTime};

    thread_local! {
        static SECONDS: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn set(seconds: u64) {
        SECONDS.set(seconds);
    }

    pub(super) fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(SECONDS.get())
    }
}

/// 2026-11-20T00:00:00Z.
const DAY: u64 = 1_795_132_800;

#[test]
fn a_day_of_utc_has_its_file_and_the_newest_are_kept() {
    let (_folder, path) = scratch();
    held::set(DAY + 10);
    let mut file = File::open(&path).expect("a file").rotate(Rotation::daily().keep(2));
    file.now = held::now;
    fs::remove_file(&path).expect("opened again, by the held clock");
    for (seconds, line) in [(10, "a"), (86_399, "b"), (86_400, "c"), (3 * 86_400 - 1, "d"), (4 * 86_400, "e")] {
        held::set(DAY + seconds);
        write(&file, line).expect("room");
    }
    let kept = [("events.log", "e\n"), ("events.log.2026-11-21", "c\n"), ("events.log.2026-11-22", "d\n")];
    assert_eq!(files(&path), named(&kept));
    held::set(DAY);
    write(&file, "the clock was put back").expect("room");
    assert_eq!(read(&path), "e\nthe clock was put back\n");
}

#[test]
fn a_day_with_too_much_for_one_file_has_several_in_their_order() {
    let (_folder, path) = scratch();
    held::set(DAY);
    let mut file = File::open(&path).expect("a file").rotate(Rotation::daily().max_size(4).keep(11));
    file.now = held::now;
    fs::remove_file(&path).expect("opened again, by the held clock");
    (0..12).for_each(|n| write(&file, &format!("{n:03}")).expect("room"));
    held::set(DAY + 86_400);
    write(&file, "new").expect("room");
    let found = files(&path);
    assert_eq!(found.len(), 12, "{found:?}");
    let of = |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    assert_eq!(of("events.log.2026-11-20"), None, "the oldest is gone");
    assert_eq!(of("events.log.2026-11-20.1"), Some("001\n"));
    assert_eq!(of("events.log.2026-11-20.11"), Some("011\n"));
}

#[test]
fn a_file_that_was_found_with_lines_of_a_day_before_is_rotated_first() {
    let (_folder, path) = scratch();
    fs::write(&path, "old\n").expect("a file of before");
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(yesterday)).expect("a time");
    let neighbours =
        ["events.log.2020-01-01", "events.log.2020-01-01.1", "events.log.note", "events.log.2020-01-01.01"];
    for name in neighbours {
        fs::write(path.with_file_name(name), "kept\n").expect("a file beside it");
    }
    let file = File::open(&path).expect("a file").rotate(Rotation::daily().keep(1));
    write(&file, "new").expect("room");
    let found = files(&path);
    assert_eq!(found.len(), 4, "the two of another day are gone, what only looks alike is not: {found:?}");
    assert_eq!((found[0].1.as_str(), read(&path).as_str()), ("new\n", "new\n"));
    assert!(found.iter().any(|(name, text)| name.starts_with("events.log.2") && text == "old\n"), "{found:?}");
}

#[test]
fn a_rotation_that_fails_loses_no_line() {
    let (_folder, path) = scratch();
    let file = File::open(&path).expect("a file").rotate(Rotation::size(4));
    // A folder of that name, with something in it, cannot be renamed over.
    fs::create_dir_all(path.with_file_name("events.log.1").join("full")).expect("a folder");
    fs::create_dir_all(path.with_file_name("events.log.2").join("full")).expect("a folder");
    let file = File { rotation: Some(Rotation::size(4).keep(1)), ..file };
    ["one", "two", "three"].iter().for_each(|line| write(&file, line).expect("room"));
    assert_eq!(read(&path), "one\ntwo\nthree\n");
}

#[test]
fn a_file_that_cannot_be_locked_is_rotated_and_one_that_another_has_locked_is_not() {
    let (_folder, path) = scratch();
    let mut file = File::open(&path).expect("a file").rotate(Rotation::size(4));
    let another = fs::File::open(&path).expect("the file");
    let lock = fd::try_lock(&another).expect("a lock").expect("nobody has it");
    write(&file, "one").expect("room");
    write(&file, "two").expect("room");
    assert_eq!((read(&path).as_str(), file.is_unlocked.load(Ordering::Relaxed)), ("one\ntwo\n", false));
    file.try_lock = |_| Err(io::Error::from_raw_os_error(libc::ENOLCK));
    for line in ["three", "four"] {
        write(&file, line).expect("room");
        assert!(file.is_unlocked.load(Ordering::Relaxed), "it was said");
    }
    drop(lock);
    let kept = [("events.log", "four\n"), ("events.log.1", "three\n"), ("events.log.2", "one\ntwo\n")];
    assert_eq!(files(&path), named(&kept));
}

#[test]
fn two_that_share_a_file_rotate_it_once_each_time() {
    let (_folder, path) = scratch();
    let rotation = Rotation::size(64).keep(1_000);
    let open = || File::open(&path).expect("a file").rotate(rotation);
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let file = open();
            std::thread::spawn(move || (0..300).for_each(|n| write(&file, &format!("{writer}-{n:03}")).expect("room")))
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
    let found = files(&path);
    let mut lines: Vec<&str> = found.iter().flat_map(|(_, text)| text.lines()).collect();
    lines.sort_unstable();
    let mut all: Vec<String> = (0..3).flat_map(|writer| (0..300).map(move |n| format!("{writer}-{n:03}"))).collect();
    all.sort_unstable();
    assert_eq!(lines, all);
    // Ten lines fill a file; writers that see room at the same time put some more into one.
    let lens: Vec<usize> = found.iter().map(|(_, text)| text.len()).collect();
    assert!(lens.len() > 45 && lens.iter().all(|len| *len < 256), "{lens:?}");
}
