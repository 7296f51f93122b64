//! `rt_*`: how busy the process was at the last sample.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Instrumenter, InstrumenterError, Registration};
use crate::counters::{self, Count};
use crate::event::head;
use crate::record::keys::builtin;
use crate::sys::fork;
use crate::unit::Unit;

/// How busy the process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    workers: u16,
    active: u16,
    backlog: u32,
}

/// The last sample in one word, so that no reader meets half of one. Written once a second, so it does not tie threads together.
static LAST: AtomicU64 = AtomicU64::new(0);

impl Sample {
    /// Counts beyond what a field holds stay at its end.
    pub(crate) fn new(workers: usize, active: usize, backlog: u64) -> Sample {
        Sample {
            workers: workers.try_into().unwrap_or(u16::MAX),
            active: active.try_into().unwrap_or(u16::MAX),
            backlog: backlog.try_into().unwrap_or(u32::MAX),
        }
    }

    fn to_word(self) -> u64 {
        u64::from(self.workers) << 48 | u64::from(self.active) << 32 | u64::from(self.backlog)
    }

    fn of_word(word: u64) -> Sample {
        Sample { workers: (word >> 48) as u16, active: (word >> 32) as u16, backlog: word as u32 }
    }
}

/// Makes a sample the one that events show.
pub(crate) fn publish(sample: Sample) {
    LAST.store(sample.to_word(), Ordering::Relaxed);
}

/// Changes how many workers the last sample has.
pub(crate) fn publish_workers(count: usize) {
    let change =
        |word| Some(Sample { workers: count.try_into().unwrap_or(u16::MAX), ..Sample::of_word(word) }.to_word());
    let _ = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
}

/// What takes samples in the process of this number, plus one; 0 while nothing does.
static SAMPLED_IN: AtomicU64 = AtomicU64::new(0);

/// Starts it again in a child made by `fork`, where threads do not go along.
static RESTART: OnceLock<fn()> = OnceLock::new();

/// Asks for the right to take samples in this process; its number, for the first one that asks. Another process asks by `restart`.
/// Until the first sample, events show `before`.
pub(crate) fn sampled_by(restart: fn(), before: Sample) -> Option<u64> {
    let process = fork::generation();
    if SAMPLED_IN.swap(process + 1, Ordering::Relaxed) == process + 1 {
        return None;
    }
    publish(before);
    let _ = RESTART.set(restart);
    Some(process)
}

/// The last sample of this process.
fn last() -> Sample {
    if SAMPLED_IN.load(Ordering::Relaxed) != fork::generation() + 1
        && let Some(restart) = RESTART.get()
    {
        restart();
    }
    let sample = Sample::of_word(LAST.load(Ordering::Relaxed));
    if sample.workers == 0 { after_a_pause(sample) } else { sample }
}

/// The last sample was taken before anything was at work, so it would say of the first events that nobody made them. They count
/// the threads themselves, once until the next sample.
#[cold]
fn after_a_pause(sample: Sample) -> Sample {
    if SAMPLED_IN.load(Ordering::Relaxed) == 0 {
        return sample;
    }
    let (mut workers, mut active) = (0, 0);
    counters::each_thread(|_, counts| {
        workers += usize::from(counts.get(Count::Entered) > 0);
        active += usize::from(counts.is_inside());
    });
    let counted = Sample { backlog: sample.backlog, ..Sample::new(workers, active, 0) };
    // A sample that was taken meanwhile is better.
    match LAST.compare_exchange(sample.to_word(), counted.to_word(), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => counted,
        Err(newer) => Sample::of_word(newer),
    }
}

struct Saturation;

impl Instrumenter for Saturation {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        let sample = last();
        let kinds = [builtin::RT_W_COUNT, builtin::RT_W_ACTIVE, builtin::RT_BACKLOG].map(|id| (id, head::U64));
        unit.set_numbers(kinds, [sample.workers.into(), sample.active.into(), sample.backlog.into()]);
        Ok(())
    }
}

inventory::submit! {
    Registration {
        name: "saturation",
        order: 400,
        after: &[],
        before: &[],
        location: concat!(file!(), ":", line!()),
        make: || Box::new(Saturation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_survives_its_word_and_ends_at_its_limits() {
        for sample in [Sample::default(), Sample::new(4, 1, 17), Sample::new(usize::MAX, 65_535, u64::MAX)] {
            assert_eq!(Sample::of_word(sample.to_word()), sample);
        }
        assert_eq!(Sample::new(70_000, 0, 0), Sample { workers: u16::MAX, active: 0, backlog: 0 });
    }
}
