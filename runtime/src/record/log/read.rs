//! Finds entries and reads them.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::entry::{Entry, Header, MOVED, SIDE, plain};
use super::{By, words};
use crate::record::keys::{KeyId, NAME_LIMIT, NOT_INTERNED};
use crate::record::layout;
use crate::record::slot::Body;
use crate::value::Value;

impl Body {
    #[inline]
    pub(super) fn bit(id: KeyId) -> (usize, u64) {
        let at = usize::from(id.0) % 256;
        (at / 64, 1 << (at % 64))
    }

    /// Whether one of the framework's keys is in the log; for whoever reads a log that has all of its fields in its list.
    #[inline(always)]
    pub(crate) fn has(&self, id: KeyId) -> bool {
        let (word, bit) = Self::bit(id);
        self.present[word].load(Relaxed) & bit != 0
    }

    /// Which of them are, one bit for each number.
    #[inline(always)]
    pub(crate) fn present_ours(&self) -> u64 {
        self.present[0].load(Relaxed) & 0xFFFF_FFFF
    }

    /// The value of one of them, where it is a number; for the same reader.
    #[inline(always)]
    pub(crate) fn plain_value(&self, id: KeyId) -> Option<Value<'static>> {
        if !self.has(id) {
            return None;
        }
        let at = usize::from(self.index[usize::from(id.0) % 256].load(Relaxed));
        let [head, word] = self.log.get(at..at + 2)? else { return None };
        Some(plain(Header(head.load(Relaxed)).kind(), word.load(Relaxed)))
    }

    /// Where the key was first written.
    #[inline]
    pub(super) fn find(&self, by: By<'_>) -> Option<usize> {
        match by {
            By::Id(id) => {
                let (word, bit) = Self::bit(id);
                if self.present[word].load(Relaxed) & bit == 0 {
                    return None;
                }
                let offset = usize::from(self.index[usize::from(id.0) % 256].load(Relaxed));
                if Header(self.word(offset).load(Relaxed)).key() == u64::from(id.0) {
                    return Some(offset);
                }
                self.scan(by)
            }
            By::Name(..) => self.scan(by),
        }
    }

    #[cold]
    pub(super) fn scan(&self, by: By<'_>) -> Option<usize> {
        self.scan_in(by, self.first()..self.end())
    }

    fn scan_in(&self, by: By<'_>, within: std::ops::Range<usize>) -> Option<usize> {
        let mut at = within.start;
        while at < within.end {
            let header = Header(self.word(at).load(Acquire));
            let is_it = match by {
                By::Id(id) => header.key() == u64::from(id.0),
                By::Name(name, _) => {
                    header.key() == u64::from(NOT_INTERNED.0) && self.name_at(at, header, |found, _| found == name)
                }
            };
            if is_it {
                return Some(at);
            }
            at += self.size(at, header);
        }
        None
    }

    pub(super) fn note(&self, id: KeyId, offset: usize) {
        let (word, bit) = Self::bit(id);
        let present = self.present[word].load(Relaxed);
        if present & bit != 0 {
            // Another key of the same number modulo 256 was first: it keeps the index.
            return;
        }
        self.present[word].store(present | bit, Relaxed);
        // A log has fewer than 65,536 words.
        self.index[usize::from(id.0) % 256].store(offset as u16, Relaxed);
    }

    /// Where an entry's value begins.
    #[inline]
    pub(super) fn value_at(&self, at: usize, header: Header) -> usize {
        let side = usize::from(header.has(SIDE));
        let name = if header.key() == u64::from(NOT_INTERNED.0) {
            let name = self.word(at + 1 + side).load(Relaxed) as usize & 0xFFFF;
            1 + words(name)
        } else {
            0
        };
        at + 1 + side + name
    }

    pub(super) fn size(&self, at: usize, header: Header) -> usize {
        self.value_at(at, header) - at + words(header.bytes())
    }

    pub(super) fn name_at<R>(&self, at: usize, header: Header, see: impl FnOnce(&str, u16) -> R) -> R {
        let start = at + 1 + usize::from(header.has(SIDE));
        let first = self.word(start).load(Relaxed);
        let mut name = [0_u8; NAME_LIMIT];
        let len = (first as usize & 0xFFFF).min(name.len());
        for (at, bytes) in name[..len].chunks_mut(8).enumerate() {
            bytes.copy_from_slice(&self.word(start + 1 + at).load(Relaxed).to_le_bytes()[..bytes.len()]);
        }
        see(str::from_utf8(&name[..len]).unwrap_or("app_"), (first >> 16) as u16)
    }

    /// The entry that holds the current value.
    pub(super) fn current(&self, at: usize, header: Header) -> (usize, Header) {
        match header.redirect() {
            0 => (at, header),
            to => (to, Header(self.word(to).load(Acquire))),
        }
    }

    /// Calls `see` with every entry from `from` on, in order of first writing. Any thread may; false if the log was
    /// compacted meanwhile, so that what was seen is worth nothing.
    #[must_use]
    pub(crate) fn read<'a>(&'a self, from: usize, mut see: impl FnMut(Entry<'a>)) -> bool {
        let before = self.layout.load(Acquire);
        if !layout::is_whole(before) {
            return false;
        }
        let len = self.end();
        let mut at = from;
        while at < len {
            let header = Header(self.word(at).load(Acquire));
            let first = self.value_at(at, header);
            if header.key() != MOVED {
                let (now_at, now) = self.current(at, header);
                let value = if now_at == at { first } else { self.value_at(now_at, now) };
                see(Entry { body: self, at, header, now, now_at, value });
            }
            at = first + words(header.bytes());
        }
        layout::is_still(&self.layout, before)
    }

    /// One field, whether or not a timeout was reported after it was written.
    pub(crate) fn get(&self, by: By<'_>) -> Option<Entry<'_>> {
        self.get_unreported(by).or_else(|| self.get_reported(by))
    }

    /// One field; after a timeout only what was written since.
    pub(crate) fn get_unreported(&self, by: By<'_>) -> Option<Entry<'_>> {
        Some(self.entry_at(self.find(by)?))
    }

    /// One field, of what a timeout has reported.
    #[cold]
    fn get_reported(&self, by: By<'_>) -> Option<Entry<'_>> {
        Some(self.entry_at(self.scan_in(by, 0..self.first())?))
    }

    fn entry_at(&self, at: usize) -> Entry<'_> {
        let header = Header(self.word(at).load(Acquire));
        let (now_at, now) = self.current(at, header);
        Entry { body: self, at, header, now, now_at, value: self.value_at(now_at, now) }
    }
}
