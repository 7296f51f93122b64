//! The append-only log of a record: `key · kind · length · bytes`, padded to whole words.
//!
//! ```text
//! word 0   [length in bytes: 24][redirect: 16][flags: 4][kind: 4][key: 16]
//! word 1…  (only a side log: where the main log stood)  (only without a key number: the name)  the value
//! ```
//!
//! One thread writes (the one that has the claim, or the lock of a side log); any thread reads what stands before `len`.
//! Setting a key again keeps its first entry: a number of the same kind is changed in place; anything else is appended and
//! the first entry's `redirect` says where. A full log is compacted, then goes on in the slot's extension.

mod compact;
mod entry;
mod extent;
mod first;
mod late;
mod query;
mod read;
mod timer;
mod write;

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use self::entry::SIDE;
pub(crate) use self::entry::{Entry, Kind, plain};
use self::extent::Extent;
pub(crate) use self::query::Noted;
pub(crate) use self::write::{number, sum, total};
use super::keys::KeyId;
use super::slot::{self, Body, EXTENSION, LOG};
use crate::event::{OTHER_RANK, rank_of};
use crate::redact;
use crate::value::Value;

/// How much a record may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of log.
    pub(crate) record: usize,
    /// Bytes of one value.
    pub(crate) value: usize,
    /// Fields of users.
    pub(crate) fields: usize,
}

impl Limits {
    /// All three in a word.
    pub(crate) fn pack(self) -> u64 {
        let words = (self.record / 8).clamp(LOG, LOG + EXTENSION) as u64;
        let value = self.value.clamp(16, 0x1F_FFFF) as u64;
        let fields = self.fields.min(MOST_FIELDS) as u64;
        words | value << 16 | fields << 40
    }
}

/// More fields of users cannot be asked for; nor do so many fit.
pub(crate) const MOST_FIELDS: usize = 0x7FFF;

/// The limit of fields of users, of what [`Limits::pack`] made.
fn fields_of(limits: u64) -> u64 {
    limits >> 40
}

/// Words kept for the framework's own fields.
const RESERVE: usize = 128;

/// Who writes: what to put in a side log's extra word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The claiming thread. With a side log beside it, nothing is changed in place, so that the order can be told.
    Main { beside: bool },
    /// Whoever has the lock; the main log stood there.
    Side { main: usize },
}

impl Writer {
    fn flags(self) -> u64 {
        match self {
            Writer::Main { .. } => 0,
            Writer::Side { .. } => SIDE,
        }
    }

    fn in_place(self) -> bool {
        !matches!(self, Writer::Main { beside: true })
    }
}

/// A key, by number or by name.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Id(KeyId),
    /// `namespace_key`, clean; where it stands in an event.
    Name(&'a str, u16),
}

impl By<'_> {
    /// The value, or what is recorded instead where those of this name are hidden.
    #[inline]
    pub(super) fn hide(self, value: Value<'_>) -> Value<'_> {
        match self {
            By::Id(id) => id.hide(value),
            By::Name(name, _) if redact::hides(name) => redact::hidden(value),
            By::Name(..) => value,
        }
    }

    fn is_framework(self) -> bool {
        match self {
            By::Id(id) => id.is_framework(),
            By::Name(_, order) => is_framework(order),
        }
    }
}

/// Whether a field that stands there is the framework's.
pub(crate) fn is_framework(order: u16) -> bool {
    !matches!(rank_of(order), 2 | OTHER_RANK)
}

fn words(bytes: usize) -> usize {
    (bytes + 7) >> 3
}

/// The longest beginning of a text that has at most `limit` bytes and ends at a character.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// What stands behind a value that was cut.
pub(crate) const CUT: &str = "…";

impl Body {
    /// An empty log.
    pub(crate) fn reset(&self, limits: u64) {
        let Body { extension, garbage, late, closed_end, truncated, renamed, value_errors, .. } = self;
        self.set_extent(Extent::empty(fields_of(limits)));
        for word in [garbage, late, closed_end, truncated, renamed, value_errors] {
            word.store(0, Relaxed);
        }
        for word in [&self.queries, &self.query_nanos, &self.query_last, &self.query_texts, &self.query_untracked] {
            word.store(0, Relaxed);
        }
        for word in [&self.cpu_beside, &self.polls_blocked] {
            word.store(0, Relaxed);
        }
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        self.limits.store(limits, Relaxed);
        if extension.load(Relaxed) != 0 {
            self.drop_extension();
        }
    }

    #[cold]
    fn drop_extension(&self) {
        if let Ok(number) = u32::try_from(self.extension.swap(0, Relaxed).wrapping_sub(1)) {
            slot::return_extension(number);
        }
    }

    /// Where the late response begins; 0 where there is none.
    fn first(&self) -> usize {
        (self.late.load(Acquire) as usize).saturating_sub(1)
    }

    fn count(&self, word: &std::sync::atomic::AtomicU64) {
        word.store(word.load(Relaxed) + 1, Relaxed);
    }
}
