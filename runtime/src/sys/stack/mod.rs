//! A copy of another thread's stack: read where it sleeps, made by itself where it runs.
//!
//! ```text
//! asleep in the kernel ──▶ its two registers by /proc, its stack as memory of this process; it is not disturbed
//! running ──────────────▶ a timer's signal, whose handler copies registers and stack
//! ```
#![allow(unsafe_code)]

mod handshake;
#[cfg(test)]
pub(crate) mod library;
pub(crate) mod memory;
mod signal;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::sys::fork;

/// No stack is copied further than so many bytes.
pub(crate) const LONGEST: usize = 256 * 1024;

/// Where a thread was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registers {
    pub(crate) ip: u64,
    pub(crate) sp: u64,
    /// The kernel does not tell it of a thread that sleeps.
    pub(crate) bp: Option<u64>,
}

/// A part of a thread's stack.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) registers: Registers,
    /// The address of the first byte.
    pub(crate) base: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Copy {
    /// Eight bytes of the stack.
    pub(crate) fn word(&self, at: u64) -> Option<u64> {
        let from = usize::try_from(at.checked_sub(self.base)?).ok()?;
        let bytes = self.bytes.get(from..from.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// The stack of a thread that sleeps with these registers; its owner may wake up meanwhile, which the caller finds out.
pub(crate) fn copy_asleep(sp: u64, ip: u64) -> Option<Copy> {
    let base = sp.saturating_sub(128);
    let mut bytes = vec![0; LONGEST];
    let len = memory::read(base, &mut bytes);
    bytes.truncate(len);
    (len > 128).then_some(Copy { registers: Registers { ip, sp, bp: None }, base, bytes })
}

/// The stack of a thread that runs, and whose stack has these bounds; for as long as it `runs`, and until then at the latest.
pub(crate) fn copy_running(tid: u64, bounds: (u64, u64), until: Instant, runs: impl Fn() -> bool) -> Option<Copy> {
    // Somebody else at it is the same as a request too many.
    let _turn = Turn::take()?;
    signal::copy(tid, bounds, until, runs)
}

/// The process whose thread is at it, by its number plus one; 0 for none. No lock: a forked child could find one held for ever.
static TURN: AtomicU64 = AtomicU64::new(0);

/// The right to ask a thread.
struct Turn(u64);

/// Takes the turn, unless another thread of this process has it.
fn may_ask(turn: &AtomicU64, this: u64) -> bool {
    let now = turn.load(Ordering::Relaxed);
    now != this && turn.compare_exchange(now, this, Ordering::Acquire, Ordering::Relaxed).is_ok()
}

impl Turn {
    fn take() -> Option<Turn> {
        /// The process that asked last.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let this = fork::generation() + 1;
        if !may_ask(&TURN, this) {
            return None;
        }
        // The one that was asked before a fork is not in the child.
        if LAST.swap(this, Ordering::Relaxed) != this {
            signal::forget();
        }
        Some(Turn(this))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = TURN.compare_exchange(self.0, 0, Ordering::Release, Ordering::Relaxed);
    }
}

/// Where this thread's stack lies: its lowest usable address, and the first one above it.
pub(crate) fn bounds() -> Option<(u64, u64)> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::zeroed();
    // SAFETY: `pthread_self` takes nothing and cannot fail.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread is this one, and the pointer is to a live `pthread_attr_t`, which the call fills.
    if unsafe { libc::pthread_getattr_np(this, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut start, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the first call filled the attributes, and both pointers are to live variables.
    let known = unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size) } == 0;
    // SAFETY: the first call filled the attributes, and the pointer is to a live variable.
    let guarded = unsafe { libc::pthread_attr_getguardsize(attributes.as_ptr(), &raw mut guard) } == 0;
    // SAFETY: the attributes were filled above, and are destroyed once.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    let low = start.addr() as u64;
    let high = low.checked_add(size as u64)?;
    // Libraries differ in whether the guard is a part of the stack.
    (known && guarded).then_some((low.checked_add(guard as u64)?.min(high), high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_threads_variables_lie_within_its_bounds() {
        let check = || {
            let here = 0_u8;
            let at = (&raw const here).addr() as u64;
            let (low, high) = bounds().expect("they are known");
            assert!(low < at && at < high, "{low:x} {at:x} {high:x}");
        };
        check();
        std::thread::spawn(check).join().expect("no panic");
    }

    #[test]
    fn one_thread_at_a_time_is_asked_and_a_fork_leaves_nobody_waiting() {
        let turn = AtomicU64::new(0);
        assert!(may_ask(&turn, 1));
        assert!(!may_ask(&turn, 1));
        // In a child of the process that was at it.
        assert!(may_ask(&turn, 2));
        assert!(!may_ask(&turn, 2));
    }

    #[test]
    fn words_beyond_the_copy_are_not_there() {
        let registers = Registers { ip: 0, sp: 0, bp: None };
        let copy = Copy { registers, base: 0x1000, bytes: 7_u64.to_le_bytes().to_vec() };
        assert_eq!(copy.word(0x1000), Some(7));
        for at in [0, 0xFFF, 0x1001, 0x1008, u64::MAX] {
            assert_eq!(copy.word(at), None, "{at:x}");
        }
    }
}
