//! The records in flight, for monitors: read from the heads of their slots, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::Handle;
use crate::record::slot;
use crate::record::state::{self, Phase};

/// When this process began, in ticks, where it is a forked child; what began before is its parent's.
static BEGAN: AtomicU64 = AtomicU64::new(0);

/// In a forked child: from now on, records are its own.
pub(crate) fn begin_anew(now: u64) {
    BEGAN.store(now, Ordering::Relaxed);
}

/// A record in flight, as a monitor sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) handle: Handle,
    pub(crate) phase: Phase,
    pub(crate) started: u64,
    /// In ticks; 0 for none.
    pub(crate) deadline: u64,
}

/// Calls `see` with every record in flight in this process. One that begins or ends meanwhile may be missed, or be seen after its end:
/// its handle tells.
pub(crate) fn each(mut see: impl FnMut(InFlight)) {
    let began = BEGAN.load(Ordering::Relaxed);
    for (number, head) in slot::heads() {
        let (generation, phase) = state::look(&head.word);
        if !matches!(phase, Phase::Open | Phase::TimedOut) {
            continue;
        }
        let started = head.started.load(Ordering::Relaxed);
        let deadline = head.deadline.load(Ordering::Acquire);
        // What was read belongs to this generation only if the slot still serves it.
        if started >= began && state::look(&head.word).0 == generation {
            see(InFlight { handle: Handle::new(number, generation), phase, started, deadline });
        }
    }
}
