//! A queue before an output, and a thread that empties it.
//!
//! ```text
//! thread ──▶ chunk ─┐ full, or every 100 ms, or after quiet
//! thread ──▶ chunk ─┴──▶ writer: events stamped before the pass, in the order of their stamps ──▶ Output::write
//! ```
//!
//! Neither the threads nor the shutdown ever wait for the output, unless they ask to.

mod chunk;
#[cfg(test)]
mod models;
mod options;
mod queue;
mod sync;
#[cfg(test)]
mod tests;
mod writer;

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, PoisonError};
use std::time::{Duration, Instant};

use self::queue::{Abandoned, Chunks, Lane};
use self::sync::lock;
use super::{Ledger, LossReason, Output, Report};
use crate::clock;
use crate::sys::clocks;

pub use self::options::{Background, Overflow};
pub(crate) use self::queue::Refused;

/// Writes a line about what was lost.
pub(crate) trait Reporter: Send + Sync {
    /// Appends the line, with its end, and says whether it did.
    fn report(&self, report: &Report, line: &mut Vec<u8>) -> bool;
}

struct Shared {
    chunks: Chunks,
    options: Background,
    ledger: Arc<Ledger>,
    /// The writer waits for something to do.
    work: Condvar,
    /// Others wait for the writer.
    done: Condvar,
    /// Threads wait for room.
    room: Condvar,
}

/// The queue before one output. Dropping it lets the writer finish on its own.
pub(crate) struct Queue {
    shared: Arc<Shared>,
    id: u64,
    /// For threads whose thread-local storage is gone.
    spare: sync::Arc<Lane>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Ways into queues, by the queue's id.
type Lanes = RefCell<Vec<(u64, sync::Arc<Lane>)>>;

thread_local! {
    /// This thread's ways into the queues.
    static LANES: Lanes = const { RefCell::new(Vec::new()) };
}

/// Never used twice, so that a thread's lane is never mistaken for that of another queue.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A thread knows this many queues, then forgets the oldest (it gets a new lane if it comes back).
const KNOWN_QUEUES: usize = 16;

impl Queue {
    /// Starts the writer, which waits first until `wait` has come to its end.
    ///
    /// # Errors
    ///
    /// No thread could be made.
    pub(crate) fn start(
        options: Background,
        output: Arc<dyn Output>,
        reporter: Arc<dyn Reporter>,
        ledger: Arc<Ledger>,
        wait: impl FnOnce() -> bool + Send + 'static,
    ) -> io::Result<Queue> {
        // No thread may be called by a name with a zero in it, which is a user's here.
        let name = format!("canonlog-{}", ledger.output()).replace('\0', "?");
        let chunks = Chunks::new(&options);
        let spare = chunks.lane();
        let shared = Arc::new(Shared {
            chunks,
            options,
            ledger,
            work: Condvar::new(),
            done: Condvar::new(),
            room: Condvar::new(),
        });
        let writer = writer::Writer::new(Arc::clone(&shared), output, reporter);
        // Not joined: a writer stuck in its output must not keep the process.
        std::thread::Builder::new().name(name).spawn(move || {
            wait();
            writer.run();
        })?;
        Ok(Queue { shared, id: NEXT_ID.fetch_add(1, Ordering::Relaxed), spare })
    }

    /// Takes a line, with its end; `stamp` is the time now.
    #[inline]
    pub(crate) fn push(&self, line: &[u8], stamp: u64) -> Result<(), Refused> {
        let pushed = LANES
            .try_with(|lanes| {
                // Borrowed only if this thread is inside already, which callers exclude.
                let mut lanes = lanes.try_borrow_mut().ok()?;
                let known = lanes.iter().position(|(id, _)| *id == self.id);
                let at = known.unwrap_or_else(|| self.new_lane(&mut lanes));
                Some(self.push_by(&lanes[at].1, line, stamp))
            })
            .ok()
            .flatten();
        pushed.unwrap_or_else(|| self.push_by(&self.spare, line, stamp))
    }

    #[cold]
    fn new_lane(&self, lanes: &mut Vec<(u64, sync::Arc<Lane>)>) -> usize {
        if lanes.len() == KNOWN_QUEUES {
            lanes.remove(0);
        }
        lanes.push((self.id, self.shared.chunks.lane()));
        lanes.len() - 1
    }

    #[inline]
    fn push_by(&self, lane: &Lane, line: &[u8], stamp: u64) -> Result<(), Refused> {
        let pushed = self.shared.chunks.push(lane, line, stamp);
        if pushed.wake {
            self.shared.work.notify_one();
        }
        match pushed.taken {
            Err(Refused::Full) => self.push_when_room(lane, line, stamp),
            taken => taken,
        }
    }

    #[cold]
    fn push_when_room(&self, lane: &Lane, line: &[u8], stamp: u64) -> Result<(), Refused> {
        let Some(limit) = self.shared.options.patience() else { return Err(Refused::Full) };
        let deadline = clocks::within(limit);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut state = lock(&self.shared.chunks.state);
            state.waiting += 1;
            self.shared.work.notify_one();
            let waited = self.shared.room.wait_timeout_while(state, left, |state| !self.shared.chunks.has_room(state));
            let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
            drop(state);
            match self.shared.chunks.push(lane, line, stamp).taken {
                Err(Refused::Full) if !timeout.timed_out() => {}
                taken => return taken,
            }
        }
    }

    /// Waits until everything that was pushed before is written or counted as lost; false if `limit` passed before.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let mut state = lock(&self.shared.chunks.state);
        if state.ended || state.abandoned {
            return !state.abandoned;
        }
        state.asked += 1;
        let asked = state.asked;
        self.shared.work.notify_one();
        let waiting = |state: &mut queue::State| state.flushed < asked && !state.ended && !state.abandoned;
        let waited = self.shared.done.wait_timeout_while(state, limit, waiting);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out() && !state.abandoned
    }

    /// Tells the writer to write what there is and to end.
    pub(crate) fn close(&self) {
        lock(&self.shared.chunks.state).closing = true;
        self.shared.work.notify_one();
    }

    /// Waits until the writer has ended or was given up; false if `limit` passed before.
    pub(crate) fn wait_ended(&self, limit: Duration) -> bool {
        let state = lock(&self.shared.chunks.state);
        let waited = self.shared.done.wait_timeout_while(state, limit, |state| !state.ended && !state.abandoned);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(state);
        !timeout.timed_out()
    }

    /// Waits until the writer has ended, at most until `deadline`; then counts what is left as lost.
    pub(crate) fn finish(&self, deadline: Instant) {
        self.close();
        let left = deadline.saturating_duration_since(Instant::now());
        let state = lock(&self.shared.chunks.state);
        let waited = self.shared.done.wait_timeout_while(state, left, |state| !state.ended && !state.abandoned);
        drop(waited);
        let Abandoned { written, lost } = self.shared.chunks.abandon();
        self.shared.ledger.wrote(written);
        self.shared.ledger.lose(LossReason::Shutdown, lost, clock::unix_nanos(clock::now()));
        self.shared.done.notify_all();
        self.shared.room.notify_all();
    }

    /// Whether the writer has ended in order, so that nobody uses the output.
    pub(crate) fn is_drained(&self) -> bool {
        let state = lock(&self.shared.chunks.state);
        state.ended && !state.abandoned
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}
