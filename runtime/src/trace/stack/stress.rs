//! Stacks are taken all the time of threads that are at what is hardest to interrupt: nothing crashes or hangs, and nearly every
//! stack goes down to where its thread began.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::*;
use crate::sys::stack::library::Library;
use crate::sys::thread::tid;

/// A thread whose stack may be taken.
struct Member {
    kind: &'static str,
    visit: Visit,
    is_there: AtomicBool,
    /// How often it has done what it does.
    rounds: AtomicU64,
}

struct Crowd {
    members: Mutex<Vec<Arc<Member>>>,
    ends: AtomicBool,
    /// For those that wait for each other.
    turn: Mutex<u64>,
    turned: Condvar,
}

impl Crowd {
    /// Does something again and again on this thread, which is a member meanwhile.
    fn join(&self, kind: &'static str, rounds: u64, mut work: impl FnMut(&Crowd)) {
        let visit = Visit { tid: tid(), stack: stack::bounds().expect("bounds"), frame: 0, began: 0, entered: 0 };
        let me = Arc::new(Member { kind, visit, is_there: AtomicBool::new(true), rounds: AtomicU64::new(0) });
        self.members.lock().expect("no panic").push(Arc::clone(&me));
        while me.rounds.load(Relaxed) < rounds && !self.ends.load(Relaxed) {
            work(self);
            me.rounds.fetch_add(1, Relaxed);
        }
        me.is_there.store(false, Relaxed);
        self.members.lock().expect("no panic").retain(|member| !Arc::ptr_eq(member, &me));
    }
}

fn allocate(_: &Crowd) {
    let texts: HashMap<String, Vec<u8>> = (0..50_usize).map(|n| (n.to_string(), vec![1; n * 97])).collect();
    std::hint::black_box(&texts);
}

fn panic(_: &Crowd) {
    struct Cleanup(Box<u64>);
    impl Drop for Cleanup {
        fn drop(&mut self) {
            std::hint::black_box(&self.0);
        }
    }
    fn deep(levels: u32) {
        let _cleanup = Cleanup(Box::new(1));
        match levels {
            // Without the panic hook, which is the whole program's.
            0 => resume_unwind(Box::new(1)),
            _ => deep(levels - 1),
        }
    }
    assert!(catch_unwind(|| deep(std::hint::black_box(20))).is_err());
}

fn load(_: &Crowd) {
    let names = [c"libresolv.so.2", c"libanl.so.1", c"libnss_dns.so.2", c"libutil.so.1"];
    let loaded: Vec<Library> = names.into_iter().filter_map(Library::load).collect();
    assert!(!loaded.is_empty());
}

fn unwind(_: &Crowd) {
    drop(std::hint::black_box(std::backtrace::Backtrace::force_capture()));
}

fn sort(_: &Crowd) {
    let mut numbers: Vec<u64> = (0..5_000).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    numbers.sort_by_key(|n| std::cmp::Reverse(*n));
    std::hint::black_box(&numbers);
}

fn recurse(_: &Crowd) {
    fn down(levels: u32) -> u64 {
        let here = std::hint::black_box([u64::from(levels); 16]);
        if levels == 0 { here.iter().sum() } else { down(levels - 1).wrapping_add(here[3]) }
    }
    std::hint::black_box(down(200));
}

fn wait(crowd: &Crowd) {
    let mut turn = crowd.turn.lock().expect("no panic");
    *turn += 1;
    crowd.turned.notify_all();
    drop(crowd.turned.wait_timeout(turn, Duration::from_millis(3)));
}

/// A call that fails if a signal interrupts it.
fn read() -> impl FnMut(&Crowd) {
    let (mut here, there) = UnixStream::pair().expect("a pair");
    here.set_read_timeout(Some(Duration::from_millis(2))).expect("a limit");
    move |_| {
        let _open = &there;
        let error = here.read(&mut [0]).expect_err("nobody writes");
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    }
}

/// Threads that end soon, one after the other.
fn start_threads(crowd: &Crowd) {
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| crowd.join("short", 30, allocate));
        }
    });
}

#[derive(Default)]
struct Tally {
    taken: u64,
    complete: u64,
    none: u64,
}

#[test]
fn stacks_are_taken_of_threads_at_their_worst_moments() {
    let seconds = std::env::var("STRESS_SECONDS").map_or(2, |text| text.parse().expect("a number"));
    let crowd = Crowd {
        members: Mutex::default(),
        ends: AtomicBool::new(false),
        turn: Mutex::default(),
        turned: Condvar::new(),
    };
    let crowd: &'static Crowd = Box::leak(Box::new(crowd));
    let (ended, ends) = mpsc::channel();
    let start = |kind: &'static str, mut work: Box<dyn FnMut(&Crowd) + Send>| {
        let ended = ended.clone();
        std::thread::spawn(move || {
            crowd.join(kind, u64::MAX, &mut work);
            ended.send(kind).expect("somebody listens");
        })
    };
    let threads = [
        start("allocate", Box::new(allocate)),
        start("panic", Box::new(panic)),
        start("load", Box::new(load)),
        start("load", Box::new(load)),
        start("unwind", Box::new(unwind)),
        start("sort", Box::new(sort)),
        start("recurse", Box::new(recurse)),
        start("wait", Box::new(wait)),
        start("read", Box::new(read())),
        start("start", Box::new(start_threads)),
    ];

    // The first of them reads the program's file, which takes seconds where a sanitizer looks on.
    let here = stacks_are_taken_of_threads_at_their_worst_moments as fn() as usize as u64;
    assert_eq!(with_known(|unwinder, symbols| symbols.places(here, unwinder).len()), Some(1));
    let mut unwinder = Unwinder::new();
    let mut tallies: HashMap<(&str, &str), Tally> = HashMap::new();
    let began = Instant::now();
    for n in 0_usize.. {
        if began.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        let members = crowd.members.lock().expect("no panic");
        let Some(member) = members.get(n % members.len().max(1)).map(Arc::clone) else { continue };
        drop(members);
        let Some(doing) = doing(member.visit.tid) else { continue };
        let until = Instant::now() + Duration::from_millis(100);
        let captured = capture(&member.visit, doing, until, || member.is_there.load(Relaxed));
        let state = if doing == Doing::Running { "running" } else { "asleep" };
        let tally = tallies.entry((member.kind, state)).or_default();
        match captured {
            Some(captured) => {
                unwinder.refresh();
                tally.taken += 1;
                tally.complete += u64::from(unwinder.unwind(&captured.copy).complete);
                // What is not known of it is no reason to fail.
                if n % 50 == 0 {
                    let _ = captured.locate();
                }
            }
            None => tally.none += 1,
        }
    }
    crowd.ends.store(true, Relaxed);
    drop(ended);
    for _ in &threads {
        ends.recv_timeout(Duration::from_secs(60)).expect("no thread hangs, nor has one failed");
    }
    for thread in threads {
        thread.join().expect("no panic");
    }

    let mut lines: Vec<String> = tallies
        .iter()
        .map(|((kind, state), Tally { taken, complete, none })| {
            format!("{kind} {state}: {taken} taken, {complete} complete, {none} not to be had")
        })
        .collect();
    lines.sort();
    let report = lines.join("\n");
    let sum = |of: fn(&Tally) -> u64| tallies.values().map(of).sum::<u64>();
    let (taken, complete, none) = (sum(|t| t.taken), sum(|t| t.complete), sum(|t| t.none));
    assert!(taken > 5 * seconds && none < taken, "{taken} taken, {none} not to be had\n{report}");
    assert!(complete * 100 >= taken * 95, "{complete} of {taken} complete\n{report}");
    for state in ["running", "asleep"] {
        assert!(tallies.iter().any(|((_, found), tally)| *found == state && tally.complete > 0), "{state}\n{report}");
    }
}
