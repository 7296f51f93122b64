//! What a socket is asked that std does not: to send without waiting, and without a signal where nobody reads.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Never waits, and fails with `EPIPE` instead of sending `SIGPIPE`, which a program may have left as it was.
const SEND: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// Sends some of `bytes`, or one datagram.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a live slice, which `send` only reads, and the descriptor is borrowed open.
    let sent = unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), SEND) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Takes some bytes from a socket, if there are any; 0 where the other end has closed.
pub(crate) fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a live slice that is ours alone, and the descriptor is borrowed open.
    let got = unsafe { libc::recv(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT) };
    usize::try_from(got).map_err(|_| io::Error::last_os_error())
}
