//! Nowhere.

use super::{Batch, Output, WriteError};

/// Discards lines, and counts them as written: for measuring, and for switching an emitter's lines off while its filters run.
///
/// ```
/// use canonlog::{Batch, Null, Output};
///
/// assert!(Null::new().write(Batch::new(b"line\n", 1)).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Null;

impl Null {
    /// Nowhere.
    pub const fn new() -> Self {
        Null
    }
}

impl Output for Null {
    fn name(&self) -> &str {
        "null"
    }

    fn place(&self) -> Option<String> {
        Some("null".to_owned())
    }

    fn write(&self, _: Batch<'_>) -> Result<(), WriteError> {
        Ok(())
    }
}
