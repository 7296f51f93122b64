//! A socket that is connected to a server.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use crate::sys::{fd, socket};

/// A server that closes a connection in order acknowledges by it what it has got. One that breaks it off (a reset) may have read a
/// little that its system had not acknowledged yet: no more than a segment, for it acknowledges more at once.
const IN_DOUBT: usize = 64 * 1024;

/// A socket that is connected to a server.
#[derive(Debug)]
pub(in crate::output) enum Socket {
    Tcp(TcpStream),
    UnixStream(UnixStream),
    Udp(UdpSocket),
    UnixDatagram(UnixDatagram),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::UnixStream(socket) => socket.as_fd(),
            Socket::Udp(socket) => socket.as_fd(),
            Socket::UnixDatagram(socket) => socket.as_fd(),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A connection that is closed with something unread is broken off, and what it still had to send is lost.
        self.end();
    }
}

impl Socket {
    /// Whether what is sent is a stream of bytes, without borders.
    pub(in crate::output) fn is_stream(&self) -> bool {
        matches!(self, Socket::Tcp(_) | Socket::UnixStream(_))
    }

    /// Sends some bytes, or one datagram, without waiting.
    pub(in crate::output) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        socket::send(self.as_fd(), bytes)
    }

    /// Waits until it takes more or has failed; false when `limit` passed before.
    pub(in crate::output) fn wait(&self, limit: Duration) -> bool {
        fd::wait_writable(self.as_fd().as_raw_fd(), Some(limit))
    }

    /// Why the other end of a stream has gone, if it has: what is sent then would be taken by the system, and by nobody else.
    pub(super) fn end(&self) -> Option<io::Error> {
        // What a server says is of no interest, and must not fill the socket.
        let mut said = [0; 512];
        while self.is_stream() {
            match socket::receive(self.as_fd(), &mut said) {
                Ok(0) => return Some(io::Error::new(ErrorKind::BrokenPipe, "the server has closed the connection")),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// How many of the bytes that the system took the other end has not acknowledged; 0 where that is not told.
    pub(super) fn unacknowledged(&self) -> usize {
        match self {
            Socket::Tcp(socket) => socket::unacknowledged(socket.as_fd()),
            _ => 0,
        }
    }

    /// How many bytes have surely not been read and never will be, if the connection is dead, or is within `limit`; `error` says how.
    pub(super) fn missing(&self, error: &io::Error, limit: Duration) -> Option<usize> {
        let Socket::Tcp(socket) = self else { return None };
        let is_dead = self.unacknowledged() == 0 || socket::is_dead(socket.as_fd(), limit);
        let in_doubt = if error.kind() == ErrorKind::ConnectionReset { IN_DOUBT } else { 0 };
        is_dead.then(|| self.unacknowledged().saturating_sub(in_doubt))
    }

    /// Nothing goes out any more of what the system has; how many bytes, where that is known.
    pub(super) fn abort(&self) -> Option<usize> {
        let Socket::Tcp(socket) = self else { return None };
        socket::forget_when_closed(socket.as_fd()).then(|| self.unacknowledged())
    }
}
