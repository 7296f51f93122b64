//! One ring for each record that keeps messages, and one for each thread outside of any.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Lookback;
use crate::event::{Content, Kept, Noted};
use crate::record::{Handle, state};
use crate::sys::alone::{Alone, Taken};
use crate::sys::fork;

/// What was kept of one record.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    kept: Kept,
    /// The record's generation.
    of: u64,
    /// The process, as [`fork::generation`] tells it: what the parent has kept is the parent's to write.
    process: u64,
    dropped: u64,
    /// The memory that was allowed when something was last kept.
    allowed: usize,
}

impl Ring {
    fn begin(&mut self, of: u64) {
        // What grows has up to twice what it needs. So nothing is given back, to be allocated again, unless less is allowed now.
        self.kept.clear(self.allowed.saturating_mul(2));
        (self.of, self.process, self.dropped) = (of, fork::generation(), 0);
    }

    /// Whether it was kept before this process was made, by `fork`.
    fn is_parents(&self) -> bool {
        self.process != fork::generation()
    }

    #[inline]
    fn push(&mut self, content: &Content, noted: Option<&Noted>, stamp: u64, lookback: &Lookback) {
        self.allowed = lookback.bytes;
        let size = Kept::size_of(content);
        if lookback.capacity == 0 || size > lookback.bytes {
            self.dropped += 1;
            return;
        }
        self.drop_old(stamp, lookback);
        while self.kept.len() >= lookback.capacity || self.kept.size() + size > lookback.bytes {
            self.dropped += u64::from(self.kept.drop_first());
        }
        self.kept.push(content, noted, stamp);
    }

    #[inline]
    fn drop_old(&mut self, now: u64, lookback: &Lookback) {
        while self.kept.first_stamp().is_some_and(|first| lookback.is_too_old(first, now)) {
            self.dropped += u64::from(self.kept.drop_first());
        }
    }

    /// Takes away what is too old; how many messages are missing in all.
    pub(crate) fn settle(&mut self, now: u64, lookback: &Lookback) -> u64 {
        self.drop_old(now, lookback);
        std::mem::take(&mut self.dropped)
    }

    /// The oldest message, if there is one more; and what there is of it beside, if it is only noted.
    pub(crate) fn next(&mut self, content: &mut Content) -> Option<Option<Noted>> {
        self.kept.take_first(content)
    }
}

/// Where the ring of a slot's record is.
#[derive(Debug)]
struct Place {
    /// The generation of the record that has kept something, plus one; of an earlier one, nobody asks.
    has: AtomicU64,
    /// The lock was waited for in vain.
    is_stuck: AtomicBool,
    ring: Alone<Option<Box<Ring>>>,
}

/// As many as there are slots. Memory that is never touched is not taken from the system.
const PLACES: usize = 65_536;
static RINGS: [Place; PLACES] =
    [const { Place { has: AtomicU64::new(0), is_stuck: AtomicBool::new(false), ring: Alone::new(None) } }; PLACES];

/// Whether anything was ever kept.
static USED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static MINE: Cell<Option<Box<Ring>>> = const { Cell::new(None) };
}

impl Place {
    /// The ring's lock; none where its holder does not let go: it may be a thread that this process, made by `fork`, does not have.
    #[inline]
    fn lock(&self) -> Option<Taken<'_, Option<Box<Ring>>>> {
        let ring = self.ring.take().or_else(|| self.wait())?;
        if self.is_stuck.load(Ordering::Relaxed) {
            self.is_stuck.store(false, Ordering::Relaxed);
        }
        Some(ring)
    }

    #[cold]
    fn wait(&self) -> Option<Taken<'_, Option<Box<Ring>>>> {
        // In vain but once, so that not every message waits.
        let tries = if self.is_stuck.load(Ordering::Relaxed) { 0 } else { 1_000 };
        for tried in 0..tries {
            state::back_off(tried);
            if let Some(ring) = self.ring.take() {
                return Some(ring);
            }
        }
        self.is_stuck.store(true, Ordering::Relaxed);
        None
    }
}

fn place_of(handle: Handle) -> Option<&'static Place> {
    // Units without a slot have a number beyond.
    RINGS.get(usize::try_from(handle.number()).ok()?)
}

/// Keeps a message of this record, or, of none, of this thread; false if that cannot be. Of one that is only noted, `noted` says what
/// the content does not.
pub(crate) fn keep(handle: Handle, content: &Content, noted: Option<&Noted>, stamp: u64, lookback: &Lookback) -> bool {
    let Some(place) = place_of(handle) else {
        // Of a unit without a slot, nobody would bring it out.
        if handle != Handle::NONE {
            return false;
        }
        return MINE
            .try_with(|mine| {
                let mut ring = mine.take().unwrap_or_default();
                if ring.is_parents() {
                    ring.begin(0);
                }
                ring.push(content, noted, stamp, lookback);
                mine.set(Some(ring));
            })
            .is_ok();
    };
    let Some(mut ring) = place.lock() else { return false };
    let has = handle.generation().wrapping_add(1);
    let is_first = place.has.load(Ordering::Relaxed) != has;
    // Under the lock: of a record that has ended, the slot may be another's, whose messages are here. While it has kept something,
    // nobody has taken that at its end.
    if is_first && !handle.is_live() {
        return false;
    }
    let ring = ring.get_or_insert_default();
    if is_first || ring.is_parents() {
        ring.begin(handle.generation());
        place.has.store(has, Ordering::Relaxed);
        USED.store(true, Ordering::Relaxed);
    }
    ring.push(content, noted, stamp, lookback);
    true
}

/// What this record has kept.
#[inline(always)]
pub(crate) fn take_of_record(handle: Handle) -> Option<Box<Ring>> {
    if USED.load(Ordering::Relaxed) { take(handle) } else { None }
}

/// What this record has kept; of none, what this thread has.
#[inline]
pub(crate) fn take(handle: Handle) -> Option<Box<Ring>> {
    let Some(place) = place_of(handle) else {
        let mine = if handle == Handle::NONE { MINE.try_with(Cell::take).ok().flatten() } else { None };
        return mine.filter(|ring| !ring.is_parents());
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
    ring.take_if(|ring| ring.of == handle.generation() && !ring.is_parents())
}

/// Lets the next record of the same slot have the ring, or this thread.
pub(crate) fn give_back(handle: Handle, mut ring: Box<Ring>) {
    let Some(place) = place_of(handle) else {
        ring.begin(0);
        let _ = MINE.try_with(|mine| mine.set(Some(ring)));
        return;
    };
    ring.begin(handle.generation());
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
        assert!(keep(ended, &content(), None, 0, &lookback));
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
        assert!(keep(next, &content(), None, 0, &lookback));
        assert!(!keep(ended, &content(), None, 0, &lookback));
        assert_eq!((kept(ended), kept(next)), (0, 1));
    }

    #[test]
    fn a_unit_without_a_slot_keeps_nothing_and_least_of_all_for_its_thread() {
        let handle = Handle::slotless(7);
        assert!(!keep(handle, &content(), None, 0, &Lookback::new()));
        assert_eq!((kept(handle), kept(Handle::NONE)), (0, 0));
    }

    /// As if the process had been made just now: what there is, is of another one.
    fn fork(handle: Handle) {
        let parents = |ring: &mut Option<Box<Ring>>| ring.as_mut().expect("it keeps something").process = u64::MAX;
        match place_of(handle) {
            Some(place) => parents(&mut place.lock().expect("nobody has it")),
            None => {
                let mut mine = MINE.take();
                parents(&mut mine);
                MINE.set(mine);
            }
        }
    }

    #[test]
    fn what_the_parent_has_kept_is_not_the_childs() {
        let _capture = testing::capture();
        let lookback = Lookback::new();
        let scope = begin(Kind::Request);
        for handle in [scope.context().handle(), Handle::NONE] {
            let say = || assert!(keep(handle, &content(), None, 0, &lookback));
            say();
            fork(handle);
            assert_eq!(kept(handle), 0);
            say();
            fork(handle);
            say();
            assert_eq!(kept(handle), 1, "its own");
        }
    }

    #[test]
    fn a_lock_that_nobody_gives_back_is_waited_for_once() {
        let _capture = testing::capture();
        let scope = begin(Kind::Request);
        let handle = scope.context().handle();
        let place = place_of(handle).expect("it has a slot");
        let keep = || keep(handle, &content(), None, 0, &Lookback::new());
        let held = place.lock().expect("nobody has it");
        assert!(!keep());
        assert!(place.is_stuck.load(Ordering::Relaxed));
        assert!(!keep());
        drop(held);
        assert!(keep());
        assert!(!place.is_stuck.load(Ordering::Relaxed));
    }
}
