//! Code of an application that knows nothing of canonlog: no annotation, no dependency on it.

use std::time::{Duration, Instant};

/// Asks a system that takes its time, and keeps the thread meanwhile.
pub fn ask(pause: Duration) -> u64 {
    let answer = wait(pause);
    answer.len() as u64
}

#[inline(never)]
fn wait(pause: Duration) -> &'static str {
    std::thread::sleep(pause);
    std::hint::black_box("answered")
}

/// Computes for a while.
pub fn compute(pause: Duration) -> u64 {
    let began = Instant::now();
    let mut sum = 0;
    while began.elapsed() < pause {
        sum = crunch(sum);
    }
    std::hint::black_box(sum)
}

#[inline(never)]
fn crunch(seed: u64) -> u64 {
    let mut sum = std::hint::black_box(seed);
    for n in 0..200_000_u64 {
        sum = sum.rotate_left(5) ^ std::hint::black_box(n);
    }
    std::hint::black_box(sum)
}

/// Reads an amount.
///
/// # Errors
///
/// That of a text which is no number.
pub fn amount(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.trim().parse()
}
