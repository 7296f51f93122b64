//! Units that time out: closed by whoever finds them stuck, and reported with what they were doing.
//!
//! ```text
//! look ──▶ close ──────────────────────▶ report ──▶ the reporter's thread
//!            └▶ take its stack, if asked ──┘
//! ```
//!
//! Closed first: whatever it takes to find out where a thread is, the unit has timed out by then. Should it come to its end meanwhile, its
//! late response waits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::end::Buffers;
use super::reporter::{self, Coming};
use crate::clock;
use crate::event::{EventType, order};
use crate::level::Level;
use crate::record::{Handle, current, snapshot, state};
use crate::trace::site;
use crate::trace::stuck::Stuck;
use crate::value::Value;

/// A unit that has timed out, and is to be reported.
pub(crate) struct TimedOut {
    buffers: Buffers,
    coming: Coming,
}

/// Closes a record that is still open: it has timed out.
pub(crate) fn close(handle: Handle, now: u64) -> Option<TimedOut> {
    let slot = handle.slot()?;
    let word = &slot.head.word;
    let coming = reporter::coming(handle);
    // Until it has timed out, whoever writes waits; this thread's allocator must not.
    let busy = current::busy();
    if !state::close(word, handle.generation(), state::back_off) {
        return None;
    }
    let mut buffers = Buffers::new();
    buffers.content.reset(EventType::Timeout, Level::Error, clock::unix_nanos(now));
    slot.body.closed_end.store(slot.body.end() as u64, Ordering::Release);
    snapshot::take(slot, handle, now, false, &mut buffers.content, &mut buffers.facts);
    state::timed_out(word);
    drop(busy);
    Some(TimedOut { buffers, coming })
}

impl TimedOut {
    /// Has it reported by the reporter's thread, with what it was doing.
    pub(crate) fn report(mut self, stuck: &Stuck) {
        let Buffers { content, facts } = &mut self.buffers;
        let mut add = |name: &str, value: Value<'_>| content.set_text(name, order(name), true, value);
        let told = stuck.told(site::of(facts.site).map(|handler| handler.at(handler.line())));
        if let Some((loc, cause_loc)) = &told.locs {
            add("timeout_loc", Value::Str(loc));
            add("timeout_cause_loc", Value::Str(cause_loc));
        }
        if let Some(since) = stuck.since {
            add("timeout_for", Value::Duration(Duration::from_nanos(clock::between(since, facts.taken))));
        }
        if let Some(state) = stuck.state {
            add("timeout_state", Value::Str(state.as_str()));
        }
        if let Some(stack) = &told.stack {
            add("timeout_stack", Value::Str(stack));
        }
        self.coming.report(&mut self.buffers);
    }
}
