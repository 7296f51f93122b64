//! What an entry of a log is: its first word, and the entry as it is read.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::words;
use crate::event::head;
use crate::record::keys::{KeyId, NOT_INTERNED};
use crate::record::slot::{Body, EXTENSION, LOG};
use crate::value::Value;

const _: () = {
    assert!(Kind::Null as u64 == head::NULL && Kind::Bool as u64 == head::BOOL && Kind::I64 as u64 == head::I64);
    assert!(Kind::U64 as u64 == head::U64 && Kind::F64 as u64 == head::F64 && Kind::Nanos as u64 == head::NANOS);
    assert!(Kind::Text as u64 == head::TEXT && Header::new(0, Kind::Text, 0, 9).0 == head::new(head::TEXT, 9));
};

/// An entry that an earlier one refers to.
pub(super) const MOVED: u64 = 0xFFFE;

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    I64,
    U64,
    F64,
    Nanos,
    Text,
    /// Ticks summed, how many are inside, when the first of them began. In a side log, of the main log's sections too: how
    /// many have ended here, when the last of them did, when the outermost of them began.
    Timer,
    /// Hash, count, nanoseconds, links (`log/query.rs`).
    Query,
    /// A query's text that ran again: hash, place, length, and the text as far as it is kept.
    Statement,
}

impl Kind {
    pub(crate) const ALL: [Kind; 10] = [
        Kind::Null,
        Kind::Bool,
        Kind::I64,
        Kind::U64,
        Kind::F64,
        Kind::Nanos,
        Kind::Text,
        Kind::Timer,
        Kind::Query,
        Kind::Statement,
    ];

    pub(super) fn is_word(self) -> bool {
        matches!(self, Kind::Bool | Kind::I64 | Kind::U64 | Kind::F64 | Kind::Nanos)
    }
}

/// The entry was added to, not set.
pub(super) const ADDED: u64 = 1 << 20;
/// The entry belongs to a side log and has the extra word.
pub(super) const SIDE: u64 = 1 << 21;

/// An entry's first word.
#[derive(Clone, Copy)]
pub(super) struct Header(pub(super) u64);

impl Header {
    pub(super) const fn new(key: u64, kind: Kind, flags: u64, bytes: usize) -> Self {
        Header(key | (kind as u64) << 16 | flags | (bytes as u64) << 40)
    }

    pub(super) fn key(self) -> u64 {
        self.0 & 0xFFFF
    }

    pub(super) fn kind(self) -> Kind {
        Kind::ALL[((self.0 >> 16) & 0xF).min(9) as usize]
    }

    pub(super) fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    pub(super) fn redirect(self) -> usize {
        ((self.0 >> 24) & 0xFFFF) as usize
    }

    pub(super) fn redirected(self, to: usize, flags: u64) -> Self {
        Header(self.0 & !(0xFFFF << 24 | ADDED) | (to as u64) << 24 | flags)
    }

    pub(super) fn bytes(self) -> usize {
        (self.0 >> 40) as usize
    }
}

/// Appends a text that lies in words.
#[inline]
pub(super) fn copy_text(log: &[std::sync::atomic::AtomicU64], len: usize, into: &mut Vec<u8>) {
    // Eight words at once: an append has its price.
    let mut left = len;
    for words in log.chunks(8) {
        let mut bytes = [0; 64];
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.load(Relaxed).to_le_bytes();
        }
        into.extend_from_slice(&bytes[..left.min(64)]);
        left = left.saturating_sub(64);
    }
}

/// One entry, read.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(super) body: &'a Body,
    pub(super) at: usize,
    pub(super) header: Header,
    pub(super) now_at: usize,
    pub(super) now: Header,
    /// Where the current value begins.
    pub(super) value: usize,
}

impl Entry<'_> {
    pub(crate) fn kind(&self) -> Kind {
        self.now.kind()
    }

    /// The key's number, or none where the entry has a name of its own.
    pub(crate) fn key(&self) -> Option<KeyId> {
        let key = KeyId(self.header.key() as u16);
        (key != NOT_INTERNED).then_some(key)
    }

    /// The entry's own name and its order.
    pub(crate) fn name<R>(&self, see: impl FnOnce(&str, u16) -> R) -> R {
        self.body.name_at(self.at, self.header, see)
    }

    pub(crate) fn is_added(&self) -> bool {
        self.header.has(ADDED)
    }

    /// Where the entry was first written.
    pub(crate) fn first_offset(&self) -> usize {
        self.at
    }

    /// Where the current value stands.
    pub(crate) fn offset(&self) -> usize {
        self.now_at
    }

    /// For an entry of a side log: where the main log stood when it was written.
    pub(crate) fn main_offset(&self) -> usize {
        if self.now.has(SIDE) { self.body.word(self.now_at + 1).load(Relaxed) as usize } else { 0 }
    }

    /// For a timer of a side log: how long the main log's section was that has ended beside it, and that the main log has not
    /// taken over yet; in ticks. `main` is its timer, if it has one.
    pub(crate) fn ended_of(&self, main: Option<&Entry<'_>>) -> u64 {
        let (ended, ended_at, outermost) = (self.word(3).cast_signed(), self.word(4), self.word(5));
        let began = match main.map(|main| (main.word(1).cast_signed(), main.word(2))) {
            Some((inside, began)) if inside > 0 && inside <= ended => began,
            None if outermost != 0 && ended >= 0 => outermost,
            _ => return 0,
        };
        ended_at.saturating_sub(began)
    }

    /// A word of the value.
    pub(crate) fn word(&self, n: usize) -> u64 {
        self.body.word(self.value + n).load(Relaxed)
    }

    /// Appends the text.
    #[inline]
    pub(crate) fn text(&self, into: &mut Vec<u8>) {
        self.text_behind(0, into);
    }

    /// Appends the text behind the first words of the value.
    #[inline]
    pub(crate) fn text_behind(&self, first: usize, into: &mut Vec<u8>) {
        // Read while the log is compacted, a length can be anything.
        let len = self.now.bytes().min((LOG + EXTENSION) * 8).saturating_sub(first * 8);
        let (at, start) = (self.value + first, into.len());
        match self.body.log.get(at..at + words(len)) {
            Some(log) => return copy_text(log, len, into),
            None => (at..at + words(len))
                .for_each(|at| into.extend_from_slice(&self.body.word(at).load(Relaxed).to_le_bytes())),
        }
        into.truncate(start + len);
    }

    /// Copies the text to where there is room; how many bytes that are.
    pub(crate) fn copy_text(&self, into: &mut [u8]) -> usize {
        let len = self.now.bytes().min(into.len());
        for (bytes, at) in into[..len].chunks_mut(8).zip(self.value..) {
            bytes.copy_from_slice(&self.body.word(at).load(Relaxed).to_le_bytes()[..bytes.len()]);
        }
        len
    }

    /// The value, where it is a plain number or nothing.
    pub(crate) fn plain(&self) -> Option<Value<'static>> {
        let kind = self.now.kind();
        if !kind.is_word() {
            return (kind == Kind::Null).then_some(Value::Null);
        }
        let word = self.word(0);
        Some(plain(kind, word))
    }
}

/// A number of a kind, as a value.
pub(crate) fn plain(kind: Kind, word: u64) -> Value<'static> {
    match kind {
        Kind::Bool => Value::Bool(word != 0),
        Kind::I64 => Value::I64(word.cast_signed()),
        Kind::U64 => Value::U64(word),
        Kind::F64 => Value::F64(f64::from_bits(word)),
        Kind::Nanos => Value::Duration(Duration::from_nanos(word)),
        _ => Value::Null,
    }
}
