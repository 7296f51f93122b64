//! One unit of work while it runs: fields, timings, where it is in its life.
//!
//! ```text
//! keys ─┐                       ┌─ current  (which record this thread is inside)
//!       ├─▶ log ─▶ slot ─▶ pool ┤
//! state ┘                       └─ snapshot (what a record says, as an event's content)
//! ```
//!
//! One thread at a time has the *claim* of a record: it writes the log with plain stores. Others write a side log of the
//! same record under a short lock. Nothing on the request's path writes a cache line that another thread writes.

mod beside;
pub(crate) mod current;
pub(crate) mod errors;
mod flags;
pub(crate) mod frames;
pub(crate) mod keys;
mod layout;
pub(crate) mod log;
mod meter;
mod name;
pub(crate) mod pool;
pub(crate) mod queries;
mod section;
pub(crate) mod set;
pub(crate) mod slot;
pub(crate) mod slotless;
pub(crate) mod snapshot;
mod spot;
pub(crate) mod state;
mod told;

use std::sync::atomic::Ordering::{Acquire, Relaxed};

pub(crate) use self::beside::cancelled;
#[cfg(feature = "tower")]
pub(crate) use self::flags::set_http;
pub(crate) use self::flags::set_site;
use self::log::{Limits, Writer};
pub(crate) use self::name::Name;
pub(crate) use self::section::{Packed, Section};
use self::slot::{Body, Slot};
pub(crate) use self::spot::Spot;
use self::state::Refused;
use crate::clock;
use crate::counters::{self, Count};

/// What kind of unit a record is.
///
/// ```
/// let job = canonlog::begin(canonlog::Kind::Job);
/// assert!(job.context().is_active());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A request: somebody waits for its answer.
    Request,
    /// A job: nobody waits.
    Job,
}

/// What is known of a record when it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub(crate) kind: Kind,
    /// The pipeline that will write its events.
    pub(crate) pipeline: u16,
    pub(crate) cpu_time: bool,
    pub(crate) limits: u64,
    pub(crate) id: [u64; 2],
    pub(crate) now: u64,
    /// In ticks; 0 for never.
    pub(crate) deadline: u64,
    /// A poll that takes more ticks than this is counted; 0 for no such limit.
    pub(crate) poll_limit: u64,
}

/// The handle of a record: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Handle {
    generation: u64,
    number: u32,
}

impl Limits {
    pub(crate) const DEFAULT: Limits = Limits { record: 64 * 1024, value: 8 * 1024, fields: 128 };
}

/// Begins a record; `None` where all slots are in use.
#[inline(always)]
pub(crate) fn begin(how: &Begin) -> Option<Handle> {
    let slot = pool::take()?;
    let Slot { head, body, number } = slot;
    body.reset(how.limits);
    body.poll_limit.store(how.poll_limit, Relaxed);
    head.started.store(how.now, Relaxed);
    head.deadline.store(how.deadline, Relaxed);
    head.id[0].store(how.id[0], Relaxed);
    head.id[1].store(how.id[1], Relaxed);
    head.flags.store(flags::of(how), Relaxed);
    head.cpu.store(0, Relaxed);
    head.side.store(0, Relaxed);
    let generation = state::open(&head.word, false);
    Some(Handle { generation, number })
}

/// The locks on what all records share, held. Who holds one of them takes only later ones.
pub(crate) struct Held {
    _pool: pool::Held,
    _slots: slot::Held,
    _names: keys::Held,
    _slotless: slotless::Held,
    _aside: section::Held,
}

pub(crate) fn hold() -> Held {
    Held {
        _pool: pool::hold(),
        _slots: slot::hold(),
        _names: keys::hold(),
        _slotless: slotless::hold(),
        _aside: section::hold(),
    }
}

/// In a forked child, whose only thread is the caller: nobody waits for what other threads were about to do to a record.
pub(crate) fn alone() {
    for (number, head) in slot::heads() {
        if state::look(&head.word).1 != state::Phase::Free
            && let Some(slot) = slot::slot(number)
        {
            alone_in(slot);
        }
    }
}

fn alone_in(slot: Slot) {
    state::alone(&slot.head.word);
    if let Some(side) = side_of(slot) {
        // Whoever began it may not have come to say so.
        state::begin_beside(&slot.head.word);
        slot.body.beside.store(u64::from(side.number) + 1, Relaxed);
        side.body.alone();
    }
    slot.body.alone();
}

/// The slot with the side log.
fn side_of(slot: Slot) -> Option<Slot> {
    let side = slot.head.side.load(Acquire);
    u32::try_from(side).ok().and_then(|side| side.checked_sub(1)).and_then(slot::slot)
}

#[cold]
fn return_side(slot: Slot) {
    if let Some(side) = side_of(slot) {
        slot.head.side.store(0, Relaxed);
        [slot.body, side.body].iter().for_each(|body| body.beside.store(0, Relaxed));
        pool::give_back(side);
    }
}

/// Returns a slot, and its side log's, to the pool.
pub(crate) fn return_slot(slot: Slot) {
    slot.body.count_untold();
    give_back(slot);
}

/// The same for whoever has ended it when nobody else was inside.
pub(crate) fn give_back(slot: Slot) {
    if slot.head.side.load(Acquire) != 0 {
        return_side(slot);
    }
    pool::give_back(slot);
}

impl Slot {
    /// CPU time so far, in nanoseconds; `None` where it is not measured.
    pub(crate) fn cpu(&self) -> Option<u64> {
        let ticks = || self.head.cpu.load(Relaxed).saturating_add(self.body.cpu_beside.load(Relaxed));
        self.measures_cpu().then(|| clock::nanos(ticks()))
    }

    /// Polls past the limit since the last look: how many, the longest in nanoseconds, and where that was.
    pub(crate) fn take_polls(&self) -> (u64, u64, Spot) {
        let Body { polls_blocked, poll_longest, poll_longest_at, .. } = self.body;
        // Nearly always there are none.
        if polls_blocked.load(Relaxed) == 0 {
            return (0, 0, Spot::NONE);
        }
        let spot = Spot::of_word(poll_longest_at.load(Relaxed));
        (polls_blocked.swap(0, Relaxed), clock::nanos(poll_longest.load(Relaxed)), spot)
    }
}

/// Who asks for a record's log.
pub(crate) type Wants<'a, R> = &'a mut dyn FnMut(&'static Body, Writer) -> R;

impl Handle {
    pub(crate) const NONE: Handle = Handle { generation: u64::MAX, number: u32::MAX };

    pub(crate) fn new(number: u32, generation: u64) -> Self {
        Handle { generation, number }
    }

    #[inline]
    pub(crate) fn slot(self) -> Option<Slot> {
        slot::slot(self.number)
    }

    pub(crate) fn number(self) -> u32 {
        self.number
    }

    #[inline]
    pub(crate) fn generation(self) -> u64 {
        self.generation
    }

    /// A request or a job; none once it has ended.
    pub(crate) fn kind(self) -> Option<Kind> {
        let kind = self.slot().map(|slot| slot.kind());
        kind.or_else(|| self.with_slotless(|unit| unit.how.kind))
    }

    /// When it began, in ticks.
    pub(crate) fn started(self) -> Option<u64> {
        let started = self.slot().map(|slot| slot.head.started.load(Relaxed));
        started.or_else(|| self.with_slotless(|unit| unit.how.now))
    }

    pub(crate) fn phase(self) -> state::Phase {
        self.slot().map_or(state::Phase::Free, |slot| state::phase_of(&slot.head.word, self.generation))
    }

    /// Whether it can still be written to.
    pub(crate) fn is_live(self) -> bool {
        matches!(self.phase(), state::Phase::Open | state::Phase::Closing | state::Phase::TimedOut)
            || self.with_slotless(|_| ()).is_some()
    }

    /// Writes from a thread that has not claimed the record: claims it for the moment, or writes its side log.
    /// `None` (and counted) if the record has ended.
    pub(crate) fn write<R>(self, write: Wants<'_, R>) -> Option<R> {
        let Some(slot) = self.slot().filter(|_| !current::is_busy()) else {
            counters::add(Count::OutsideWrites, 1);
            return None;
        };
        let word = &slot.head.word;
        match state::claim(word, self.generation) {
            Ok(()) => {
                let written = write_main(slot, self.generation, write);
                if state::unclaim(word) {
                    return_slot(slot);
                }
                written
            }
            Err(Refused::Busy) => self.write_side(slot, write),
            Err(Refused::Gone) => {
                counters::add(Count::LateWrites, 1);
                None
            }
        }
    }

    /// Reads both logs; `None` if the record has ended. Whoever allocates while reading is [`busy`](current::busy).
    pub(crate) fn read<R>(self, mut read: impl FnMut(&'static Body, Option<&'static Body>) -> R) -> Option<R> {
        let slot = self.slot().filter(|_| !current::is_busy())?;
        if !state::lock(&slot.head.word, self.generation, state::back_off) {
            return None;
        }
        let mut tries = 0;
        let seen = loop {
            // The thread with the claim may compact its log meanwhile: then what was seen is worth nothing.
            let before = slot.body.layout.load(Acquire);
            let seen = read(slot.body, slot.side());
            if layout::is_whole(before) && layout::is_still(&slot.body.layout, before) {
                break seen;
            }
            tries += 1;
            state::back_off(tries);
        };
        if state::unlock(&slot.head.word) {
            return_slot(slot);
        }
        Some(seen)
    }
}

/// Writes the main log, which the caller has claimed; waits while a monitor copies it.
pub(crate) fn write_main<R>(slot: Slot, generation: u64, write: Wants<'_, R>) -> Option<R> {
    settle(slot, generation)?;
    let beside = slot.head.side.load(Relaxed) != 0;
    if beside && slot.body.wants_compacting() {
        Handle::new(slot.number, generation).compact_beside(slot.body);
    }
    Some(write(slot.body, Writer::Main { beside }))
}

/// Waits until no monitor copies the record, and begins its late response after one has; `None` (counted) if it has ended.
fn settle(slot: Slot, generation: u64) -> Option<state::Phase> {
    let mut tries = 0;
    loop {
        match state::phase_of(&slot.head.word, generation) {
            state::Phase::Open => return Some(state::Phase::Open),
            state::Phase::Closing => {
                tries += 1;
                state::back_off(tries);
            }
            state::Phase::TimedOut => {
                if slot.body.late.load(Relaxed) == 0 {
                    Handle::new(slot.number, generation).settle_main(slot);
                }
                return Some(state::Phase::TimedOut);
            }
            _ => {
                counters::add(Count::LateWrites, 1);
                return None;
            }
        }
    }
}

impl Body {
    /// Where the log ended when a monitor copied it.
    fn closed_len(&self) -> usize {
        self.closed_end.load(Acquire) as usize
    }
}

/// Sets the deadline of a record, in ticks; 0 for none.
pub(crate) fn set_deadline(handle: Handle, deadline: u64) {
    if let Some(slot) = handle.slot().filter(|_| !current::is_busy()) {
        // Under the lock, so that a record that ended just now is not changed.
        if state::lock(&slot.head.word, handle.generation, state::back_off) {
            slot.head.deadline.store(deadline, Relaxed);
            if state::unlock(&slot.head.word) {
                return_slot(slot);
            }
        }
    }
}
