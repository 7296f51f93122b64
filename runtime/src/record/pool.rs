//! Free slots, by thread: a record begins and ends without touching memory that another thread writes.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::current;
use super::slot::{self, Slot};

/// How many free slots a thread keeps; half of them go to the others when it has more.
const KEEP: usize = 64;

static SHARED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

struct Local {
    free: Vec<u32>,
}

/// The slot that a thread has given back last.
#[derive(Clone, Copy)]
enum Last {
    /// Not kept: the thread has no free slots yet, or none any more as it ends.
    Nowhere,
    Taken,
    Free(Slot),
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { free: Vec::new() }) };
    static LAST: Cell<Last> = const { Cell::new(Last::Nowhere) };
    /// Whether the thread has the lock on the shared slots.
    static HAS_LOCK: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Last::Free(slot) = LAST.replace(Last::Nowhere) {
            self.free.push(slot.number);
        }
        shared(|shared| shared.append(&mut self.free));
    }
}

/// The lock on the shared slots, held.
pub(crate) struct Held {
    shared: MutexGuard<'static, Vec<u32>>,
}

pub(crate) fn hold() -> Held {
    Held { shared: SHARED.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// None where this thread is here already, and an allocator of the program's begins or ends records within.
fn shared<R>(with: impl FnOnce(&mut Vec<u32>) -> R) -> Option<R> {
    if HAS_LOCK.replace(true) {
        return None;
    }
    let _busy = current::busy();
    let done = with(&mut hold().shared);
    HAS_LOCK.set(false);
    Some(done)
}

/// Some free slots: from the others, else a new segment's.
#[cold]
fn fetch(into: &mut Vec<u32>) {
    into.reserve(KEEP + 1);
    shared(|shared| refill(into, shared, KEEP, slot::grow));
}

/// Moves half of what a thread may keep to it, from what all share; where that is nothing, `grow` makes more.
fn refill(into: &mut Vec<u32>, shared: &mut Vec<u32>, keep: usize, grow: impl FnOnce() -> Range<u32>) {
    if shared.is_empty() {
        shared.extend(grow().rev());
    }
    let rest = shared.len().saturating_sub(keep / 2);
    into.extend(shared.drain(rest..));
}

/// Moves half of what a thread may keep to what all share.
fn spill(from: &mut Vec<u32>, shared: &mut Vec<u32>, keep: usize) {
    shared.extend(from.drain(..keep / 2));
}

/// A free slot, the one used last if possible (its lines are still in the cache); `None` where all are in use.
#[inline(always)]
pub(crate) fn take() -> Option<Slot> {
    if let Last::Free(slot) = LAST.get() {
        LAST.set(Last::Taken);
        return Some(slot);
    }
    take_another()
}

#[inline(never)]
fn take_another() -> Option<Slot> {
    let number = LOCAL.try_with(|local| {
        let mut local = local.try_borrow_mut().ok()?;
        LAST.set(Last::Taken);
        if local.free.is_empty() {
            fetch(&mut local.free);
        }
        local.free.pop()
    });
    match number {
        Ok(number) => slot::slot(number?),
        // The thread is ending.
        Err(_) => {
            let mut some = Vec::new();
            fetch(&mut some);
            let number = some.pop();
            shared(|shared| shared.append(&mut some));
            slot::slot(number?)
        }
    }
}

/// Returns a slot that nobody is inside any more.
#[inline(always)]
pub(crate) fn give_back(slot: Slot) {
    match LAST.get() {
        Last::Taken => LAST.set(Last::Free(slot)),
        Last::Free(before) => {
            LAST.set(Last::Free(slot));
            keep(before.number);
        }
        Last::Nowhere => keep(slot.number),
    }
}

#[inline(never)]
fn keep(number: u32) {
    let kept = LOCAL.try_with(|local| {
        let Ok(mut local) = local.try_borrow_mut() else { return false };
        local.free.push(number);
        if local.free.len() > KEEP {
            shared(|shared| spill(&mut local.free, shared, KEEP));
        }
        true
    });
    if !matches!(kept, Ok(true)) {
        // Within such an allocator the slot is lost: better than to wait for oneself.
        shared(|shared| shared.push(number));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_slot_used_last_comes_first() {
        let [first, second] = [take(), take()].map(|slot| slot.expect("a slot"));
        give_back(first);
        give_back(second);
        assert_eq!(take().expect("a slot").number, second.number);
        assert_eq!(take().expect("a slot").number, first.number);
        give_back(first);
        give_back(second);
    }

    #[test]
    fn slots_of_a_thread_that_ended_are_used_again() {
        let before: Vec<u32> = std::thread::spawn(|| {
            let taken: Vec<_> = (0..200).map(|_| take().expect("a slot")).collect();
            taken.iter().for_each(|slot| give_back(*slot));
            taken.iter().map(|slot| slot.number).collect()
        })
        .join()
        .expect("no panic");
        let distinct: std::collections::HashSet<u32> = before.iter().copied().collect();
        assert_eq!(distinct.len(), 200);
    }

    #[test]
    fn an_allocator_that_begins_and_ends_records_while_slots_are_shared_does_not_wait_for_itself() {
        /// Dropped after the thread's own slots, as it was there before.
        struct AtEnd(mpsc::Sender<bool>);
        impl Drop for AtEnd {
            fn drop(&mut self) {
                let begun = shared(|_| take().is_some());
                let _ = self.0.send(begun == Some(false) && take().map(give_back).is_some());
            }
        }
        thread_local!(static AT_END: Cell<Option<AtEnd>> = const { Cell::new(None) });
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            AT_END.set(Some(AtEnd(done.clone())));
            let taken = [take(), take(), take()].map(|slot| slot.expect("a slot"));
            LOCAL.with(|local| {
                let _used = local.borrow_mut();
                shared(|_| taken.into_iter().for_each(give_back));
            });
            let _ = done.send(take().map(give_back).is_some());
        });
        let outcome: Vec<_> = (0..2).map(|_| is_done.recv_timeout(Duration::from_secs(20))).collect();
        assert_eq!(outcome, [Ok(true), Ok(true)], "while the thread runs, and when it ends");
    }
}

#[cfg(test)]
mod models {
    use loom::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use loom::sync::{Arc, Mutex};

    use super::{refill, spill};

    /// A thread of the model's, which keeps at most two free slots, of four that there are.
    struct Thread {
        free: Vec<u32>,
        shared: Arc<Mutex<(Vec<u32>, u32)>>,
    }

    impl Thread {
        fn take(&mut self) -> Option<u32> {
            if self.free.is_empty() {
                let (shared, grown) = &mut *self.shared.lock().expect("no panic");
                refill(&mut self.free, shared, 2, || {
                    let first = *grown;
                    *grown = (first + 2).min(4);
                    first..*grown
                });
            }
            self.free.pop()
        }

        fn give_back(&mut self, slot: u32) {
            self.free.push(slot);
            if self.free.len() > 2 {
                spill(&mut self.free, &mut self.shared.lock().expect("no panic").0, 2);
            }
        }
    }

    impl Drop for Thread {
        fn drop(&mut self) {
            self.shared.lock().expect("no panic").0.append(&mut self.free);
        }
    }

    #[test]
    fn no_slot_is_given_out_twice_or_lost_whoever_takes_it_and_gives_it_back() {
        loom::model(|| {
            let shared = Arc::new(Mutex::new((Vec::new(), 0)));
            let taken = Arc::new([(); 4].map(|()| AtomicBool::new(false)));
            let take = |thread: &mut Thread, taken: &[AtomicBool; 4]| {
                let slot = thread.take().expect("there are four");
                assert!(!taken[slot as usize].swap(true, SeqCst), "{slot} was given out already");
                slot
            };
            let give_back = |thread: &mut Thread, taken: &[AtomicBool; 4], slot: u32| {
                assert!(taken[slot as usize].swap(false, SeqCst));
                thread.give_back(slot);
            };
            let new = || Thread { free: Vec::new(), shared: Arc::clone(&shared) };
            let (mut first, mut second) = (new(), new());
            // Taken by one, given back by the other.
            let begun = take(&mut first, &taken);
            let other = {
                let taken = Arc::clone(&taken);
                loom::thread::spawn(move || {
                    let slots = [take(&mut second, &taken), take(&mut second, &taken)];
                    give_back(&mut second, &taken, begun);
                    slots.into_iter().for_each(|slot| give_back(&mut second, &taken, slot));
                })
            };
            let slot = take(&mut first, &taken);
            give_back(&mut first, &taken, slot);
            other.join().expect("no panic");
            drop(first);
            let (free, grown) = &mut *shared.lock().expect("no panic");
            free.sort_unstable();
            assert_eq!(*free, (0..*grown).collect::<Vec<_>>(), "all of them are free again, once");
        });
    }
}
