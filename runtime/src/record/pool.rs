//! Free slots, by thread: a record begins and ends without touching memory that another thread writes.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::current;
use super::slot::{self, Slot};

/// How many free slots a thread keeps; half of them go to the others when it has more.
const KEEP: usize = 64;

static SHARED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

struct Local {
    free: Vec<u32>,
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { free: Vec::new() }) };
}

impl Drop for Local {
    fn drop(&mut self) {
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

fn shared<R>(with: impl FnOnce(&mut Vec<u32>) -> R) -> R {
    let _busy = current::busy();
    with(&mut hold().shared)
}

/// Some free slots: from the others, else a new segment's.
#[cold]
fn fetch(into: &mut Vec<u32>) {
    shared(|shared| {
        if shared.is_empty() {
            shared.extend(slot::grow().rev());
        }
        let keep = shared.len().saturating_sub(KEEP / 2);
        into.reserve(KEEP + 1);
        into.extend(shared.drain(keep..));
    });
}

/// A free slot, the one used last if possible (its lines are still in the cache); `None` where all are in use.
#[inline]
pub(crate) fn take() -> Option<Slot> {
    let number = LOCAL.try_with(|local| {
        let mut local = local.try_borrow_mut().ok()?;
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
#[inline]
pub(crate) fn give_back(number: u32) {
    let kept = LOCAL.try_with(|local| {
        let Ok(mut local) = local.try_borrow_mut() else { return false };
        local.free.push(number);
        if local.free.len() > KEEP {
            shared(|shared| shared.extend(local.free.drain(..KEEP / 2)));
        }
        true
    });
    if !matches!(kept, Ok(true)) {
        shared(|shared| shared.push(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_used_last_comes_first() {
        let first = take().expect("a slot").number;
        give_back(first);
        assert_eq!(take().expect("a slot").number, first);
        give_back(first);
    }

    #[test]
    fn slots_of_a_thread_that_ended_are_used_again() {
        let before: Vec<u32> = std::thread::spawn(|| {
            let taken: Vec<u32> = (0..200).map(|_| take().expect("a slot").number).collect();
            taken.iter().for_each(|number| give_back(*number));
            taken
        })
        .join()
        .expect("no panic");
        let distinct: std::collections::HashSet<u32> = before.iter().copied().collect();
        assert_eq!(distinct.len(), 200);
    }
}
