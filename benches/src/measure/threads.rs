//! Two threads against one: 2.0 if nothing is shared between them.
//!
//! The two threads are pinned, and go through rounds of three batches: the first alone, both at once, the second
//! alone. Only rounds in which neither was put aside count. Each peer runs in a process of its own.

use std::env;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::median;
use crate::peers::Entry;
use crate::sys::{involuntary_switches, pin};
use crate::workload::Input;

/// How two threads compare with one.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    /// Work of two threads over work of one: the median over the quiet rounds.
    pub factor: f64,
    /// Rounds in which no thread was put aside.
    pub quiet: u64,
}

/// Fewer quiet rounds say nothing.
pub const ENOUGH: u64 = 30;

const BATCH: u32 = 256;
/// With a writer beside them: it is woken every 64 events, and a longer batch would always meet it.
const BATCH_WITH_WRITER: u32 = 32;

pub fn measure(name: &str, rounds: u64) -> Result<Scaling, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["--threads-child", name, &rounds.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut words = said.split_whitespace();
    let read = |word: Option<&str>| word.and_then(|word| word.parse::<f64>().ok());
    match (read(words.next()), read(words.next())) {
        (Some(factor), Some(quiet)) => Ok(Scaling { factor, quiet: quiet as u64 }),
        _ => Err(format!("the process for two threads ended with {}", output.status)),
    }
}

/// What runs in a process of its own: prints the factor and the number of quiet rounds.
pub fn child(entry: Entry, rounds: u64, pause: Option<Duration>) {
    let meeting = Meeting::default();
    let [one, two] = thread::scope(|scope| {
        let meeting = &meeting;
        let threads = [0, 1].map(|me| scope.spawn(move || side(me, entry, rounds, pause, meeting)));
        threads.map(|thread| thread.join().expect("a peer does not panic"))
    });
    let mut factors: Vec<f64> =
        one.iter().zip(&two).map(|(a, b)| a.0 / a.1 + b.0 / b.1).filter(|f| f.is_finite()).collect();
    let quiet = factors.len();
    println!("{} {quiet}", median(&mut factors));
}

/// One thread's batches: alone and beside the other, NaN where it was put aside.
fn side(me: usize, entry: Entry, rounds: u64, pause: Option<Duration>, meeting: &Meeting) -> Vec<(f64, f64)> {
    pin(me);
    let input = Input::example();
    let mut peer = (entry.make)();
    let length = if pause.is_some() { BATCH_WITH_WRITER } else { BATCH };
    let batch = |peer: &mut dyn crate::peers::Peer| {
        let before = involuntary_switches();
        let start = Instant::now();
        for _ in 0..length {
            peer.request(&input);
        }
        let time = start.elapsed().as_nanos() as f64;
        if involuntary_switches() == before { time } else { f64::NAN }
    };
    for _ in 0..8 {
        batch(&mut *peer);
    }
    let mut times = Vec::new();
    for _ in 0..rounds {
        let mut alone = f64::NAN;
        let mut beside = f64::NAN;
        for turn in 0..3 {
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
            meeting.meet();
            match turn {
                1 => beside = batch(&mut *peer),
                turn if turn / 2 == me => alone = batch(&mut *peer),
                _ => {}
            }
            meeting.meet();
        }
        peer.settle();
        times.push((alone, beside));
    }
    times
}

/// A barrier for two that spins, so that both leave it in the same instant.
#[derive(Default)]
struct Meeting {
    arrived: AtomicU64,
}

impl Meeting {
    fn meet(&self) {
        let mine = self.arrived.fetch_add(1, Ordering::AcqRel) + 1;
        let all = mine.next_multiple_of(2);
        let mut spins = 0_u32;
        while self.arrived.load(Ordering::Acquire) < all {
            spins += 1;
            if spins.is_multiple_of(1 << 14) {
                thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}
