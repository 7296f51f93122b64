//! Where lines go.
//!
//! ```text
//! Emitter ──▶ direct:      Output::write, on the caller's thread
//!         └─▶ background:  a chunk of the caller's thread ──▶ the writer thread ──▶ Output::write
//! ```
//!
//! Only outputs fail. Whoever calls one counts what it did not take.

mod attempt;
mod background;
mod datagrams;
mod file;
mod journald;
mod ledger;
mod link;
mod memory;
mod null;
mod per_process;
mod program;
mod sockets;
mod stdio;
mod syslog;
mod tally;
mod text;
mod turn;
mod whole;
mod writer;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::format::Format;

pub(crate) use self::attempt::{Failure, flush, offer};
pub(crate) use crate::inside::{Inside, is_inside};
pub use background::{Background, Overflow};
pub(crate) use background::{Queue, Refused, Reporter};
pub use datagrams::Udp;
pub use file::{File, Rotation};
pub use journald::Journald;
pub use ledger::LossReason;
pub(crate) use ledger::{Ledger, Report};
pub use link::AddressError;
pub use memory::Memory;
pub use null::Null;
pub(crate) use per_process::PerProcess;
pub use sockets::{Tcp, UnixSocket};
pub use stdio::{Stderr, Stdout};
pub use syslog::{Facility, Framing, ParseFacilityError, Syslog};
pub use writer::Writer;

/// Whole lines to write.
///
/// ```
/// let batch = canonlog::Batch::new(b"one\ntwo\n", 2);
/// assert_eq!(batch.events(), 2);
/// assert!(batch.lines().eq([&b"one"[..], b"two"]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    events: u64,
    limit: Option<Duration>,
    progress: Option<&'a AtomicU64>,
}

impl<'a> Batch<'a> {
    /// Lines, each ended by `\n`, and how many there are.
    pub fn new(bytes: &'a [u8], events: u64) -> Self {
        Batch { bytes, events, limit: None, progress: None }
    }

    /// The same lines, to be given up when the output has not taken them after `limit`.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Batch { limit: Some(limit), ..self }
    }

    /// The same lines, with a place for how many of them are written.
    pub(crate) fn counting(self, progress: &'a AtomicU64) -> Self {
        Batch { progress: Some(progress), ..self }
    }

    /// Says that the first `lines` are written already. An output that takes a batch in pieces says so after each: if it
    /// is then given up, stuck in the middle, these are not counted as lost.
    pub fn wrote(&self, lines: u64) {
        if let Some(progress) = self.progress {
            progress.store(lines.min(self.events), Ordering::SeqCst);
        }
    }

    /// How long the output may wait to be rid of them; none on the background writer's thread, which may wait for ever.
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The lines, each ended by `\n`.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many lines there are.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The lines up to a line's end at `at`, and those after it; the first part has the place for progress, if it is the whole.
    fn split_at(&self, at: usize) -> (Batch<'a>, Batch<'a>) {
        if at >= self.bytes.len() {
            return (*self, Batch { bytes: &[], events: 0, progress: None, ..*self });
        }
        let (first, rest) = self.bytes.split_at(at);
        let events = first.iter().filter(|byte| **byte == b'\n').count() as u64;
        let part = |bytes, events| Batch { bytes, events, limit: self.limit, progress: None };
        (part(first, events), part(rest, self.events - events))
    }

    /// The lines one by one, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }
}

/// What became of a batch that was not written whole.
///
/// ```
/// let error = canonlog::WriteError { written: 0, source: std::io::ErrorKind::BrokenPipe.into() };
/// assert_eq!(error.source.kind(), std::io::ErrorKind::BrokenPipe);
/// assert_eq!(error.to_string(), "the output failed after 0 whole lines");
/// ```
#[derive(Debug)]
pub struct WriteError {
    /// How many whole lines were written before it.
    pub written: u64,
    /// What went wrong.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output failed after {} whole lines", self.written)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Where lines go.
///
/// An output is called by one thread at a time where it sits behind the background queue, else by any thread.
///
/// ```
/// use canonlog::{Batch, Emitter, Output, WriteError};
/// use std::sync::Mutex;
///
/// /// Keeps the last line.
/// #[derive(Default)]
/// struct Last(Mutex<String>);
///
/// impl Output for Last {
///     fn name(&self) -> &str {
///         "last"
///     }
///
///     fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
///         let line = batch.lines().last().unwrap_or_default();
///         *self.0.lock().expect("nobody panics while holding it") = String::from_utf8_lossy(line).into_owned();
///         Ok(())
///     }
/// }
///
/// let emitter = Emitter::new("last").output(Last::default());
/// ```
pub trait Output: Send + Sync + 'static {
    /// The name under which losses are counted: `stdout`, `file`.
    fn name(&self) -> &str;

    /// Where it writes to, if that can be told. Outputs with the same place share one queue, so that lines keep the order
    /// of their emitters.
    fn place(&self) -> Option<String> {
        None
    }

    /// What events look like on their way to this output, where it wants more of them than the lines of the emitter's format: a
    /// header by the event's level, each field by its name. `None`, as by default: those lines.
    ///
    /// It is asked once, when the emitter starts. The format that it gives back makes one line of an event, as any other does.
    ///
    /// ```
    /// use canonlog::{Batch, Event, Format, Output, WriteError};
    /// use std::sync::Arc;
    ///
    /// /// Lines with the event's level in front.
    /// struct Leveled(Arc<dyn Format>);
    ///
    /// impl Format for Leveled {
    ///     fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
    ///         line.extend_from_slice(event.level().as_str().as_bytes());
    ///         line.push(b' ');
    ///         self.0.format(event, line);
    ///     }
    /// }
    ///
    /// struct Kernel;
    ///
    /// impl Output for Kernel {
    ///     # fn name(&self) -> &str {
    ///     #     "kernel"
    ///     # }
    ///     fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
    ///         Some(Arc::new(Leveled(Arc::clone(format))))
    ///     }
    ///     # fn write(&self, _: Batch<'_>) -> Result<(), WriteError> {
    ///     #     Ok(())
    ///     # }
    ///     // ...
    /// }
    /// ```
    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        let _ = format;
        None
    }

    /// Writes whole lines.
    ///
    /// # Errors
    ///
    /// What was not written, and why. It is not offered again: the caller counts it as lost.
    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError>;

    /// Hands what the output itself holds to the system.
    ///
    /// # Errors
    ///
    /// Whatever the system says.
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Opens again what it writes to, after it was moved away.
    ///
    /// # Errors
    ///
    /// Whatever the system says; the output goes on with what it had.
    fn reopen(&self) -> io::Result<()> {
        Ok(())
    }
}

impl<O: Output + ?Sized> Output for Arc<O> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn place(&self) -> Option<String> {
        (**self).place().or_else(|| Some(format!("shared:{:p}", Arc::as_ptr(self))))
    }

    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        (**self).wire(format)
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        (**self).write(batch)
    }

    fn flush(&self) -> io::Result<()> {
        (**self).flush()
    }

    fn reopen(&self) -> io::Result<()> {
        (**self).reopen()
    }
}
