//! Sections of time.

use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind};
use super::write::Payload;
use super::{By, Writer};
use crate::event::Listed;
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
    pub(crate) fn timer_starts(&self, key: Listed, now: u64) -> Option<bool> {
        let id = key.id();
        if let Some([_, inside, began]) = self.timer(id) {
            let n = inside.load(Relaxed).cast_signed();
            inside.store((n + 1).cast_unsigned(), Relaxed);
            if n == 0 {
                began.store(now, Relaxed);
            }
            return Some(n == 0);
        }
        let place = self.place(id, 4)?;
        let [head, sum, inside, began] = self.log.get(place.at..place.at + 4)? else { return None };
        head.store(Header::new(u64::from(id.0), Kind::Timer, 0, 24).0, Relaxed);
        sum.store(0, Relaxed);
        inside.store(1, Relaxed);
        began.store(now, Relaxed);
        self.placed(key, true, place);
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

    /// Where the words of a timer stand, whatever log it is in; none where the name is set to something else.
    fn timer_at(&self, id: KeyId) -> Option<Option<usize>> {
        let Some(at) = self.find(By::Id(id)) else { return Some(None) };
        let header = Header(self.word(at).load(Relaxed));
        let is_timer = header.kind() == Kind::Timer && header.redirect() == 0;
        is_timer.then(|| Some(self.value_at(at, header)))
    }

    fn timer_begin(&self, id: KeyId, ticks: u64, inside: u64, began: u64, writer: Writer) {
        let words = [ticks, inside, began, 0, 0, 0];
        let words = if matches!(writer, Writer::Side { .. }) { &words[..] } else { &words[..3] };
        self.put_first(By::Id(id), Kind::Timer, 0, Payload::Words(words), writer);
    }

    /// A section begins; true if it is the outermost of its key.
    #[inline]
    pub(crate) fn timer_start(&self, id: KeyId, now: u64, writer: Writer) -> bool {
        let value = match self.timer_at(id) {
            Some(Some(value)) => value,
            Some(None) => {
                self.timer_begin(id, 0, 1, now, writer);
                return true;
            }
            // Somebody has set the name to something else: that stays.
            None => return false,
        };
        let inside = &self.word(value + 1);
        let n = inside.load(Relaxed).cast_signed();
        inside.store((n + 1).cast_unsigned(), Relaxed);
        if n == 0 {
            self.word(value + 2).store(now, Relaxed);
        }
        n == 0
    }

    /// A section ends, in the log that it began in.
    #[inline]
    pub(crate) fn timer_stop(&self, id: KeyId, began: u64, outermost: bool, now: u64, writer: Writer) {
        let value = match self.timer_at(id) {
            Some(Some(value)) => value,
            // Begun before a timeout was reported: its whole length counts here.
            Some(None) if outermost => return self.timer_begin(id, now.saturating_sub(began), 0, 0, writer),
            _ => return,
        };
        let inside = self.word(value + 1);
        let n = inside.load(Relaxed).cast_signed() - 1;
        // Below nothing: it began before a timeout was reported, and another section has begun the timer since.
        inside.store(n.max(0).cast_unsigned(), Relaxed);
        let from = match n {
            0 => self.word(value + 2).load(Relaxed),
            ..0 if outermost => began,
            _ => return,
        };
        let sum = &self.word(value);
        sum.store(sum.load(Relaxed) + now.saturating_sub(from), Relaxed);
    }

    /// How many sections of a key are running in this log.
    pub(crate) fn timer_inside(&self, id: KeyId) -> i64 {
        self.timer_at(id).flatten().map_or(0, |value| self.word(value + 1).load(Relaxed).cast_signed())
    }

    /// For a side log: how many of the main log's sections are running, less those that have ended beside it.
    pub(crate) fn timer_inside_beside(&self, id: KeyId, main: &Body) -> i64 {
        let noted = self.timer_at(id).flatten().map_or(0, |value| self.word(value + 3).load(Relaxed).cast_signed());
        // Where nothing was written to the main log since a timeout was reported, this one has noted what was running.
        let all_reported = self.late.load(Relaxed) != 0 && main.late.load(Relaxed) == 0;
        if all_reported { -noted } else { main.timer_inside(id) - noted }
    }

    /// A timer goes on in what is written after a timeout.
    pub(super) fn timer_carry(&self, id: KeyId, words: &[u64], writer: Writer) {
        self.put_first(By::Id(id), Kind::Timer, 0, Payload::Words(words), writer);
    }

    /// For a side log: the main log knows by now what has become of its sections.
    pub(super) fn timer_forget_noted(&self, id: KeyId) {
        if let Some(Some(value)) = self.timer_at(id) {
            [3, 4, 5].iter().for_each(|n| self.word(value + n).store(0, Relaxed));
        }
    }

    /// For a side log: a section of the main log's ends (or begins, by -1), while another thread has the claim. `began` is
    /// the beginning of an outermost one.
    pub(crate) fn timer_note_beside(&self, id: KeyId, ended: i64, began: u64, now: u64, writer: Writer) {
        if self.timer_at(id) == Some(None) {
            self.timer_begin(id, 0, 0, 0, writer);
        }
        let Some(Some(value)) = self.timer_at(id) else { return };
        let n = self.word(value + 3);
        n.store((n.load(Relaxed).cast_signed() + ended).cast_unsigned(), Relaxed);
        if ended > 0 {
            self.word(value + 4).store(now, Relaxed);
            if began != 0 {
                self.word(value + 5).store(began, Relaxed);
            }
        }
    }

    /// For the main log, by who has the claim and the lock: takes over what the side log has noted of its sections.
    pub(crate) fn timer_settle(&self, id: KeyId, side: &Body) {
        let (Some(Some(value)), Some(Some(noted))) = (self.timer_at(id), side.timer_at(id)) else { return };
        let ended = side.word(noted + 3).swap(0, Relaxed).cast_signed();
        if ended == 0 {
            return;
        }
        let inside = self.word(value + 1);
        let n = inside.load(Relaxed).cast_signed();
        inside.store((n - ended).max(0).cast_unsigned(), Relaxed);
        if n > 0 && n <= ended {
            let length = side.word(noted + 4).load(Relaxed).saturating_sub(self.word(value + 2).load(Relaxed));
            let sum = self.word(value);
            sum.store(sum.load(Relaxed) + length, Relaxed);
        }
        side.word(noted + 5).store(0, Relaxed);
    }
}
