//! Lines to a server as datagrams, long ones in the chunks of GELF.
//!
//! ```text
//! line ──▶ datagram
//! line, too long ──▶ 1e 0f · id of 8 bytes · number · count · piece      (up to 128 of them)
//! ```

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::link::{Address, AddressError, Link, Protocol, Socket, host_and_port, link_options};
use super::{Batch, Output, WriteError};
use crate::id;

/// The longest datagram of GELF, and what is before each piece.
const LONGEST: usize = 8_192;
const HEAD: usize = 12;
/// So many chunks are one message at most.
const CHUNKS: usize = 128;
/// The system takes a datagram soon, or not at all.
const PATIENCE: Duration = Duration::from_millis(100);

/// A line as it is.
#[derive(Clone, Copy, Debug)]
struct Datagrams {
    chunked: bool,
}

impl Protocol for Datagrams {
    fn encode(&self, line: &[u8], _: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(line);
    }

    fn send(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        if !self.chunked || bytes.len() <= LONGEST {
            return socket.send(bytes);
        }
        let pieces = bytes.chunks(LONGEST - HEAD);
        let count = u8::try_from(pieces.len()).ok().filter(|count| usize::from(*count) <= CHUNKS);
        let count = count.ok_or_else(|| io::Error::from_raw_os_error(libc::EMSGSIZE))?;
        let id = id::random().to_ne_bytes();
        let mut chunk = Vec::with_capacity(LONGEST);
        for (number, piece) in (0..count).zip(pieces) {
            chunk.clear();
            chunk.extend_from_slice(&[0x1e, 0x0f]);
            chunk.extend_from_slice(&id);
            chunk.extend_from_slice(&[number, count]);
            chunk.extend_from_slice(piece);
            // After the first, waiting here saves sending all again.
            loop {
                match socket.send(&chunk) {
                    Ok(_) => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if number > 0 && error.kind() == ErrorKind::WouldBlock && socket.wait(PATIENCE) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(bytes.len())
    }
}

/// Lines to a server over UDP, each a datagram without an end.
///
/// - Nobody learns whether a datagram arrived: what the system took counts as written. Where nobody listens, a server of the same
///   machine's network often says so, and the next line finds the connection gone.
/// - A datagram holds 65,507 bytes, less over some networks. A longer line is counted as lost, but for [`chunked`](Udp::chunked).
///
/// ```
/// use canonlog::{Emitter, Gelf, Udp};
///
/// let graylog = Udp::new("graylog.internal:12201")?.chunked();
/// let emitter = Emitter::new("graylog").format(Gelf::new()).output(graylog);
/// # Ok::<(), canonlog::AddressError>(())
/// ```
#[derive(Debug)]
pub struct Udp {
    link: Link,
    lines: Datagrams,
}

impl Udp {
    /// The server at `host:port`.
    ///
    /// ```
    /// let error = canonlog::Udp::new("graylog").expect_err("which port?");
    /// assert_eq!(error.to_string(), "`graylog` has no port; write `graylog:12201`");
    /// ```
    ///
    /// # Errors
    ///
    /// The text is not a host and a port.
    pub fn new(server: &str) -> Result<Self, AddressError> {
        let link = Link::new(Address::Udp(host_and_port(server, "12201")?));
        Ok(Udp { link, lines: Datagrams { chunked: false } })
    }

    link_options!();

    /// Sends a line of more than 8,192 bytes in the chunks of GELF, which an input of Graylog puts together again.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.lines.chunked = true;
        self
    }
}

impl Output for Udp {
    fn name(&self) -> &str {
        "udp"
    }

    fn place(&self) -> Option<String> {
        let how = if self.lines.chunked { ":chunked" } else { "" };
        Some(format!("udp:{}{how}", self.link.address()))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        self.link.write(batch, &self.lines)
    }

    fn reopen(&self) -> io::Result<()> {
        self.link.reopen()
    }
}
