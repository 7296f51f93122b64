//! The records in flight, for monitors: read from the heads of their slots, without a lock.

use std::sync::atomic::Ordering;

use crate::record::Handle;
use crate::record::slot;
use crate::record::state::{self, Phase};

/// A record in flight, as a monitor sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) handle: Handle,
    pub(crate) phase: Phase,
    pub(crate) started: u64,
    /// In ticks; 0 for none.
    pub(crate) deadline: u64,
}

/// Calls `see` with every record in flight. One that begins or ends meanwhile may be missed, or be seen after its end:
/// its handle tells.
pub(crate) fn each(mut see: impl FnMut(InFlight)) {
    for (number, head) in slot::heads() {
        let (generation, phase) = state::look(&head.word);
        if !matches!(phase, Phase::Open | Phase::TimedOut) {
            continue;
        }
        let started = head.started.load(Ordering::Relaxed);
        let deadline = head.deadline.load(Ordering::Acquire);
        // What was read belongs to this generation only if the slot still serves it.
        if state::look(&head.word).0 == generation {
            see(InFlight { handle: Handle::new(number, generation), phase, started, deadline });
        }
    }
}
