//! The thread that empties a queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::Chunk;
use super::queue::Lane;
use super::sync::{Ordering, lock};
use super::{Reporter, Shared};
use crate::clock;
use crate::output::{self, Batch, Inside, LossReason, Output, Report, offer};
use crate::sys::clocks;

/// The longest batch, unless one line is longer.
const BATCH: usize = 128 * 1024;

/// The writer's buffers, kept from pass to pass.
pub(super) struct Writer {
    shared: Arc<Shared>,
    output: Arc<dyn Output>,
    reporter: Arc<dyn Reporter>,
    /// Chunks taken and not written yet; the holes are those that were.
    sources: Vec<Option<Chunk>>,
    taken: Vec<Chunk>,
    lanes: Vec<super::sync::Arc<Lane>>,
    /// Stamp, chunk's number, place among the sources, place in the chunk.
    order: Vec<(u64, u64, u32, u32)>,
    batch: Vec<u8>,
    /// Lines in the batch: events, and reports before them.
    events: u64,
    reports: Vec<Report>,
}

/// As long the writer leaves the first event after quiet to what comes with it.
const SOON: Duration = Duration::from_millis(5);

/// What the writer keeps from one rest to the next.
struct Rested {
    /// That something may be there was seen when this many chunks had been borrowed.
    seen: u64,
    /// How long it leaves what there is to what comes with it.
    pause: Duration,
}

enum Task {
    /// Write what came before now.
    Pass,
    /// The same, for those who asked for this flush.
    Flush(u64),
    /// Write everything and end.
    End,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, output: Arc<dyn Output>, reporter: Arc<dyn Reporter>) -> Self {
        Writer {
            shared,
            output,
            reporter,
            sources: Vec::new(),
            taken: Vec::new(),
            lanes: Vec::new(),
            order: Vec::new(),
            batch: Vec::with_capacity(BATCH),
            events: 0,
            reports: Vec::new(),
        }
    }

    /// Runs until the queue closes or is abandoned.
    pub(super) fn run(mut self) {
        // Whatever an output emits comes back to itself.
        let _inside = Inside::enter();
        let mut rested = Rested { seen: 0, pause: SOON / 2 };
        loop {
            let task = self.rest(&mut rested);
            match task {
                Task::Pass => self.pass(clock::now(), false),
                Task::Flush(_) | Task::End => {
                    self.pass(clock::now(), false);
                    self.tell_alone();
                    self.flush();
                }
            }
            let mut state = lock(&self.shared.chunks.state);
            if state.abandoned {
                break;
            }
            if let Task::Flush(asked) = task {
                state.flushed = asked;
                self.shared.done.notify_all();
            }
            drop(state);
            if matches!(task, Task::End) {
                // Lanes close with this pass; what came since the last one is little.
                self.pass(u64::MAX, true);
                self.tell_alone();
                self.flush();
                break;
            }
        }
        let mut state = lock(&self.shared.chunks.state);
        state.ended = true;
        self.shared.done.notify_all();
        self.shared.room.notify_all();
    }

    /// Has the output hand on what it holds, which counts as written.
    fn flush(&self) {
        if let Err(text) = output::flush(&*self.output) {
            self.shared.ledger.complain(&text);
        }
    }

    /// Waits for something to do.
    fn rest(&self, rested: &mut Rested) -> Task {
        let shared = &*self.shared;
        let nothing_held = self.sources.is_empty();
        let period = shared.options.writes_every();
        let seen = &mut rested.seen;
        let began = Instant::now();
        let mut state = lock(&shared.chunks.state);
        // Nothing can be there: no chunk was borrowed since the last look, and none is held back.
        state.asleep = nothing_held && state.borrowed == *seen;
        if !state.asleep {
            rested.pause = period.min(rested.pause.saturating_mul(2));
        }
        let mut deadline = (!state.asleep).then(|| clocks::after(began, rested.pause));
        loop {
            if state.closing {
                return Task::End;
            }
            if state.asked > state.flushed {
                *seen = state.borrowed;
                return Task::Flush(state.asked);
            }
            let now = Instant::now();
            if shared.chunks.is_ripe(&state) || deadline.is_some_and(|deadline| now >= deadline) {
                *seen = state.borrowed;
                state.asleep = false;
                return Task::Pass;
            }
            state = match deadline {
                None => shared.work.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(deadline) => {
                    let waited = shared.work.wait_timeout(state, deadline - now);
                    waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
            };
            if deadline.is_none() && !state.asleep {
                let now = Instant::now();
                // After quiet, somebody may be looking on; then ever more come together.
                let was_quiet = now.duration_since(began) >= period;
                rested.pause = period.min(if was_quiet { SOON } else { rested.pause.saturating_mul(2) });
                deadline = Some(clocks::after(now, rested.pause));
            }
        }
    }

    /// Writes what is stamped up to `now`, in the order of the stamps.
    fn pass(&mut self, now: u64, last: bool) {
        self.shared.chunks.collect(&mut self.taken, &mut self.lanes, last);
        self.sources.extend(self.taken.drain(..).map(Some));
        self.order.clear();
        for (place, chunk) in self.sources.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            let due = (chunk.taken..chunk.events()).take_while(|at| chunk.stamp(*at) <= now);
            self.order.extend(due.map(|at| (chunk.stamp(at), chunk.born, place as u32, at as u32)));
        }
        self.order.sort_unstable();
        for at in 0..self.order.len() {
            let (_, _, place, line) = self.order[at];
            let place = place as usize;
            let Some(chunk) = &self.sources[place] else { continue };
            if !self.batch.is_empty() && self.batch.len() + chunk.line(line as usize).len() > BATCH && !self.write() {
                return;
            }
            if self.batch.is_empty() {
                self.begin_batch();
            }
            let Some(chunk) = &mut self.sources[place] else { continue };
            self.batch.extend_from_slice(chunk.line(line as usize));
            self.events += 1;
            chunk.taken += 1;
            if chunk.taken == chunk.events()
                && let Some(chunk) = self.sources[place].take()
                && self.shared.chunks.release(chunk)
            {
                self.shared.room.notify_all();
            }
        }
        if !self.batch.is_empty() {
            self.write();
        }
        self.sources.retain(Option::is_some);
    }

    /// Puts what was lost so far before the events of a batch.
    fn begin_batch(&mut self) {
        self.reports.clear();
        if self.shared.ledger.is_told() {
            return;
        }
        self.reports.extend(self.shared.ledger.claim());
        let (reporter, batch) = (&self.reporter, &mut self.batch);
        // One that no format has a line for counts as told: it is in the statistics, and on stderr at the end.
        self.reports.retain(|report| reporter.report(report, batch));
    }

    /// Tells what was lost where no event follows.
    fn tell_alone(&mut self) {
        self.begin_batch();
        if !self.batch.is_empty() {
            self.write();
        }
    }

    /// Writes the batch, once. Says whether to go on.
    fn write(&mut self) -> bool {
        let reports = self.reports.len() as u64;
        let all = self.events + reports;
        let chunks = &self.shared.chunks;
        chunks.reports.store(reports, Ordering::SeqCst);
        let batch = Batch::new(&self.batch, all).counting(&chunks.progress);
        let (written, failed) = match offer(&*self.output, batch) {
            Ok(()) => (all, None),
            Err(failure) => (failure.written, Some(failure.text)),
        };
        let ledger = &self.shared.ledger;
        let events = self.events;
        let goes_on = chunks.resolve(events, || {
            let of_events = written.saturating_sub(reports);
            ledger.wrote(of_events);
            ledger.lose(LossReason::Io, events - of_events, clock::unix_nanos(clock::now()));
        });
        let told = usize::try_from(written).unwrap_or(usize::MAX);
        self.reports.drain(..).skip(told).for_each(|report| ledger.untold(&report));
        if let Some(failed) = failed {
            ledger.complain(&failed);
        }
        self.batch.clear();
        self.events = 0;
        goes_on
    }
}
