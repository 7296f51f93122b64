//! What happens when outputs fail: everything is written or counted, lines stay whole, and it goes on by itself.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use canonlog::{Background, Batch, Emitter, EmitterSet, File, LossReason, Memory, Output, WriteError, Writer};
use canonlog_tests::faulty::{Fault, FaultyWriter, Tape};
use canonlog_tests::numbered::{Numbered, emit, emit_until_written, read};

const SOON: Duration = Duration::from_secs(20);

/// Emits 24 events in batches of 4 to a writer with this fault; checks the law.
fn run(nth: usize, fault: Fault, direct: bool) -> Arc<Tape> {
    let (writer, tape) = FaultyWriter::new(nth, fault);
    let emitter = Emitter::new("faulty").format(Numbered).output(Writer::new("faulty", writer));
    let set = EmitterSet::start([if direct { emitter.direct() } else { emitter }]).expect("it starts");
    const EVENTS: u64 = 24;
    for n in 0..EVENTS {
        emit(&set, n);
        if n % 4 == 3 {
            assert!(set.flush(SOON), "call {nth}, {fault:?}: a flush ends");
        }
    }
    let lost = set.shutdown(SOON);
    let what = format!("call {nth}, {fault:?}, direct {direct}: {:?}", tape.text());
    assert_eq!(set.written() + lost, EVENTS, "{what}");
    let read = read(&tape.text());
    assert_eq!(read.events.len() as u64, set.written(), "{what}");
    assert_eq!(read.events.iter().collect::<BTreeSet<_>>().len(), read.events.len(), "no line twice: {what}");
    assert!(read.events.is_sorted(), "{what}");
    let torn = matches!(fault, Fault::ShortThenErrno(..));
    assert!(read.torn.len() <= usize::from(torn), "{what}");
    // What was lost before the last batch is told in the stream.
    if tape.calls() > nth + 1 {
        assert_eq!(read.reported, lost, "{what}");
    }
    if nth <= 4 {
        assert_eq!(read.events.last(), Some(&(EVENTS - 1)), "it goes on: {what}");
    }
    tape
}

/// Lets the first, the second, ... call fail, until there is no such call.
fn at_every_call(fault: Fault) {
    for direct in [false, true] {
        for nth in 1..200 {
            if run(nth, fault, direct).calls() < nth {
                assert!(nth > 3, "some calls failed");
                break;
            }
        }
    }
}

#[test]
fn after_any_error_of_the_system_at_any_call_everything_is_written_or_counted() {
    use libc::{EBADF, EDQUOT, EFBIG, EIO, ENOSPC, EPIPE};
    for errno in [EPIPE, ENOSPC, EIO, EBADF, EDQUOT, EFBIG] {
        at_every_call(Fault::Errno(errno));
    }
    at_every_call(Fault::Zero);
}

#[test]
fn interruptions_short_and_slow_writes_lose_nothing() {
    use libc::{EAGAIN, EINTR};
    let faults = [Fault::Errno(EAGAIN), Fault::Errno(EINTR), Fault::Short(1), Fault::Short(6)];
    let slow =
        [Fault::ShortThenErrno(2, EAGAIN), Fault::ShortThenErrno(5, EINTR), Fault::Slow(Duration::from_millis(5))];
    for fault in faults.into_iter().chain(slow) {
        at_every_call(fault);
        for nth in 1..4 {
            let tape = run(nth, fault, false);
            assert_eq!(read(&tape.text()).events.len(), 24, "{fault:?}");
            assert_eq!(read(&tape.text()).torn, Vec::<String>::new(), "{fault:?}");
        }
    }
}

#[test]
fn a_line_torn_by_an_error_is_the_only_one_and_the_next_stands_on_its_own() {
    for errno in [libc::ENOSPC, libc::EPIPE, libc::EIO] {
        for bytes in 1..9 {
            at_every_call(Fault::ShortThenErrno(bytes, errno));
        }
    }
}

#[test]
fn an_output_that_panics_is_one_that_failed() {
    at_every_call(Fault::Panic);
}

/// Fails by what it says: the text of its error panics, or it panics with something that panics when it ends.
struct Treacherous {
    calls: AtomicU64,
}

struct EndsInPanic;

impl Drop for EndsInPanic {
    fn drop(&mut self) {
        panic!("as it ends");
    }
}

#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("as it is told");
    }
}

impl std::error::Error for Unspeakable {}

impl Output for Treacherous {
    fn name(&self) -> &str {
        "treacherous"
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        match self.calls.fetch_add(1, SeqCst) % 4 {
            0 => Err(WriteError { written: 0, source: std::io::Error::other(Unspeakable) }),
            1 => std::panic::panic_any(EndsInPanic),
            // More than there were.
            2 => Err(WriteError { written: batch.events() + 7, source: std::io::ErrorKind::Other.into() }),
            _ => Ok(()),
        }
    }

    fn flush(&self) -> std::io::Result<()> {
        match self.calls.load(SeqCst) % 2 {
            0 => Err(std::io::Error::other(Unspeakable)),
            _ => std::panic::panic_any(EndsInPanic),
        }
    }
}

#[test]
fn an_output_that_fails_in_what_it_says_is_counted_and_ends_no_thread() {
    for direct in [false, true] {
        let emitter = Emitter::new("treacherous").format(Numbered).output(Treacherous { calls: AtomicU64::new(0) });
        let set = EmitterSet::start([if direct { emitter.direct() } else { emitter }]).expect("it starts");
        for n in 0..12 {
            emit(&set, n);
            assert_eq!(set.flush(SOON), !direct, "only who flushes himself is told that it failed");
        }
        let lost = set.shutdown(SOON);
        assert_eq!((set.written() + lost, lost >= 3, set.written() >= 3), (12, true, true), "{lost} lost");
    }
}

#[test]
fn the_law_holds_on_stdout_and_in_a_file_after_any_error_at_any_write() {
    let (dir, path) = scratch();
    let out = dir.path().join("out.log");
    let stdout = fs::OpenOptions::new().create(true).append(true).open(&out).expect("a file");
    fs::File::create(&path).expect("a file");
    let mut program = Command::new(env!("CARGO_BIN_EXE_failing_writes"));
    let ended = program.arg(&out).arg(&path).stdin(Stdio::null()).stdout(stdout).output().expect("it runs");
    let told = String::from_utf8_lossy(&ended.stderr);
    let tried = told.lines().find_map(|line| line.strip_prefix("tried ")?.parse::<u64>().ok());
    // Two outputs, with and without a queue, nine errors, after four lengths: at four calls and more each.
    assert!(tried.is_some_and(|tried| tried >= 2 * 2 * 9 * 4 * 4), "{told}");
}

#[test]
fn the_law_holds_for_every_server_after_any_error_at_any_send_connect_or_receive() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut program = Command::new(env!("CARGO_BIN_EXE_failing_sends"));
    let ended = program.arg(dir.path().join("socket")).stdin(Stdio::null()).output().expect("it runs");
    let told = String::from_utf8_lossy(&ended.stderr);
    let tried = told.lines().find_map(|line| line.strip_prefix("tried ")?.parse::<u64>().ok());
    // Four streams and four that take datagrams, one of each without a queue too: at two sends, and one of the others, for each error.
    let (streams, datagrams) = ((4 + 1) * (20 * 2 + 6 + 3), (4 + 1) * (10 * 2 + 6));
    assert!(tried.is_some_and(|tried| tried >= streams + datagrams), "{told}");
}

#[test]
fn an_output_may_have_any_name_and_a_queue_any_size() {
    let queue = Background::new().events(usize::MAX).bytes(usize::MAX);
    let emitter = Emitter::new("odd").format(Numbered).output(Writer::new("a\0b\n", Vec::new())).background(queue);
    let set = EmitterSet::start([emitter]).expect("it starts");
    emit(&set, 1);
    assert_eq!((set.shutdown(SOON), set.written()), (0, 1));
}

#[test]
fn an_event_after_quiet_does_not_wait_for_the_writers_period() {
    let memory = Memory::new();
    let queue = Background::new().period(Duration::from_secs(3_600));
    let emitter = Emitter::new("memory").format(Numbered).output(memory.clone()).background(queue);
    let set = EmitterSet::start([emitter]).expect("it starts");
    emit(&set, 1);
    assert_eq!(memory.wait_for(1, 3 * SOON), ["<1>"]);
}

#[test]
fn an_output_that_is_stuck_for_ever_keeps_nobody() {
    for nth in 1..4 {
        let (writer, tape) = FaultyWriter::new(nth, Fault::Stuck);
        let emitter = Emitter::new("stuck").format(Numbered).output(Writer::new("stuck", writer));
        let set = EmitterSet::start([emitter]).expect("it starts");
        let began = Instant::now();
        for n in 0..200 {
            emit(&set, n);
            if n % 10 == 9 && tape.calls() < nth {
                set.flush(Duration::from_millis(200));
            }
        }
        let lost = set.shutdown(Duration::from_millis(100));
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        assert_eq!(set.written() + lost, 200);
        assert!(set.lost_by(LossReason::Shutdown) > 0);
        assert_eq!(read(&tape.text()).events.len() as u64, set.written());
        tape.release();
    }
}

fn to_file(file: File) -> EmitterSet {
    EmitterSet::start([Emitter::new("file").format(Numbered).output(file)]).expect("it starts")
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("events.log");
    (dir, path)
}

#[test]
fn a_full_device_is_counted_and_ends_nothing() {
    let set = to_file(File::open("/dev/full").expect("the system has it"));
    (0..100).for_each(|n| emit(&set, n));
    assert!(set.flush(SOON));
    assert_eq!((set.written(), set.lost_by(LossReason::Io)), (0, 100));
}

#[test]
fn a_reader_that_is_gone_is_counted_and_ends_nothing() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let emitter = Emitter::new("pipe").format(Numbered).output(Writer::new("pipe", writer));
    let set = EmitterSet::start([emitter]).expect("it starts");
    emit(&set, 0);
    assert!(set.flush(SOON));
    drop(reader);
    (1..10).for_each(|n| emit(&set, n));
    assert!(set.flush(SOON));
    assert_eq!((set.written(), set.lost_by(LossReason::Io)), (1, 9));
}

#[test]
fn a_fifo_without_a_reader_is_counted_and_written_to_when_one_comes() {
    let (_dir, path) = scratch();
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).expect("a path");
    assert_eq!(mkfifo(&name), 0);
    let set = to_file(File::open(&path).expect("opening waits for no reader"));
    emit(&set, 0);
    assert!(set.flush(SOON));
    assert_eq!(set.lost_by(LossReason::Io), 1);
    let reader = std::thread::spawn(move || {
        let mut text = [0; 64];
        let mut file = fs::File::open(&path).expect("the fifo");
        let mut filled = 0;
        while !text[..filled].ends_with(b">\n") {
            filled += file.read(&mut text[filled..]).expect("the fifo's bytes");
        }
        String::from_utf8_lossy(&text[..filled]).into_owned()
    });
    emit_until_written(&set, SOON);
    let read = read(&reader.join().expect("no panic"));
    assert_eq!((read.events.len(), read.torn), (1, Vec::new()));
    assert_eq!(read.reported, set.lost());
}

#[allow(unsafe_code)]
fn mkfifo(name: &std::ffi::CStr) -> i32 {
    // SAFETY: the name is a C string that lives during the call.
    unsafe { libc::mkfifo(name.as_ptr(), 0o600) }
}

#[test]
fn through_renames_deletions_and_truncations_every_event_is_somewhere() {
    let (dir, path) = scratch();
    let set = to_file(File::open(&path).expect("a file"));
    let mut kept = String::new();
    for round in 0..30 {
        (0..10).for_each(|n| emit(&set, round * 10 + n));
        assert!(set.flush(SOON));
        match round % 3 {
            0 => fs::rename(&path, dir.path().join(format!("events.{round}"))).expect("renamed"),
            1 => {
                kept += &fs::read_to_string(&path).expect("the file");
                fs::remove_file(&path).expect("removed");
            }
            _ => {
                kept += &fs::read_to_string(&path).expect("the file");
                fs::OpenOptions::new().write(true).truncate(true).open(&path).expect("truncated");
            }
        }
    }
    assert_eq!(set.shutdown(SOON), 0);
    for entry in fs::read_dir(dir.path()).expect("the directory") {
        kept += &fs::read_to_string(entry.expect("an entry").path()).expect("a file");
    }
    let read = read(&kept);
    let events: BTreeSet<u64> = read.events.iter().copied().collect();
    assert_eq!((read.events.len(), events.len(), read.torn), (300, 300, Vec::new()));
}

#[test]
fn under_load_a_rename_loses_and_doubles_nothing() {
    let (dir, path) = scratch();
    let set = to_file(File::open(&path).expect("a file"));
    const EVENTS: u64 = 40_000;
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let set = &set;
            scope.spawn(move || {
                for n in (thread..EVENTS).step_by(2) {
                    emit(set, n);
                    if n % 1_000 < 2 {
                        set.flush(SOON);
                    }
                }
            });
        }
        for round in 0..20 {
            std::thread::sleep(Duration::from_millis(2));
            if path.exists() {
                fs::rename(&path, dir.path().join(format!("events.{round}"))).expect("renamed");
            }
            set.reopen().expect("opened again");
        }
    });
    let lost = set.shutdown(SOON);
    let mut all = String::new();
    for entry in fs::read_dir(dir.path()).expect("the directory") {
        all += &fs::read_to_string(entry.expect("an entry").path()).expect("a file");
    }
    let read = read(&all);
    let distinct = read.events.iter().collect::<BTreeSet<_>>().len();
    assert_eq!((distinct as u64 + lost, read.torn), (EVENTS, Vec::new()));
    assert_eq!(distinct, read.events.len());
}

#[test]
fn a_file_whose_directory_is_gone_is_counted_until_it_is_back() {
    let (dir, _) = scratch();
    let inner = dir.path().join("logs");
    fs::create_dir(&inner).expect("a directory");
    let path = inner.join("events.log");
    let set = to_file(File::open(&path).expect("a file"));
    emit(&set, 0);
    assert!(set.flush(SOON));
    fs::remove_dir_all(&inner).expect("removed");
    emit(&set, 1);
    assert!(set.flush(SOON));
    assert_eq!((set.written(), set.lost_by(LossReason::Io)), (1, 1));
    fs::create_dir(&inner).expect("made again");
    emit(&set, 2);
    assert!(set.flush(SOON));
    assert_eq!(fs::read_to_string(&path).expect("the file"), "dropped io 1\n<2>\n");
}

#[test]
fn a_torn_last_line_of_a_crash_is_ended_at_the_restart() {
    let (_dir, path) = scratch();
    fs::write(&path, "<0>\n<1").expect("a torn file");
    let set = to_file(File::open(&path).expect("a file"));
    emit(&set, 2);
    assert_eq!(set.shutdown(SOON), 0);
    assert_eq!(fs::read_to_string(&path).expect("the file"), "<0>\n<1\n<2>\n");
}

#[test]
fn two_writers_of_one_file_tear_none_of_each_others_lines() {
    let (_dir, path) = scratch();
    let sets = [(); 2].map(|()| to_file(File::open(&path).expect("a file")));
    const EVENTS: u64 = 20_000;
    std::thread::scope(|scope| {
        for (at, set) in sets.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..EVENTS / 2 {
                    emit(set, n * 2 + at as u64);
                    if n % 100 == 0 {
                        set.flush(SOON);
                    }
                }
            });
        }
    });
    let lost: u64 = sets.iter().map(|set| set.shutdown(SOON)).sum();
    let read = read(&fs::read_to_string(&path).expect("the file"));
    assert_eq!((read.events.len() as u64 + lost, read.torn), (EVENTS, Vec::new()));
}

/// Sends a signal to another process.
#[allow(unsafe_code)]
fn signal(child: &std::process::Child, number: i32) {
    let id = i32::try_from(child.id()).expect("a process id");
    // SAFETY: `kill` touches no memory, and the child has not been waited for, so its id is still its own.
    assert_eq!(unsafe { libc::kill(id, number) }, 0);
}

#[test]
fn a_reader_that_is_stopped_keeps_nobody_and_gets_the_rest_when_it_goes_on() {
    const EVENTS: u64 = 60_000;
    let (_dir, path) = scratch();
    let out = fs::File::create(&path).expect("a file");
    let mut reader = Command::new("cat").stdin(Stdio::piped()).stdout(out).spawn().expect("a reader");
    let pipe = reader.stdin.take().expect("piped");
    // Small, so that the pipe (64 KiB) and the queue are full long before the end.
    let queue = Background::new().events(1_024).period(Duration::from_millis(1));
    let emitter = Emitter::new("pipe").format(Numbered).output(Writer::new("pipe", pipe)).background(queue);
    let set = EmitterSet::start([emitter]).expect("it starts");
    emit(&set, 0);
    assert!(set.flush(SOON));
    signal(&reader, libc::SIGSTOP);
    let began = Instant::now();
    for n in 1..EVENTS {
        emit(&set, n);
        if n % 256 == 0 && set.lost() == 0 {
            // Lets the writer fill the pipe.
            set.flush(Duration::from_millis(5));
        }
    }
    let (took, lost) = (began.elapsed(), set.lost_by(LossReason::QueueFull));
    assert!(lost > 0 && took < SOON, "{lost} lost, {took:?}");
    assert!(!set.flush(Duration::from_millis(20)), "the reader is stopped");
    signal(&reader, libc::SIGCONT);
    assert!(set.flush(SOON));
    emit(&set, EVENTS);
    assert_eq!(set.shutdown(SOON), set.lost_by(LossReason::QueueFull));
    let written = set.written();
    drop(set);
    assert!(reader.wait().expect("its end").success());
    let read = read(&fs::read_to_string(&path).expect("what it read"));
    assert_eq!((read.events.len() as u64, read.torn), (written, Vec::new()));
    assert_eq!((read.reported, written + read.reported), (lost, EVENTS + 1));
}
