//! A program whose n-th `write` to one file fails, for every n: `failing_writes <the file that is stdout> <another>`.
//!
//! The linker takes this program's `write` for the C library's, in the standard library and in canonlog alike, so that the
//! outputs themselves are tried and not something in their place. Exits with 0 if the law held in every run.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use canonlog::{Emitter, EmitterSet, File, Output, Stdout};
use canonlog_tests::numbered::{Numbered, Read, emit, read};

const SOON: Duration = Duration::from_secs(20);
const EVENTS: u64 = 12;

/// Which file's writes fail, by its inode.
static TARGET: AtomicU64 = AtomicU64::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);
/// Which call fails; 0 for none.
static NTH: AtomicUsize = AtomicUsize::new(0);
/// With what; 0 for a write that takes nothing.
static ERRNO: AtomicI32 = AtomicI32::new(0);
/// How many bytes that call takes; the next fails then.
static SHORT: AtomicUsize = AtomicUsize::new(0);

/// As the system's, but for the call that is to fail.
///
/// # Safety
///
/// As the system's: `length` bytes must be readable behind the pointer.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: i32, bytes: *const libc::c_void, length: usize) -> isize {
    let mut length = length;
    if is_target(fd) {
        let (call, nth, short) = (CALLS.fetch_add(1, SeqCst) + 1, NTH.load(SeqCst), SHORT.load(SeqCst));
        if nth > 0 && call == nth + usize::from(short > 0) {
            let errno = ERRNO.load(SeqCst);
            if errno == 0 {
                return 0;
            }
            // SAFETY: takes nothing, and gives the thread's place for its last error.
            let last = unsafe { libc::__errno_location() };
            // SAFETY: that place is the thread's as long as it lives.
            unsafe { *last = errno };
            return -1;
        }
        if short > 0 && call == nth {
            length = length.min(short);
        }
    }
    // SAFETY: the caller's buffer, or less of it.
    let written = unsafe { libc::syscall(libc::SYS_write, fd, bytes, length) };
    isize::try_from(written).unwrap_or(-1)
}

#[allow(unsafe_code)]
fn is_target(fd: i32) -> bool {
    let target = TARGET.load(SeqCst);
    let mut found = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the pointer is to a place for what the call writes.
    if target == 0 || unsafe { libc::fstat(fd, found.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call has succeeded, so all of it is written; and zeroes would be valid too.
    let found = unsafe { found.assume_init() };
    found.st_ino == target
}

/// Lets the `nth` call fail; how many calls there were, or what broke the law.
fn run(path: &Path, output: impl Output, direct: bool, nth: usize, errno: i32, short: usize) -> Result<usize, String> {
    std::fs::File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(0))
        .map_err(|error| error.to_string())?;
    let emitter = Emitter::new("tried").format(Numbered).output(output);
    let set =
        EmitterSet::start([if direct { emitter.direct() } else { emitter }]).map_err(|error| error.to_string())?;
    ERRNO.store(errno, SeqCst);
    SHORT.store(short, SeqCst);
    CALLS.store(0, SeqCst);
    NTH.store(nth, SeqCst);
    for n in 0..EVENTS {
        emit(&set, n);
        if n % 3 == 2 && !set.flush(SOON) {
            return Err("a flush does not end".to_owned());
        }
    }
    let calls = CALLS.load(SeqCst);
    NTH.store(0, SeqCst);
    // Everything is well again: what was lost is told, and this is written.
    emit(&set, EVENTS);
    let flushed = set.flush(SOON);
    let lost = set.shutdown(SOON);
    let written = set.written();

    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let Read { events, reported, torn } = read(&text);
    let distinct = events.iter().collect::<BTreeSet<_>>().len();
    let interrupts = matches!(errno, libc::EINTR | libc::EAGAIN);
    for (holds, law) in [
        (flushed, "the flush ends"),
        (written + lost == EVENTS + 1, "answered is written and lost"),
        (events.len() as u64 == written, "what is counted as written is in the file"),
        (distinct == events.len() && events.is_sorted(), "each once, in order"),
        (reported == lost, "what was lost is told in the stream"),
        (events.last() == Some(&EVENTS), "it goes on"),
        (text.ends_with('\n') && torn.len() <= usize::from(short > 0 && !interrupts), "lines are whole"),
        (!interrupts || lost == 0, "an interruption loses nothing"),
    ] {
        if !holds {
            return Err(format!("not so: {law}; {written} written, {lost} lost: {text:?}"));
        }
    }
    Ok(calls)
}

/// Lets the first, the second, ... call fail, until there is no such call; how many failed.
fn at_every_call(path: &Path, direct: bool, errno: i32, short: usize) -> Result<usize, String> {
    let stdout = std::fs::metadata(path).map_err(|error| error.to_string())?.ino()
        == std::fs::metadata("/dev/stdout").map_err(|error| error.to_string())?.ino();
    for nth in 1..100 {
        let calls = match stdout {
            true => run(path, Stdout::new(), direct, nth, errno, short),
            false => run(path, File::open(path).map_err(|error| error.to_string())?, direct, nth, errno, short),
        };
        let what = format!("call {nth}, error {errno} after {short} bytes, direct {direct}, stdout {stdout}");
        if calls.map_err(|law| format!("{what}: {law}"))? < nth {
            return Ok(nth - 1);
        }
    }
    Err("it never ends".to_owned())
}

fn all() -> Result<usize, String> {
    use libc::{EAGAIN, EBADF, EDQUOT, EFBIG, EINTR, EIO, ENOSPC, EPIPE};
    let mut tried = 0;
    for path in std::env::args().skip(1).take(2) {
        let path = Path::new(&path);
        TARGET.store(std::fs::metadata(path).map_err(|error| error.to_string())?.ino(), SeqCst);
        for direct in [false, true] {
            for errno in [EPIPE, ENOSPC, EIO, EBADF, EDQUOT, EFBIG, EAGAIN, EINTR, 0] {
                for short in [0, 1, 4, 5] {
                    tried += at_every_call(path, direct, errno, short)?;
                }
            }
        }
    }
    Ok(tried)
}

fn main() {
    let told = match all() {
        Ok(tried) => format!("tried {tried}\n"),
        Err(law) => law + "\n",
    };
    let _ = std::io::stderr().write_all(told.as_bytes());
}
