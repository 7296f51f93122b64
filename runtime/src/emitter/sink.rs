//! One place that lines go to, whichever emitters write there.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Way;
use super::report::Reports;
use crate::clock;
use crate::format::Format;
use crate::output::{
    Batch, Inside, Ledger, LossReason, Output, PerProcess, Queue, Refused, Report, Reporter, is_inside,
};

/// What an event that comes after the shutdown may wait for its output.
const LATE_LIMIT: Duration = Duration::from_millis(100);

/// Calls what users wrote.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, ()> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        // A payload whose own drop panics must not end the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    })
}

/// One place that lines go to.
pub(super) struct Sink {
    output: Arc<dyn Output>,
    reports: Arc<Reports>,
    way: Way,
    here: PerProcess<Here>,
}

/// The sink's parts that a forked child has for itself.
struct Here {
    ledger: Arc<Ledger>,
    queue: Option<Queue>,
    /// The last event that was written directly was not taken in time; the next does not wait.
    blocked: AtomicBool,
}

/// What became of a sink's events.
pub(crate) struct SinkStats {
    pub(crate) output: String,
    pub(crate) written: u64,
    pub(crate) lost: [u64; LossReason::ALL.len()],
}

/// What an output says of lines that it did not take.
struct Failure {
    written: u64,
    kind: ErrorKind,
    text: String,
}

fn now() -> i64 {
    clock::unix_nanos(clock::now())
}

impl Here {
    fn start(output: &Arc<dyn Output>, reports: &Arc<Reports>, way: Way) -> std::io::Result<Here> {
        let ledger = Arc::new(Ledger::new(&reports.output));
        let queue = match way {
            Way::Direct(_) => None,
            Way::Background(options) => {
                let reporter: Arc<dyn Reporter> = Arc::clone(reports) as Arc<dyn Reporter>;
                Some(Queue::start(options, Arc::clone(output), reporter, Arc::clone(&ledger))?)
            }
        };
        Ok(Here { ledger, queue, blocked: AtomicBool::new(false) })
    }
}

impl Sink {
    pub(super) fn start(
        label: String,
        output: Arc<dyn Output>,
        formats: Vec<Arc<dyn Format>>,
        way: Way,
    ) -> std::io::Result<Sink> {
        let reports = Arc::new(Reports { output: label, formats });
        let here = PerProcess::new(Here::start(&output, &reports, way)?);
        Ok(Sink { output, reports, way, here })
    }

    fn here(&self) -> &Here {
        self.here.get(|| {
            // A child made by `fork`: the parent's writer is not here, so a new one is made. Without, lines go directly.
            Here::start(&self.output, &self.reports, self.way).unwrap_or_else(|_| Here {
                ledger: Arc::new(Ledger::new(&self.reports.output)),
                queue: None,
                blocked: AtomicBool::new(false),
            })
        })
    }

    /// Takes a line, with its end.
    #[inline(always)]
    pub(super) fn push(&self, line: &[u8], stamp: u64) {
        let here = self.here();
        let Some(queue) = &here.queue else {
            let limit = if let Way::Direct(limit) = self.way { limit } else { Some(LATE_LIMIT) };
            return self.write(here, line, limit);
        };
        match queue.push(line, stamp) {
            Ok(()) => {}
            Err(Refused::Full) => here.ledger.lose(LossReason::QueueFull, 1, now()),
            Err(Refused::Oversize) => here.ledger.lose(LossReason::Oversize, 1, now()),
            // After the shutdown: what is written now still arrives, unless the writer was given up in the middle of it.
            Err(Refused::Closed) if queue.is_drained() => self.write(here, line, Some(LATE_LIMIT)),
            Err(Refused::Closed) => here.ledger.lose(LossReason::Shutdown, 1, now()),
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
        match guarded(|| self.output.write(batch)) {
            Ok(Ok(())) => {
                if blocked {
                    here.blocked.store(false, Ordering::Relaxed);
                }
                Ok(())
            }
            Ok(Err(error)) => {
                Err(Failure { written: error.written, kind: error.source.kind(), text: error.source.to_string() })
            }
            Err(()) => Err(Failure { written: 0, kind: ErrorKind::Other, text: "it panicked".to_owned() }),
        }
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
                matches!(guarded(|| self.output.flush()), Ok(Ok(())))
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
        guarded(|| self.output.reopen()).unwrap_or_else(|()| Err(std::io::Error::other("it panicked")))
    }

    /// Tells the writer to end.
    pub(super) fn close(&self) {
        // A child that has emitted nothing has nothing to end.
        if let Some(queue) = self.here.peek().and_then(|here| here.queue.as_ref()) {
            queue.close();
        }
    }

    /// Waits for the writer's end; says on stderr what was lost, and how many those are.
    pub(super) fn finish(&self, deadline: Instant) -> u64 {
        let Some(here) = self.here.peek() else { return 0 };
        match &here.queue {
            Some(queue) => queue.finish(deadline),
            None => {
                let _inside = Inside::enter();
                let _ = guarded(|| self.output.flush());
            }
        }
        here.ledger.say_lost();
        here.ledger.lost_in_all()
    }

    /// Events lost so far; one look where none was.
    pub(super) fn lost(&self) -> u64 {
        self.here.peek().map_or(0, |here| here.ledger.lost_in_all())
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
