//! Time: short batches of all cases, shuffled anew in every round, in one process.
//!
//! What the machine does meanwhile meets all cases alike, and ratios are taken inside a round. A batch in which
//! the thread was put aside by the system is thrown away.

use std::time::{Duration, Instant};

use super::median;
use crate::sys::involuntary_switches;
use crate::workload::id;

/// Something to time.
pub struct Case<'a> {
    /// Runs it so many times.
    pub run: Box<dyn FnMut(u32) + 'a>,
    /// Ends a batch; timed apart.
    pub settle: Option<Box<dyn FnMut() + 'a>>,
    /// Runs a batch; found by [`Rounds::measure`] if 0.
    pub batch: u32,
}

/// Nanoseconds a run, by case and round; NaN where the batch was thrown away.
pub struct Rounds {
    nanos: Vec<Vec<f64>>,
    settle: Vec<Vec<f64>>,
}

/// What a batch should take: long against reading a clock, short against a time slice.
const AIM: Duration = Duration::from_micros(150);

impl Rounds {
    pub fn measure(cases: &mut [Case<'_>], rounds: usize) -> Rounds {
        for case in cases.iter_mut() {
            (case.run)(64);
            let start = Instant::now();
            (case.run)(64);
            let one = start.elapsed() / 64;
            if case.batch == 0 {
                case.batch = (AIM.as_nanos() / one.as_nanos().max(1)).clamp(16, 65_536) as u32;
            }
        }
        let mut all = Rounds { nanos: vec![Vec::new(); cases.len()], settle: vec![Vec::new(); cases.len()] };
        let mut order: Vec<usize> = (0..cases.len()).collect();
        for _ in 0..rounds {
            shuffle(&mut order);
            for &index in &order {
                let (nanos, settle) = batch(&mut cases[index]);
                all.nanos[index].push(nanos);
                all.settle[index].push(settle);
            }
        }
        all
    }

    pub fn nanos(&self, case: usize) -> f64 {
        median(&mut quiet(self.nanos[case].iter().copied()))
    }

    /// What other threads took, a run.
    pub fn settle(&self, case: usize) -> f64 {
        median(&mut quiet(self.settle[case].iter().copied()))
    }

    /// `f` of the two cases' times in the same round: the median over the rounds in which both were quiet.
    pub fn paired(&self, one: usize, other: usize, f: impl Fn(f64, f64) -> f64) -> f64 {
        median(&mut quiet(self.nanos[one].iter().zip(&self.nanos[other]).map(|(a, b)| f(*a, *b))))
    }

    /// The part of all batches that was not thrown away.
    pub fn quiet(&self) -> f64 {
        let all = self.nanos.iter().flatten();
        all.clone().filter(|nanos| nanos.is_finite()).count() as f64 / all.count().max(1) as f64
    }
}

fn quiet(values: impl Iterator<Item = f64>) -> Vec<f64> {
    values.filter(|value| value.is_finite()).collect()
}

fn batch(case: &mut Case<'_>) -> (f64, f64) {
    let runs = case.batch;
    // Its own code and data back into the caches.
    (case.run)(runs / 4 + 1);
    if let Some(settle) = &mut case.settle {
        settle();
    }
    let before = involuntary_switches();
    let start = Instant::now();
    (case.run)(runs);
    let elapsed = start.elapsed();
    let disturbed = involuntary_switches() != before;
    let start = Instant::now();
    if let Some(settle) = &mut case.settle {
        settle();
    }
    let each = |time: Duration| time.as_nanos() as f64 / f64::from(runs);
    (if disturbed { f64::NAN } else { each(elapsed) }, each(start.elapsed()))
}

fn shuffle(order: &mut [usize]) {
    for last in (1..order.len()).rev() {
        order.swap(last, (id() % (last as u128 + 1)) as usize);
    }
}
