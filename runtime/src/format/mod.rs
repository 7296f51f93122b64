//! An event as bytes.
//!
//! ```text
//! Event ──▶ Logfmt │ Json │ Pretty │ Combined │ yours ──▶ one line, or none
//!              └───────┴───────┴────────┴── escape: one rule for what may not stay in a text
//! ```
//!
//! A format is pure and cannot fail: whatever an event holds, [`Format::format`] appends one line, or nothing.

mod combined;
mod escape;
mod json;
pub(crate) mod limit;
mod line;
mod logfmt;
mod number;
mod pretty;
mod time;

pub use combined::Combined;
pub use json::Json;
pub use logfmt::Logfmt;
pub use pretty::Pretty;
pub(crate) use time::rfc3339;

use crate::event::Event;

/// Turns an event into bytes.
///
/// ```
/// use canonlog::{Event, Format};
///
/// /// Only the path and the status.
/// struct Short;
///
/// impl Format for Short {
///     fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
///         for name in ["req_path", "resp_status"] {
///             if let Some(value) = event.get(name) {
///                 line.extend_from_slice(format!("{value} ").as_bytes());
///             }
///         }
///     }
/// }
/// ```
pub trait Format: Send + Sync + 'static {
    /// Appends the event to `line`, without a line end; what is in `line` already stays.
    ///
    /// A format that appends nothing has no line for this event: nothing is written, and nothing counts as lost.
    ///
    /// It must not write a raw line break: an event is one line for any reader, and the output writes the line end.
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>);
}

impl<F: Format + ?Sized> Format for Box<F> {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        (**self).format(event, line);
    }
}

impl<F: Format + ?Sized> Format for std::sync::Arc<F> {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        (**self).format(event, line);
    }
}
