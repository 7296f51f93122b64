//! Units that time out: closed by whoever finds them stuck, and reported with what they were doing.
//!
//! ```text
//! look ──▶ close ──────────────────────▶ report ──▶ the reporter's thread
//!            └▶ take its stack, if asked ──┘
//! ```
//!
//! A unit whose stack was taken is reported by a thread of its own, which puts it into words: that can take its time, and nothing else waits.
//!
//! Closed first: whatever it takes to find out where a thread is, the unit has timed out by then. Should it come to its end meanwhile, its
//! late response waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::end::Buffers;

use super::reporter::{self, Coming};
use crate::clock;
use crate::event::{EventType, order};
use crate::level::Level;
use crate::output::PerProcess;
use crate::record::{Handle, current, snapshot, state};
use crate::scratch::guarded;
use crate::trace::site;
use crate::trace::stuck::{Stuck, Why};
use crate::value::Value;

/// A unit that has timed out, and is to be reported: as it is, should it be dropped before.
pub(crate) struct TimedOut {
    buffers: Buffers,
    coming: Coming,
}

/// Closes a record that is still open: it has timed out.
pub(crate) fn close(handle: Handle, now: u64) -> Option<TimedOut> {
    let slot = handle.slot()?;
    let word = &slot.head.word;
    let mut coming = reporter::coming(handle, slot.pipeline());
    // Until it has timed out, whoever writes waits; this thread's allocator must not.
    let busy = current::busy();
    if !state::close(word, handle.generation(), state::back_off) {
        return None;
    }
    let mut buffers = Buffers::new();
    buffers.content.reset(EventType::Timeout, Level::Error, clock::unix_nanos(now));
    slot.body.closed_end.store(slot.body.end() as u64, Ordering::Release);
    // What a thread has used that is still inside is counted where it leaves: until then the sum is not known.
    let occupied = state::is_occupied(word);
    snapshot::take(slot, handle, now, (false, false), &mut buffers.content, &mut buffers.facts);
    if occupied {
        buffers.facts.cpu = None;
    }
    buffers.take_kept(handle);
    state::timed_out(word);
    drop(busy);
    coming.is_closed();
    Some(TimedOut { buffers, coming })
}

impl TimedOut {
    /// Has its event made by the reporter's thread, with what it was doing.
    pub(crate) fn report(mut self, stuck: &Stuck) {
        let Buffers { content, facts, .. } = &mut self.buffers;
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
    }
}

impl Drop for TimedOut {
    fn drop(&mut self) {
        self.coming.report(&mut self.buffers);
    }
}

/// What to do with a stack that was taken.
type Put = Box<dyn FnOnce() + Send>;

/// Stacks to be put into words, and whether there is a thread for them.
struct Waiting {
    timeouts: VecDeque<Put>,
    polls: VecDeque<Put>,
    has_thread: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.timeouts.is_empty() && self.polls.is_empty()
    }

    /// The next one to be put into words.
    fn next(&mut self) -> Option<Put> {
        self.timeouts.pop_front().or_else(|| self.polls.pop_front())
    }
}

/// A forked child has its own: its parent's units are the parent's.
struct Here {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

impl Here {
    const fn new() -> Here {
        Here {
            waiting: Mutex::new(Waiting { timeouts: VecDeque::new(), polls: VecDeque::new(), has_thread: false }),
            more: Condvar::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn here() -> &'static Here {
    static HERE: OnceLock<PerProcess<Here>> = OnceLock::new();
    HERE.get_or_init(|| PerProcess::new(Here::new())).get(Here::new)
}

/// Makes what is made once.
pub(super) fn ready() {
    here();
}

/// Has a unit reported whose stack was taken.
pub(crate) fn report_with_stack(unit: TimedOut, stuck: Stuck) {
    // Should there be no thread to be had, it is dropped with this, and so reported as it is.
    put_into_words(Why::Timeout, move || unit.report(&stuck));
}

/// Has another thread find out what a stack says, or nobody. A timeout's event waits for it, and for none of a poll.
pub(crate) fn put_into_words(why: Why, put: impl FnOnce() + Send + 'static) {
    let here = here();
    let put: Put = Box::new(put);
    let mut waiting = here.waiting();
    match why {
        Why::Timeout => waiting.timeouts.push_back(put),
        Why::Poll => waiting.polls.push_back(put),
    }
    if !waiting.has_thread {
        waiting.has_thread = std::thread::Builder::new().name("canonlog-stacks".to_owned()).spawn(work).is_ok();
    }
    let mut without = Vec::new();
    if !waiting.has_thread {
        without.extend(std::iter::from_fn(|| waiting.next()));
    }
    drop(waiting);
    here.more.notify_one();
    drop(without);
}

fn work() {
    let here = here();
    loop {
        let waiting = here.waiting();
        let mut waiting =
            here.more.wait_while(waiting, |waiting| waiting.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let next = waiting.next();
        drop(waiting);
        if let Some(put) = next {
            let _ = guarded(put);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::{Kind, begin};

    #[test]
    fn a_unit_that_is_dropped_is_reported_all_the_same_and_its_late_response_waits_for_that() {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let unit = close(scope.context().handle(), clock::now()).expect("it is open");
        assert!(close(scope.context().handle(), clock::now()).is_none(), "once");
        scope.finish();
        drop(unit);
        let kinds: Vec<EventType> = capture.events().iter().map(|event| event.view().kind()).collect();
        assert_eq!(kinds, [EventType::Timeout, EventType::LateResponse]);
    }
}
