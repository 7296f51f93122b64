//! The emitters as events meet them: a list that never changes, and is replaced whole.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sink::Sink;
use super::{Filter, Wants, foreign};
use crate::event::Event;
use crate::format::{Format, Own, with_kept};
use crate::internal::{self, guarded};
use crate::output::LossReason;

/// One way for events: which take it, what becomes of them, and where it leads.
pub(super) struct Route {
    pub(super) wants: Wants,
    pub(super) filters: Vec<Filter>,
    pub(super) format: Arc<dyn Format>,
    /// The same format, if it is one of ours.
    pub(super) own: Option<Own>,
    pub(super) sink: Arc<Sink>,
    /// The emitter's name.
    pub(super) name: Box<str>,
    /// Whether a route before it, and one after it, lead to the same place.
    pub(super) follows: bool,
    pub(super) followed: bool,
}

/// All routes, in the order of the emitters.
pub(super) struct List {
    /// No other list has it.
    pub(super) number: u64,
    pub(super) routes: Vec<Route>,
}

/// Never used twice, so that a list that a thread keeps is never mistaken for another.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The list that this thread used last. Whether it still is the one to use is known by its number.
    static KEPT: RefCell<Option<Arc<List>>> = const { RefCell::new(None) };
    /// The line that a user's format makes; kept, so that no event allocates.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// The lines of an event that go to places where more of them may go.
    static SENT: Cell<Sent> = const { Cell::new(Sent::new()) };
}

/// A line's buffer that grew longer than this is given back.
const KEPT_LINE: usize = 256 * 1024;

impl List {
    pub(super) fn new(mut routes: Vec<Route>) -> Arc<List> {
        let sinks: Vec<Arc<Sink>> = routes.iter().map(|route| Arc::clone(&route.sink)).collect();
        for (at, route) in routes.iter_mut().enumerate() {
            let leads_there = |sink: &Arc<Sink>| Arc::ptr_eq(sink, &route.sink);
            route.follows = sinks[..at].iter().any(leads_there);
            route.followed = sinks[at + 1..].iter().any(leads_there);
        }
        Arc::new(List { number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed), routes })
    }

    /// Looks at the list that this thread has kept, if that has this number.
    #[inline(always)]
    pub(super) fn look_at_kept(number: u64, look: impl Fn(&List)) -> bool {
        let looked = KEPT.try_with(|kept| {
            let Ok(kept) = kept.try_borrow() else { return false };
            let list = kept.as_deref().filter(|list| list.number == number);
            list.map(look).is_some()
        });
        looked == Ok(true)
    }

    /// Keeps a list for this thread's next event, in place of the one that it had.
    pub(super) fn keep(list: Option<&Arc<List>>) {
        let old = KEPT.try_with(|kept| {
            // Borrowed only where this is called within an event; the next one sees to it.
            let mut kept = kept.try_borrow_mut().ok()?;
            std::mem::replace(&mut *kept, list.cloned())
        });
        // It may be the last to have a filter or an output, whose end is a user's code.
        let _ = guarded(move || drop(old));
    }

    /// As [`keep`](List::keep) with nothing, if the list that is kept has this number.
    pub(super) fn forget(number: u64) {
        let is_kept = |kept: &RefCell<Option<Arc<List>>>| {
            kept.try_borrow().is_ok_and(|kept| kept.as_ref().is_some_and(|list| list.number == number))
        };
        if KEPT.try_with(is_kept) == Ok(true) {
            List::keep(None);
        }
    }

    /// Hands an event to every route that takes it.
    #[inline(always)]
    pub(super) fn emit(&self, event: &Event<'_>, one: Wants, stamp: u64, filter_panics: &AtomicU64) {
        let mut sent = None;
        for route in &self.routes {
            if !route.wants.has(one) || !(route.filters.is_empty() || route.passes(event, filter_panics)) {
                continue;
            }
            if route.follows || route.followed {
                route.emit_beside(event, stamp, sent.get_or_insert_with(Sent::take));
            } else {
                route.emit(event, |line| route.sink.push(line, stamp));
            }
        }
        if let Some(sent) = sent {
            sent.give_back();
        }
    }

    /// Counts an event that was not made as lost, wherever it was to go.
    #[cold]
    pub(super) fn lose(&self, one: Wants, reason: LossReason) {
        for route in self.routes.iter().filter(|route| route.wants.has(one)) {
            route.sink.lose(reason);
        }
    }
}

impl Route {
    #[cold]
    fn passes(&self, event: &Event<'_>, panics: &AtomicU64) -> bool {
        self.filters.iter().all(|filter| {
            guarded(|| filter.passes(event)).unwrap_or_else(|text| {
                panics.fetch_add(1, Ordering::Relaxed);
                internal::say_of(&format!("a filter of emitter `{}`", self.name), &format!("{text}; the event passes"));
                true
            })
        })
    }

    /// Makes the event's line.
    #[inline(always)]
    fn emit(&self, event: &Event<'_>, send: impl FnOnce(&[u8])) {
        match &self.own {
            Some(format) => self.emit_own(format, event, send),
            None => self.emit_other(event, send),
        }
    }

    /// Makes it where this thread puts its lines together, and hands it on from there.
    #[inline(always)]
    fn emit_own(&self, format: &Own, event: &Event<'_>, send: impl FnOnce(&[u8])) {
        with_kept(|kept| match guarded(move || kept.line(|staged| format.stage(event, staged))) {
            Ok(line) => send(line),
            Err(text) => self.format_panicked(&text),
        });
    }

    #[cold]
    fn format_panicked(&self, text: &str) {
        self.sink.lose(LossReason::Encode);
        internal::say_of(&format!("the format of emitter `{}`", self.name), &format!("{text}; the event is lost"));
    }

    /// The same for a format that wants a buffer of its own, or has no line for the event.
    fn emit_other(&self, event: &Event<'_>, send: impl FnOnce(&[u8])) {
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        if let Err(text) = foreign::format(&*self.format, event, &mut line) {
            self.format_panicked(&text);
        } else if !line.is_empty() {
            send(&line);
        }
        if line.capacity() <= KEPT_LINE {
            let _ = LINE.try_with(|kept| kept.set(line));
        }
    }

    /// The same where other routes lead to the same place: it gets a line of an event once, whoever sends it there.
    fn emit_beside(&self, event: &Event<'_>, stamp: u64, sent: &mut Sent) {
        self.emit(event, |line| {
            let to = Arc::as_ptr(&self.sink).addr();
            if self.follows && sent.has(to, line) {
                return;
            }
            if self.followed {
                sent.note(to, line);
            }
            self.sink.push(line, stamp);
        });
    }
}

/// Which lines of an event went where.
#[derive(Default)]
struct Sent {
    bytes: Vec<u8>,
    /// The place, and where its line ends.
    lines: Vec<(usize, usize)>,
}

impl Sent {
    const fn new() -> Sent {
        Sent { bytes: Vec::new(), lines: Vec::new() }
    }

    /// This thread's, empty.
    fn take() -> Sent {
        let mut sent = SENT.try_with(Cell::take).unwrap_or_default();
        sent.bytes.clear();
        sent.lines.clear();
        sent
    }

    fn give_back(self) {
        if self.bytes.capacity() <= KEPT_LINE {
            let _ = SENT.try_with(|kept| kept.set(self));
        }
    }

    fn note(&mut self, to: usize, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.lines.push((to, self.bytes.len()));
    }

    fn has(&self, to: usize, line: &[u8]) -> bool {
        let mut start = 0;
        self.lines.iter().any(|(place, end)| {
            let noted = &self.bytes[start..*end];
            start = *end;
            *place == to && noted == line
        })
    }
}
