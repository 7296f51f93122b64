//! Wakes tasks whose unit has passed its limit, where a layer is to answer for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::clock;
use crate::record::Handle;
use crate::scratch::guarded;

static WAITING: Mutex<Option<HashMap<Handle, Waker>>> = Mutex::new(None);

/// No waker is cloned, dropped or woken under this lock: each may run anything.
fn waiting() -> MutexGuard<'static, Option<HashMap<Handle, Waker>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock on the tasks, held.
pub(crate) struct Held {
    waiting: MutexGuard<'static, Option<HashMap<Handle, Waker>>>,
}

pub(crate) fn hold() -> Held {
    Held { waiting: waiting() }
}

impl Held {
    /// In a forked child: the tasks are the parent's, and so is all that their wakers would touch.
    pub(crate) fn forget_all(&mut self) {
        std::mem::forget(self.waiting.take());
    }
}

/// Wakes the task at the record's limit; the latest waker of a record counts.
pub(crate) fn wake_at_limit(handle: Handle, waker: &Waker) {
    if deadline(handle).is_none() {
        return;
    }
    if waiting().as_ref().and_then(|waiting| waiting.get(&handle)).is_some_and(|known| known.will_wake(waker)) {
        return;
    }
    let waker = waker.clone();
    let before = waiting().get_or_insert_with(HashMap::new).insert(handle, waker);
    drop(before);
}

/// Forgets a record that ended in time.
pub(crate) fn forget(handle: Handle) {
    let before = waiting().as_mut().and_then(|waiting| waiting.remove(&handle));
    drop(before);
}

fn deadline(handle: Handle) -> Option<u64> {
    let slot = handle.slot().filter(|_| handle.is_live())?;
    Some(slot.head.deadline.load(std::sync::atomic::Ordering::Relaxed)).filter(|deadline| *deadline != 0)
}

/// Whether the record has passed its limit.
pub(crate) fn is_past_limit(handle: Handle) -> bool {
    deadline(handle).is_some_and(|deadline| clock::now() >= deadline)
}

/// Wakes those whose limit has passed, as it stands now.
pub(super) fn wake_due(now: u64) {
    let mut due = Vec::new();
    if let Some(waiting) = waiting().as_mut() {
        let past = |handle: &Handle| deadline(*handle).is_some_and(|deadline| now >= deadline);
        let handles: Vec<Handle> = waiting.keys().copied().filter(past).collect();
        due.extend(handles.into_iter().filter_map(|handle| waiting.remove(&handle)));
    }
    // Each may run anything, and panic.
    for waker in due {
        let _ = guarded(|| waker.wake());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;
    use crate::{Kind, begin, testing};

    /// Counts its calls.
    struct Woken(Arc<AtomicUsize>);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_limit_as_it_stands_now_decides_when_the_task_is_woken() {
        let _capture = testing::capture();
        let scope = begin(Kind::Request);
        let limit = |secs| scope.context().limit(Some(Duration::from_secs(secs)));
        let at = |secs| clock::now() + clock::ticks(Duration::from_secs(secs));
        let calls = Arc::new(AtomicUsize::new(0));
        limit(3_000);
        wake_at_limit(scope.context().handle(), &Waker::from(Arc::new(Woken(Arc::clone(&calls)))));
        limit(9_000);
        wake_due(at(4_000));
        assert_eq!(calls.load(Ordering::Relaxed), 0, "it has more time now");
        wake_due(at(9_001));
        wake_due(at(9_002));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_waker_that_panics_keeps_no_other_from_being_woken() {
        struct Panicking(Arc<AtomicUsize>);
        impl Wake for Panicking {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
                std::panic::resume_unwind(Box::new("as the test asks"));
            }
        }
        let _capture = testing::capture();
        let calls = Arc::new(AtomicUsize::new(0));
        let scopes = [(); 3].map(|()| begin(Kind::Request));
        for scope in &scopes {
            scope.context().limit(Some(Duration::from_secs(20_000)));
            wake_at_limit(scope.context().handle(), &Waker::from(Arc::new(Panicking(Arc::clone(&calls)))));
        }
        wake_due(clock::now() + clock::ticks(Duration::from_secs(20_001)));
        assert_eq!(calls.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_waker_may_come_back_here_when_it_is_dropped() {
        struct Returning(Handle);
        impl Wake for Returning {
            fn wake(self: Arc<Self>) {}
        }
        impl Drop for Returning {
            fn drop(&mut self) {
                forget(self.0);
            }
        }
        let _capture = testing::capture();
        let scope = begin(Kind::Request);
        scope.context().limit(Some(Duration::from_secs(3_000)));
        let handle = scope.context().handle();
        for _ in 0..2 {
            wake_at_limit(handle, &Waker::from(Arc::new(Returning(handle))));
        }
        forget(handle);
        assert!(waiting().as_ref().is_none_or(|waiting| !waiting.contains_key(&handle)));
    }
}
