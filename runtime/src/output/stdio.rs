//! The standard streams, written to without std's locks and buffers.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::per_process::PerProcess;
use super::turn::Turn;
use super::whole::{Bytes, write_lines};
use super::{Batch, Output, WriteError};
use crate::sys::fd;

/// What a pipe takes whole (`PIPE_BUF` of Linux), while others write to it too.
const PIPE_PIECE: usize = 4096;

#[derive(Debug)]
struct Stream {
    fd: RawFd,
    /// Whether the last thing written was a piece of a line.
    torn: PerProcess<Turn<bool>>,
}

struct Raw {
    fd: RawFd,
    pipe: bool,
}

impl Bytes for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fd::write(self.fd, bytes)
    }
    fn wait(&mut self, limit: Option<Duration>) -> bool {
        fd::wait_writable(self.fd, limit)
    }
    fn piece(&self) -> usize {
        if self.pipe { PIPE_PIECE } else { usize::MAX }
    }
}

impl Stream {
    fn new(fd: RawFd) -> Self {
        Stream { fd, torn: PerProcess::new(Turn::new(false)) }
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let turn = self.torn.get(|| Turn::new(false)).take(batch.limit());
        let Some(mut torn) = turn else {
            return Err(WriteError { written: 0, source: io::ErrorKind::TimedOut.into() });
        };
        // Asked anew each time: the stream may be redirected while the process runs.
        let mut raw = Raw { fd: self.fd, pipe: fd::is_pipe(self.fd) };
        write_lines(&mut raw, batch, &mut torn)
    }
}

macro_rules! stream {
    ($(#[$doc:meta])* $Name:ident, $fd:literal, $name:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $Name(Stream);

        impl $Name {
            /// The stream of this process.
            pub fn new() -> Self {
                $Name(Stream::new($fd))
            }
        }

        impl Default for $Name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Output for $Name {
            fn name(&self) -> &str {
                $name
            }

            fn place(&self) -> Option<String> {
                Some(concat!("fd:", $fd).to_owned())
            }

            fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
                self.0.write(batch)
            }
        }
    };
}

stream! {
    /// Standard output.
    ///
    /// Written with `write(2)`: no lock shared with `println!`, no panic when the reader is gone. To a pipe, lines go in
    /// pieces of at most 4,096 bytes, which the system keeps whole among several writers, unless one line is longer.
    ///
    /// ```
    /// use canonlog::{Emitter, Json, Stdout};
    ///
    /// let emitter = Emitter::new("events").format(Json::new()).output(Stdout::new());
    /// ```
    Stdout, 1, "stdout"
}

stream! {
    /// Standard error; otherwise as [`Stdout`].
    ///
    /// ```
    /// use canonlog::{Emitter, Level, Stderr};
    ///
    /// let emitter = Emitter::new("errors").level(Level::Error).output(Stderr::new());
    /// ```
    Stderr, 2, "stderr"
}
