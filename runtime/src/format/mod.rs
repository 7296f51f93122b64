//! An event as bytes.
//!
//! ```text
//! Event ──▶ Logfmt │ Talisker │ TextLine │ Template │ Pretty │ Json │ Gelf │ Otlp │ Combined │ yours ──▶ one line, or none
//!              └────────┴─────────┴─ escape: one rule for what may not stay in a text
//! ```
//!
//! A format is pure and cannot fail: whatever an event holds, [`Format::format`] appends one line, or nothing.

mod combined;
mod escape;
mod gelf;
mod json;
mod line;
mod logfmt;
mod number;
mod otlp;
mod own;
mod people;
mod pretty;
mod talisker;
mod template;
mod text;
mod time;

pub use combined::Combined;
pub(crate) use escape::{escaped_len, escaped_prefix};
pub use gelf::Gelf;
pub use json::Json;
pub(crate) use line::with_kept;
pub use logfmt::Logfmt;
pub use otlp::Otlp;
pub(crate) use own::Own;
pub use pretty::Pretty;
pub use talisker::Talisker;
pub use template::{Template, TemplateError};
pub use text::{Conversion, Converter, MissingFields, TextLine};
pub(crate) use time::rfc3339;

use crate::event::Event;

/// Turns an event into bytes.
///
/// ```
/// use canonlog::{Event, Format, push_escaped};
///
/// /// Only the path and the status.
/// struct Short;
///
/// impl Format for Short {
///     fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
///         for name in ["req_path", "resp_status"] {
///             if let Some(value) = event.get(name) {
///                 push_escaped(line, &value.to_string());
///                 line.push(b' ');
///             }
///         }
///     }
/// }
/// # use canonlog::{EventType, Level, OwnedEvent};
/// # let mut event = OwnedEvent::new(EventType::Request, Level::Info, std::time::SystemTime::UNIX_EPOCH);
/// # event.set("req_path", "/a\nb");
/// # event.set("resp_status", 200);
/// # let mut line = Vec::new();
/// # Short.format(&event.view(), &mut line);
/// # assert_eq!(line, br"/a\nb 200 ");
/// ```
pub trait Format: Send + Sync + 'static {
    /// Appends the event to `line`, without a line end; what is in `line` already stays.
    ///
    /// A format that appends nothing has no line for this event: nothing is written, and nothing counts as lost.
    ///
    /// It must not write a raw line break: an event is one line for any reader, and the emitter adds the line end. A text
    /// may hold anything, so it goes through [`push_escaped`]. A line break that a format leaves in a line all the same is escaped
    /// by the emitter.
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>);
}

/// Appends a text with what must not stand raw in a line escaped, as all formats here do.
///
/// The escapes are JSON's: `\"`, `\\`, `\n`, `\r`, `\t`, `\b`, `\f`, and `\u001b` for other controls, Unicode's line ends, marks
/// that turn the direction of text, and the byte order mark.
///
/// ```
/// let mut line = Vec::new();
/// canonlog::push_escaped(&mut line, "a \"b\"\n\u{1b}[31m é");
/// assert_eq!(line, r#"a \"b\"\n\u001b[31m é"#.as_bytes());
/// ```
pub fn push_escaped(line: &mut Vec<u8>, text: &str) {
    escape::push_escaped(line, text.as_bytes());
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
