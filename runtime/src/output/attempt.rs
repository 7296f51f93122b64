//! An output is a user's: what it says when it fails is not trusted more than it itself.

use std::io::ErrorKind;

use super::{Batch, Output};
use crate::internal::guarded;
use crate::scratch;

/// What an output says of lines that it did not take.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whole lines that it took before.
    pub(crate) written: u64,
    pub(crate) kind: ErrorKind,
    pub(crate) text: String,
}

/// Has an output write.
#[inline(always)]
pub(crate) fn offer(output: &dyn Output, batch: Batch<'_>) -> Result<(), Failure> {
    let offered = guarded(|| {
        output.write(batch).map_err(|error| {
            let (written, kind) = (error.written.min(batch.events()), error.source.kind());
            Failure { written, kind, text: scratch::display(&error.source) }
        })
    });
    offered.unwrap_or_else(|text| Err(Failure { written: 0, kind: ErrorKind::Other, text }))
}

/// Has an output hand on what it holds; with an error, what it says.
pub(crate) fn flush(output: &dyn Output) -> Result<(), String> {
    let flushed = guarded(|| output.flush().map_err(|error| scratch::display(&error)));
    flushed.and_then(|flushed| flushed)
}
