//! Limits of the process.

/// No file can be opened any more; the limit before. What is open stays so.
pub(crate) fn no_more_files() -> libc::rlim_t {
    let before = read();
    set(libc::rlimit { rlim_cur: 3, ..before });
    before.rlim_cur
}

/// As many files can be open.
pub(crate) fn files(most: libc::rlim_t) {
    set(libc::rlimit { rlim_cur: most, ..read() });
}

#[allow(unsafe_code)]
fn read() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live, writable structure.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit
}

#[allow(unsafe_code)]
fn set(limit: libc::rlimit) {
    // SAFETY: the pointer is to a live structure, which is only read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}
