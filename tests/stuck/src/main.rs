//! Requests that get stuck, each on a thread of its own, in a program small enough to be built in many ways: `stuck [stacks] [how]`,
//! with so many stacks a second; `own`: with a handler of its own for SIGURG; `dropped`: having dropped the right to look at itself;
//! `hidden`: where there is no `/proc` at all ([`NOT_PERMITTED`] if that cannot be had).
//!
//! `tests/lines.rs` builds it as users build theirs, and looks what its timeouts tell. The lines that they should name
//! end in a comment, `in <handler>` for the innermost and `of <handler>` for the outermost.

use std::ffi::CStr;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use canonlog::instrument_request;
use once_cell::sync::OnceCell;

const LIMIT: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(1_500);

/// What a server does with a future that is never pending.
fn serve(future: impl Future<Output = u64>) -> u64 {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

#[instrument_request]
async fn block() -> u64 {
    legacy::ask(PAUSE) // of block
}

#[instrument_request]
async fn spin() -> u64 {
    legacy::compute(PAUSE) // of spin
}

#[instrument_request]
fn sync() -> u64 {
    inner(PAUSE) // of sync
}

fn inner(pause: Duration) -> u64 {
    thread::sleep(pause); // in sync
    std::hint::black_box(1)
}

/// In a closure that a dependency calls.
#[instrument_request]
async fn callback() -> u64 {
    static ONCE: OnceCell<u64> = OnceCell::new();
    let answer = || {
        let answer = std::hint::black_box(2);
        thread::sleep(PAUSE); // in callback
        answer
    };
    let answer = ONCE.get_or_init(answer); // of callback
    *answer
}

/// In the standard library, for a lock.
#[instrument_request]
async fn locked(lock: &Mutex<u64>) -> u64 {
    *lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) // of locked
}

/// In a system call that fails if a signal interrupts it.
#[instrument_request]
async fn socket(stream: &UnixStream) -> u64 {
    let (mut stream, mut byte) = (stream, [0]);
    let read = stream.read(&mut byte); // of socket
    let error = read.expect_err("nobody writes");
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    2
}

/// What `/proc` tells of this process is another user's from now on, as in a server that began as root, or one that was made
/// unreadable on purpose.
#[allow(unsafe_code)]
fn drop_rights() -> std::io::Result<()> {
    const NOBODY: u32 = 65_534;
    // SAFETY: it takes nothing and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    // SAFETY: numbers alone are passed; no other thread runs yet.
    if is_root && unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: numbers alone are passed.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let is_readable = std::fs::read("/proc/self/syscall").is_ok();
    if is_readable { Err(std::io::Error::other("it can still be read")) } else { Ok(()) }
}

/// The exit code of a program that may not have a view of its own of the file system.
const NOT_PERMITTED: u8 = 77;

/// Where this process looks, `/proc` is empty from now on, as in a `chroot` or a container that has none.
#[allow(unsafe_code)]
fn hide_proc() -> std::io::Result<()> {
    // SAFETY: it takes nothing and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let own = if is_root { libc::CLONE_NEWNS } else { libc::CLONE_NEWNS | libc::CLONE_NEWUSER };
    // SAFETY: a number alone is passed; no other thread runs yet.
    if unsafe { libc::unshare(own) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let mount = |from: &CStr, to: &CStr, flags| {
        // SAFETY: both are texts that end in a zero and outlive the call, which keeps neither; type and data may be null or are such texts.
        let done = unsafe { libc::mount(from.as_ptr(), to.as_ptr(), from.as_ptr(), flags, std::ptr::null()) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    // Nobody else sees what is mounted here.
    mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE)?;
    mount(c"tmpfs", c"/proc", 0)?;
    let is_hidden = std::fs::read("/proc/self/stat").is_err();
    if is_hidden { Ok(()) } else { Err(std::io::Error::other("it can still be read")) }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.get(1).is_some_and(|how| how == "hidden")
        && let Err(error) = hide_proc()
    {
        writeln!(std::io::stderr(), "no view of its own: {error}")?;
        return Ok(ExitCode::from(NOT_PERMITTED));
    }
    run(args).map(|()| ExitCode::SUCCESS)
}

fn run(args: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    let mut args = args.into_iter();
    let stacks = args.next().map_or(Ok(100), |stacks| stacks.parse())?;
    let urgent = Arc::new(AtomicBool::new(false));
    let how = args.next();
    if how.as_deref() == Some("dropped") {
        drop_rights()?;
    }
    if how.as_deref() == Some("own") {
        signal_hook::flag::register(signal_hook::consts::SIGURG, Arc::clone(&urgent))?;
    }
    let _guard = canonlog::setup().timeout(LIMIT).stacks(stacks).init()?;
    let lock = Mutex::new(3);
    let (stream, _other) = UnixStream::pair()?;
    stream.set_read_timeout(Some(PAUSE))?;
    thread::scope(|threads| {
        let held = lock.lock().map_err(|_| "poisoned");
        threads.spawn(|| serve(block()));
        threads.spawn(|| serve(spin()));
        threads.spawn(sync);
        threads.spawn(|| serve(callback()));
        threads.spawn(|| serve(locked(&lock)));
        threads.spawn(|| serve(socket(&stream)));
        thread::sleep(PAUSE);
        drop(held);
    });
    assert!(!urgent.load(Ordering::Relaxed), "nobody sends a signal for which the program has a handler");
    Ok(())
}
