//! One ring for each record that keeps messages, and one for each thread outside of any.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::Lookback;
use crate::event::{Content, Kept};
use crate::record::{Handle, state};

/// What was kept of one record.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    kept: Kept,
    /// The record's generation.
    of: u64,
    dropped: u64,
}

impl Ring {
    fn begin(&mut self, of: u64) {
        /// A ring that had more than this gives the rest back.
        const READY: usize = 16 << 10;
        self.kept.clear(READY);
        (self.of, self.dropped) = (of, 0);
    }

    #[inline]
    fn push(&mut self, content: &Content, stamp: u64, lookback: &Lookback) {
        let size = Kept::size_of(content);
        if lookback.capacity == 0 || size > lookback.bytes {
            self.dropped += 1;
            return;
        }
        while self.kept.len() >= lookback.capacity
            || self.kept.size() + size > lookback.bytes
            || self.kept.first_stamp().is_some_and(|first| lookback.is_too_old(first, stamp))
        {
            self.dropped += u64::from(self.kept.drop_first());
        }
        self.kept.push(content, stamp);
    }

    /// Takes away what is too old; how many messages are missing in all.
    pub(crate) fn settle(&mut self, now: u64, lookback: &Lookback) -> u64 {
        while self.kept.first_stamp().is_some_and(|first| lookback.is_too_old(first, now)) {
            self.dropped += u64::from(self.kept.drop_first());
        }
        std::mem::take(&mut self.dropped)
    }

    /// The oldest message, if there is one more.
    pub(crate) fn next(&mut self, content: &mut Content) -> bool {
        self.kept.take_first(content).is_some()
    }
}

/// Where the ring of a slot's record is.
#[derive(Debug)]
struct Place {
    /// The generation of the record that has kept something, plus one; of an earlier one, nobody asks.
    has: AtomicU64,
    ring: Mutex<Option<Box<Ring>>>,
}

/// As many as there are slots. Memory that is never touched is not taken from the system.
const PLACES: usize = 65_536;
static RINGS: [Place; PLACES] = [const { Place { has: AtomicU64::new(0), ring: Mutex::new(None) } }; PLACES];

/// Whether anything was ever kept.
static USED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static MINE: Cell<Option<Box<Ring>>> = const { Cell::new(None) };
}

impl Place {
    /// The ring's lock; none where its holder does not let go: it may be a thread that this process, made by `fork`, does not have.
    fn lock(&self) -> Option<MutexGuard<'_, Option<Box<Ring>>>> {
        const TRIES: u32 = 1_000;
        for tries in 0..TRIES {
            match self.ring.try_lock() {
                Ok(ring) => return Some(ring),
                Err(TryLockError::Poisoned(ring)) => return Some(ring.into_inner()),
                Err(TryLockError::WouldBlock) => state::back_off(tries),
            }
        }
        None
    }
}

fn place_of(handle: Handle) -> Option<&'static Place> {
    handle.slot()?;
    RINGS.get(usize::try_from(handle.number()).ok()?)
}

/// Keeps a message of this record, or, of none, of this thread; false if that cannot be.
pub(crate) fn keep(handle: Handle, content: &Content, stamp: u64, lookback: &Lookback) -> bool {
    let Some(place) = place_of(handle) else {
        return MINE
            .try_with(|mine| {
                let mut ring = mine.take().unwrap_or_default();
                ring.push(content, stamp, lookback);
                mine.set(Some(ring));
            })
            .is_ok();
    };
    let Some(mut ring) = place.lock() else { return false };
    // Under the lock: of a record that has ended, the slot may be another's, whose messages are here.
    if !handle.is_live() {
        return false;
    }
    let ring = ring.get_or_insert_default();
    let has = handle.generation().wrapping_add(1);
    if place.has.load(Ordering::Relaxed) != has {
        ring.begin(handle.generation());
        place.has.store(has, Ordering::Relaxed);
        USED.store(true, Ordering::Relaxed);
    }
    ring.push(content, stamp, lookback);
    true
}

/// What this record has kept; of none, what this thread has.
#[inline]
pub(crate) fn take(handle: Handle) -> Option<Box<Ring>> {
    let Some(place) = place_of(handle) else {
        return if handle == Handle::NONE { MINE.try_with(Cell::take).ok().flatten() } else { None };
    };
    let has = || place.has.load(Ordering::Relaxed) == handle.generation().wrapping_add(1);
    if !USED.load(Ordering::Relaxed) || !has() {
        return None;
    }
    let mut ring = place.lock()?;
    // The record may have ended meanwhile, and the next one have kept something.
    if !has() {
        return None;
    }
    place.has.store(0, Ordering::Relaxed);
    ring.take_if(|ring| ring.of == handle.generation())
}

/// Lets the next record of the same slot have the ring, or this thread.
pub(crate) fn give_back(handle: Handle, mut ring: Box<Ring>) {
    let Some(place) = place_of(handle) else {
        ring.begin(0);
        let _ = MINE.try_with(|mine| mine.set(Some(ring)));
        return;
    };
    if let Some(mut free) = place.lock()
        && free.is_none()
    {
        *free = Some(ring);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;
    use crate::level::Level;
    use crate::{Kind, begin, testing};

    fn content() -> Content {
        let mut content = Content::new();
        content.reset(EventType::Log, Level::Info, 0);
        content
    }

    fn kept(handle: Handle) -> usize {
        take(handle).map_or(0, |ring| ring.kept.len())
    }

    #[test]
    fn who_comes_late_takes_and_clears_nothing_of_the_next_record_of_its_slot() {
        let _capture = testing::capture();
        let lookback = Lookback::new();
        let scope = begin(Kind::Request);
        let ended = scope.context().handle();
        assert!(keep(ended, &content(), 0, &lookback));
        scope.finish();
        // Until one has the same slot.
        let mut scopes = Vec::new();
        let next = loop {
            assert!(scopes.len() < 4_096, "no record has the slot");
            scopes.push(begin(Kind::Request));
            let handle = scopes[scopes.len() - 1].context().handle();
            if handle.number() == ended.number() {
                break handle;
            }
        };
        assert!(keep(next, &content(), 0, &lookback));
        assert!(!keep(ended, &content(), 0, &lookback));
        assert_eq!((kept(ended), kept(next)), (0, 1));
    }
}
