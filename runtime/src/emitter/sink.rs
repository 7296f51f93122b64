//! One place that lines go to, whichever emitters write there.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::Way;
use super::report::Reports;
use crate::clock;
use crate::format::Format;
use crate::internal::guarded;
use crate::output::{
    self, Batch, Failure, Inside, Ledger, LossReason, Output, PerProcess, Queue, Refused, Report, Reporter, is_inside,
};

/// What an event that comes after the shutdown may wait for its output.
const LATE_LIMIT: Duration = Duration::from_millis(100);

/// As long a sink waits for that which led to the same place before it, and has as long itself to come to its end.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(3);

/// One place that lines go to.
pub(super) struct Sink {
    output: Held,
    reports: Arc<Reports>,
    pub(super) way: Way,
    here: PerProcess<Here>,
    /// For one without a queue, which has no writer to wait: the sink that led to the same place before, and whether it may have
    /// something to write.
    before: Weak<Sink>,
    follows: AtomicBool,
    /// No emitter leads here any more.
    leaving: AtomicBool,
    /// As many losses as stderr was told of last.
    said: AtomicU64,
    losses: Arc<AtomicU64>,
}

/// The output. A list that some idle thread keeps may hold the sink for long, and must not hold what the writer alone needs: that is
/// let go of when the writer has ended.
enum Held {
    Direct(Arc<dyn Output>),
    Queued(Weak<dyn Output>),
}

impl Held {
    /// Does something with the output, if it is still there.
    #[inline(always)]
    fn with<R>(&self, work: impl FnOnce(&Arc<dyn Output>) -> R) -> Option<R> {
        match self {
            Held::Direct(output) => Some(work(output)),
            Held::Queued(output) => output.upgrade().map(|output| work(&output)),
        }
    }
}

/// The sink's parts that a forked child has for itself.
struct Here {
    ledger: Arc<Ledger>,
    queue: Option<Queue>,
    /// The last event that was written directly was not taken in time; the next does not wait.
    blocked: AtomicBool,
}

/// What became of a sink's events.
#[derive(Clone, Debug)]
pub(crate) struct SinkStats {
    pub(crate) output: String,
    pub(crate) written: u64,
    pub(crate) lost: [u64; LossReason::ALL.len()],
}

impl SinkStats {
    pub(super) fn add(&mut self, other: &SinkStats) {
        self.written += other.written;
        for (lost, more) in self.lost.iter_mut().zip(other.lost) {
            *lost += more;
        }
    }
}

fn now() -> i64 {
    clock::unix_nanos(clock::now())
}

/// What a sink is made of.
pub(super) struct Parts {
    /// The output's name, with a number where others have the same.
    pub(super) label: String,
    pub(super) output: Arc<dyn Output>,
    pub(super) formats: Vec<Arc<dyn Format>>,
    pub(super) way: Way,
    /// The sink that led to the same place before: nothing is written here while that has something to write.
    pub(super) before: Option<Arc<Sink>>,
    /// Counts the losses of all sinks.
    pub(super) losses: Arc<AtomicU64>,
}

impl Here {
    fn start(
        output: &Arc<dyn Output>,
        reports: &Arc<Reports>,
        way: Way,
        losses: &Arc<AtomicU64>,
        before: Option<Arc<Sink>>,
    ) -> std::io::Result<Here> {
        let ledger = Arc::new(Ledger::new(&reports.output, Arc::clone(losses)));
        let queue = match way {
            Way::Direct(_) => None,
            Way::Background(options) => {
                let reporter: Arc<dyn Reporter> = Arc::clone(reports) as Arc<dyn Reporter>;
                let wait = move || before.is_none_or(|before| before.wait_ended(PREDECESSOR_LIMIT));
                Some(Queue::start(options, Arc::clone(output), reporter, Arc::clone(&ledger), wait)?)
            }
        };
        Ok(Here { ledger, queue, blocked: AtomicBool::new(false) })
    }

    /// Of a process that can start no writer: lines go directly.
    fn alone(reports: &Reports, losses: &Arc<AtomicU64>) -> Here {
        let ledger = Arc::new(Ledger::new(&reports.output, Arc::clone(losses)));
        Here { ledger, queue: None, blocked: AtomicBool::new(false) }
    }
}

impl Sink {
    pub(super) fn start(parts: Parts) -> std::io::Result<Sink> {
        let Parts { label, output, formats, way, before, losses } = parts;
        let reports = Arc::new(Reports::new(label, formats));
        let earlier = before.as_ref().filter(|_| matches!(way, Way::Direct(_))).map(Arc::downgrade);
        let here = PerProcess::new(Here::start(&output, &reports, way, &losses, before)?);
        let (follows, before) = (AtomicBool::new(earlier.is_some()), earlier.unwrap_or_default());
        let output = match way {
            Way::Direct(_) => Held::Direct(output),
            Way::Background(_) => Held::Queued(Arc::downgrade(&output)),
        };
        let (leaving, said) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Sink { output, reports, way, here, before, follows, leaving, said, losses })
    }

    fn here(&self) -> &Here {
        self.here.get(|| {
            // A child made by `fork`: the parent's writer is not here, so a new one is made. Without, lines go directly.
            let started = self.output.with(|output| Here::start(output, &self.reports, self.way, &self.losses, None));
            started.and_then(Result::ok).unwrap_or_else(|| Here::alone(&self.reports, &self.losses))
        })
    }

    /// The label under which it is counted.
    pub(super) fn label(&self) -> &str {
        &self.reports.output
    }

    /// From now on, losses are told of in these formats; those of before.
    pub(super) fn set_formats(&self, formats: Vec<Arc<dyn Format>>) -> Vec<Arc<dyn Format>> {
        self.reports.set_formats(formats)
    }

    /// Takes a line, with its end.
    #[inline(always)]
    pub(super) fn push(&self, line: &[u8], stamp: u64) {
        let here = self.here();
        let Some(queue) = &here.queue else {
            let limit = if let Way::Direct(limit) = self.way { limit } else { Some(LATE_LIMIT) };
            let limit = if self.follows.load(Ordering::Relaxed) { self.wait_for_before(limit) } else { limit };
            return self.write(here, line, limit);
        };
        match queue.push(line, stamp) {
            Ok(()) => {}
            Err(Refused::Full) => here.ledger.lose(LossReason::QueueFull, 1, now()),
            Err(Refused::Oversize) => here.ledger.lose(LossReason::Oversize, 1, now()),
            Err(Refused::Closed) => self.push_late(here, queue, line),
        }
    }

    /// Waits until the sink that led to the same place before has written what it had, and says what is left of the limit.
    #[cold]
    fn wait_for_before(&self, limit: Option<Duration>) -> Option<Duration> {
        let began = Instant::now();
        if let Some(before) = self.before.upgrade() {
            let limit = limit.map_or(PREDECESSOR_LIMIT, |limit| limit.min(PREDECESSOR_LIMIT));
            // It may be the last to have that sink's output.
            let _ = guarded(move || before.wait_ended(limit));
        }
        // One that is stuck keeps one event waiting, not every one.
        self.follows.store(false, Ordering::Relaxed);
        limit.map(|limit| limit.saturating_sub(began.elapsed()))
    }

    /// After the shutdown, or after the last emitter that led here: what is written now still arrives, unless the writer was given up
    /// in the middle of it.
    #[cold]
    fn push_late(&self, here: &Here, queue: &Queue, line: &[u8]) {
        if self.leaving.load(Ordering::Relaxed) {
            // The emitter went while this event was on its way, so the writer is at its last lines.
            queue.wait_ended(LATE_LIMIT);
        }
        if queue.is_drained() {
            self.write(here, line, Some(LATE_LIMIT));
        } else {
            here.ledger.lose(LossReason::Shutdown, 1, now());
        }
    }

    /// Writes a line on this thread. As long as all goes well, nothing is written that threads share.
    #[inline]
    fn write(&self, here: &Here, line: &[u8], limit: Option<Duration>) {
        if !here.ledger.is_told() {
            return self.write_reports(here, line, limit);
        }
        match self.offer(here, Batch::new(line, 1), limit) {
            Ok(()) => here.ledger.wrote_directly(),
            Err(failure) => self.failed(here, &failure, &[]),
        }
    }

    /// The same, after what was lost before.
    #[cold]
    fn write_reports(&self, here: &Here, line: &[u8], limit: Option<Duration>) {
        let mut told = Vec::new();
        let claimed = here.ledger.claim();
        let reports: Vec<Report> = claimed.filter(|report| self.reports.report(report, &mut told)).collect();
        told.extend_from_slice(line);
        match self.offer(here, Batch::new(&told, reports.len() as u64 + 1), limit) {
            Ok(()) => here.ledger.wrote_directly(),
            Err(failure) => self.failed(here, &failure, &reports),
        }
    }

    /// Has the output write.
    #[inline(always)]
    fn offer(&self, here: &Here, mut batch: Batch<'_>, limit: Option<Duration>) -> Result<(), Failure> {
        let blocked = here.blocked.load(Ordering::Relaxed);
        if let Some(limit) = limit {
            // A stuck output keeps one event waiting, not every one.
            batch = batch.within(if blocked { Duration::ZERO } else { limit });
        }
        let gone = || Err(Failure { written: 0, kind: ErrorKind::NotConnected, text: "it is gone".to_owned() });
        let offered = self.output.with(|output| output::offer(&**output, batch)).unwrap_or_else(gone);
        if blocked && offered.is_ok() {
            here.blocked.store(false, Ordering::Relaxed);
        }
        offered
    }

    /// Counts a line that came after these reports and was not written, or with an error only.
    #[cold]
    fn failed(&self, here: &Here, failure: &Failure, reports: &[Report]) {
        let ledger = &here.ledger;
        let timed_out = failure.kind == ErrorKind::TimedOut;
        here.blocked.store(timed_out, Ordering::Relaxed);
        let told = usize::try_from(failure.written).unwrap_or(usize::MAX);
        reports.iter().skip(told).for_each(|report| ledger.untold(report));
        if failure.written > reports.len() as u64 {
            ledger.wrote_directly();
        } else {
            ledger.lose(if timed_out { LossReason::Blocked } else { LossReason::Io }, 1, now());
            ledger.complain(&failure.text);
        }
    }

    pub(super) fn lose(&self, reason: LossReason) {
        self.here().ledger.lose(reason, 1, now());
    }

    /// Waits until everything so far is written or counted as lost.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        if is_inside() {
            // An output, format or filter that waited for itself would wait in vain.
            return false;
        }
        let Some(here) = self.here.peek() else { return true };
        match &here.queue {
            Some(queue) => queue.flush(limit),
            None => {
                let _inside = Inside::enter();
                self.output.with(|output| output::flush(&**output).is_ok()).unwrap_or(false)
            }
        }
    }

    /// For the last thread of a process, which may be inside an output and hold its locks: only the queue's own thread is asked.
    pub(super) fn flush_queue(&self, limit: Duration) {
        if let Some(queue) = self.here.peek().and_then(|here| here.queue.as_ref()) {
            queue.flush(limit);
        }
    }

    pub(super) fn reopen(&self) -> std::io::Result<()> {
        let _inside = Inside::enter();
        let reopened = guarded(|| self.output.with(|output| output.reopen()).unwrap_or(Ok(())));
        reopened.unwrap_or_else(|text| Err(std::io::Error::other(text)))
    }

    /// Tells the writer to end.
    pub(super) fn close(&self) {
        // A child that has emitted nothing has nothing to end.
        if let Some(queue) = self.here.peek().and_then(|here| here.queue.as_ref()) {
            queue.close();
        }
    }

    /// No emitter leads here any more: what comes now was on its way before.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Waits until the writer has ended, or where there is none, that of the sink before; false if that takes longer than `limit`.
    pub(super) fn wait_ended(&self, limit: Duration) -> bool {
        match self.here.peek().and_then(|here| here.queue.as_ref()) {
            Some(queue) => queue.wait_ended(limit),
            None => self.before.upgrade().is_none_or(|before| before.wait_ended(limit)),
        }
    }

    /// Waits for the writer's end; says on stderr what was lost.
    pub(super) fn finish(&self, deadline: Instant) {
        let Some(here) = self.here.peek() else { return };
        match &here.queue {
            Some(queue) => queue.finish(deadline),
            None => {
                let _inside = Inside::enter();
                if let Some(Err(text)) = self.output.with(|output| output::flush(&**output)) {
                    here.ledger.complain(&text);
                }
            }
        }
        let lost = here.ledger.lost_in_all();
        if self.said.swap(lost, Ordering::Relaxed) != lost {
            here.ledger.say_lost();
        }
    }

    pub(super) fn stats(&self) -> SinkStats {
        let ledger = self.here.peek().map(|here| &here.ledger);
        SinkStats {
            output: self.reports.output.clone(),
            written: ledger.map_or(0, |ledger| ledger.written()),
            lost: LossReason::ALL.map(|reason| ledger.map_or(0, |ledger| ledger.lost(reason))),
        }
    }
}
