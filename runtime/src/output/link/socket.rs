//! A socket that is connected to a server.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use crate::sys::{fd, socket};

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
    pub(super) fn wait(&self, limit: Duration) -> bool {
        fd::wait_writable(self.as_fd().as_raw_fd(), Some(limit))
    }

    /// Whether the other end of a stream has gone: what is sent then would be taken by the system, and by nobody else.
    pub(super) fn is_closed(&self) -> bool {
        // What a server says is of no interest, and must not fill the socket.
        let mut said = [0; 512];
        while self.is_stream() {
            match socket::receive(self.as_fd(), &mut said) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
        false
    }
}
