//! Sections of time.

use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind};
use super::write::Payload;
use super::{By, Writer};
use crate::record::keys::KeyId;
use crate::record::slot::Body;

impl Body {
    /// The three words of a timer that stands where it usually does.
    #[inline(always)]
    fn timer(&self, id: KeyId) -> Option<&[std::sync::atomic::AtomicU64]> {
        let (word, bit) = Self::bit(id);
        if self.present[word].load(Relaxed) & bit == 0 {
            return None;
        }
        let at = usize::from(self.index[usize::from(id.0) % 256].load(Relaxed));
        let [head, words @ ..] = self.log.get(at..at + 4)? else { return None };
        // Kind, no redirect, not a side log's, its own key: all of it in one look.
        (head.load(Relaxed) == Header::new(u64::from(id.0), Kind::Timer, 0, 24).0).then_some(words)
    }

    /// As [`timer_start`](Self::timer_start), in the usual case.
    #[inline]
    pub(crate) fn timer_starts(&self, id: KeyId, now: u64) -> Option<bool> {
        if let Some([_, inside, began]) = self.timer(id) {
            let n = inside.load(Relaxed).cast_signed();
            inside.store((n + 1).cast_unsigned(), Relaxed);
            if n == 0 {
                began.store(now, Relaxed);
            }
            return Some(n == 0);
        }
        let at = self.place(id, 4)?;
        let [head, sum, inside, began] = self.log.get(at..at + 4)? else { return None };
        head.store(Header::new(u64::from(id.0), Kind::Timer, 0, 24).0, Relaxed);
        sum.store(0, Relaxed);
        inside.store(1, Relaxed);
        began.store(now, Relaxed);
        self.placed(id, at, at + 4);
        Some(true)
    }

    /// As [`timer_stop`](Self::timer_stop), in the usual case; false where it must be stopped the long way.
    #[inline]
    pub(crate) fn timer_stops(&self, id: KeyId, now: u64) -> bool {
        let Some([sum, inside, began]) = self.timer(id) else { return false };
        let n = inside.load(Relaxed).cast_signed() - 1;
        inside.store(n.cast_unsigned(), Relaxed);
        if n == 0 {
            sum.store(sum.load(Relaxed) + now.saturating_sub(began.load(Relaxed)), Relaxed);
        }
        true
    }

    /// A section begins; true if it is the outermost of its key.
    #[inline]
    pub(crate) fn timer_start(&self, id: KeyId, now: u64, writer: Writer) -> bool {
        let by = By::Id(id);
        let Some(at) = self.find(by) else {
            self.put_first(by, Kind::Timer, 0, Payload::Words(&[0, 1, now]), writer);
            return true;
        };
        let header = Header(self.word(at).load(Relaxed));
        if header.kind() != Kind::Timer || header.redirect() != 0 {
            // Somebody has set the name to something else: the section's own length is added when it ends.
            return false;
        }
        let value = self.value_at(at, header);
        let inside = &self.word(value + 1);
        let n = inside.load(Relaxed).cast_signed();
        inside.store((n + 1).cast_unsigned(), Relaxed);
        if n == 0 {
            self.word(value + 2).store(now, Relaxed);
        }
        n == 0
    }

    /// A section ends, which began at `began`, here or in the record's other log (`elsewhere`).
    #[inline]
    pub(crate) fn timer_stop(&self, id: KeyId, began: u64, outermost: bool, now: u64, elsewhere: bool, writer: Writer) {
        let by = By::Id(id);
        let Some(at) = self.find(by) else {
            // Begun in the other log, or before a timeout was reported: its whole length counts here.
            if outermost || elsewhere {
                let inside = if elsewhere { (-1_i64).cast_unsigned() } else { 0 };
                let ticks = if outermost { now.saturating_sub(began) } else { 0 };
                self.put_first(by, Kind::Timer, 0, Payload::Words(&[ticks, inside, 0]), writer);
            }
            return;
        };
        let header = Header(self.word(at).load(Relaxed));
        if header.kind() != Kind::Timer || header.redirect() != 0 {
            return;
        }
        let value = self.value_at(at, header);
        let n = self.word(value + 1).load(Relaxed).cast_signed() - 1;
        self.word(value + 1).store(n.cast_unsigned(), Relaxed);
        let from = match (elsewhere, n) {
            (true, _) if outermost => began,
            (false, 0) => self.word(value + 2).load(Relaxed),
            _ => return,
        };
        let sum = &self.word(value);
        sum.store(sum.load(Relaxed) + now.saturating_sub(from), Relaxed);
    }
}
