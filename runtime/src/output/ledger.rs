//! What became of the events of one output: written, or lost and why.
//!
//! The law it keeps: every event that was handed over is in exactly one of the counts, or still in the queue.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use super::tally::Tally;
use crate::internal;

/// Why an event did not reach its output.
///
/// ```
/// assert!(canonlog::LossReason::ALL.iter().any(|reason| reason.as_str() == "queue_full"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// The queue was full.
    QueueFull,
    /// The output, written to directly, took nothing within the limit.
    Blocked,
    /// The output failed.
    Io,
    /// The line was longer than a chunk of the queue.
    Oversize,
    /// It came after the shutdown, or the shutdown's time was up.
    Shutdown,
    /// The format panicked.
    Encode,
    /// It was made while canonlog was at work on the same thread: in an output, a format, or a filter.
    Reentrant,
}

impl LossReason {
    /// Every reason.
    pub const ALL: [LossReason; 7] = [
        LossReason::QueueFull,
        LossReason::Blocked,
        LossReason::Io,
        LossReason::Oversize,
        LossReason::Shutdown,
        LossReason::Encode,
        LossReason::Reentrant,
    ];

    /// Its name, as the `dropped` event shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LossReason::QueueFull => "queue_full",
            LossReason::Blocked => "blocked",
            LossReason::Io => "io",
            LossReason::Oversize => "oversize",
            LossReason::Shutdown => "shutdown",
            LossReason::Encode => "encode",
            LossReason::Reentrant => "reentrant",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Losses for one reason, to be told in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) reason: LossReason,
    pub(crate) count: u64,
    /// The first and the last of them, in nanoseconds since 1970.
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Debug, Default)]
struct Lost {
    total: AtomicU64,
    /// How many of them the stream has been told about.
    told: AtomicU64,
    from: AtomicI64,
    to: AtomicI64,
}

/// What became of the events of one output.
#[derive(Debug)]
pub(crate) struct Ledger {
    output: String,
    /// Written by the writer of a queue, in batches.
    written: AtomicU64,
    /// Written one by one, on any thread.
    directly: Tally,
    /// Whether anything was ever lost: what every event looks at, and mostly nobody writes.
    any_lost: AtomicBool,
    lost: [Lost; LossReason::ALL.len()],
    /// Counts the losses of other outputs as well.
    all: Arc<AtomicU64>,
}

impl Ledger {
    /// `all` counts the losses of several outputs.
    pub(crate) fn new(output: &str, all: Arc<AtomicU64>) -> Self {
        Ledger {
            output: output.to_owned(),
            written: AtomicU64::new(0),
            directly: Tally::new(),
            any_lost: AtomicBool::new(false),
            lost: Default::default(),
            all,
        }
    }

    /// The output's name.
    pub(crate) fn output(&self) -> &str {
        &self.output
    }

    /// Counts events as written.
    pub(crate) fn wrote(&self, events: u64) {
        self.written.fetch_add(events, Relaxed);
    }

    /// Counts an event as written directly: without a write that other threads would have to wait for.
    #[inline]
    pub(crate) fn wrote_directly(&self) {
        self.directly.add_one();
    }

    /// Counts events as lost, `at` being now in nanoseconds since 1970.
    pub(crate) fn lose(&self, reason: LossReason, events: u64, at: i64) {
        if events == 0 {
            return;
        }
        if !self.any_lost.load(Relaxed) {
            self.any_lost.store(true, Relaxed);
        }
        let lost = &self.lost[reason as usize];
        // Before the count: whoever sees the count sees the times.
        let _ = lost.from.compare_exchange(0, at, Relaxed, Relaxed);
        lost.to.store(at, Relaxed);
        lost.total.fetch_add(events, std::sync::atomic::Ordering::Release);
        self.all.fetch_add(events, Relaxed);
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.load(Relaxed) + self.directly.sum()
    }

    pub(crate) fn lost(&self, reason: LossReason) -> u64 {
        self.lost[reason as usize].total.load(std::sync::atomic::Ordering::Acquire)
    }

    pub(crate) fn lost_in_all(&self) -> u64 {
        if !self.any_lost.load(Relaxed) {
            return 0;
        }
        LossReason::ALL.into_iter().map(|reason| self.lost(reason)).sum()
    }

    /// What the stream is to be told now. Nobody else gets the same, so whoever cannot tell it gives it back.
    pub(crate) fn claim(&self) -> impl Iterator<Item = Report> + '_ {
        LossReason::ALL.into_iter().filter_map(|reason| {
            let lost = &self.lost[reason as usize];
            let mut total = 0;
            let told = lost.told.fetch_update(Relaxed, Relaxed, |told| {
                total = self.lost(reason);
                (told < total).then_some(total)
            });
            let count = total - told.ok()?;
            let to = lost.to.load(Relaxed);
            let from = lost.from.swap(0, Relaxed);
            let from = if from == 0 { to } else { from };
            Some(Report { reason, count, from, to })
        })
    }

    /// Gives back what could not be told.
    pub(crate) fn untold(&self, report: &Report) {
        let lost = &self.lost[report.reason as usize];
        lost.from.store(report.from, Relaxed);
        lost.told.fetch_sub(report.count, Relaxed);
    }

    /// Whether the stream has been told everything.
    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        !self.any_lost.load(Relaxed) || self.all_told()
    }

    #[cold]
    fn all_told(&self) -> bool {
        LossReason::ALL.iter().all(|reason| self.lost[*reason as usize].told.load(Relaxed) >= self.lost(*reason))
    }

    /// Says on stderr that the output fails.
    pub(crate) fn complain(&self, what: &dyn fmt::Display) {
        let lost = self.lost_in_all();
        internal::say_of(&format!("output `{}`", self.output), &format!("{what}; {lost} events lost so far"));
    }

    /// Says on stderr what was lost, if anything was.
    pub(crate) fn say_lost(&self) {
        let lost = self.lost_in_all();
        if lost == 0 {
            return;
        }
        let mut text = format!("output `{}`: {lost} events lost, {} written (", self.output, self.written());
        let reasons = LossReason::ALL.into_iter().filter(|reason| self.lost(*reason) > 0);
        for (at, reason) in reasons.enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            text.push_str(&format!("{separator}{reason}: {}", self.lost(reason)));
        }
        text.push(')');
        internal::say(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(ledger: &Ledger) -> Vec<Report> {
        ledger.claim().collect()
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let ledger = Ledger::new("test", Arc::default());
        ledger.lose(LossReason::Io, 2, 10);
        ledger.lose(LossReason::Io, 1, 20);
        assert!(!ledger.is_told());
        let told = claim(&ledger);
        assert_eq!(told, [Report { reason: LossReason::Io, count: 3, from: 10, to: 20 }]);
        assert_eq!(claim(&ledger), []);
        ledger.lose(LossReason::Io, 1, 30);
        assert_eq!(claim(&ledger), [Report { reason: LossReason::Io, count: 1, from: 30, to: 30 }]);
        assert!(ledger.is_told());
        assert_eq!(ledger.lost_in_all(), 4);
    }

    #[test]
    fn what_could_not_be_told_is_told_with_the_next() {
        let ledger = Ledger::new("test", Arc::default());
        ledger.lose(LossReason::QueueFull, 2, 10);
        ledger.untold(&claim(&ledger)[0]);
        ledger.lose(LossReason::QueueFull, 1, 20);
        assert_eq!(claim(&ledger), [Report { reason: LossReason::QueueFull, count: 3, from: 10, to: 20 }]);
    }

    #[test]
    fn threads_that_tell_at_once_tell_each_loss_once() {
        let ledger = Ledger::new("test", Arc::default());
        let told: u64 = std::thread::scope(|scope| {
            let tell = || -> u64 {
                (1..=1_000)
                    .map(|at| {
                        ledger.lose(LossReason::Io, 1, at);
                        ledger.claim().map(|report| report.count).sum::<u64>()
                    })
                    .sum()
            };
            let tellers = [scope.spawn(tell), scope.spawn(tell)];
            tellers.into_iter().map(|teller| teller.join().expect("no panic")).sum()
        });
        assert_eq!((told, ledger.is_told()), (2_000, true));
    }
}
