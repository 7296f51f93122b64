//! Any [`io::Write`] as an output.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::whole::{Bytes, write_lines};
use super::{Batch, Output, WriteError};

/// Any [`io::Write`] as an output.
///
/// Interruptions and short writes are carried on with, and after a failure in the middle of a line the next one starts on
/// a new line. Where it says `WouldBlock` it is asked again a little later.
///
/// ```
/// use canonlog::{Batch, Output, Writer};
///
/// let output = Writer::new("sink", std::io::sink());
/// assert!(output.write(Batch::new(b"line\n", 1)).is_ok());
/// ```
pub struct Writer<W> {
    name: String,
    inner: Mutex<Inner<W>>,
}

struct Inner<W> {
    writer: W,
    torn: bool,
}

impl<W: Write + Send + 'static> Writer<W> {
    /// Writes to `writer`; losses are counted under `name`.
    pub fn new(name: impl Into<String>, writer: W) -> Self {
        Writer { name: name.into(), inner: Mutex::new(Inner { writer, torn: false }) }
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("name", &self.name).finish_non_exhaustive()
    }
}

struct Plain<'a, W>(&'a mut W);

impl<W: Write> Bytes for Plain<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn wait(&mut self, limit: Option<Duration>) -> bool {
        let step = Duration::from_millis(1);
        std::thread::sleep(limit.map_or(step, |limit| limit.min(step)));
        limit.is_none_or(|limit| !limit.is_zero())
    }
}

impl<W: Write + Send + 'static> Output for Writer<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { writer, torn } = &mut *inner;
        // A plain writer cannot be asked whether it is ready, so a limit has nothing to hold on to.
        write_lines(&mut Plain(writer), Batch::new(batch.bytes(), batch.events()), torn)
    }

    fn flush(&self) -> io::Result<()> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).writer.flush()
    }
}
