//! Which features there are, and how each thread learns of a change without writing what others read.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Feature, bit};
use crate::event::EventType;

/// A feature that there is.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) feature: Feature,
    pub(super) is_on: bool,
    /// It comes from a configuration, which may take it away again; the program's stay.
    pub(super) is_configured: bool,
}

type List = Vec<Known>;

static LIST: Mutex<List> = Mutex::new(Vec::new());
/// Types of events that some feature is on for; read for each event, and written by changes alone.
static ON: AtomicU32 = AtomicU32::new(0);
/// Another number after every change.
static CHANGES: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The features that are on, as this thread last saw them, and after which change. Away while they are looked at: what a
    /// feature's own code records then has no features.
    static SEEN: Cell<Option<(u64, Arc<[Feature]>)>> = const { Cell::new(None) };
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

fn all() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock on the list, held.
pub(crate) struct Held {
    _list: MutexGuard<'static, List>,
}

pub(crate) fn hold() -> Held {
    Held { _list: all() }
}

/// Changes the list; true if there was something to change.
pub(super) fn change(change: impl FnOnce(&mut List) -> bool) -> bool {
    let mut list = all();
    // What is taken away may be the user's, so it is dropped without the lock.
    let before = list.clone();
    let changed = change(&mut list);
    if changed {
        let on = list.iter().filter(|known| known.is_on).fold(0, |types, known| types | known.feature.types());
        ON.store(on, Ordering::Relaxed);
        CHANGES.fetch_add(1, Ordering::Release);
    }
    drop(list);
    drop(before);
    changed
}

/// Reads the list.
pub(super) fn with_list<R>(look: impl FnOnce(&List) -> R) -> R {
    look(&all())
}

/// Whether some feature is on for this type of event.
#[inline(always)]
pub(crate) fn is_on(kind: EventType) -> bool {
    ON.load(Ordering::Relaxed) & bit(kind) != 0
}

#[cfg(feature = "tower")]
pub(super) fn is_any_on() -> bool {
    ON.load(Ordering::Relaxed) != 0
}

/// Looks at the features that are on.
pub(super) fn current(look: impl FnOnce(&[Feature])) {
    struct Looking;
    impl Drop for Looking {
        fn drop(&mut self) {
            LOOKING.set(false);
        }
    }
    if LOOKING.replace(true) {
        return;
    }
    let _looking = Looking;
    let changes = CHANGES.load(Ordering::Acquire);
    let seen = SEEN.try_with(Cell::take).ok().flatten();
    let (changes, features) = match seen {
        Some(seen) if seen.0 == changes => seen,
        _ => {
            let is_on = |known: &&Known| known.is_on;
            let on = with_list(|list| list.iter().filter(is_on).map(|known| known.feature.clone()).collect());
            (changes, on)
        }
    };
    look(&features);
    let _ = SEEN.try_with(|seen| seen.set(Some((changes, features))));
}
