//! An event as the fastest format reads it.

use super::content::{Content, Field, head};
use super::order::TOKEN;

impl Content {
    /// The fields as the fastest format reads them.
    #[inline(always)]
    pub(super) fn entries(&self) -> Entries<'_> {
        Entries { fields: self.fields.iter(), bytes: &self.bytes }
    }
}

/// A field as the fastest format reads it: what it does not ask for is not looked at.
pub(crate) struct Raw<'a> {
    field: &'a Field,
    bytes: &'a [u8],
    head: u64,
    /// A number's bits.
    pub(crate) word: u64,
}

impl<'a> Raw<'a> {
    /// The marks and the name, ready to be copied; length 0 where they are not.
    #[inline(always)]
    pub(crate) fn token(&self) -> (&'static [u8; TOKEN], usize) {
        self.field.label.token()
    }

    /// The name, where there is no token.
    pub(crate) fn name(&self) -> &'a [u8] {
        if self.field.is_named() {
            text_at(self.bytes, self.field.name as usize)
        } else {
            self.field.label.name.as_bytes()
        }
    }

    /// What it is, one of [`head`].
    #[inline(always)]
    pub(crate) fn kind(&self) -> u64 {
        head::kind(self.head)
    }

    /// A text's bytes.
    #[inline(always)]
    pub(crate) fn text(&self) -> &'a [u8] {
        let start = self.field.at as usize + 8;
        self.bytes.get(start..start + head::bytes(self.head)).unwrap_or_default()
    }
}

/// The text whose head stands there.
fn text_at(bytes: &[u8], at: usize) -> &[u8] {
    let Some((head, rest)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) else { return &[] };
    rest.get(..head::bytes(u64::from_le_bytes(*head))).unwrap_or_default()
}

/// The fields of a content, for the fastest format.
pub(crate) struct Entries<'a> {
    fields: std::slice::Iter<'a, Field>,
    bytes: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Raw<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Raw<'a>> {
        let field = self.fields.next()?;
        // An entry has two words at least.
        let at = field.at as usize;
        let words = self.bytes.get(at..at + 16).unwrap_or(&[0; 16]).as_chunks::<8>().0;
        let &[head, word] = words else { return None };
        Some(Raw { field, bytes: self.bytes, head: u64::from_le_bytes(head), word: u64::from_le_bytes(word) })
    }
}
