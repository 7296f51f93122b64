//! What canonlog counts about itself.

use crate::counters::{Count, NAMED, measures, total};
use crate::emitter::SinkStats;
use crate::output::LossReason;
use crate::pipeline;

/// What canonlog counts about itself; made by [`stats`].
///
/// Every event is in one of the counts of each output it was meant for, or still in that output's queue.
///
/// ```
/// let stats = canonlog::stats();
/// for output in stats.outputs() {
///     println!("{}: {} written, {} lost", output.name(), output.written(), output.lost());
///     for (reason, count) in output.lost_by_reason() {
///         println!("  {reason}: {count}");
///     }
/// }
/// # assert_eq!(stats.lost(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Stats {
    outputs: Vec<OutputStats>,
    counts: Vec<(&'static str, u64)>,
    counters: Vec<(&'static str, i64)>,
}

/// What became of the events of one output.
///
/// ```
/// let _guard = canonlog::setup().init()?;
/// let stats = canonlog::stats();
/// let output = &stats.outputs()[0];
/// assert_eq!((output.name(), output.lost()), ("stdout", 0));
/// assert_eq!(output.lost_by(canonlog::LossReason::QueueFull), 0);
/// # Ok::<(), canonlog::SetupError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OutputStats {
    name: String,
    written: u64,
    lost: [u64; LossReason::ALL.len()],
}

/// What canonlog has counted about itself since the process began.
///
/// ```
/// let stats = canonlog::stats();
/// assert_eq!((stats.lost(), stats.count("late_writes")), (0, 0));
/// ```
pub fn stats() -> Stats {
    let outputs = pipeline::in_use().flat_map(|parts| parts.emitters.stats()).map(OutputStats::from).collect();
    let of_emitters: u64 = pipeline::in_use().map(|parts| parts.emitters.filter_panics()).sum();
    let more = |what| if what == Count::FilterPanics { of_emitters } else { 0 };
    let counts = NAMED.into_iter().map(|(name, what)| (name, total(what) + more(what))).collect();
    let counters = measures::counters().into_iter().map(|(_, name, sum)| (name, sum.sum)).collect();
    Stats { outputs, counts, counters }
}

impl Stats {
    /// The outputs, in the order of their emitters.
    ///
    /// ```
    /// let _guard = canonlog::setup().init()?;
    /// for output in canonlog::stats().outputs() {
    ///     assert_eq!(output.lost(), 0, "{}", output.name());
    /// }
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn outputs(&self) -> &[OutputStats] {
        &self.outputs
    }

    /// Events lost by all outputs.
    pub fn lost(&self) -> u64 {
        self.outputs.iter().map(OutputStats::lost).sum()
    }

    /// Events written by all outputs.
    pub fn written(&self) -> u64 {
        self.outputs.iter().map(OutputStats::written).sum()
    }

    /// The other counts by name, as in the `canonlog_` fields: `late_writes`, `outside_writes`, `truncated`.
    ///
    /// ```
    /// let late = canonlog::stats().counts().find(|(name, _)| *name == "late_writes");
    /// assert_eq!(late, Some(("late_writes", 0)));
    /// ```
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.counts.iter().copied()
    }

    /// The program's own counters ([`inc`](crate::inc)), in the order of their first use.
    ///
    /// ```
    /// canonlog::inc("requests").by("bytes", 512);
    /// let stats = canonlog::stats();
    /// assert!(stats.counters().eq([("requests", 1), ("bytes", 512)]));
    /// ```
    pub fn counters(&self) -> impl Iterator<Item = (&'static str, i64)> + '_ {
        self.counters.iter().copied()
    }

    /// One of the program's own counters; 0 for one that was never used.
    ///
    /// ```
    /// assert_eq!(canonlog::stats().counter("requests"), 0);
    /// ```
    pub fn counter(&self, name: &str) -> i64 {
        self.counters().find_map(|(known, sum)| (known == name).then_some(sum)).unwrap_or(0)
    }

    /// One of the other counts; 0 for an unknown name.
    ///
    /// ```
    /// canonlog::Context::set("nowhere", 1);
    /// assert_eq!(canonlog::stats().count("outside_writes"), 1);
    /// ```
    pub fn count(&self, name: &str) -> u64 {
        self.counts().find_map(|(known, count)| (known == name).then_some(count)).unwrap_or(0)
    }
}

impl OutputStats {
    /// The output's name; outputs of the same name are numbered: `file`, `file-2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Events written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Events lost.
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// Events lost, by each reason, also those for which none was.
    ///
    /// ```
    /// let _guard = canonlog::setup().init()?;
    /// let stats = canonlog::stats();
    /// let lost = stats.outputs()[0].lost_by_reason().find(|(_, count)| *count > 0);
    /// assert_eq!(lost, None);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn lost_by_reason(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        LossReason::ALL.into_iter().map(|reason| (reason, self.lost_by(reason)))
    }

    /// Events lost for one reason.
    pub fn lost_by(&self, reason: LossReason) -> u64 {
        self.lost[reason as usize]
    }
}

impl From<SinkStats> for OutputStats {
    fn from(SinkStats { output, written, lost }: SinkStats) -> Self {
        OutputStats { name: output, written, lost }
    }
}
