//! Events that wait for whether they are wanted, one behind the other in buffers that are used again.
//!
//! ```text
//! heads    stamp · type · level · how many fields and bytes   ─┐
//! fields   label · at ...                                       ├─ each a ring: taken at the front, added at the end
//! bytes    what the fields point at                            ─┘
//! ```

use std::collections::VecDeque;
use std::mem::size_of;

use super::content::{Content, Field};
use super::{EventType, HttpVersion};
use crate::level::Level;

#[derive(Clone, Copy, Debug)]
struct Head {
    stamp: u64,
    unix_nanos: i64,
    kind: EventType,
    level: Level,
    http: HttpVersion,
    fields: usize,
    bytes: usize,
    seen: u64,
}

/// Events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    heads: VecDeque<Head>,
    fields: VecDeque<Field>,
    bytes: VecDeque<u8>,
}

impl Kept {
    /// Appends a finished event.
    #[inline]
    pub(crate) fn push(&mut self, content: &Content, stamp: u64) {
        self.heads.push_back(Head {
            stamp,
            unix_nanos: content.unix_nanos,
            kind: content.kind,
            level: content.level,
            http: content.http,
            fields: content.fields.len(),
            bytes: content.bytes.len(),
            seen: content.seen,
        });
        self.fields.extend(content.fields.iter());
        self.bytes.extend(content.bytes.iter());
    }

    /// Takes the oldest away; false if there is none.
    #[inline]
    pub(crate) fn drop_first(&mut self) -> bool {
        let Some(head) = self.heads.pop_front() else { return false };
        self.fields.drain(..head.fields);
        self.bytes.drain(..head.bytes);
        true
    }

    /// Moves the oldest into `content`; its stamp.
    pub(crate) fn take_first(&mut self, content: &mut Content) -> Option<u64> {
        let head = self.heads.pop_front()?;
        content.reset(head.kind, head.level, head.unix_nanos);
        content.http = head.http;
        content.seen = head.seen;
        content.fields.extend(self.fields.drain(..head.fields));
        content.bytes.extend(self.bytes.drain(..head.bytes));
        Some(head.stamp)
    }

    /// When the oldest was made.
    #[inline]
    pub(crate) fn first_stamp(&self) -> Option<u64> {
        self.heads.front().map(|head| head.stamp)
    }

    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The memory that an event takes here.
    #[inline]
    pub(crate) fn size_of(content: &Content) -> usize {
        size_of::<Head>() + size_of::<Field>() * content.fields.len() + content.bytes.len()
    }

    /// The memory that the events take.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        size_of::<Head>() * self.heads.len() + size_of::<Field>() * self.fields.len() + self.bytes.len()
    }

    /// Forgets the events, and gives back what is more than `most` bytes of their memory.
    pub(crate) fn clear(&mut self, most: usize) {
        self.heads.clear();
        self.fields.clear();
        self.bytes.clear();
        self.bytes.shrink_to(most);
        self.fields.shrink_to(most / size_of::<Field>());
        self.heads.shrink_to(most / size_of::<Head>());
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
            kept.push(&content(number), number);
            // Grows for a while, then shrinks.
            while kept.len() > 7 + (number as usize / 50) % 3 {
                assert_eq!(kept.first_stamp(), Some(next));
                if next.is_multiple_of(3) {
                    assert!(kept.drop_first());
                } else {
                    assert_eq!(kept.take_first(&mut out), Some(next));
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
        (0..10).for_each(|number| kept.push(&content(number), number));
        assert_eq!(kept.size(), sizes);
    }
}
