//! The one word that says what a record is doing, and who is in it.
//!
//! ```text
//! [beside: 1][generation: 47][joined: 11][locked: 1][claimed: 1][phase: 3]
//!
//!                  finish                             end
//! free ──open──▶ open ─────────────────▶ finishing ────────▶ ended ──(nobody inside)──▶ free, next generation
//!                  │ close                  ▲ finish            (the last to leave returns the slot)
//!                  ▼                        │
//!               closing ──timed_out──▶ timed out
//! ```
//!
//! Every change is one compare-and-swap on this word: exactly one of `finish` and `close` wins, exactly one thread returns
//! the slot to its pool, and nobody enters a record that has ended.

use crate::sys::word::Word;

/// Where a record is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Free,
    Open,
    Closing,
    TimedOut,
    Finishing,
    Ended,
}

const PHASE: u64 = 0b111;
const CLAIMED: u64 = 1 << 3;
const LOCKED: u64 = 1 << 4;
const JOINED_ONE: u64 = 1 << 5;
const JOINED: u64 = 0x7FF << 5;
const GENERATION_SHIFT: u32 = 16;
/// The record has a side log.
const BESIDE: u64 = 1 << 63;
const MOST_TRIES: u32 = 10_000;

/// Generations count up to this and start again.
pub(crate) const GENERATIONS: u64 = 1 << 47;

const fn phase(word: u64) -> Phase {
    match word & PHASE {
        0 => Phase::Free,
        1 => Phase::Open,
        2 => Phase::Closing,
        3 => Phase::TimedOut,
        4 => Phase::Finishing,
        _ => Phase::Ended,
    }
}

const fn generation(word: u64) -> u64 {
    (word & !BESIDE) >> GENERATION_SHIFT
}

const fn with_phase(word: u64, phase: Phase) -> u64 {
    (word & !PHASE) | phase as u64
}

/// A record can be written to, by whoever is inside.
const fn is_live(word: u64) -> bool {
    matches!(phase(word), Phase::Open | Phase::Closing | Phase::TimedOut)
}

/// Why nobody may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another thread writes the record's log.
    Busy,
    /// The record has ended.
    Gone,
}

/// What a winner of [`finish`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The record was open: it ends as what it is.
    InTime,
    /// It had timed out: it ends as a late response.
    Late,
}

/// Changes the word by `to`, again and again until nobody was in between; `None` from `to` gives up.
#[inline]
fn update(word: &impl Word, mut to: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
    let mut now = word.load();
    loop {
        let Some(next) = to(now) else { return Err(now) };
        match word.exchange(now, next) {
            Ok(_) => return Ok(next),
            Err(other) => now = other,
        }
    }
}

/// What the word is while the record is open, in the bits that [`is_open`] looks at.
#[inline]
pub(crate) const fn open_word(of: u64) -> u64 {
    of << GENERATION_SHIFT | Phase::Open as u64
}

/// Whether the record is still open. For the claiming thread only: it is the one that a plain look is enough for.
#[inline]
pub(crate) fn is_open(word: u64, open: u64) -> bool {
    (word ^ open) & !(BESIDE | JOINED | LOCKED | CLAIMED) == 0
}

/// The same, and nobody has written beside the claim.
#[inline(always)]
pub(crate) fn is_open_alone(word: u64, open: u64) -> bool {
    (word ^ open) & !(JOINED | LOCKED | CLAIMED) == 0
}

/// Whether somebody has.
#[inline(always)]
pub(crate) fn is_beside(word: u64) -> bool {
    word & BESIDE != 0
}

/// The record has a side log from now on. For whoever has the lock.
pub(crate) fn begin_beside(word: &impl Word) {
    let _ = update(word, |now| Some(now | BESIDE));
}

/// The phase of this generation; [`Phase::Free`] if the slot serves another.
pub(crate) fn phase_of(word: &impl Word, of: u64) -> Phase {
    let now = word.load();
    if generation(now) == of { phase(now) } else { Phase::Free }
}

/// Whether a thread is inside the record, or writes to it.
pub(crate) fn is_occupied(word: &impl Word) -> bool {
    word.load() & (CLAIMED | JOINED) != 0
}

/// Whether a thread has the claim.
#[inline]
pub(crate) fn is_claimed(word: &impl Word) -> bool {
    word.load() & CLAIMED != 0
}

/// The generation and the phase that a slot is in.
pub(crate) fn look(word: &impl Word) -> (u64, Phase) {
    let now = word.load();
    (generation(now), phase(now))
}

/// Opens a free slot, which only the caller has; returns the new generation. With `claimed`, the caller is inside at once.
#[inline]
pub(crate) fn open(word: &impl Word, claimed: bool) -> u64 {
    let next = (generation(word.load()) + 1) % GENERATIONS;
    word.store(open_word(next) | if claimed { CLAIMED } else { 0 });
    next
}

/// Claims the log: from now until [`unclaim`] only the caller writes it.
#[inline]
pub(crate) fn claim(word: &impl Word, of: u64) -> Result<(), Refused> {
    update(word, |now| (generation(now) == of && is_live(now) && now & CLAIMED == 0).then_some(now | CLAIMED))
        .map(|_| ())
        .map_err(|now| if generation(now) == of && is_live(now) { Refused::Busy } else { Refused::Gone })
}

/// Gives the claim back; true if the caller must return the slot to its pool.
#[inline]
#[must_use]
pub(crate) fn unclaim(word: &impl Word) -> bool {
    leave(word, |now| now & !CLAIMED)
}

/// Enters beside the claiming thread, without the log; false if the record has ended (or 2,047 threads are inside).
pub(crate) fn join(word: &impl Word, of: u64) -> bool {
    update(word, |now| (generation(now) == of && is_live(now) && now & JOINED != JOINED).then(|| now + JOINED_ONE))
        .is_ok()
}

/// Leaves after [`join`]; true if the caller must return the slot to its pool.
#[must_use]
pub(crate) fn unjoin(word: &impl Word) -> bool {
    leave(word, |now| now - JOINED_ONE)
}

/// Takes the lock of the side log, waiting for whoever has it; false if the record has ended.
pub(crate) fn lock(word: &impl Word, of: u64, mut wait: impl FnMut(u32)) -> bool {
    let mut tries = 0;
    loop {
        let locked =
            update(word, |now| (generation(now) == of && is_live(now) && now & LOCKED == 0).then_some(now | LOCKED));
        match locked {
            Ok(_) => return true,
            Err(now) if generation(now) != of || !is_live(now) => return false,
            Err(_) => {
                tries += 1;
                wait(tries);
            }
        }
    }
}

/// Gives the lock back; true if the caller must return the slot to its pool.
#[must_use]
pub(crate) fn unlock(word: &impl Word) -> bool {
    leave(word, |now| now & !LOCKED)
}

/// Leaves; the last one out of an ended record frees its slot, and must return it.
#[inline]
fn leave(word: &impl Word, without_me: impl Fn(u64) -> u64) -> bool {
    let left = update(word, |now| {
        let next = without_me(now);
        Some(if phase(next) == Phase::Ended && is_empty(next) { with_phase(next, Phase::Free) } else { next })
    });
    left.is_ok_and(|word| phase(word) == Phase::Free)
}

fn is_empty(word: u64) -> bool {
    word & (CLAIMED | LOCKED | JOINED) == 0
}

/// For a monitor: closes an open record. The one that wins must call [`timed_out`].
pub(crate) fn close(word: &impl Word, of: u64, wait: impl FnMut(u32)) -> bool {
    let closing = |now| (generation(now) == of && phase(now) == Phase::Open).then(|| with_phase(now, Phase::Closing));
    let closed = update(word, closing);
    if let Ok(now) = closed {
        wait_for_writer(word, now, wait);
    }
    closed.is_ok()
}

/// Waits until whoever had the lock when the phase changed has written: that is told of. Not for ever, as it may be the caller's
/// own thread, where an allocator of the program's ends a record.
#[inline]
fn wait_for_writer(word: &impl Word, mut now: u64, mut wait: impl FnMut(u32)) {
    let mut tries = 0;
    while now & LOCKED != 0 && tries < MOST_TRIES {
        tries += 1;
        wait(tries);
        now = word.load();
    }
}

/// The monitor has copied what there was: from now on the record collects its late response.
pub(crate) fn timed_out(word: &impl Word) {
    let _ = update(word, |now| Some(with_phase(now, Phase::TimedOut)));
}

/// Ends a record; `None` if it has ended already. Waits while a monitor copies it.
#[inline]
pub(crate) fn finish(word: &impl Word, of: u64, mut wait: impl FnMut(u32)) -> Option<Finish> {
    let mut tries = 0;
    loop {
        let mut found = None;
        let finished = update(word, |now| {
            found = match phase(now) {
                _ if generation(now) != of => None,
                Phase::Open => Some(Finish::InTime),
                Phase::TimedOut => Some(Finish::Late),
                _ => None,
            };
            found.map(|_| with_phase(now, Phase::Finishing))
        });
        match finished {
            Ok(now) => {
                wait_for_writer(word, now, wait);
                return found;
            }
            Err(now) if generation(now) == of && phase(now) == Phase::Closing => {
                tries += 1;
                wait(tries);
            }
            Err(_) => return None,
        }
    }
}

/// After [`finish`]: the record is gone; true if the caller must return the slot, else the last one inside does.
#[inline]
#[must_use]
pub(crate) fn end(word: &impl Word) -> bool {
    let now = word.load();
    if is_empty(now) {
        // In this phase nobody comes in. So with nobody inside, nobody else changes the word.
        word.store(with_phase(now, Phase::Free));
        return true;
    }
    leave(word, |now| with_phase(now, Phase::Ended))
}

/// For a process whose only thread is the caller, which has no lock: nobody has one, and a record that was being copied is
/// open again.
pub(crate) fn alone(word: &impl Word) {
    let _ = update(word, |now| {
        let free = now & !LOCKED;
        let next = if phase(free) == Phase::Closing { with_phase(free, Phase::Open) } else { free };
        (next != now).then_some(next)
    });
}

/// How [`lock`] and [`finish`] wait: a few pauses of the processor, then the scheduler's turn.
pub(crate) fn back_off(tries: u32) {
    if tries < 64 {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod models;
