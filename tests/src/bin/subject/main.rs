//! A program to which its test does something: `subject <what> [number or path]`.
//!
//! Events go where the environment says; on stderr it tells its test how far it is, one word or number a line.

mod filter;
mod limits;

use std::io::Write as _;
use std::process::exit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use canonlog::{Background, Context, Emitter, File, Guard, Kind, begin};

use self::filter::Deny;

fn emit(n: u64) {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set("n", n));
    scope.finish();
}

fn tell(line: impl std::fmt::Display) {
    // In one piece, so that its test can find the call.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn init() -> Guard {
    canonlog::setup().init().unwrap_or_else(|error| {
        tell(error);
        exit(2)
    })
}

fn argument(at: usize) -> String {
    std::env::args().nth(at).unwrap_or_default()
}

/// What the law needs, as `lost <n> written <n>`.
fn tell_the_end(guard: Guard) {
    let lost = guard.shutdown();
    tell(format_args!("lost {lost} written {}", canonlog::stats().written()));
}

/// Requests on a thread that has everything it needs; between the two words it told, the thread does nothing else.
fn requests(guard: &Guard, count: u64) {
    (0..200).for_each(emit);
    guard.flush();
    tell("from here");
    (200..200 + count).for_each(emit);
    tell("to here");
}

/// Emits on three threads until it is killed; tells how many events are in the file for certain.
fn until_killed() {
    static EMITTED: AtomicU64 = AtomicU64::new(0);
    let file = File::open(argument(2)).expect("a file");
    let queue = Background::new().period(Duration::from_millis(5));
    let guard =
        canonlog::setup().emitter(Emitter::new("file").output(file).background(queue)).init().expect("a set-up");
    for thread in 0..3 {
        std::thread::spawn(move || {
            for n in (thread * 1_000_000_000_u64..).take(10_000_000) {
                emit(n);
                EMITTED.fetch_add(1, Ordering::Release);
                if n % 16 == 0 {
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        });
    }
    let mut told = 0;
    loop {
        let emitted = EMITTED.load(Ordering::Acquire);
        if guard.flush() {
            // Some may have been refused by a full queue.
            let written = emitted.saturating_sub(canonlog::stats().lost());
            if written > told {
                tell(written);
                told = written;
            }
        }
    }
}

/// Panics in a request, where it is caught; and has one that is stuck for so long.
fn panic_and_time_out(n: u64, stuck: Duration) {
    let scope = begin(Kind::Request);
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let scope = begin(Kind::Job);
        scope.enter(|| {
            Context::set("n", n);
            panic!("on purpose")
        })
    }));
    scope.enter(|| {
        Context::set("n", n + 1);
        Context::set_timeout(Duration::from_millis(20));
    });
    std::thread::sleep(stuck);
    scope.finish();
}

/// Longer than the limit; enough where nobody is there to look.
const SHORT: Duration = Duration::from_millis(60);
/// So long that whoever looks has looked.
const LONG: Duration = Duration::from_secs(2);

fn main() {
    match argument(1).as_str() {
        "requests" => {
            // CPU time is read from the system, twice a poll; it is not what is looked at here.
            let guard = canonlog::setup().cpu_time(false).init().expect("a set-up");
            requests(&guard, argument(2).parse().expect("a number"));
            drop(guard);
        }
        "without_randomness" => {
            let guard = init();
            (0..100).for_each(emit);
            guard.flush();
            filter::apply(Deny::Kill, &[libc::SYS_getrandom]);
            (100..1_100).for_each(emit);
            guard.flush();
            if argument(2) == "then_with" {
                // A thread that has no generator yet.
                let _ = std::thread::spawn(|| emit(1_100)).join();
            }
            drop(guard);
        }
        "without_handlers" => {
            // The C library itself handles a signal from the first thread on.
            let _ = std::thread::spawn(|| {}).join();
            filter::apply(Deny::Kill, &[libc::SYS_rt_sigaction]);
            let guard = init();
            (0..10).for_each(emit);
            panic_and_time_out(10, LONG);
            guard.flush();
            if argument(2) == "then_with" {
                let _ = guard.on_sighup();
            }
            drop(guard);
        }
        "until_killed" => until_killed(),
        "without_threads" => {
            filter::apply(Deny::Errno(libc::EAGAIN), &[libc::SYS_clone, libc::SYS_clone3]);
            assert!(std::thread::Builder::new().spawn(|| {}).is_err(), "no thread can be made");
            match canonlog::setup().init() {
                Ok(_) => exit(3),
                Err(error) => tell(error),
            }
            (0..10).for_each(emit);
            panic_and_time_out(10, SHORT);
            tell(format_args!("lost {} written {}", canonlog::stats().lost(), canonlog::stats().written()));
        }
        "direct_without_threads" => {
            filter::apply(Deny::Errno(libc::EAGAIN), &[libc::SYS_clone, libc::SYS_clone3]);
            let guard = canonlog::setup().emitter(Emitter::new("direct").direct()).init().expect("needs no thread");
            (0..10).for_each(emit);
            panic_and_time_out(10, SHORT);
            tell_the_end(guard);
        }
        "threads_run_out" => {
            let guard = init();
            filter::apply(Deny::Errno(libc::EAGAIN), &[libc::SYS_clone, libc::SYS_clone3]);
            (0..10).for_each(emit);
            panic_and_time_out(10, LONG);
            tell_the_end(guard);
        }
        "without_files" => {
            limits::no_more_files();
            assert!(std::fs::File::open("/dev/null").is_err(), "no file can be opened");
            let guard = init();
            (0..10).for_each(emit);
            tell_the_end(guard);
        }
        "files_run_out" => {
            let path = std::path::PathBuf::from(argument(2));
            let emitter = Emitter::new("file").output(File::open(&path).expect("a file"));
            let guard = canonlog::setup().emitter(emitter).init().expect("a set-up");
            (0..10).for_each(emit);
            assert!(guard.flush());
            let before = limits::no_more_files();
            assert!(std::fs::File::open("/dev/null").is_err(), "no file can be opened");
            (10..20).for_each(emit);
            assert!(guard.flush());
            // Nor can a new one, when the file is moved away: the old one takes what comes.
            std::fs::rename(&path, path.with_extension("old")).expect("renamed");
            assert!(guard.reopen().is_err());
            (20..30).for_each(emit);
            assert!(guard.flush());
            limits::files(before);
            (30..40).for_each(emit);
            tell_the_end(guard);
        }
        _ => exit(64),
    }
}
