//! A count that many threads add to without sharing a cache line: each has a part of its own.

use std::cell::RefCell;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU64, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What one thread has counted. Only that thread writes it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part(AtomicU64);

/// A count over all threads.
#[derive(Debug)]
pub(super) struct Tally {
    id: u64,
    /// A part outlives its thread, and is used again by another.
    parts: Mutex<Vec<Arc<Part>>>,
    /// Counted by threads whose thread-local storage is gone.
    rest: AtomicU64,
}

/// Never used twice, so that a thread's part is never mistaken for that of another tally.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A thread knows this many tallies, then forgets the oldest (it gets a new part if it comes back).
const KNOWN: usize = 16;

thread_local! {
    /// This thread's parts, by the tally's id.
    static PARTS: RefCell<Vec<(u64, Arc<Part>)>> = const { RefCell::new(Vec::new()) };
}

impl Tally {
    pub(super) fn new() -> Self {
        Tally { id: NEXT_ID.fetch_add(1, Relaxed), parts: Mutex::default(), rest: AtomicU64::new(0) }
    }

    /// Adds one.
    #[inline]
    pub(super) fn add_one(&self) {
        let added = PARTS.try_with(|parts| {
            // Nothing is called in between that could borrow it too.
            let Ok(mut parts) = parts.try_borrow_mut() else { return false };
            let known = parts.iter().position(|(id, _)| *id == self.id);
            let at = known.unwrap_or_else(|| self.new_part(&mut parts));
            let part = &parts[at].1.0;
            part.store(part.load(Relaxed) + 1, Relaxed);
            true
        });
        if added != Ok(true) {
            self.rest.fetch_add(1, Relaxed);
        }
    }

    #[cold]
    fn new_part(&self, known: &mut Vec<(u64, Arc<Part>)>) -> usize {
        if known.len() == KNOWN {
            known.remove(0);
        }
        let mut parts = self.parts();
        // One that only this list holds belongs to no thread any more, and none can take it while the list is locked.
        let free = parts.iter().find(|part| Arc::strong_count(part) == 1).cloned();
        let part = free.unwrap_or_else(|| {
            parts.push(Arc::default());
            Arc::clone(&parts[parts.len() - 1])
        });
        // Seen that the thread before has let go, its last store is seen too.
        fence(Acquire);
        known.push((self.id, part));
        known.len() - 1
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Arc<Part>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sum over all threads.
    pub(super) fn sum(&self) -> u64 {
        self.parts().iter().map(|part| part.0.load(Relaxed)).sum::<u64>() + self.rest.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_ended_leave_their_counts_and_their_parts() {
        let tally = Tally::new();
        for _ in 0..10 {
            std::thread::scope(|scope| scope.spawn(|| (0..100).for_each(|_| tally.add_one())).join())
                .expect("no panic");
        }
        assert_eq!(tally.sum(), 1_000);
        assert!(tally.parts().len() < 10, "parts are used again");
    }

    #[test]
    fn threads_that_count_at_once_miss_nothing() {
        let tally = Tally::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| tally.add_one()));
            }
        });
        assert_eq!(tally.sum(), 40_000);
    }

    #[test]
    fn a_thread_that_knows_too_many_tallies_forgets_no_count() {
        let tallies: Vec<Tally> = (0..3 * KNOWN).map(|_| Tally::new()).collect();
        for _ in 0..3 {
            tallies.iter().for_each(Tally::add_one);
        }
        assert!(tallies.iter().all(|tally| tally.sum() == 3));
    }
}
