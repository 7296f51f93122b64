//! A file in memory that nobody can change any more, and its way to another process.
#![allow(unsafe_code)]

use std::io;
#[cfg(target_os = "linux")]
use std::io::Write;
use std::os::fd::BorrowedFd;

/// Sends `bytes` over a unix socket as the descriptor of a sealed file, where a datagram has no room for them.
#[cfg(target_os = "linux")]
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    send_descriptor(socket, &sealed(bytes)?)
}

/// There is no such file here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn send(_: BorrowedFd<'_>, _: &[u8]) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EMSGSIZE))
}

/// A file in memory with these bytes, sealed.
#[cfg(target_os = "linux")]
fn sealed(bytes: &[u8]) -> io::Result<std::fs::File> {
    use std::os::fd::{AsRawFd, FromRawFd};

    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a C string that lives as long as the program, and is only read.
    let descriptor = unsafe { libc::memfd_create(c"canonlog".as_ptr(), flags) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made, so it is open and nobody else's.
    let mut file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    file.write_all(bytes)?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
    // SAFETY: this request takes a number; the descriptor is that of an open file.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a descriptor and nothing else.
#[cfg(target_os = "linux")]
fn send_descriptor(socket: BorrowedFd<'_>, file: &std::fs::File) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    // Of words, so that it is aligned as a header of control data has to be; more than one descriptor needs.
    let mut control = [0_u64; 8];
    const LEN: u32 = size_of::<libc::c_int>() as u32;
    // SAFETY: it only counts.
    let space = unsafe { libc::CMSG_SPACE(LEN) } as usize;
    // SAFETY: it only counts.
    let length = unsafe { libc::CMSG_LEN(LEN) } as usize;
    // SAFETY: all zeros are a valid `msghdr`: null pointers with lengths of zero.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = space.min(size_of_val(&control)) as _;
    // SAFETY: the message has the pointer to and the length of a live buffer.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: the buffer holds more than a header, so the pointer is to the beginning of it, and it is aligned.
    let header = unsafe { header.as_mut() }.ok_or(io::ErrorKind::InvalidInput)?;
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    header.cmsg_len = length as _;
    // SAFETY: the header is one of the buffer above, which has room for the descriptor behind it.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: the place is within the buffer, which nobody else uses now; an unaligned write asks for no more.
    unsafe { data.cast::<libc::c_int>().write_unaligned(file.as_raw_fd()) };
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the message points to the buffer above, which lives during the call; the descriptors are open.
    match unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
