//! From a record's log to an event's content.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::content::{Content, Field, Span, Stored, head};
use super::names::{self, KeyId, Names};

/// A field in a record's list: `[order: 16][where its entry stands in the log, in bytes: 31][computed: 1][its key: 16]`.
///
/// Those of a record that was written in canonical order are numbers in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed(u64);

impl Listed {
    /// The value is computed when it is taken.
    const COMPUTED: u64 = 1 << 16;

    /// A field of a key, at the beginning of the log.
    #[inline(always)]
    pub(crate) const fn new(order: u16, id: KeyId) -> Listed {
        Listed((order as u64) << 48 | id.0 as u64)
    }

    /// The same field elsewhere in the log.
    #[inline(always)]
    pub(crate) const fn at(self, bytes: usize, computed: bool) -> Listed {
        Listed(self.0 | (bytes as u64) << 17 | if computed { Listed::COMPUTED } else { 0 })
    }

    /// Before all of this order.
    fn before(order: u16) -> Listed {
        Listed(u64::from(order) << 48)
    }

    /// As it lies in a list.
    #[inline(always)]
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// What [`word`](Self::word) was made of.
    #[inline(always)]
    pub(crate) const fn of_word(word: u64) -> Listed {
        Listed(word)
    }

    #[inline(always)]
    fn offset(self) -> usize {
        (self.0 >> 17 & 0x7FFF_FFFF) as usize
    }

    #[inline(always)]
    pub(crate) fn id(self) -> KeyId {
        KeyId(self.0 as u16)
    }

    #[inline(always)]
    fn is_computed(self) -> bool {
        self.0 & Listed::COMPUTED != 0
    }
}

/// Fills a content from a record.
pub(crate) struct Filler<'a> {
    content: &'a mut Content,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(content: &'a mut Content) -> Self {
        Filler { content }
    }

    /// Keeps the text that `write` appends.
    #[inline]
    pub(crate) fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        self.content.put_text(write)
    }

    /// Keeps entries of a log as they are, which `append` appends, and behind them a word more, so that each has two; where they stand.
    #[inline(always)]
    pub(crate) fn entries(&mut self, append: impl FnOnce(&mut Vec<u8>)) -> usize {
        let start = self.content.bytes.len();
        append(&mut self.content.bytes);
        start
    }

    /// Takes over the list of a log that was kept with [`entries`](Self::entries) from `start` on. `seen`: the bits of the
    /// framework's fields that are in it. For a field that is [`COMPUTED`](Listed::COMPUTED), `compute` tells its length of time,
    /// by where its entry stood in the log, in bytes.
    #[inline(always)]
    pub(crate) fn list(&mut self, list: &[AtomicU64], start: usize, seen: u64, mut compute: impl FnMut(usize) -> u64) {
        let names = Names::new();
        let mut before = Listed::before(self.content.last_order());
        let Content { fields, bytes, in_order, .. } = &mut *self.content;
        let mut sorted = *in_order;
        fields.extend(list.iter().map(|field| {
            let field = Listed(field.load(Relaxed));
            let at = start + field.offset();
            if field.is_computed() {
                let entry = [head::new(head::NANOS, 8), compute(field.offset())].map(u64::to_le_bytes);
                if let Some(to) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<16>) {
                    to.copy_from_slice(entry.as_flattened());
                }
            }
            // They stand in the log in the order of their first writes, as they do in the list.
            sorted &= field > before;
            before = field;
            Field::new(names.get(field.id()), at)
        }));
        *in_order = sorted;
        self.content.seen |= seen;
    }

    /// Adds a field of one of the framework's keys, and its text, of which the length is known when this is compiled.
    #[inline(always)]
    pub(crate) fn push_text<const N: usize>(&mut self, id: KeyId, text: &[u8; N]) {
        const { assert!(N >= 8) }
        let at = self.content.bytes.len();
        let head = head::new(head::TEXT, N).to_le_bytes();
        self.content.bytes.reserve(head.len() + N);
        self.content.bytes.extend_from_slice(&head);
        self.content.bytes.extend_from_slice(text);
        let label = names::key(id);
        self.content.push_field(Field::new(label, at), label.order);
    }

    /// Adds a field of a key that the program has.
    pub(crate) fn push(&mut self, id: KeyId, value: Stored) {
        self.content.push_known(id, value);
    }

    /// As [`push`](Self::push), under a name that was kept as text.
    pub(crate) fn push_named(&mut self, name: Span, order: u16, framework: bool, value: Stored) {
        self.content.push_named(name, order, framework, value);
    }

    /// The field of a name, if it was pushed before.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.content.fields.iter().position(|field| self.content.name_of(field) == name)
    }

    /// The value of a field.
    pub(crate) fn value(&self, at: usize) -> Stored {
        self.content.fields.get(at).map_or(Stored::Null, |field| self.content.stored(field.at as usize))
    }

    /// Gives a field another value.
    pub(crate) fn set(&mut self, at: usize, value: Stored) {
        self.content.set_at(at, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;
    use crate::level::Level;

    fn append(log: &[AtomicU64], bytes: &mut Vec<u8>) {
        let words = log.iter().map(|word| word.load(Relaxed)).chain([0]);
        words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    }

    #[test]
    fn logs_of_every_length_are_kept_whole() {
        let id = names::intern("app_filled", false, false);
        let field = |at: usize| Listed::new(names::key(id).order, id).at(at, false);
        for entries in 1..40 {
            let mut content = Content::new();
            content.reset(EventType::Request, Level::Info, 0);
            let word = |at: usize| if at.is_multiple_of(2) { head::new(head::U64, 8) } else { at as u64 };
            let log: Vec<AtomicU64> = (0..2 * entries).map(|at| AtomicU64::new(word(at))).collect();
            let list: Vec<AtomicU64> = (0..entries).map(|at| AtomicU64::new(field(at * 16).word())).collect();
            let mut filler = Filler::new(&mut content);
            // A second list goes behind the first.
            for (log, list) in [
                (&log[..], &list[..]),
                (&[AtomicU64::new(head::new(head::NULL, 0))], &[AtomicU64::new(field(0).word())]),
            ] {
                let start = filler.entries(|bytes| append(log, bytes));
                filler.list(list, start, 0, |_| 0);
            }
            let kept: Vec<u64> = content.entries().map(|field| field.word).collect();
            let put: Vec<u64> = (0..entries).map(|at| 2 * at as u64 + 1).chain([0]).collect();
            assert_eq!(kept, put);
            assert!(content.in_order);
        }
    }

    #[test]
    fn a_computed_field_is_a_length_of_time_in_place_of_what_stood_there() {
        let id = names::intern("app_computed_time", false, false);
        let mut content = Content::new();
        let log = [head::new(9, 24), 1, 2, 3].map(AtomicU64::new);
        let mut filler = Filler::new(&mut content);
        let start = filler.entries(|bytes| append(&log, bytes));
        let list = [AtomicU64::new(Listed::new(names::key(id).order, id).at(0, true).word())];
        filler.list(&list, start, 0, |at| at as u64 + 7);
        assert!(matches!(content.stored(content.fields[0].at as usize), Stored::Nanos(7)));
    }
}
