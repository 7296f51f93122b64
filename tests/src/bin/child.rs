//! A program that ends in a given way: `child <how> [runtime]`, started by tests. Events go where the environment says.

use std::process::exit;
use std::time::Duration;

use canonlog::{Background, Context, Emitter, EmitterSet, File, Guard, Kind, begin};
use canonlog_tests::client::PATIENCE;
use canonlog_tests::fork::{exit_child, fork, wait_for};
use canonlog_tests::numbered;

const EVENTS: usize = 10;

/// Emits one event.
fn emit(n: usize) {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set("n", n));
    scope.finish();
}

fn emit_all(from: usize) {
    (from..from + EVENTS).for_each(emit);
}

fn init() -> Guard {
    canonlog::setup().init().unwrap_or_else(|error| {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
        exit(2)
    })
}

/// A number given on the command line.
fn number(at: usize) -> usize {
    std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Messages of both kinds are kept, and brought out by one of each.
fn tracing_lookback() {
    use tracing_subscriber::prelude::*;

    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).without_time();
    let subscriber = tracing_subscriber::registry().with(fmt).with(canonlog::tracing::layer());
    tracing::subscriber::set_global_default(subscriber).expect("there is none yet");
    let emitter = Emitter::new("tracing").output(canonlog::tracing::Dispatched::new()).direct();
    let setup = canonlog::setup().emitter(emitter).lookback(canonlog::Lookback::new());
    let _guard = setup.init().expect("a set-up");
    canonlog::info!("own 1");
    tracing::info!("theirs 1");
    tracing::error!("loud 1");
    canonlog::info!("own 2");
    tracing::info!("theirs 2");
    canonlog::error!("loud 2");
}

/// Events of `tracing` that no emitter wants, and a status event at the end.
fn tracing_status() {
    use tracing_subscriber::prelude::*;

    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(canonlog::tracing::layer()))
        .expect("there is none yet");
    let errors = Emitter::new("errors").level(canonlog::Level::Error).output(canonlog::Null::new());
    let status = Emitter::new("status").only([canonlog::EventType::Status]).output(canonlog::Stdout::new());
    let every = canonlog::Status::every(Duration::from_secs(3_600));
    let guard = canonlog::setup().emitter(errors).emitter(status).status(every).init().expect("a set-up");
    for n in 0..3 {
        tracing::info!(n, "nobody wants it");
    }
    tracing::debug!("nor this");
    tracing::error!("this is wanted");
    guard.shutdown();
}

fn runtime(kind: &str) -> Option<tokio::runtime::Runtime> {
    let runtime = match kind {
        "multi_thread" => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        "one_worker" => tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build(),
        "current_thread" => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => return None,
    };
    Some(runtime.expect("a runtime"))
}

/// Runs `work` on a task of the runtime, or on a thread.
fn on(runtime: Option<&tokio::runtime::Runtime>, work: impl FnOnce() + Send + 'static) {
    let ended = match runtime {
        Some(runtime) => runtime.block_on(async { tokio::spawn(async move { work() }).await.is_ok() }),
        None => std::thread::spawn(work).join().is_ok(),
    };
    assert!(ended, "the work panicked");
}

/// A request that is still running.
async fn in_flight(n: usize) {
    let scope = begin(Kind::Request);
    let context = scope.context();
    context.enter(|| Context::set("n", n));
    context.scope(std::future::pending::<()>()).await;
    scope.finish();
}

/// Emits when its thread ends.
struct Last(usize);

impl Drop for Last {
    fn drop(&mut self) {
        emit(self.0);
    }
}

thread_local! {
    static EARLY: Last = const { Last(100) };
    static LATE: Last = const { Last(101) };
}

#[allow(unsafe_code)]
fn ignore_file_size_signal() {
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = libc::rlimit { rlim_cur: 4_096, rlim_max: 4_096 };
    // SAFETY: the pointer is to a live structure, which is only read.
    unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) };
}

/// Flushes when it is dropped.
struct Flush(&'static Guard, usize);

impl Drop for Flush {
    fn drop(&mut self) {
        (self.1..self.1 + EVENTS).for_each(emit);
        assert!(self.0.flush());
    }
}

fn flush_while_panicking(runtime: Option<&tokio::runtime::Runtime>) -> ! {
    let guard: &'static Guard = Box::leak(Box::new(init()));
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        emit_all(0);
        assert!(guard.flush());
    }));
    let work = move || {
        let _flush = Flush(guard, EVENTS);
        panic!("on purpose");
    };
    let panicked = match runtime {
        Some(runtime) => runtime.block_on(async { tokio::spawn(async move { work() }).await.is_err() }),
        None => std::thread::spawn(work).join().is_err(),
    };
    exit(if panicked { 7 } else { 1 })
}

/// Forks again and again while threads emit, panic and time out.
fn fork_under_load() {
    let guard = init();
    let load = std::sync::atomic::AtomicBool::new(true);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // Those of the load would fill the screen.
        if std::thread::current().name() == Some("main") {
            before(info);
        }
    }));
    // A fork while threads start, and make what is made once, is tried in `forks`.
    let warm = std::sync::Barrier::new(4);
    emit_all(0);
    std::thread::scope(|scope| {
        for thread in 1..=3 {
            let (load, warm) = (&load, &warm);
            scope.spawn(move || {
                emit(thread * 100_000 - 1);
                warm.wait();
                for n in (thread * 100_000..).take(10_000) {
                    if !load.load(std::sync::atomic::Ordering::Relaxed) {
                        return;
                    }
                    let _ = std::panic::catch_unwind(|| {
                        let scope = begin(Kind::Request);
                        scope.enter(|| {
                            Context::set("n", n);
                            assert!(n % 4 != 0, "on purpose");
                        });
                    });
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
        }
        warm.wait();
        for number in 1..=20 {
            let child = fork();
            if child == 0 {
                emit_all(number * 1_000_000);
                let flushed = guard.flush();
                exit_child(i32::from(!flushed));
            }
            assert_eq!(wait_for(child, Duration::from_secs(1)), Some(0), "child {number}");
        }
        load.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(guard.shutdown(), 0);
}

/// Which signals are caught, ignored and blocked.
fn tell_signals() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| ["SigBlk:", "SigIgn:", "SigCgt:"].iter().any(|of| line.starts_with(of))) {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
    }
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let kind = std::env::args().nth(2).unwrap_or_default();
    match how.as_str() {
        "drop" => {
            let runtime = runtime(&kind);
            let _guard = init();
            on(runtime.as_ref(), || emit_all(0));
        }
        "full_disk" => {
            ignore_file_size_signal();
            let path = std::path::Path::new(&kind);
            let file = File::open(path).expect("a file");
            let emitter = Emitter::new("file").format(numbered::Numbered).output(file);
            let set = EmitterSet::start([emitter]).expect("it starts");
            (0..2_000).for_each(|n| numbered::emit(&set, n));
            assert!(set.flush(PATIENCE));
            // Somebody makes room, as rotations do.
            let full = path.with_file_name("full");
            std::fs::create_dir(&full).expect("a folder");
            std::fs::rename(path, full.join("events.log")).expect("moved");
            (2_000..2_010).for_each(|n| numbered::emit(&set, n));
            let lost = set.shutdown(PATIENCE);
            let told = format!("lost {lost} written {}\n", set.written());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
        }
        "debug_log" => {
            let log = Emitter::debug_log(&kind).expect("a file");
            let setup = canonlog::setup().emitter(Emitter::new("events")).emitter(log);
            let _guard = setup.init().expect("the only set-up");
            emit_all(0);
        }
        "flush" => {
            let runtime = runtime(&kind);
            let guard = init();
            match &runtime {
                // In the middle of the runtime, where blocking on it would panic or hang.
                Some(runtime) => runtime.block_on(async {
                    emit_all(0);
                    assert!(guard.flush() && guard.flush());
                }),
                None => {
                    emit_all(0);
                    assert!(guard.flush() && guard.flush());
                }
            }
            exit(7);
        }
        "runtime_drop" => {
            let guard = init();
            match runtime(&kind) {
                Some(runtime) => {
                    (0..EVENTS).for_each(|n| drop(runtime.spawn(in_flight(n))));
                    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
                    drop(runtime);
                }
                None => emit_all(0),
            }
            drop(guard);
        }
        "runtime_drop_after_guard" => {
            let runtime = runtime(&kind);
            let guard = init();
            if let Some(runtime) = &runtime {
                (0..EVENTS).for_each(|n| drop(runtime.spawn(in_flight(n))));
                runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
            }
            drop(guard);
            if runtime.is_none() {
                emit_all(0);
            }
        }
        "panic" => {
            let runtime = runtime(&kind);
            let _guard = init();
            on(runtime.as_ref(), || emit_all(0));
            panic!("the program's bug");
        }
        "exit" => {
            let runtime = runtime(&kind);
            let _guard = init();
            on(runtime.as_ref(), || emit_all(0));
            exit(3);
        }
        "thread_local" => {
            let runtime = runtime(&kind);
            let guard = init();
            on(runtime.as_ref(), || {
                EARLY.with(|_| ());
                emit_all(0);
                LATE.with(|_| ());
            });
            // Ends the worker threads; a current_thread runtime has run the work on this one.
            drop(runtime);
            drop(guard);
        }
        "fork" => {
            let runtime = runtime(&kind);
            let guard = init();
            let busy = std::thread::spawn(|| (1_000..1_000 + 50 * EVENTS).for_each(emit));
            emit_all(0);
            let child = fork();
            if child == 0 {
                emit_all(EVENTS);
                assert!(guard.flush());
                exit_child(0);
            }
            assert_eq!(wait_for(child, PATIENCE), Some(0));
            busy.join().expect("no panic");
            drop((runtime, guard));
        }
        "fork_without_flush" => {
            let guard = init();
            emit_all(0);
            let child = fork();
            if child == 0 {
                emit_all(EVENTS);
                drop(guard);
                exit_child(0);
            }
            assert_eq!(wait_for(child, PATIENCE), Some(0));
            drop(guard);
        }
        "many" => {
            let guard = init();
            (0..number(2)).for_each(emit);
            let lost = guard.shutdown();
            let stats = canonlog::stats();
            let told = format!("lost {lost} written {}\n", stats.written());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
        }
        "file_size" => {
            ignore_file_size_signal();
            let guard = init();
            for n in 0..number(2) {
                emit(n);
                guard.flush();
            }
            let lost = guard.shutdown();
            let told = format!("lost {lost} written {}\n", canonlog::stats().written());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
        }
        "without_setup" => {
            (0..number(2)).for_each(emit);
            let stats = canonlog::stats();
            let told = format!("lost {} written {}\n", stats.lost(), stats.written());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
            exit(0);
        }
        "again" => {
            let _guard = init();
            let again = canonlog::setup().init();
            assert!(matches!(again, Err(canonlog::SetupError::Again)));
        }
        "sighup" => {
            // Until its standard input ends.
            let path = std::env::args().nth(2).unwrap_or_default();
            let emitter = Emitter::new("file").output(File::open(path).expect("a file")).background(Background::new());
            let guard = canonlog::setup().emitter(emitter).init().expect("a set-up");
            guard.on_sighup().expect("a handler");
            let mut line = String::new();
            for n in 0.. {
                line.clear();
                if std::io::stdin().read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                emit(n);
                guard.flush();
                let _ = std::io::Write::write_all(&mut std::io::stderr(), b"ready\n");
            }
        }
        "closed_stdout" => {
            // What the program opens next must not become its standard output.
            let path = std::env::args().nth(2).unwrap_or_default();
            let precious = std::fs::File::create(path).expect("a file");
            let guard = init();
            emit_all(0);
            guard.shutdown();
            drop(precious);
        }
        "unbound" => {
            // What many write who mean to keep it: it is dropped at once.
            let _ = init();
            emit_all(0);
        }
        "flush_at_once" => {
            let guard = init();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let guard = &guard;
                    scope.spawn(move || {
                        for n in thread * 50..(thread + 1) * 50 {
                            emit(n);
                            assert!(n % 10 != 0 || guard.flush());
                        }
                        assert!(guard.flush());
                    });
                }
            });
            exit(7);
        }
        "flush_while_panicking" => flush_while_panicking(runtime(&kind).as_ref()),
        "fork_under_load" => fork_under_load(),
        "tracing_lookback" => tracing_lookback(),
        "tracing_status" => tracing_status(),
        "signals" => {
            // The C library itself handles a signal from the first thread on.
            on(None, || {});
            tell_signals();
            let guard = init();
            emit_all(0);
            let scope = begin(Kind::Job);
            scope.enter(|| Context::set_timeout(Duration::from_millis(20)));
            while canonlog::stats().written() < 11 {
                std::thread::sleep(Duration::from_millis(2));
                guard.flush();
            }
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scope.enter(|| panic!("on purpose"))));
            drop(scope);
            guard.flush();
            tell_signals();
        }
        _ => exit(64),
    }
}
