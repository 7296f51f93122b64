//! A section of time while it runs: it ends in the log that it began in.

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

/// A section in 16 bytes, without its key: annotated futures carry it over their awaits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed {
    /// Generation and number of the record, 47 and 16 bits. With the highest bit, a unit without a slot; the largest number is the
    /// one of no record.
    handle: u64,
    /// The moment it began, outermost, side.
    began: u64,
}

const NO_RECORD: u64 = u64::MAX;
const SLOTLESS: u64 = 1 << 63;

impl Packed {
    pub(crate) const NONE: Packed = Packed { handle: NO_RECORD, began: 0 };

    pub(crate) fn new(section: Section) -> Self {
        let Section { handle, began, outermost, side, .. } = section;
        let began = began << 2 | u64::from(outermost) << 1 | u64::from(side);
        Packed { handle: Packed::handle_of(handle), began }
    }

    pub(crate) fn section(self, key: keys::KeyId) -> Option<Section> {
        let Packed { handle, began } = self;
        let handle = Packed::to_handle(handle)?;
        Some(Section { handle, key, began: began >> 2, outermost: began & 2 != 0, side: began & 1 != 0 })
    }

    /// A handle in 8 bytes.
    pub(crate) fn handle_of(handle: Handle) -> u64 {
        match u16::try_from(handle.number) {
            Ok(number) => handle.generation << 16 | u64::from(number),
            Err(_) if handle.is_slotless() => SLOTLESS | handle.generation,
            Err(_) => NO_RECORD,
        }
    }

    #[inline]
    pub(crate) fn to_handle(packed: u64) -> Option<Handle> {
        match packed & SLOTLESS {
            0 => Some(Handle::new(u32::from(packed as u16), packed >> 16)),
            _ => (packed != NO_RECORD).then(|| Handle::slotless(packed & !SLOTLESS)),
        }
    }
}

impl Section {
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
        let (outermost, side) = current::write(handle, |body, writer| match writer {
            Writer::Main { beside: false } => (body.timer_start(key, began, writer), false),
            Writer::Main { beside: true } => Section::start_beside(handle, key, began, body),
            Writer::Side { .. } => {
                if handle.slot().is_some_and(|slot| body.timer_inside_beside(key, slot.body) > 0) {
                    // One of the main log's is running: this one is within it.
                    body.timer_note_beside(key, -1, 0, began, writer);
                    return (false, false);
                }
                (body.timer_start(key, began, writer), true)
            }
        })?;
        Some(Section { handle, key, began, outermost, side })
    }

    /// By the thread with the claim, where there is a side log: within the section that is running there, if one is.
    fn start_beside(handle: Handle, key: keys::KeyId, began: u64, body: &'static Body) -> (bool, bool) {
        let within = handle.with_side(|side| {
            body.timer_settle(key, side);
            let within = side.timer_inside(key) > 0 && body.timer_inside(key) == 0;
            within.then(|| side.timer_start(key, began, Writer::Side { main: body.end() }))
        });
        match within.flatten() {
            Some(outermost) => (outermost, true),
            None => (body.timer_start(key, began, Writer::Main { beside: true }), false),
        }
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
                if beside {
                    handle.with_side(|side| body.timer_settle(key, side));
                }
                body.timer_stop(key, began, outermost, now, writer);
            }
        });
    }
}
