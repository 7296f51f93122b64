//! Descriptors without owners: the standard ones, written to and waited for.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use super::clocks;

/// Writes some of `bytes`, like `write(2)`.
pub(crate) fn write(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of a live slice, which `write` only reads. A descriptor that is not
    // open gives `EBADF`.
    let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).map_err(|_| io::Error::last_os_error())
}

/// Waits until `fd` takes bytes or has failed (which a write then tells); false when `limit` passed before.
pub(crate) fn wait_writable(fd: RawFd, limit: Option<Duration>) -> bool {
    let deadline = limit.map(clocks::within);
    loop {
        let millis = match deadline {
            // Waits for ever end now and then, in case the descriptor was replaced meanwhile.
            None => 1_000,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                i32::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX)
            }
        };
        let mut asked = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
        // SAFETY: the pointer is to one live `pollfd`, and the count says one.
        let ready = unsafe { libc::poll(&raw mut asked, 1, millis) };
        if ready > 0 {
            return true;
        }
        let interrupted = ready < 0 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted;
        if ready < 0 && !interrupted {
            return true;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
    }
}

/// Whether `fd` is a pipe, where only short writes are whole.
pub(crate) fn is_pipe(fd: RawFd) -> bool {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the pointer is to a live `stat`, which `fstat` fills.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: `fstat` succeeded, so it filled the structure; and all zeros are a valid one anyway.
    let stat = unsafe { stat.assume_init() };
    stat.st_mode & libc::S_IFMT == libc::S_IFIFO
}

/// A lock on an open file, given back when dropped.
#[derive(Debug)]
pub(crate) struct FileLock<'a>(&'a std::fs::File);

/// Locks an open file against others who ask for the same lock, in this process (by another opening) or another; nothing where
/// somebody has it.
///
/// # Errors
///
/// The file system knows no locks, or has no place for one more.
pub(crate) fn try_lock(file: &std::fs::File) -> io::Result<Option<FileLock<'_>>> {
    // SAFETY: `flock` takes numbers only; the descriptor is that of an open file.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(Some(FileLock(file)));
    }
    match io::Error::last_os_error() {
        error if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        error => Err(error),
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        // SAFETY: as above; unlocking does not wait.
        let _ = unsafe { libc::flock(self.0.as_raw_fd(), libc::LOCK_UN) };
    }
}

/// A pipe that takes anything takes this much at once (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// What is said of a text: it is cut where it is too long to be taken at once, and has no control characters but ends of lines.
fn complaint(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(AT_ONCE) + 16);
    line.push_str("canonlog: ");
    for c in text.chars() {
        if line.len() + c.len_utf8() + "…\n".len() > AT_ONCE {
            line.push('…');
            break;
        }
        line.push(if c.is_control() && c != '\n' { '?' } else { c });
    }
    line.push('\n');
    line
}

/// Says something on stderr, if stderr takes it at once; never waits, never panics.
pub(crate) fn complain(text: &str) {
    let line = complaint(text);
    if wait_writable(2, Some(Duration::ZERO)) {
        let _ = write(2, line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_is_waited_for_no_longer_than_the_limit() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let fd = writer.as_raw_fd();
        assert!(is_pipe(fd));
        let page = [0; 4096];
        while wait_writable(fd, Some(Duration::ZERO)) {
            write(fd, &page).expect("room in the pipe");
        }
        let began = Instant::now();
        assert!(!wait_writable(fd, Some(Duration::from_millis(20))));
        assert!(began.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_complaint_is_taken_at_once_by_a_pipe_that_is_nearly_full() {
        let long = complaint(&"ä".repeat(10_000));
        assert!(long.len() <= AT_ONCE && long.len() > AT_ONCE - 3 && long.ends_with("ä…\n"), "{}", long.len());
        assert_eq!(complaint("a\x1b[31m\r\0b\u{9b}c\nd"), "canonlog: a?[31m??b?c\nd\n");
        let (_reader, writer) = io::pipe().expect("a pipe");
        let fd = writer.as_raw_fd();
        while wait_writable(fd, Some(Duration::ZERO)) {
            assert_eq!(write(fd, long.as_bytes()).ok(), Some(long.len()));
        }
    }

    #[test]
    fn a_descriptor_that_is_not_open_does_not_keep_anyone_waiting() {
        assert!(wait_writable(-1, Some(Duration::ZERO)) || write(-1, b"x").is_err());
    }
}
