//! Wakes tasks whose unit has passed its limit, where a layer is to answer for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::clock;
use crate::record::Handle;

static WAITING: Mutex<Option<HashMap<Handle, (u64, Waker)>>> = Mutex::new(None);

fn waiting() -> MutexGuard<'static, Option<HashMap<Handle, (u64, Waker)>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the task at the record's limit; the latest waker of a record counts.
pub(crate) fn wake_at_limit(handle: Handle, waker: &Waker) {
    let Some(deadline) = deadline(handle) else { return };
    let mut waiting = waiting();
    let waiting = waiting.get_or_insert_with(HashMap::new);
    match waiting.get_mut(&handle) {
        Some((at, known)) => {
            *at = deadline;
            known.clone_from(waker);
        }
        None => {
            waiting.insert(handle, (deadline, waker.clone()));
        }
    }
}

/// Forgets a record that ended in time.
pub(crate) fn forget(handle: Handle) {
    if let Some(waiting) = waiting().as_mut() {
        waiting.remove(&handle);
    }
}

fn deadline(handle: Handle) -> Option<u64> {
    let slot = handle.slot().filter(|_| handle.is_live())?;
    Some(slot.head.deadline.load(std::sync::atomic::Ordering::Relaxed)).filter(|deadline| *deadline != 0)
}

/// Whether the record has passed its limit.
pub(crate) fn is_past_limit(handle: Handle) -> bool {
    deadline(handle).is_some_and(|deadline| clock::now() >= deadline)
}

/// Wakes those whose limit has passed.
pub(super) fn wake_due(now: u64) {
    let mut due = Vec::new();
    if let Some(waiting) = waiting().as_mut() {
        waiting.retain(|_, (deadline, waker)| {
            let is_due = now >= *deadline;
            if is_due {
                due.push(waker.clone());
            }
            !is_due
        });
    }
    // Outside the lock: a waker may run anything.
    due.into_iter().for_each(Waker::wake);
}
