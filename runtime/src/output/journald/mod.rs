//! Entries to the journal of systemd, by its native protocol: each field is a field there.

mod entry;

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use self::entry::Entry;
use super::link::{Address, AddressError, Link, Protocol, Socket, link_options, socket_path};
use super::{Batch, Output, WriteError, program};
use crate::format::Format;
use crate::sys::memfd;

/// The journal of systemd, by its native protocol.
///
/// | field of the journal | holds |
/// |---|---|
/// | `MESSAGE` | the line of the emitter's format; of a `log` event its text |
/// | `PRIORITY` | the severity of the event's level |
/// | `SYSLOG_IDENTIFIER` | the program's name |
/// | `CODE_FILE`, `CODE_LINE` | where a `log` event arose |
/// | `EVENT_TYPE`, `EVENT_TIME`, `EVENT_LEVEL`, `REQ_PATH`, ... | the event, each field by its name in upper case, values as they are |
///
/// So `journalctl REQ_METHOD=GET RESP_STATUS=500` finds events. A field whose name means something else to the journal gets `APP_` in
/// front. What is too long for a datagram goes as a sealed file in memory. In an entry of more than 120 KiB the line of the format
/// is cut, as its fields say the same.
///
/// ```
/// use canonlog::{Combined, Emitter, EventType, Journald};
///
/// let emitter = Emitter::new("journal").format(Combined::new()).output(Journald::new().identifier("shop"));
/// ```
#[derive(Debug)]
pub struct Journald {
    link: Link,
    identifier: String,
}

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";

impl Journald {
    fn to(address: Address) -> Self {
        Journald { link: Link::new(address), identifier: program::name() }
    }

    /// The journal of this machine.
    pub fn new() -> Self {
        Self::to(Address::UnixDatagram(SOCKET.into()))
    }

    /// A journal whose socket has another path: that of a namespace, or of a container's host.
    ///
    /// ```
    /// let journal = canonlog::Journald::at("/run/systemd/journal.shop/socket")?;
    /// # Ok::<(), canonlog::AddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No socket can have this path.
    pub fn at(path: impl AsRef<Path>) -> Result<Self, AddressError> {
        Ok(Self::to(Address::UnixDatagram(socket_path(path.as_ref())?)))
    }

    link_options!();

    /// The program's name, `SYSLOG_IDENTIFIER`: by default that of its file. Empty: none.
    #[must_use]
    pub fn identifier(mut self, name: &str) -> Self {
        name.clone_into(&mut self.identifier);
        self
    }
}

impl Default for Journald {
    fn default() -> Self {
        Self::new()
    }
}

struct Native;

impl Protocol for Native {
    fn encode(&self, line: &[u8], _: bool, out: &mut Vec<u8>) {
        entry::encode(line, out);
    }

    fn send(&self, socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
        match socket.send(bytes) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMSGSIZE | libc::ENOBUFS)) => {
                memfd::send(socket.as_fd(), bytes).map(|()| bytes.len())
            }
            sent => sent,
        }
    }
}

impl Output for Journald {
    fn name(&self) -> &str {
        "journald"
    }

    fn place(&self) -> Option<String> {
        Some(format!("journald:{}", self.link.address()))
    }

    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        Some(Arc::new(Entry { format: Arc::clone(format), identifier: self.identifier.clone() }))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        self.link.write(batch, &Native)
    }

    fn reopen(&self) -> io::Result<()> {
        self.link.reopen()
    }
}
