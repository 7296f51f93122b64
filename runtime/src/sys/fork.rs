//! Which process this is, without a system call: a number that changes in a forked child.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static REGISTERED: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

#[cold]
fn register() {
    if REGISTERED.swap(true, Ordering::Relaxed) {
        return;
    }
    #[cfg(unix)]
    {
        // SAFETY: `in_child` only touches an atomic, which POSIX allows between `fork` and `exec`; the other two
        // handlers are absent, which `pthread_atfork` allows.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}

/// A number that is another one in a child made by `fork`. The first call registers with the C library.
#[inline]
pub(crate) fn generation() -> u64 {
    if !REGISTERED.load(Ordering::Relaxed) {
        register();
    }
    GENERATION.load(Ordering::Relaxed)
}
