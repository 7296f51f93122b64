//! The usual case: a key that is not there yet, in a log with room, by the thread with the claim.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind};
use super::extent::Extent;
use super::words;
use crate::event::Listed;
use crate::record::keys::KeyId;
use crate::record::slot::Body;

/// Stores the first words of a text; most texts have few.
#[inline(always)]
fn put_words(to: &[AtomicU64], text: &[u8]) {
    let put = |to: &AtomicU64, word: &[u8; 8]| to.store(u64::from_le_bytes(*word), Relaxed);
    match (to, text.as_chunks::<8>().0) {
        ([a], [first, ..]) => put(a, first),
        ([a, b], [first, second, ..]) => {
            put(a, first);
            put(b, second);
        }
        (to, words) => to.iter().zip(words).for_each(|(to, word)| put(to, word)),
    }
}

/// A text of less than eight bytes as a word.
#[inline(always)]
fn short(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
        return first | last << (8 * (text.len() - 4));
    }
    text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Where a new entry goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) at: usize,
    field: usize,
    /// How far the log goes with it.
    extent: Extent,
    /// Which keys may be in the log, of those that share a word with this one.
    present: u64,
}

impl Body {
    /// A place for an entry of `need` words under a new key; none where the case is not the usual one. Whether the log has so many
    /// words the caller sees when it takes them.
    #[inline(always)]
    pub(super) fn place(&self, id: KeyId, need: usize) -> Option<Place> {
        let (word, bit) = Self::bit(id);
        let present = self.present[word].load(Relaxed);
        let before = self.extent();
        let extent = before.with_field(need, !id.is_framework());
        if present & bit != 0 || id.is_unusual() || extent.is_full() {
            return None;
        }
        Some(Place { at: before.words(), field: before.next_field(), extent, present })
    }

    /// Ends an entry in its [`place`](Self::place). The index comes last: until then a reader finds what stood there before.
    #[inline(always)]
    pub(super) fn placed(&self, key: Listed, computed: bool, place: Place) {
        let id = key.id();
        let Place { at, field, extent, present } = place;
        self.listed[field].store(key.at(at * 8, computed).word(), Relaxed);
        self.set_extent(extent);
        let (word, bit) = Self::bit(id);
        self.index[usize::from(id.0) % 256].store(at as u16, Relaxed);
        self.present[word].store(present | bit, Relaxed);
    }

    /// Sets a new key to a number; false where it must be set the long way.
    #[inline(always)]
    pub(crate) fn first_word(&self, key: Listed, kind: Kind, value: u64) -> bool {
        let Some(place) = self.place(key.id(), 2) else { return false };
        let Some([head, word]) = self.log.get(place.at..place.at + 2) else { return false };
        head.store(Header::new(u64::from(key.id().0), kind, 0, 8).0, Relaxed);
        word.store(value, Relaxed);
        self.placed(key, false, place);
        true
    }

    /// Sets a new key to a text; false where it must be set the long way.
    #[inline(always)]
    pub(crate) fn first_text(&self, key: Listed, text: &[u8]) -> bool {
        let need = words(text.len());
        if text.len() > (self.limits.load(Relaxed) >> 16 & 0xFF_FFFF) as usize {
            return false;
        }
        let Some(place) = self.place(key.id(), 1 + need) else { return false };
        let Some([head, to @ ..]) = self.log.get(place.at..place.at + 1 + need) else { return false };
        head.store(Header::new(u64::from(key.id().0), Kind::Text, 0, text.len()).0, Relaxed);
        if let [to @ .., last] = to {
            match text.last_chunk::<8>() {
                Some(end) => {
                    put_words(to, text);
                    // The last eight bytes, without those that the word before has.
                    last.store(u64::from_le_bytes(*end) >> (8 * (text.len().wrapping_neg() & 7)), Relaxed);
                }
                None => last.store(short(text), Relaxed),
            }
        }
        self.placed(key, false, place);
        true
    }
}
