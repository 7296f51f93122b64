//! A program whose children made by `fork` go on recording: `forks <how>`, started by tests. Events go to standard output.

use std::process::exit;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use canonlog::{Context, Guard, Kind, Scope, begin};
use canonlog_tests::fork::{exit_child, fork, wait_for};

/// What a child may take.
const PATIENCE: Duration = Duration::from_secs(8);

fn started(n: usize) -> Scope {
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set("n", n));
    scope
}

/// Waits until so many events of this process are written.
fn written(guard: &Guard, count: u64) -> bool {
    let began = Instant::now();
    while canonlog::stats().written() < count {
        if began.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
        guard.flush();
    }
    true
}

/// A request of the parent's and one of the child's, both beyond their limit, which is set up once.
fn time_out() -> ! {
    let limit = Duration::from_millis(200);
    let guard = canonlog::setup().timeout(limit).init().expect("a set-up");
    let (begun, told) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let scope = started(1);
            begun.wait();
            told.wait();
            scope.finish();
        });
        begun.wait();
        let child = fork();
        if child == 0 {
            let scope = started(2);
            let timed_out = written(&guard, 1);
            // The parent's has been past its limit for longer than this one; that it was not reported shows here.
            scope.finish();
            exit_child(i32::from(!(timed_out && guard.flush())));
        }
        // Not by a panic: the scope would wait for its thread.
        if wait_for(child, PATIENCE) != Some(0) || !written(&guard, 1) {
            exit(1);
        }
        told.wait();
    });
    exit(i32::from(guard.shutdown() != 0))
}

/// A key that no request had before.
fn new_key() -> &'static str {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Box::leak(format!("key_{}", NEXT.fetch_add(1, Relaxed)).into_boxed_str())
}

/// A request that takes every lock there is: a new name, a further slot, and another thread that writes beside it.
fn busy_request(beside: &Sender<Context>) {
    let scope = begin(Kind::Request);
    scope.enter(|| {
        let _ = beside.send(scope.context());
        Context::set("n", 0);
        Context::set(new_key(), 1);
        // More than a slot holds, in a line that a pipe keeps whole.
        for at in 0..3 {
            Context::set_dynamic(&format!("text_{at}"), "x".repeat(1_130));
        }
    });
    scope.finish();
}

/// Forks while other threads are at any point of anything. None of them starts or ends meanwhile: std's own lock on that is
/// out of reach.
fn any_moment() -> ! {
    let guard = canonlog::setup().timeout(Duration::from_secs(600)).init().expect("a set-up");
    let (load, ready) = (&AtomicBool::new(true), &Barrier::new(8));
    let shared = &started(0);
    let cx = shared.context();
    let mut failed = None;
    std::thread::scope(|threads| {
        for _ in 0..2 {
            let (beside, contexts) = channel::<Context>();
            threads.spawn(move || {
                ready.wait();
                contexts.iter().for_each(|cx| cx.set_in("app", "beside", "z".repeat(100)));
            });
            threads.spawn(move || {
                ready.wait();
                while load.load(Relaxed) {
                    busy_request(&beside);
                }
            });
        }
        // One that several threads write to: in the child it is the parent's, and nobody waits for it.
        threads.spawn(move || {
            ready.wait();
            shared.enter(|| {
                while load.load(Relaxed) {
                    Context::set("text", "x".repeat(300));
                    Context::set("text", "y".repeat(310));
                }
            });
        });
        for _ in 0..2 {
            threads.spawn(move || {
                ready.wait();
                while load.load(Relaxed) {
                    cx.set_in("app", "beside", "z".repeat(300));
                    cx.get_in("app", "text");
                }
            });
        }
        ready.wait();
        failed = (1..=150).find_map(|number| {
            let child = fork();
            if child == 0 {
                record_in_child(cx, number);
                exit_child(i32::from(!guard.flush()));
            }
            let ended = wait_for(child, PATIENCE);
            (ended != Some(0)).then_some((number, ended))
        });
        load.store(false, Relaxed);
    });
    assert_eq!(failed, None, "a child");
    guard.shutdown();
    exit(0)
}

fn record_in_child(parents: Context, number: usize) {
    parents.set_in("app", "late", 1);
    parents.get_in("app", "text");
    for n in 0..3 {
        let scope = started(number * 10 + n);
        scope.enter(|| Context::set(new_key(), 1));
        scope.finish();
    }
    // More records at once than this thread has slots for.
    let many: Vec<Scope> = (0..100).map(|_| begin(Kind::Job)).collect();
    many.into_iter().for_each(std::mem::forget);
}

/// Works until it is told to stop.
fn spin(until: impl Fn() -> bool) {
    while !until() {
        for n in 0..20_000_u64 {
            std::hint::black_box(n);
        }
    }
}

/// A request that works beyond its limit.
fn spinning_request(n: usize, until: impl Fn() -> bool) {
    let scope = started(n);
    scope.enter(|| {
        Context::set_timeout(Duration::from_millis(20));
        spin(until);
    });
    scope.finish();
}

/// Forks while stacks of threads that work are taken, one after the other, and put into words. Each child has one taken of its own.
fn while_captured() -> ! {
    let guard = canonlog::setup().stacks(10_000).init().expect("a set-up");
    let load = &AtomicBool::new(true);
    let mut failed = None;
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while load.load(Relaxed) {
                    let began = Instant::now();
                    spinning_request(0, || began.elapsed() > Duration::from_millis(30));
                }
            });
        }
        // Whatever takes its time at the first stack has been done by then.
        let is_under_way = written(&guard, 4);
        for n in 1..=12 {
            std::thread::sleep(Duration::from_micros(700 * n as u64));
            let child = fork();
            if child == 0 {
                let before = canonlog::stats().written();
                let (began, told) = (Instant::now(), || canonlog::stats().written() > before);
                spinning_request(n, || {
                    guard.flush();
                    told() || began.elapsed() > PATIENCE
                });
                exit_child(i32::from(!(told() && guard.flush())));
            }
            let status = wait_for(child, PATIENCE + PATIENCE);
            if status != Some(0) || !is_under_way {
                failed = Some((n, status, is_under_way));
                break;
            }
        }
        load.store(false, Relaxed);
    });
    assert_eq!(failed, None, "a child, what it ended with, and whether stacks were taken before");
    exit(i32::from(guard.shutdown() != 0))
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("time_out") => time_out(),
        Some("any_moment") => any_moment(),
        Some("while_captured") => while_captured(),
        _ => exit(64),
    }
}
