//! What lies between the threads that emit and the writer.
//!
//! ```text
//! thread ──append──▶ lane (its chunk) ──full──▶ ready ──▶ the writer ──▶ free ──borrowed──▶ lane
//!                        └───────────────taken at a pass──────▲
//! ```
//!
//! A lane belongs to a thread, so its lock is free but for the moment in which the writer takes the chunk. Whoever holds
//! the queue's lock takes no lane's lock; a lane's holder may take the queue's.

use std::collections::VecDeque;

use super::chunk::Chunk;
use super::options::Background;
use super::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, lock};

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue is full.
    Full,
    /// The line is longer than a chunk.
    Oversize,
    /// The queue is closed; whether what it held was written, so that the output is free.
    Closed,
}

/// One thread's way into a queue.
#[derive(Debug)]
pub(super) struct Lane(Mutex<Held>);

#[derive(Debug)]
struct Held {
    /// Never an empty one.
    chunk: Option<Chunk>,
    closed: bool,
}

impl Lane {
    fn new(closed: bool) -> Self {
        Lane(Mutex::new(Held { chunk: None, closed }))
    }
}

/// What the threads and the writer share.
#[derive(Debug)]
pub(super) struct State {
    free: Vec<Chunk>,
    ready: VecDeque<Chunk>,
    ready_bytes: usize,
    lanes: Vec<Arc<Lane>>,
    /// Counts chunks borrowed, so that the writer knows whether there can be anything.
    pub(super) borrowed: u64,
    /// The writer waits without a time; whoever borrows a chunk wakes it.
    pub(super) asleep: bool,
    /// Flushes asked for, and done.
    pub(super) asked: u64,
    pub(super) flushed: u64,
    /// The writer is to end.
    pub(super) closing: bool,
    /// What is left is counted as lost; the writer counts no more.
    pub(super) abandoned: bool,
    /// The writer has ended.
    pub(super) ended: bool,
    /// Lanes made from now on are closed.
    closed: bool,
    /// Threads that wait for room.
    pub(super) waiting: usize,
}

/// Whether the line was taken, and whether the writer should be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pushed {
    pub(super) taken: Result<(), Refused>,
    pub(super) wake: bool,
}

const QUIETLY: Pushed = Pushed { taken: Ok(()), wake: false };

fn refused(why: Refused, wake: bool) -> Pushed {
    Pushed { taken: Err(why), wake }
}

/// Chunks, lanes, and the state of the writer.
#[derive(Debug)]
pub(super) struct Chunks {
    pub(super) state: Mutex<State>,
    chunk_bytes: usize,
    chunks: usize,
    /// There was no free chunk when last asked for one.
    exhausted: AtomicBool,
    lanes: AtomicU64,
    /// Events that the writer has taken and not yet accounted for.
    in_hand: AtomicU64,
    /// Lines of the batch being written that are written, and how many of its first lines are no events.
    pub(super) progress: AtomicU64,
    pub(super) reports: AtomicU64,
}

/// What is given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abandoned {
    /// Events that the output had taken before it got stuck.
    pub(super) written: u64,
    pub(super) lost: u64,
}

/// The writer does not bother with less.
const WORTH_A_WAKE: usize = 32 * 1024;

impl Chunks {
    pub(super) fn new(options: &Background) -> Self {
        let (chunks, events, bytes) = (options.chunks(), options.chunk_events(), options.chunk_bytes());
        let free = (0..chunks).map(|_| Chunk::new(events, bytes)).collect();
        let state = State {
            free,
            ready: VecDeque::with_capacity(chunks),
            ready_bytes: 0,
            lanes: Vec::new(),
            borrowed: 0,
            asleep: false,
            asked: 0,
            flushed: 0,
            closing: false,
            abandoned: false,
            ended: false,
            closed: false,
            waiting: 0,
        };
        Chunks {
            state: Mutex::new(state),
            chunk_bytes: bytes,
            chunks,
            exhausted: AtomicBool::new(false),
            lanes: AtomicU64::new(0),
            in_hand: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            reports: AtomicU64::new(0),
        }
    }

    /// A lane for a thread.
    pub(super) fn lane(&self) -> Arc<Lane> {
        let mut state = lock(&self.state);
        let lane = Arc::new(Lane::new(state.closed));
        state.lanes.push(Arc::clone(&lane));
        self.lanes.store(state.lanes.len() as u64, Ordering::Relaxed);
        lane
    }

    /// Appends a line to the thread's chunk, or to a new one.
    #[inline]
    pub(super) fn push(&self, lane: &Lane, line: &[u8], stamp: u64) -> Pushed {
        {
            let mut held = lock(&lane.0);
            if let Some(chunk) = &mut held.chunk
                && chunk.append(line, stamp)
            {
                return QUIETLY;
            }
        }
        self.push_to_new(lane, line, stamp)
    }

    #[inline(never)]
    fn push_to_new(&self, lane: &Lane, line: &[u8], stamp: u64) -> Pushed {
        if line.len() > self.chunk_bytes {
            return refused(Refused::Oversize, false);
        }
        let mut wake = false;
        {
            let mut held = lock(&lane.0);
            if held.closed {
                return refused(Refused::Closed, false);
            }
            // A lane that several threads share may have got room meanwhile.
            if let Some(chunk) = &mut held.chunk
                && chunk.append(line, stamp)
            {
                return QUIETLY;
            }
            if held.chunk.is_none() && self.exhausted.load(Ordering::Relaxed) && !self.many_lanes() {
                return refused(Refused::Full, false);
            }
            // From here to the end of the block the lane stays locked: its chunk is always in the lane or among the ready.
            let mut state = lock(&self.state);
            if let Some(full) = held.chunk.take() {
                state.ready_bytes += full.bytes();
                state.ready.push_back(full);
                wake = self.is_ripe(&state);
            }
            if let Some(mut chunk) = state.free.pop() {
                state.borrowed += 1;
                chunk.born = state.borrowed;
                wake |= std::mem::take(&mut state.asleep);
                drop(state);
                let fits = chunk.append(line, stamp);
                debug_assert!(fits, "an empty chunk takes any line that is not longer than a chunk");
                held.chunk = Some(chunk);
                return Pushed { taken: Ok(()), wake };
            }
            self.exhausted.store(true, Ordering::Relaxed);
        }
        let taken = if self.push_to_other(lane, line, stamp) { Ok(()) } else { Err(Refused::Full) };
        Pushed { taken, wake }
    }

    /// With more threads than half the chunks, all may be lent out while none is full.
    fn many_lanes(&self) -> bool {
        self.lanes.load(Ordering::Relaxed) > self.chunks as u64 / 2
    }

    /// Appends to another thread's chunk, if one of a few has room.
    fn push_to_other(&self, lane: &Lane, line: &[u8], stamp: u64) -> bool {
        const TRIES: usize = 8;
        if !self.many_lanes() {
            return false;
        }
        let mut others: [Option<Arc<Lane>>; TRIES] = Default::default();
        {
            let state = lock(&self.state);
            let count = state.lanes.len();
            let start = (stamp as usize).wrapping_mul(0x9e37_79b9) % count.max(1);
            for (at, other) in others.iter_mut().enumerate().take(count) {
                *other = Some(Arc::clone(&state.lanes[(start + at) % count]));
            }
        }
        for other in others.iter().flatten().filter(|other| !std::ptr::eq(&***other, lane)) {
            let Ok(mut held) = other.0.try_lock() else { continue };
            if let Some(chunk) = &mut held.chunk
                && chunk.append(line, stamp)
            {
                return true;
            }
        }
        false
    }

    /// Whether the writer has enough to do to be woken.
    pub(super) fn is_ripe(&self, state: &State) -> bool {
        state.ready_bytes >= WORTH_A_WAKE || state.ready.len() * 4 >= self.chunks
    }

    /// Whether somebody who waits for room should look again.
    pub(super) fn has_room(&self, state: &State) -> bool {
        !state.free.is_empty() || state.closed
    }

    /// Takes every chunk that has something in it. `last` closes the lanes.
    ///
    /// Lanes before the ready ones: a chunk that becomes ready in between is found there. The other way round it would be
    /// in neither place, and a later event of the same request, on another thread, would overtake it.
    pub(super) fn collect(&self, sources: &mut Vec<Chunk>, lanes: &mut Vec<Arc<Lane>>, last: bool) {
        {
            let mut state = lock(&self.state);
            if state.abandoned {
                return;
            }
            state.closed |= last;
            // A lane that only this list holds belongs to no thread any more; it goes once its chunk is gone.
            state.lanes.retain(|lane| Arc::strong_count(lane) > 1 || lock_is_occupied(lane));
            self.lanes.store(state.lanes.len() as u64, Ordering::Relaxed);
            lanes.extend(state.lanes.iter().cloned());
        }
        for lane in lanes.drain(..) {
            let mut held = lock(&lane.0);
            held.closed |= last;
            if let Some(chunk) = held.chunk.take() {
                // Counted before the lane is free again: an event is always somewhere.
                self.in_hand.fetch_add(chunk.events() as u64, Ordering::SeqCst);
                sources.push(chunk);
            }
        }
        let mut state = lock(&self.state);
        if state.abandoned {
            return;
        }
        state.ready_bytes = 0;
        for chunk in state.ready.drain(..) {
            self.in_hand.fetch_add(chunk.events() as u64, Ordering::SeqCst);
            sources.push(chunk);
        }
    }

    /// Gives a chunk back. Says whether somebody waits for it.
    pub(super) fn release(&self, mut chunk: Chunk) -> bool {
        chunk.clear();
        let mut state = lock(&self.state);
        state.free.push(chunk);
        self.exhausted.store(false, Ordering::Relaxed);
        state.waiting > 0
    }

    /// The writer has accounted for `events` of those it took; `count` counts them unless the queue was abandoned.
    /// Says whether it goes on.
    pub(super) fn resolve(&self, events: u64, count: impl FnOnce()) -> bool {
        let state = lock(&self.state);
        if state.abandoned {
            return false;
        }
        self.in_hand.fetch_sub(events, Ordering::SeqCst);
        self.progress.store(0, Ordering::SeqCst);
        count();
        true
    }

    /// Gives everything up: closes the lanes and says how many events are lost. Only once.
    pub(super) fn abandon(&self) -> Abandoned {
        let lanes = {
            let mut state = lock(&self.state);
            if state.abandoned || state.ended {
                return Abandoned::default();
            }
            state.abandoned = true;
            state.closed = true;
            state.lanes.clone()
        };
        let mut lost = 0;
        for lane in lanes {
            let mut held = lock(&lane.0);
            held.closed = true;
            lost += held.chunk.take().map_or(0, |chunk| chunk.events() as u64);
        }
        let mut state = lock(&self.state);
        lost += state.ready.drain(..).map(|chunk| chunk.events() as u64).sum::<u64>();
        // Last: what the writer took from a lane before that was closed is counted by now.
        let in_hand = self.in_hand.load(Ordering::SeqCst);
        let lines = self.progress.load(Ordering::SeqCst);
        let written = lines.saturating_sub(self.reports.load(Ordering::SeqCst)).min(in_hand);
        Abandoned { written, lost: lost + in_hand - written }
    }

    #[cfg(test)]
    pub(super) fn lane_count(&self) -> usize {
        lock(&self.state).lanes.len()
    }
}

/// Whether a lane without a thread has a chunk still. Nobody but the caller can lock it.
fn lock_is_occupied(lane: &Lane) -> bool {
    lane.0.try_lock().map_or(true, |held| held.chunk.is_some())
}
