//! What a unit that does not come to its end is doing just now.
//!
//! ```text
//! nobody is inside its record ──▶ parked      its task waits for something
//! a thread is, and sleeps ──────▶ blocked     in a system call, inside a poll
//! a thread is, and works ───────▶ running
//! ```

use super::thread::{Doing, doing};
use crate::counters::{self, Visit};
use crate::record::{Handle, Packed, state};

/// What a unit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Parked,
    Blocked,
    Running,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Parked => "parked",
            State::Blocked => "blocked",
            State::Running => "running",
        }
    }
}

/// What was found out about a unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stuck {
    /// `None` where the system does not tell what a thread does.
    pub(crate) state: Option<State>,
}

/// The threads that are inside a record.
fn visits(handle: Handle) -> Vec<Visit> {
    let (record, mut visits) = (Packed::handle_of(handle), Vec::new());
    counters::each_thread(|_, block| visits.extend(block.visit(record)));
    visits
}

/// Looks at a record from another thread.
pub(crate) fn look(handle: Handle) -> Stuck {
    let Some(slot) = handle.slot() else { return Stuck::default() };
    let visits = visits(handle);
    if visits.is_empty() && !state::is_occupied(&slot.head.word) {
        return Stuck { state: Some(State::Parked) };
    }
    let doing = visits.iter().find_map(|visit| doing(visit.tid));
    let state = doing.map(|doing| match doing {
        Doing::Running => State::Running,
        Doing::Asleep(_) => State::Blocked,
    });
    Stuck { state }
}
