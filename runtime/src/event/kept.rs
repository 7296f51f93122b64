//! Messages that wait for whether they are wanted, one behind the other in buffers that are used again.
//!
//! ```text
//! heads    stamp · type · level · how many fields and bytes   ─┐
//! fields   label · at ...           (of those that are events)  ├─ each a ring: taken at the front, added at the end
//! bytes    what the fields point at                            ─┘
//! ```

use std::collections::VecDeque;
use std::mem::size_of;

use super::content::{Content, Field};
use super::{EventType, HttpVersion, Noted, Origin};
use crate::level::Level;

#[derive(Clone, Copy, Debug)]
struct Head {
    stamp: u64,
    unix_nanos: i64,
    kind: EventType,
    level: Level,
    http: HttpVersion,
    origin: Origin,
    fields: u32,
    bytes: u32,
    seen: u64,
    noted: Option<Noted>,
}

/// Events, and messages that are only noted, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    heads: VecDeque<Head>,
    fields: VecDeque<Field>,
    bytes: Bytes,
}

impl Kept {
    /// Appends a finished event; or what there is of a message that is only noted.
    #[inline]
    pub(crate) fn push(&mut self, content: &Content, noted: Option<&Noted>, stamp: u64) {
        self.heads.push_back(Head {
            stamp,
            unix_nanos: content.unix_nanos,
            kind: content.kind,
            level: content.level,
            http: content.http,
            origin: content.origin,
            // A content never has 4 GiB.
            fields: content.fields.len() as u32,
            bytes: content.bytes.len() as u32,
            seen: content.seen,
            noted: noted.copied(),
        });
        if !content.fields.is_empty() {
            self.fields.extend(content.fields.iter());
        }
        self.bytes.push(&content.bytes);
    }

    /// Takes the oldest away; false if there is none.
    #[inline]
    pub(crate) fn drop_first(&mut self) -> bool {
        let Some(head) = self.heads.pop_front() else { return false };
        if head.fields > 0 {
            self.fields.drain(..head.fields as usize);
        }
        self.bytes.drop_first(head.bytes as usize);
        true
    }

    /// Moves the oldest into `content`; and what there is beside, if it is only noted. None if there is none.
    pub(crate) fn take_first(&mut self, content: &mut Content) -> Option<Option<Noted>> {
        let head = self.heads.pop_front()?;
        content.reset(head.kind, head.level, head.unix_nanos);
        (content.http, content.origin) = (head.http, head.origin);
        content.seen = head.seen;
        content.fields.extend(self.fields.drain(..head.fields as usize));
        self.bytes.take_first(head.bytes as usize, &mut content.bytes);
        Some(head.noted)
    }

    /// When the oldest was made.
    #[inline]
    pub(crate) fn first_stamp(&self) -> Option<u64> {
        self.heads.front().map(|head| head.stamp)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The memory that this takes here.
    #[inline]
    pub(crate) fn size_of(content: &Content) -> usize {
        size_of::<Head>() + size_of::<Field>() * content.fields.len() + content.bytes.len()
    }

    /// The memory that all of it takes.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        size_of::<Head>() * self.heads.len() + size_of::<Field>() * self.fields.len() + self.bytes.len()
    }

    /// Forgets all, and gives back what is more than `most` bytes of memory.
    pub(crate) fn clear(&mut self, most: usize) {
        self.heads.clear();
        self.fields.clear();
        self.bytes.clear(most);
        self.fields.shrink_to(most / size_of::<Field>());
        self.heads.shrink_to(most / size_of::<Head>());
    }
}

/// A ring of bytes.
#[derive(Debug, Default)]
struct Bytes {
    /// As long as a power of two, or empty.
    ring: Vec<u8>,
    /// How many bytes were ever taken, and added: modulo the ring's length, where they are.
    start: usize,
    end: usize,
}

impl Bytes {
    #[inline]
    fn len(&self) -> usize {
        self.end.wrapping_sub(self.start)
    }

    /// Where a byte is.
    #[inline]
    fn at(&self, number: usize) -> usize {
        number & self.ring.len().wrapping_sub(1)
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        if self.len() + bytes.len() > self.ring.len() {
            self.grow(bytes.len());
        }
        let at = self.at(self.end);
        self.end = self.end.wrapping_add(bytes.len());
        if let Some(to) = self.ring.get_mut(at..at + bytes.len()) {
            return to.copy_from_slice(bytes);
        }
        let (before, behind) = bytes.split_at(self.ring.len() - at);
        self.ring[at..].copy_from_slice(before);
        self.ring[..behind.len()].copy_from_slice(behind);
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let len = self.len();
        let room = (len + more).next_power_of_two();
        let mut ring = Vec::with_capacity(room);
        self.take_first(len, &mut ring);
        ring.resize(room, 0);
        *self = Bytes { ring, start: 0, end: len };
    }

    #[inline]
    fn drop_first(&mut self, count: usize) {
        self.start = self.start.wrapping_add(count);
    }

    fn take_first(&mut self, count: usize, into: &mut Vec<u8>) {
        let at = self.at(self.start);
        let before = count.min(self.ring.len() - at);
        into.extend_from_slice(&self.ring[at..at + before]);
        into.extend_from_slice(&self.ring[..count - before]);
        self.start = self.start.wrapping_add(count);
    }

    fn clear(&mut self, most: usize) {
        (self.start, self.end) = (0, 0);
        if self.ring.len() > most {
            self.ring.truncate(most.checked_ilog2().map_or(0, |power| 1 << power));
            self.ring.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::order;
    use crate::value::Value;

    fn content(number: u64) -> Content {
        let mut content = Content::new();
        content.reset(EventType::Log, Level::Info, 0);
        for name in ["log_msg", "app_number", "app_made_at_run_time"] {
            content.set_text(name, order(name), false, Value::U64(number));
        }
        content.set_text("app_text", order("app_text"), false, Value::Str(&"x".repeat(number as usize % 50)));
        content
    }

    #[test]
    fn events_come_out_as_they_went_in_however_the_ring_has_turned() {
        let (mut kept, mut out) = (Kept::default(), Content::new());
        let mut next = 0;
        for number in 0..500 {
            kept.push(&content(number), None, number);
            // Grows for a while, then shrinks.
            while kept.len() > 7 + (number as usize / 50) % 3 {
                assert_eq!(kept.first_stamp(), Some(next));
                if next.is_multiple_of(3) {
                    assert!(kept.drop_first());
                } else {
                    assert!(matches!(kept.take_first(&mut out), Some(None)));
                    let shown = format!("{:?}", content(next).view());
                    assert_eq!(format!("{:?}", out.view()), shown);
                }
                next += 1;
            }
        }
        kept.clear(64);
        assert_eq!((kept.len(), kept.size(), kept.drop_first()), (0, 0, false));
    }

    #[test]
    fn its_size_is_that_of_its_events() {
        let mut kept = Kept::default();
        let sizes: usize = (0..10).map(|number| Kept::size_of(&content(number))).sum();
        (0..10).for_each(|number| kept.push(&content(number), None, number));
        assert_eq!(kept.size(), sizes);
    }
}
