//! Counts of canonlog's own troubles: one block of counters a thread, so that counting shares no cache line.

pub(crate) mod measures;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::measures::Measures;
use crate::sys::thread;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// A write to a record that had ended.
    LateWrites,
    /// A write outside any record.
    OutsideWrites,
    /// A value or field that was cut or left out.
    Truncated,
    /// A key that had to be changed.
    RenamedKeys,
    /// A `Display` that panicked, failed or did not end; a number added to text.
    ValueErrors,
    /// An instrumenter that failed or panicked.
    InstrumenterErrors,
    /// A record without a slot: only framework fields.
    WithoutSlot,
    /// An event made while another was being made on the same thread.
    Reentrant,
    /// How often this thread has entered a record.
    Entered,
    /// A unit whose event was not made, as too many waited for the reporter's thread.
    Unreported,
    /// How often a reporter's thread was stuck and another took over.
    ReportersReplaced,
    /// An annotated function that found no room among the frames of its record.
    FramesLost,
    /// A filter of a logger's that panicked.
    FilterPanics,
    /// A text of a message that could not be filled.
    TextErrors,
    /// An increment of a counter beyond those that there is room for.
    IncrementsLost,
    /// A feature whose own code panicked.
    FeatureErrors,
    /// A message that was kept, and went out of reach before a flush.
    LookbackDropped,
}

const COUNTS: usize = 17;

/// What canonlog tells of itself, by name.
pub(crate) const NAMED: [(&str, Count); 16] = [
    ("late_writes", Count::LateWrites),
    ("outside_writes", Count::OutsideWrites),
    ("truncated", Count::Truncated),
    ("renamed_keys", Count::RenamedKeys),
    ("value_errors", Count::ValueErrors),
    ("instrumenter_errors", Count::InstrumenterErrors),
    ("without_slot", Count::WithoutSlot),
    ("reentrant", Count::Reentrant),
    ("unreported", Count::Unreported),
    ("reporters_replaced", Count::ReportersReplaced),
    ("frames_lost", Count::FramesLost),
    ("filter_panics", Count::FilterPanics),
    ("text_errors", Count::TextErrors),
    ("increments_lost", Count::IncrementsLost),
    ("feature_errors", Count::FeatureErrors),
    ("lookback_dropped", Count::LookbackDropped),
];

/// One thread's counters. Only that thread writes them; a block outlives its thread and is used again by another.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Block {
    counts: [AtomicU64; COUNTS],
    /// How many late and outside writes events have told of.
    told: [AtomicU64; 2],
    /// Whether a thread has the block.
    taken: AtomicU64,
    /// Where the thread is.
    at: Place,
    /// Where it was when it entered the record that it is inside.
    outer: Place,
    /// The thread's number in the system; 0 where it is not known.
    tid: AtomicU64,
    /// Its stack: the lowest address, and the first above it; 0 where that is not known.
    stack: [AtomicU64; 2],
    /// What the program counts.
    measures: Measures,
}

/// A record that a thread is inside.
#[derive(Debug)]
struct Place {
    /// The record, packed; 0 for none.
    record: AtomicU64,
    /// An address in the frame that entered it: what runs inside it lies below on the stack. 0 where it is not known.
    frame: AtomicUsize,
    /// When the poll began that is being timed, in ticks; 0 for none.
    began: AtomicU64,
}

impl Place {
    const fn new() -> Place {
        Place { record: AtomicU64::new(0), frame: AtomicUsize::new(0), began: AtomicU64::new(0) }
    }

    #[inline(always)]
    fn set(&self, record: u64, frame: usize, began: u64) {
        self.frame.store(frame, Ordering::Relaxed);
        self.began.store(began, Ordering::Relaxed);
        self.record.store(record, Ordering::Release);
    }

    fn copy(&self, from: &Place) {
        let Place { record, frame, began } = from;
        self.set(record.load(Ordering::Relaxed), frame.load(Ordering::Relaxed), began.load(Ordering::Relaxed));
    }
}

/// A thread that is inside a record, as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The thread's number in the system.
    pub(crate) tid: u64,
    /// Its stack: the lowest address, and the first above it; 0 where that is not known.
    pub(crate) stack: (u64, u64),
    /// What the thread runs inside the record lies below this address on its stack; 0 where that is not known.
    pub(crate) frame: usize,
    /// When the poll began that is being timed, in ticks; 0 for none.
    pub(crate) began: u64,
    /// How often the thread has entered a record: another number, another visit.
    pub(crate) entered: u64,
}

impl Block {
    /// One that a thread has.
    const fn taken() -> Block {
        Block {
            counts: [const { AtomicU64::new(0) }; COUNTS],
            told: [const { AtomicU64::new(0) }; 2],
            taken: AtomicU64::new(1),
            at: Place::new(),
            outer: Place::new(),
            tid: AtomicU64::new(0),
            stack: [const { AtomicU64::new(0) }; 2],
            measures: Measures::new(),
        }
    }

    /// Notes which thread this is, for those that look on.
    fn is_mine(&self) {
        self.tid.store(thread::tid(), Ordering::Relaxed);
    }

    fn note_stack(&self) {
        #[cfg(all(feature = "stacks", target_os = "linux", target_arch = "x86_64"))]
        {
            let (low, high) = crate::sys::stack::bounds().unwrap_or_default();
            self.stack[0].store(low, Ordering::Relaxed);
            self.stack[1].store(high, Ordering::Relaxed);
        }
    }

    /// The thread is in no record any more.
    fn leave_all(&self) {
        self.at.set(0, 0, 0);
        self.outer.set(0, 0, 0);
    }

    /// The thread's number in the system; 0 where it is not known.
    pub(crate) fn tid(&self) -> u64 {
        self.tid.load(Ordering::Relaxed)
    }

    /// Whether the thread is inside a record.
    pub(crate) fn is_inside(&self) -> bool {
        self.at.record.load(Ordering::Relaxed) != 0
    }

    /// The records (packed) that the thread polls, and when those polls began.
    pub(crate) fn polls(&self) -> impl Iterator<Item = (u64, u64)> {
        let poll = |place: &Place| {
            let record = place.record.load(Ordering::Acquire);
            let began = place.began.load(Ordering::Relaxed);
            (record != 0 && began != 0).then_some((record, began))
        };
        [poll(&self.at), poll(&self.outer)].into_iter().flatten()
    }

    /// The thread's visit to a record (packed), if it is inside it.
    pub(crate) fn visit(&self, record: u64) -> Option<Visit> {
        let entered = self.get(Count::Entered);
        let place = [&self.at, &self.outer].into_iter().find(|at| at.record.load(Ordering::Acquire) == record)?;
        let (frame, began) = (place.frame.load(Ordering::Relaxed), place.began.load(Ordering::Relaxed));
        let stack = (self.stack[0].load(Ordering::Relaxed), self.stack[1].load(Ordering::Relaxed));
        Some(Visit { tid: self.tid.load(Ordering::Relaxed), stack, frame, began, entered })
    }

    #[inline]
    fn add(&self, what: Count, n: u64) {
        let count = &self.counts[what as usize];
        count.store(count.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self, what: Count) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }
}

static BLOCKS: Mutex<Vec<&'static Block>> = Mutex::new(Vec::new());

/// For threads whose thread-local storage is gone, or not there yet.
static LAST_RESORT: Block = Block::taken();

thread_local! {
    static MINE: Cell<Option<&'static Block>> = const { Cell::new(None) };
    static RETURN: Return = const { Return };
}

/// Gives the thread's block back when the thread ends.
struct Return;

impl Drop for Return {
    fn drop(&mut self) {
        if let Some(block) = MINE.replace(Some(&LAST_RESORT)) {
            block.leave_all();
            block.taken.store(0, Ordering::Release);
        }
    }
}

fn blocks() -> MutexGuard<'static, Vec<&'static Block>> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The locks on the names of counters and on all threads' blocks, held.
pub(crate) struct Held {
    _names: MutexGuard<'static, ()>,
    blocks: MutexGuard<'static, Vec<&'static Block>>,
}

pub(crate) fn hold() -> Held {
    Held { _names: measures::hold_names(), blocks: blocks() }
}

impl Held {
    /// In a forked child: the other threads are not here. What they counted of canonlog's troubles stays; what the program counts is
    /// its parent's to report.
    pub(crate) fn keep_this_thread(&self) {
        let mine = MINE.get();
        self.blocks.iter().copied().chain([&LAST_RESORT]).for_each(|block| block.measures.clear());
        let others = self.blocks.iter().filter(|block| mine.is_none_or(|mine| !std::ptr::eq(**block, mine)));
        for block in others {
            block.leave_all();
            block.taken.store(0, Ordering::Release);
        }
        if let Some(mine) = mine {
            mine.is_mine();
        }
    }
}

#[cold]
fn take() -> &'static Block {
    // Registering the destructor first: where it cannot be, the thread is ending.
    if RETURN.try_with(|_| ()).is_err() {
        MINE.set(Some(&LAST_RESORT));
        return &LAST_RESORT;
    }
    // What the program's allocator counts while the list grows.
    MINE.set(Some(&LAST_RESORT));
    let mut blocks = blocks();
    let free =
        blocks.iter().find(|block| block.taken.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok());
    let block = free.copied().unwrap_or_else(|| {
        let block: &'static Block = Box::leak(Box::new(Block::taken()));
        blocks.push(block);
        block
    });
    drop(blocks);
    block.is_mine();
    block.note_stack();
    MINE.set(Some(block));
    block
}

/// This thread's block.
#[inline]
pub(crate) fn mine() -> &'static Block {
    match MINE.get() {
        Some(block) => block,
        None => take(),
    }
}

/// Counts on this thread.
#[inline]
pub(crate) fn add(what: Count, n: u64) {
    mine().add(what, n);
}

/// Late and outside writes of this thread that no event has told of yet; from now on, one has.
#[inline]
pub(crate) fn untold() -> [(Count, u64); 2] {
    let block = mine();
    [(0, Count::LateWrites), (1, Count::OutsideWrites)].map(|(at, what)| {
        let (total, told) = (block.get(what), &block.told[at]);
        let new = total.wrapping_sub(told.load(Ordering::Relaxed));
        if new != 0 {
            told.store(total, Ordering::Relaxed);
        }
        (what, new)
    })
}

/// This thread has entered a record, and is now where [`Place`] says; with `nested`, from inside another.
#[inline]
pub(crate) fn entered(record: u64, frame: usize, began: u64, nested: bool) {
    let block = mine();
    block.add(Count::Entered, 1);
    if nested {
        block.outer.copy(&block.at);
    }
    block.at.set(record, frame, began);
}

/// This thread has left a record; with `nested`, it is back in the one around it.
#[inline]
pub(crate) fn left(nested: bool) {
    let block = mine();
    if nested {
        // Of three within each other the outermost is out of sight until the second is left.
        block.at.copy(&block.outer);
        block.outer.set(0, 0, 0);
    } else {
        block.at.record.store(0, Ordering::Relaxed);
    }
}

/// The sum over all threads since the process began.
pub(crate) fn total(what: Count) -> u64 {
    blocks().iter().map(|block| block.get(what)).sum::<u64>() + LAST_RESORT.get(what)
}

/// Calls `see` with every thread's block that is in use.
pub(crate) fn each_thread(mut see: impl FnMut(usize, &Block)) {
    for (at, block) in blocks().iter().enumerate() {
        if block.taken.load(Ordering::Acquire) == 1 {
            see(at, block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_threads_that_ended_stay() {
        let before = total(Count::Reentrant);
        for _ in 0..4 {
            std::thread::spawn(|| add(Count::Reentrant, 3)).join().expect("no panic");
        }
        assert!(total(Count::Reentrant) >= before + 12);
    }
}
