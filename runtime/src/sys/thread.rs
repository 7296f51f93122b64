//! What the system calls this thread.
#![allow(unsafe_code)]

/// The thread's number in the system; 0 where threads have none.
#[cfg(target_os = "linux")]
pub(crate) fn tid() -> u64 {
    // SAFETY: `gettid` takes nothing and cannot fail.
    let tid = unsafe { libc::gettid() };
    u64::try_from(tid).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn tid() -> u64 {
    0
}
