//! A section of time while it runs: it ends in the log that it began in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::frames::Place;
use super::log::Writer;
use super::slot::Body;
use super::{Handle, current, keys};
use crate::clock;

/// What a timer needs to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) handle: Handle,
    pub(crate) key: keys::KeyId,
    pub(crate) began: u64,
    pub(crate) outermost: bool,
    /// Whether it began in the side log.
    pub(crate) side: bool,
}

/// A handle in 8 bytes: generation and number of the record, 47 and 16 bits. With the highest bit, a unit without a slot; the
/// largest number is the one of no record.
pub(crate) struct Packed;

const NO_RECORD: u64 = u64::MAX;
const SLOTLESS: u64 = 1 << 63;

impl Packed {
    /// A handle in 8 bytes.
    pub(crate) fn handle_of(handle: Handle) -> u64 {
        match u16::try_from(handle.number) {
            Ok(number) => handle.generation << 16 | u64::from(number),
            Err(_) if handle.is_slotless() => SLOTLESS | handle.generation,
            Err(_) => NO_RECORD,
        }
    }

    /// The handle of a unit that has a slot.
    pub(crate) fn handle(packed: u64) -> Option<Handle> {
        (packed & SLOTLESS == 0).then(|| Handle::new((packed & 0xFFFF) as u32, packed >> 16))
    }
}

/// Sections that have no place in a frame, as there are too many of them; with what is in the place of the frame.
static ASIDE: Mutex<Aside> = Mutex::new(Aside { sections: Vec::new(), free: Vec::new() });

struct Aside {
    sections: Vec<(Handle, u64, Place)>,
    free: Vec<u32>,
}

fn those_aside() -> MutexGuard<'static, Aside> {
    ASIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a section; the number by which it is found.
#[cold]
pub(crate) fn put_aside(section: Section, place: Place) -> u32 {
    let _busy = current::busy();
    let mut aside = those_aside();
    let kept = (section.handle, section.word(), place);
    match aside.free.pop() {
        Some(number) => {
            aside.sections[number as usize] = kept;
            number
        }
        None => {
            aside.sections.push(kept);
            aside.sections.len() as u32 - 1
        }
    }
}

/// The section that was kept.
#[cold]
pub(crate) fn aside(number: u32, key: keys::KeyId) -> Option<Section> {
    let _busy = current::busy();
    let (handle, word, _) = *those_aside().sections.get(usize::try_from(number).ok()?)?;
    Some(Section::of_word(handle, key, word))
}

/// Keeps it no longer; what was in the place of the frame.
#[cold]
pub(crate) fn forget_aside(number: u32) -> Option<Place> {
    let _busy = current::busy();
    let mut aside = those_aside();
    let (_, _, place) = *aside.sections.get(usize::try_from(number).ok()?)?;
    aside.free.push(number);
    Some(place)
}

/// The lock on them, held.
pub(crate) struct Held {
    _aside: MutexGuard<'static, Aside>,
}

pub(crate) fn hold() -> Held {
    Held { _aside: those_aside() }
}

impl Section {
    /// What a frame keeps of it: the moment it began, outermost, side.
    #[inline]
    pub(crate) fn word(self) -> u64 {
        self.began << 2 | u64::from(self.outermost) << 1 | u64::from(self.side)
    }

    #[inline]
    pub(crate) fn of_word(handle: Handle, key: keys::KeyId, word: u64) -> Section {
        Section { handle, key, began: word >> 2, outermost: word & 2 != 0, side: word & 1 != 0 }
    }

    #[inline]
    pub(crate) fn start(handle: Handle, key: keys::KeyId) -> Option<Section> {
        let began = clock::now();
        if let Some(outermost) = current::claimed(handle).and_then(|body| body.timer_starts(keys::listed(key), began)) {
            return Some(Section { handle, key, began, outermost, side: false });
        }
        Section::start_slowly(handle, key, began)
    }

    /// As [`start`](Section::start), in the record that this thread is inside; none where it must be started the long way.
    #[inline(always)]
    pub(crate) fn start_here(namespace: &'static str, key: &'static str) -> Option<Section> {
        let (body, handle) = current::claimed_here()?;
        let key = keys::find_listed(namespace, key, keys::Suffix::Time);
        let began = clock::now();
        let outermost = body.timer_starts(key, began)?;
        Some(Section { handle, key: key.id(), began, outermost, side: false })
    }

    #[inline(never)]
    fn start_slowly(handle: Handle, key: keys::KeyId, began: u64) -> Option<Section> {
        if key == keys::NOT_INTERNED {
            return None;
        }
        current::write(handle, |body, writer| {
            // Who waited for the lock begins when it has it: sections that ended meanwhile are not beside this one.
            let began = if writer == (Writer::Main { beside: false }) { began } else { clock::now() };
            let (outermost, side) = match writer {
                Writer::Main { beside: false } => (body.timer_start(key, began, writer), false),
                Writer::Main { beside: true } => return Section::start_beside(handle, key, body),
                Writer::Side { .. } => {
                    if handle.slot().is_some_and(|slot| body.timer_inside_beside(key, slot.body) > 0) {
                        // One of the main log's is running: this one is within it.
                        body.timer_note_beside(key, -1, 0, began, writer);
                        (false, false)
                    } else {
                        (body.timer_start(key, began, writer), true)
                    }
                }
            };
            Section { handle, key, began, outermost, side }
        })
    }

    /// By the thread with the claim, where there is a side log: within the section that is running there, if one is. Both logs are
    /// looked at and written under the lock, so that no section begins or ends beside this one in between.
    fn start_beside(handle: Handle, key: keys::KeyId, body: &'static Body) -> Section {
        let main = Writer::Main { beside: true };
        let started = handle.with_side(|side| {
            let began = clock::now();
            body.timer_settle(key, side);
            let within = side.timer_inside(key) > 0 && body.timer_inside(key) == 0;
            let outermost = match within {
                true => side.timer_start(key, began, Writer::Side { main: body.end() }),
                false => body.timer_start(key, began, main),
            };
            Section { handle, key, began, outermost, side: within }
        });
        started.unwrap_or_else(|| {
            let began = clock::now();
            Section { handle, key, began, outermost: body.timer_start(key, began, main), side: false }
        })
    }

    #[inline]
    pub(crate) fn stop(self) {
        let now = clock::now();
        if !self.side && current::claimed(self.handle).is_some_and(|body| body.timer_stops(self.key, now)) {
            return;
        }
        self.stop_slowly(now);
    }

    #[inline(never)]
    fn stop_slowly(self, now: u64) {
        let Section { handle, key, began, outermost, side } = self;
        if side {
            // It ends where it began.
            if let Some(slot) = handle.slot() {
                handle.write_side(slot, &mut |side, writer| side.timer_stop(key, began, outermost, now, writer));
            }
            return;
        }
        current::write(handle, |body, writer| match writer {
            Writer::Side { .. } => {
                body.timer_note_beside(key, 1, if outermost { began } else { 0 }, now, writer);
            }
            Writer::Main { beside } => {
                let stop = || body.timer_stop(key, began, outermost, now, writer);
                let stopped = beside.then(|| {
                    handle.with_side(|side| {
                        body.timer_settle(key, side);
                        stop();
                    })
                });
                stopped.flatten().unwrap_or_else(stop);
            }
        });
    }
}
