//! How far a log goes, and the list of its fields: in one word, so that whoever reads it finds both in accord.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::event::Listed;
use crate::record::slot::{Body, LISTED};

/// ```text
/// [unlisted: 1][0: 15][fields of users: 16][fields in the list: 16][words: 16]
/// ```
///
/// Both counts of fields end in their highest bits: what does not fit any more sets one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent(u64);

const FIELD: u64 = 1 << FIELDS_SHIFT;
const FIELDS_SHIFT: u32 = 16;
const USERS_SHIFT: u32 = 32;
const UNLISTED: u64 = 1 << 63;
/// The highest bit of a count; below it lies what fits.
const FULL: u64 = 1 << 15;
/// What the count of fields in the list begins at.
const NO_FIELDS: u64 = FULL - LISTED as u64;

/// What the count of users' fields begins at, of which there may be so many.
fn no_users(limit: u64) -> u64 {
    (FULL - 1).saturating_sub(limit)
}

impl Extent {
    /// Of an empty log, with room for so many fields of users.
    #[inline(always)]
    pub(super) fn empty(users: u64) -> Extent {
        Extent(NO_FIELDS << FIELDS_SHIFT | no_users(users) << USERS_SHIFT)
    }

    /// Words of the log that may be read.
    #[inline(always)]
    pub(crate) fn words(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// Fields in the list.
    #[inline(always)]
    pub(super) fn fields(self) -> usize {
        (self.0 >> FIELDS_SHIFT & 0xFFFF).saturating_sub(NO_FIELDS) as usize
    }

    /// Where the next field stands in the list, if there is [room](Self::is_full).
    #[inline(always)]
    pub(super) fn next_field(self) -> usize {
        const { assert!(NO_FIELDS.is_multiple_of(LISTED as u64)) }
        (self.0 >> FIELDS_SHIFT) as usize % LISTED
    }

    /// Fields of users, of which there may be so many.
    #[inline(always)]
    pub(super) fn users(self, limit: u64) -> u64 {
        (self.0 >> USERS_SHIFT & 0xFFFF).saturating_sub(no_users(limit))
    }

    /// Whether the list has no room for one more after this, or there are more fields of users than there may be.
    #[inline(always)]
    pub(super) fn is_full(self) -> bool {
        self.0 & (FULL << FIELDS_SHIFT | FULL << USERS_SHIFT) != 0
    }

    /// Whether the list has every field, each where its value stands.
    #[inline(always)]
    pub(crate) fn is_listed(self) -> bool {
        self.0 & UNLISTED == 0
    }

    /// With so many words more, of a field that is in the list.
    #[inline(always)]
    pub(super) fn with_field(self, words: usize, users: bool) -> Extent {
        Extent(self.0 + (FIELD | u64::from(users) << USERS_SHIFT) + words as u64)
    }

    /// With one more field of users'.
    pub(super) fn with_user(self) -> Extent {
        Extent(self.0 + (1 << USERS_SHIFT))
    }

    /// Up to another end.
    #[inline(always)]
    pub(super) fn up_to(self, words: usize) -> Extent {
        Extent(self.0 & !0xFFFF | words as u64 & 0xFFFF)
    }

    /// Without a list.
    pub(super) fn unlisted(self) -> Extent {
        Extent(self.0 | UNLISTED)
    }

    /// With nothing counted and without a list, and room for so many fields of users.
    pub(super) fn begun_anew(self, users: u64) -> Extent {
        Extent::empty(users).up_to(self.words()).unlisted()
    }
}

impl Body {
    /// How far the log goes, for whoever writes it.
    #[inline(always)]
    pub(super) fn extent(&self) -> Extent {
        Extent(self.extent.load(Relaxed))
    }

    /// The same for whoever reads it.
    #[inline(always)]
    pub(crate) fn extent_read(&self) -> Extent {
        Extent(self.extent.load(Acquire))
    }

    #[inline(always)]
    pub(super) fn set_extent(&self, extent: Extent) {
        self.extent.store(extent.0, Release);
    }

    /// Where the log ends.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        self.extent_read().words()
    }

    /// Fields of users, of which there may be so many, for whoever writes another log of the record.
    pub(super) fn users_read(&self, limit: u64) -> u64 {
        self.extent_read().users(limit)
    }

    /// The fields in the list, in order of their first writes; none where it does not have all of them.
    #[inline(always)]
    pub(crate) fn listed(&self, extent: Extent) -> Option<&[AtomicU64]> {
        self.listed.get(..extent.fields()).filter(|_| extent.is_listed())
    }

    /// Puts a field into the list, whose extent is made known next; false where there is no room.
    #[inline(always)]
    pub(super) fn list(&self, extent: Extent, field: Listed) -> bool {
        let Some(to) = self.listed.get(extent.fields()) else { return false };
        to.store(field.word(), Relaxed);
        true
    }
}

const _: () = assert!(LISTED <= 0xFFFF);
