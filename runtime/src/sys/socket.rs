//! What a socket is asked that std does not: to send without waiting, and without a signal where nobody reads; and what became of it.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

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

/// How many bytes that were sent over TCP the other end has not acknowledged, while the connection lives and once it is dead; 0 where the
/// system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: this request (`SIOCOUTQ`) writes one `int` to where the pointer points, which is one; the descriptor is borrowed open.
    let told = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if told == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// It is not told here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unacknowledged(_: BorrowedFd<'_>) -> usize {
    0
}

/// Whether nothing goes in or out any more, now or within `limit`.
pub(crate) fn is_dead(socket: BorrowedFd<'_>, limit: Duration) -> bool {
    let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // Asked for nothing: that it is dead is told all the same.
    let mut asked = libc::pollfd { fd: socket.as_raw_fd(), events: 0, revents: 0 };
    loop {
        // SAFETY: the pointer is to one live `pollfd`, and the count says one.
        let told = unsafe { libc::poll(&raw mut asked, 1, millis) };
        // A signal makes it wait a little longer.
        if told >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return told > 0 && asked.revents & libc::POLLHUP != 0;
        }
    }
}

fn set<T>(socket: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int, value: &T) -> bool {
    let len = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the pointer and the length are those of a live value, which is only read; the descriptor is borrowed open.
    unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), len) == 0 }
}

/// A connection whose other end acknowledges nothing for so long is dead, where the system can be told so.
pub(crate) fn give_up_after(socket: BorrowedFd<'_>, time: Duration) {
    #[cfg(target_os = "linux")]
    {
        let millis = libc::c_uint::try_from(time.as_millis()).unwrap_or(libc::c_uint::MAX);
        set(socket, libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, &millis);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, time);
}

/// What the system has not sent when the socket is closed, it forgets. Whether it was told so.
pub(crate) fn forget_when_closed(socket: BorrowedFd<'_>) -> bool {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    set(socket, libc::SOL_SOCKET, libc::SO_LINGER, &at_once)
}
