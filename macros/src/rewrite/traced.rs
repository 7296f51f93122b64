//! A body that leaves as it did, with taps and frames in it.

use proc_macro2::TokenStream;
use syn::{Block, Type};

use super::frames::Guard;
use super::{Taps, frames};
use crate::args::Frames;

/// How to rewrite a body.
pub(crate) struct Traced<'m> {
    pub(crate) runtime: &'m TokenStream,
    pub(crate) result: &'m Type,
    pub(crate) errors: bool,
    pub(crate) frames: Frames,
    pub(crate) guard: Guard<'m>,
}

impl Traced<'_> {
    /// The import that makes exits callable.
    pub(crate) fn import(&self) -> Option<TokenStream> {
        if self.errors { Taps::import(self.runtime, self.result) } else { None }
    }

    /// Rewrites a body in place.
    pub(crate) fn apply(&self, block: &mut Block, is_async: bool) {
        if self.errors {
            Taps::apply(self.runtime, self.result, block);
        }
        frames::apply(self.runtime, self.frames, is_async, self.guard, block);
    }
}
