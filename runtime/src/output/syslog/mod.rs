//! Messages to a server of syslog.
//!
//! ```text
//! Event ──Message──▶ <14>1 2026-11-20T22:46:01.123Z web-1 shop 1234 request - event_type="request" ...
//!                       └──▶ UDP, unix datagram: one a message │ TCP: octet counting │ unix stream: one a line
//! ```

mod facility;
mod header;

use std::io;
use std::path::Path;
use std::sync::Arc;

use self::header::{Message, Origin, header_text, name_text};
use super::link::{Address, AddressError, Link, Protocol, host_and_port, link_options, socket_path};
use super::{Batch, Output, PerProcess, WriteError, program};
use crate::format::Format;
use crate::sys::host;

pub use self::facility::{Facility, ParseFacilityError};

/// How messages are told apart in a stream (RFC 6587).
///
/// ```
/// use canonlog::{Framing, Syslog};
///
/// let output = Syslog::tcp("loghost:514")?.framing(Framing::Newline);
/// # Ok::<(), canonlog::AddressError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Each has its length in front: what TCP has by default.
    OctetCounting,
    /// Each ends with `\n`, which no message of ours has in it: what a unix stream has by default.
    Newline,
}

/// A server of syslog: RFC 5424 over UDP, TCP or a unix socket.
///
/// - The severity is that of the event's level, the message's id is its type, and the text is the line of the emitter's format.
/// - With [`structured`](Syslog::structured) each field is a parameter of structured data.
/// - A message has at most 8,192 bytes, as most servers want it ([`max_message`](Syslog::max_message)); a text that was cut ends in `…`.
/// - A server that is not there yet, or was lost, is tried again with growing pauses; what was not sent meanwhile is counted as lost.
///   UDP does not say whether anybody listens, nor a stream what the server has read; over TCP, what the server's system has not
///   acknowledged is sent again, as by [`Tcp`](crate::Tcp).
///
/// ```
/// use canonlog::{Emitter, Facility, Syslog};
///
/// let syslog = Syslog::tcp("loghost:601")?.app_name("shop").facility(Facility::Local0);
/// let emitter = Emitter::new("syslog").output(syslog);
/// # Ok::<(), canonlog::AddressError>(())
/// ```
#[derive(Debug)]
pub struct Syslog {
    link: Link,
    origin: Origin,
    framing: Option<Framing>,
}

/// The least that a server must take (RFC 5424, 6.1).
const LEAST: usize = 480;
/// The most: less than the longest line that a queue takes.
const MOST: usize = 120 * 1024;
/// The longest message where nothing else is said: what servers take by default.
const LONGEST: usize = 8_192;

impl Syslog {
    fn to(address: Address, local: bool) -> Self {
        let origin = Origin {
            facility: Facility::User,
            host: header_text(&host::host_name(), 255),
            app: header_text(&program::name(), 48),
            id: None,
            local,
            longest: LONGEST,
        };
        Syslog { link: Link::new(address), origin, framing: None }
    }

    /// The server of this machine, at `/dev/log`.
    ///
    /// What listens there (rsyslog, systemd-journald) expects the short header of `syslog(3)`, so it gets that; `unix` has the one of
    /// RFC 5424.
    ///
    /// ```
    /// use canonlog::{Emitter, Syslog};
    ///
    /// let emitter = Emitter::new("syslog").output(Syslog::local());
    /// ```
    pub fn local() -> Self {
        Self::to(Address::Unix("/dev/log".into()), true)
    }

    /// A server by UDP, at `host:port`: one datagram a message.
    ///
    /// # Errors
    ///
    /// The text is not a host and a port.
    pub fn udp(server: &str) -> Result<Self, AddressError> {
        Ok(Self::to(Address::Udp(host_and_port(server, "514")?), false))
    }

    /// A server by TCP, at `host:port`.
    ///
    /// # Errors
    ///
    /// The text is not a host and a port.
    pub fn tcp(server: &str) -> Result<Self, AddressError> {
        Ok(Self::to(Address::Tcp(host_and_port(server, "601")?), false))
    }

    /// A server by a unix socket: datagrams if that takes them, else a stream.
    ///
    /// # Errors
    ///
    /// No socket can have this path.
    pub fn unix(path: impl AsRef<Path>) -> Result<Self, AddressError> {
        Ok(Self::to(Address::Unix(socket_path(path.as_ref())?), false))
    }

    link_options!();

    /// What part of a system the messages are from: [`Facility::User`] by default.
    #[must_use]
    pub fn facility(mut self, facility: Facility) -> Self {
        self.origin.facility = facility;
        self
    }

    /// The program's name: by default that of its file. What is not printable ASCII becomes `_`; at most 48 characters.
    #[must_use]
    pub fn app_name(mut self, name: &str) -> Self {
        self.origin.app = header_text(name, 48);
        self
    }

    /// The machine's name: by default as the system has it. What is not printable ASCII becomes `_`; at most 255 characters.
    #[must_use]
    pub fn hostname(mut self, name: &str) -> Self {
        self.origin.host = header_text(name, 255);
        self
    }

    /// The header of RFC 5424 (`true`), or the short one of `syslog(3)`, which servers expect at the socket of their own machine
    /// (`false`): by default the first, except for [`local`](Syslog::local).
    ///
    /// The short one has the local time of this machine to the second, as `syslog(3)` and RFC 3164 do, and no year and no zone. A server in
    /// another zone reads it wrong: send that the full header, whose time is in UTC.
    #[must_use]
    pub fn full_header(mut self, full: bool) -> Self {
        self.origin.local = !full;
        self
    }

    /// Writes each field as a parameter of structured data with this id: a name of yours and `@` with a number that your organisation
    /// has from IANA, as in `shop@32473`. The full header goes with it.
    ///
    /// The text then is the emitter's line too (a short format keeps it from saying everything twice), or the message of a `log` event.
    /// Names are cut to 32 characters, as the RFC wants it.
    ///
    /// ```
    /// use canonlog::{Combined, Emitter, Syslog};
    ///
    /// let syslog = Syslog::tcp("loghost:601")?.structured("shop@32473");
    /// let emitter = Emitter::new("syslog").format(Combined::new()).output(syslog);
    /// # Ok::<(), canonlog::AddressError>(())
    /// ```
    #[must_use]
    pub fn structured(mut self, id: &str) -> Self {
        self.origin.id = Some(name_text(id)).filter(|id| !id.is_empty());
        self.origin.local &= self.origin.id.is_none();
        self
    }

    /// The longest message in bytes: 8,192 by default, at least 480, and at most 120 KiB.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.origin.longest = bytes.clamp(LEAST, MOST);
        self
    }

    /// How messages are told apart in a stream.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = Some(framing);
        self
    }

    fn stream_framing(&self) -> Framing {
        self.framing.unwrap_or(match self.link.address() {
            Address::Tcp(_) => Framing::OctetCounting,
            _ => Framing::Newline,
        })
    }
}

/// How a message is sent.
struct Framed(Framing);

impl Protocol for Framed {
    fn encode(&self, line: &[u8], stream: bool, out: &mut Vec<u8>) {
        if stream && self.0 == Framing::OctetCounting {
            out.extend_from_slice(format!("{} ", line.len()).as_bytes());
        }
        out.extend_from_slice(line);
        if stream && self.0 == Framing::Newline {
            out.push(b'\n');
        }
    }
}

impl Output for Syslog {
    fn name(&self) -> &str {
        "syslog"
    }

    fn place(&self) -> Option<String> {
        let kind = match self.link.address() {
            Address::Tcp(_) => "tcp",
            Address::Udp(_) => "udp",
            _ => "unix",
        };
        Some(format!("syslog:{kind}:{}:{:?}", self.link.address(), self.stream_framing()))
    }

    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        let (format, origin) = (Arc::clone(format), self.origin.clone());
        Some(Arc::new(Message { format, origin, pid: PerProcess::new(std::process::id()) }))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        self.link.write(batch, &Framed(self.stream_framing()))
    }

    fn flush(&self) -> io::Result<()> {
        self.link.flush(&Framed(self.stream_framing()))
    }

    fn reopen(&self) -> io::Result<()> {
        self.link.reopen()
    }
}
