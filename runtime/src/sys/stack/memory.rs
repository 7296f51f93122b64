//! Reading this process's memory wherever it may be, without the risk of a fault.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::unix::fs::FileExt;

const PAGE: u64 = 4_096;
/// Pieces in one call; the kernel takes 1,024.
const PIECES: usize = 128;

/// Copies what lies at `from`, up to the first page that is not there; how many bytes.
pub(crate) fn read(from: u64, into: &mut [u8]) -> usize {
    let mut done = 0;
    while done < into.len() {
        let Some(at) = from.checked_add(done as u64) else { break };
        let rest = &mut into[done..];
        let read = match read_some(at, rest) {
            0 => read_file(at, rest),
            read => read,
        };
        done += read.min(rest.len());
        if read == 0 {
            break;
        }
    }
    done
}

/// By the system call, a page each: a page that is missing ends it, and does not spoil those before.
fn read_some(from: u64, into: &mut [u8]) -> usize {
    let mut pieces = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; PIECES];
    let (mut at, mut left, mut used) = (from, into.len() as u64, 0);
    for piece in &mut pieces {
        if left == 0 {
            break;
        }
        let len = (PAGE - at % PAGE).min(left);
        *piece = libc::iovec {
            iov_base: std::ptr::without_provenance_mut(usize::try_from(at).unwrap_or(0)),
            iov_len: usize::try_from(len).unwrap_or(0),
        };
        (at, left, used) = (at.wrapping_add(len), left - len, used + 1);
    }
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let pid = i32::try_from(std::process::id()).unwrap_or(0);
    // SAFETY: `local` is a live, writable slice, and both arrays are as long as said. The addresses of the other side are
    // only looked at by the kernel, which answers with `EFAULT` or a short count where there is no memory.
    let read = unsafe { libc::process_vm_readv(pid, &raw const local, 1, pieces.as_ptr(), used, 0) };
    usize::try_from(read).unwrap_or(0)
}

/// By the file, where the system call is forbidden. Opened each time: in a forked child an open one is still the parent's memory.
fn read_file(from: u64, into: &mut [u8]) -> usize {
    File::open("/proc/self/mem").and_then(|file| file.read_at(into, from)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_is_not_is_no_fault() {
        let text = *b"some bytes of this thread's stack";
        let mut copy = [0; 33];
        assert_eq!(read(text.as_ptr().addr() as u64, &mut copy), text.len());
        assert_eq!(copy, text);
        assert_eq!(read(0, &mut copy), 0);
        assert_eq!(read(u64::MAX - 3, &mut copy), 0);
    }

    #[test]
    fn many_pages_are_read_in_one_go() {
        let text: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
        let mut copy = vec![0; text.len()];
        assert_eq!(read(text.as_ptr().addr() as u64, &mut copy), text.len());
        assert!(copy == text);
    }
}
