//! The formats that an emitter calls without a detour: their lines go to the output from where they were put together.

use std::any::Any;

use super::line::Staged;
use super::{Json, Logfmt};
use crate::event::Event;

/// A format of this crate that always has a line.
#[derive(Clone, Debug)]
pub(crate) enum Own {
    Logfmt(Logfmt),
    Json(Json),
}

impl Own {
    /// The format as one of these, if it is one.
    pub(crate) fn of(format: &dyn Any) -> Option<Own> {
        let logfmt = format.downcast_ref().cloned().map(Own::Logfmt);
        logfmt.or_else(|| format.downcast_ref().cloned().map(Own::Json))
    }

    /// Writes the event to the stage, and says how much of the line is there.
    #[inline]
    pub(crate) fn stage(&self, event: &Event<'_>, staged: Staged<'_>) -> usize {
        match self {
            Own::Logfmt(format) => format.stage(event, staged),
            Own::Json(format) => format.stage(event, staged),
        }
    }
}
