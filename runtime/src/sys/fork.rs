//! Which process this is, without a system call: a number that changes in a forked child; and what is done around a fork.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// What is done around every fork, on the thread that forks. None of it may panic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    /// Takes the locks that the child would else find held by threads that it does not have.
    pub(crate) before: fn(),
    /// Gives them back.
    pub(crate) in_parent: fn(),
    /// Gives them back, in the child; the number is another one already.
    pub(crate) in_child: fn(),
}

static AROUND: OnceLock<Around> = OnceLock::new();

/// Says what to do around a fork; the first one that says so is heard.
pub(crate) fn around(what: Around) {
    let _ = AROUND.set(what);
    generation();
}

#[cfg(unix)]
extern "C" fn before() {
    if let Some(around) = AROUND.get() {
        (around.before)();
    }
}

#[cfg(unix)]
extern "C" fn in_parent() {
    if let Some(around) = AROUND.get() {
        (around.in_parent)();
    }
}

#[cfg(unix)]
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    if let Some(around) = AROUND.get() {
        (around.in_child)();
    }
}

#[cold]
fn register() {
    if REGISTERED.swap(true, Ordering::Relaxed) {
        return;
    }
    #[cfg(unix)]
    {
        // SAFETY: the handlers are functions that live as long as the program and do not unwind. The one in the child only
        // touches atomics and gives back locks that its own thread has taken, which is what `pthread_atfork` is for.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
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
