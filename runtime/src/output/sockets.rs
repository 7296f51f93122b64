//! Lines to a server over a stream, each with an end.

use std::io;
use std::path::Path;

use super::link::{Address, AddressError, Link, Protocol, host_and_port, link_options, socket_path};
use super::{Batch, Output, WriteError};

/// A line as it is, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    Newline,
    Null,
}

impl Protocol for Lines {
    fn encode(&self, line: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(line);
        out.push(match self {
            Lines::Newline => b'\n',
            Lines::Null => b'\0',
        });
    }
}

macro_rules! stream_output {
    ($Name:ident, $name:literal) => {
        impl $Name {
            link_options!();

            /// Ends each line by a null byte, in place of `\n`: so does GELF over TCP, and an input of Graylog expects it.
            ///
            /// ```
            /// use canonlog::{Emitter, Gelf, Tcp};
            ///
            /// let graylog = Tcp::new("graylog.internal:12201")?.null_terminated();
            /// let emitter = Emitter::new("graylog").format(Gelf::new()).output(graylog);
            /// # Ok::<(), canonlog::AddressError>(())
            /// ```
            #[must_use]
            pub fn null_terminated(mut self) -> Self {
                self.lines = Lines::Null;
                self
            }
        }

        impl Output for $Name {
            fn name(&self) -> &str {
                $name
            }

            fn place(&self) -> Option<String> {
                let end = if self.lines == Lines::Null { ":null" } else { "" };
                Some(format!(concat!($name, ":{}{}"), self.link.address(), end))
            }

            fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
                self.link.write(batch, &self.lines)
            }

            fn flush(&self) -> io::Result<()> {
                self.link.flush(&self.lines)
            }

            fn reopen(&self) -> io::Result<()> {
                self.link.reopen()
            }
        }
    };
}

/// Lines to a server over TCP, each ended by `\n`.
///
/// - Nobody waits for the server at the start: the first lines go to it once it is there, or are counted as lost.
/// - A connection that breaks is made again, with growing pauses. What was not taken whole is sent again, so that no line is torn for
///   a reader that drops a last line without an end.
/// - What the system takes counts as written, though the server may have closed the connection a moment before. Where one turns out to be
///   dead, the lines that the server's system has not acknowledged are sent again on the next, before new ones, at the latest by
///   [`flush`](Output::flush). A server that acknowledges nothing for 30 s counts as dead.
/// - So a line is lost without being counted only if the server's system had it when the server died, or no server comes back; where
///   the server broke the connection off (a reset), up to 64 KiB that were under way are left too, as it may have read them. A line
///   arrives twice only if the server was cut off after it came, and could not say so.
///
/// ```
/// use canonlog::{Emitter, Json, Tcp};
///
/// let emitter = Emitter::new("collector").format(Json::new()).output(Tcp::new("collector.internal:6514")?);
/// # Ok::<(), canonlog::AddressError>(())
/// ```
#[derive(Debug)]
pub struct Tcp {
    link: Link,
    lines: Lines,
}

impl Tcp {
    /// The server at `host:port`. A host's name is looked up at each attempt to reach it.
    ///
    /// ```
    /// let error = canonlog::Tcp::new("::1").expect_err("which port?");
    /// assert_eq!(error.to_string(), "`::1` has no port; write `[::1]:5170`");
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not a host and a port.
    pub fn new(server: &str) -> Result<Self, AddressError> {
        Ok(Tcp { link: Link::new(Address::Tcp(host_and_port(server, "5170")?)), lines: Lines::Newline })
    }
}

/// Lines to a server over a unix stream socket, each ended by `\n`; otherwise as [`Tcp`].
///
/// Here the system says at once that nobody reads any more, so nothing is sent twice. What the server has not read when it dies is lost.
///
/// ```
/// use canonlog::{Emitter, UnixSocket};
///
/// let emitter = Emitter::new("collector").output(UnixSocket::new("/run/collector.sock")?);
/// # Ok::<(), canonlog::AddressError>(())
/// ```
#[derive(Debug)]
pub struct UnixSocket {
    link: Link,
    lines: Lines,
}

impl UnixSocket {
    /// The server whose socket has this path.
    ///
    /// # Errors
    ///
    /// No socket can have this path.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, AddressError> {
        let path = socket_path(path.as_ref())?;
        Ok(UnixSocket { link: Link::new(Address::UnixStream(path)), lines: Lines::Newline })
    }
}

stream_output!(Tcp, "tcp");
stream_output!(UnixSocket, "unix");
