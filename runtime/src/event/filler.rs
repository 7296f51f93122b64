//! From a record's log to an event's content.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::content::{Content, Field, KNOWN, Span, Stored, head};
use super::order::Label;

/// How a content's fields stand, where it is not worth a store for each.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    seen: u64,
    in_order: bool,
    last: u16,
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

    /// Keeps entries of a log as they are; where they stand.
    #[inline]
    pub(crate) fn words(&mut self, words: &[AtomicU64]) -> usize {
        const AT_ONCE: usize = 8;
        let bytes = &mut self.content.bytes;
        let start = bytes.len();
        // And one word, so that each entry has two.
        let end = start + words.len() * 8;
        bytes.resize(end + 8, 0);
        let put = |to: &mut [u8], words: &[AtomicU64]| {
            for (to, word) in to.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *to = word.load(Relaxed).to_le_bytes();
            }
        };
        let (many, few) = words.as_chunks::<AT_ONCE>();
        let (to_many, to_few) = bytes[start..end].as_chunks_mut::<{ AT_ONCE * 8 }>();
        for (to, words) in to_many.iter_mut().zip(many) {
            put(to, words);
        }
        put(to_few, few);
        start
    }

    /// A number that was kept becomes another.
    #[inline(always)]
    pub(crate) fn change(&mut self, at: usize, kind: u64, value: u64) {
        self.content.put_word(at, head::new(kind, 8));
        self.content.put_word(at + 8, value);
    }

    #[inline]
    pub(crate) fn push(&mut self, label: &'static Label, value: Stored) {
        self.content.push_label(label, value);
    }

    /// How the fields stand so far, for [`push_at`](Self::push_at).
    #[inline(always)]
    pub(crate) fn standing(&self) -> Standing {
        let Content { seen, in_order, last, .. } = *self.content;
        Standing { seen, in_order, last }
    }

    /// As [`push`](Self::push), for a value whose head stands there; [`stand`](Self::stand) must follow.
    #[inline(always)]
    pub(crate) fn push_at(&mut self, label: &'static Label, at: usize, standing: &mut Standing) {
        standing.seen |= 1 << label.bit;
        standing.in_order &= label.order >= standing.last;
        standing.last = label.order;
        self.content.fields.push(Field { label, at: at as u32, name: KNOWN });
    }

    /// Takes over how the fields stand now.
    #[inline(always)]
    pub(crate) fn stand(&mut self, Standing { seen, in_order, last }: Standing) {
        (self.content.seen, self.content.in_order, self.content.last) = (seen, in_order, last);
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
        self.content.fields.get(at).map_or(Stored::Null, |field| self.content.stored(field.at))
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

    #[test]
    fn logs_of_every_length_are_kept_whole() {
        static LABEL: Label = Label::new("app_n", 2 << 4 | 15, false);
        for entries in 1..40 {
            let mut content = Content::new();
            content.reset(EventType::Request, Level::Info, 0);
            let word = |at: usize| if at.is_multiple_of(2) { head::new(head::U64, 8) } else { at as u64 };
            let log: Vec<AtomicU64> = (0..2 * entries).map(|at| AtomicU64::new(word(at))).collect();
            let mut filler = Filler::new(&mut content);
            // With an odd number of words before, every remainder of a chunk occurs.
            for log in [&log[..], &[AtomicU64::new(head::new(head::NULL, 0))]] {
                let at = filler.words(log);
                let mut standing = filler.standing();
                (0..log.len()).step_by(2).for_each(|word| filler.push_at(&LABEL, at + word * 8, &mut standing));
                filler.stand(standing);
            }
            let kept: Vec<u64> = content.entries().map(|field| field.word).collect();
            let put: Vec<u64> = (0..entries).map(|at| 2 * at as u64 + 1).chain([0]).collect();
            assert_eq!(kept, put);
        }
        for words in 0..40 {
            let mut content = Content::new();
            let log: Vec<AtomicU64> = (1..=words).map(AtomicU64::new).collect();
            let at = Filler::new(&mut content).words(&log);
            let kept: Vec<u64> = (0..log.len()).map(|word| content.word(at + word * 8)).collect();
            assert_eq!(kept, (1..=words).collect::<Vec<u64>>());
        }
    }
}
