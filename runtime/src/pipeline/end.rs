//! The end of a unit: what its record says becomes an event, once.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::scope::Outcome;
use super::{Parts, limit, panic, parts, reporter};
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{CANONLOG_ORDER, Content, EventType, ID_ORDER, Stored, names, order};
use crate::features;
use crate::id::LONGEST;
use crate::inside::is_inside;
use crate::level::Level;
use crate::lookback::Ring;
use crate::monitor::polls;
use crate::record::keys::builtin;
use crate::record::snapshot::{self, Facts};
use crate::record::{Handle, Kind, current, give_back, return_slot, slotless, state};
use crate::trace::{errors, site, texts};
use crate::unit::Unit;
use crate::value::{Value, display};

/// What an event is made in; kept by each thread, so that nothing is allocated in steady state.
pub(super) struct Buffers {
    pub(super) content: Content,
    pub(super) facts: Facts,
    /// What the unit has kept, and whether its event brings that out.
    pub(super) kept: Option<Box<Ring>>,
    pub(super) flushes: bool,
    /// The words of a unit's id, and its text, which its next message finds here. No id is 0.
    pub(super) id: ([u64; 2], [u8; 36]),
}

impl Buffers {
    pub(super) const fn new() -> Buffers {
        Buffers { content: Content::new(), facts: Facts::new(), kept: None, flushes: false, id: ([0; 2], [b'0'; 36]) }
    }

    #[cold]
    fn boxed() -> Box<Buffers> {
        Box::new(Buffers::new())
    }
}

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// The thread's buffers; new ones where they are in use (an event within an event), or gone (the thread ends).
#[inline(always)]
pub(super) fn with_buffers<R>(work: impl FnOnce(&mut Buffers) -> R) -> R {
    let mut buffers = match BUFFERS.try_with(Cell::take) {
        Ok(Some(buffers)) => buffers,
        _ => Buffers::boxed(),
    };
    let done = work(&mut buffers);
    // Those that it made within are not needed any more.
    if let Ok(Some(others)) = BUFFERS.try_with(|kept| kept.replace(Some(buffers))) {
        forget(others);
    }
    done
}

#[cold]
fn forget(buffers: Box<Buffers>) {
    drop(buffers);
}

/// Ends a record; nothing happens if it has ended.
pub(super) fn end(handle: Handle, outcome: Outcome, unwinding: bool) {
    let Some(slot) = handle.slot() else { return end_without_slot(handle, outcome, unwinding) };
    let word = &slot.head.word;
    let Some(finish) = state::finish(word, handle.generation(), state::back_off) else { return };
    // It may be writing.
    let watched = state::is_claimed(word) && !current::has_claim(handle);
    let now = clock::now();
    with_buffers(|buffers| {
        let kind = match (finish, slot.kind()) {
            (state::Finish::Late, _) => EventType::LateResponse,
            (_, Kind::Job) => EventType::Job,
            (_, Kind::Request) => EventType::Request,
        };
        buffers.take_kept(handle);
        let Buffers { content, facts, .. } = &mut *buffers;
        content.reset(kind, Level::Info, clock::unix_nanos(now));
        content.http = slot.http();
        let visit = current::settle(handle, now);
        let is_late = finish == state::Finish::Late;
        // By then, whoever had the claim at the end may have left.
        snapshot::take(slot, handle, now, (is_late, watched), content, facts);
        facts.cpu = facts.cpu.map(|cpu| cpu + visit);
        if !facts.error && facts.status.is_some_and(|status| status >= 500) {
            add_handled(handle, content);
        }
        let panics = slot.body.errors.take_panics(handle.generation());
        if panics > 0 {
            add_panics(content, panics - u32::from(outcome.panicked));
        }
        if state::end(word) {
            if watched { return_slot(slot) } else { give_back(slot) }
        }
        // A late response follows the `timeout`, which may still wait to be made.
        if unwinding || finish == state::Finish::Late {
            reporter::report(buffers, outcome);
        } else {
            complete(buffers, outcome);
        }
    });
}

/// Panics that did not leave the unit: it went on.
#[cold]
fn add_panics(content: &mut Content, caught: u32) {
    const NAME: &str = "exc_panics_caught";
    if caught > 0 {
        content.set_text(NAME, order(NAME), true, Value::U64(caught.into()));
    }
}

/// The last error of a request whose handler made a response of it that says so.
#[cold]
fn add_handled(handle: Handle, content: &mut Content) {
    let Some((trace, error)) = errors::Trace::handled(handle) else { return };
    let was_panic = trace.map_or(error, |trace| trace.cause) == "panic";
    let mut set = |namespace: &str, key: &str, value: Value<'_>| {
        let name = format!("{namespace}_{key}");
        let text;
        let value = match value {
            Value::Display(value) => {
                text = value.to_string();
                Value::Str(&text)
            }
            value => value,
        };
        content.set_text(&name, order(&name), true, value);
    };
    let (error, cause) = trace.map_or((error, None), |trace| trace.types(error));
    set("exc", "type", Value::Str(error));
    if was_panic {
        let note = panic::caught(handle);
        if let Some(note) = note.as_ref().filter(|_| error == "panic") {
            set("exc", "msg", Value::Str(note.message()));
        }
        if let Some(place) = note.as_ref().and_then(panic::Note::place) {
            set("exc", "panic_loc", Value::Display(&place));
        }
    }
    if let Some(trace) = trace {
        trace.tell(cause, &mut set);
    }
    set("exc", "handled", Value::Bool(true));
}

/// The event of a record that found no slot: with what the framework knows by itself, and was told.
#[cold]
fn end_without_slot(handle: Handle, outcome: Outcome, unwinding: bool) {
    let Some(ended) = slotless::end(handle) else { return };
    let (now, how) = (clock::now(), &ended.how);
    with_buffers(|buffers| {
        let Buffers { content, facts, .. } = &mut *buffers;
        let (kind, id) = match how.kind {
            Kind::Job => (EventType::Job, "job_id"),
            Kind::Request => (EventType::Request, "req_id"),
        };
        content.reset(kind, Level::Info, clock::unix_nanos(now));
        *facts = Facts { handle, kind: how.kind, pipeline: how.pipeline, started: how.now, taken: now, ..Facts::new() };
        let mut room = [0; LONGEST];
        let len = ended.copy_id(&mut room);
        content.push_text(id, ID_ORDER, true, Value::Str(str::from_utf8(&room[..len]).unwrap_or_default()));
        for (id, value) in ended.fields() {
            content.set_key(id, value);
        }
        facts.status = ended.get(builtin::RESP_STATUS).and_then(snapshot::status_of);
        facts.error = [builtin::EXC_TYPE, builtin::EXC_PANIC].iter().any(|id| ended.get(*id).is_some());
        facts.truncated = ended.truncated;
        content.push_text("canonlog_without_slot", CANONLOG_ORDER, true, Value::U64(1));
        if unwinding {
            reporter::report(buffers, outcome);
        } else {
            complete(buffers, outcome);
        }
    });
}

/// Instrumenters, self-diagnosis, level, order, size; then the event goes to the emitters.
pub(super) fn complete(buffers: &mut Buffers, outcome: Outcome) {
    let parts = make(buffers, outcome);
    buffers.emit(parts);
}

/// The same without the last step; the parts that the event goes to.
pub(super) fn make(buffers: &mut Buffers, outcome: Outcome) -> &'static Parts {
    let Buffers { content, facts, .. } = &mut *buffers;
    let parts = parts(facts.pipeline);
    if outcome.panicked && facts.status.is_none() && facts.kind == Kind::Request {
        facts.status = Some(500);
        content.set_known(builtin::RESP_STATUS, Stored::U64(500));
    }
    let mut unit = Unit { content, facts, outcome };
    if unit.event_type() == EventType::Timeout
        && let Some(limit) = unit.time_limit()
    {
        unit.set_in("timeout", "limit", limit);
    }
    add_times(&mut unit);
    if unit.facts.polls_blocked.0 > 0 {
        add_polls(&mut unit);
    }
    // An event made inside canonlog is dropped and counted; instrumenters called for it could go on for ever.
    if !is_inside() {
        parts.instrumenters.call_all(&mut unit);
    }
    let (failed, cx) = (unit.is_failed(), unit.context());
    // An error that became a 4xx answer is the client's mistake.
    let refused = !outcome.panicked && facts.status.is_some_and(|status| (400..500).contains(&status));
    features::apply(content, cx);
    finish_event(content, facts, parts, failed && !refused);
    if buffers.kept.is_some() {
        buffers.look_back(parts, outcome.panicked);
    }
    parts
}

#[inline]
fn add_times(unit: &mut Unit<'_>) {
    let job = unit.kind() == Kind::Job;
    let elapsed = clock::between(unit.facts.started, unit.facts.taken);
    // Each name by itself: so where it stands is known when this is compiled.
    if job {
        unit.set_nanos(builtin::JOB_TIME, elapsed)
    } else {
        unit.set_nanos(builtin::RESP_TIME, elapsed)
    }
    if let Some(cpu) = unit.facts.cpu {
        if job { unit.set_nanos(builtin::JOB_CPU_TIME, cpu) } else { unit.set_nanos(builtin::RESP_CPU_TIME, cpu) }
    }
}

/// Polls that took too long. Where nobody saw the longest in time, it is the handler that does not let go of its thread.
#[cold]
fn add_polls(unit: &mut Unit<'_>) {
    // A forked child has none yet: the next one is seen.
    polls::ensure_running();
    let (count, longest, spot) = unit.facts.polls_blocked;
    unit.set_in("poll", "blocked_count", count);
    unit.set_in("poll", "max_time", Duration::from_nanos(longest));
    let text = spot.at().filter(|(fun, _)| *fun == 0).and_then(|(_, text)| texts::of(text));
    let seen = spot.at().and_then(|(fun, line)| Some(site::of(fun)?.at(line)));
    let handler = || site::of(unit.facts.site).map(|handler| handler.at(handler.line()));
    if let Some(text) = text {
        unit.set_in("poll", "max_loc", text);
    } else if let Some(place) = seen.or_else(handler) {
        unit.set_in("poll", "max_loc", display(place));
    }
}

/// What canonlog has to say of itself, the level, the order and the size.
fn finish_event(content: &mut Content, facts: &mut Facts, parts: &Parts, failed: bool) {
    let settings = parts.settings();
    content.level = match content.kind {
        EventType::Timeout => Level::Error,
        EventType::LateResponse | EventType::PartialFailure => Level::Warning,
        _ if failed => Level::Error,
        _ if facts.status.is_some_and(|status| (400..500).contains(&status)) => Level::Warning,
        _ => Level::Info,
    };
    if names::hides_late() {
        content.hide_late();
    }
    facts.truncated += limit::hold(content, settings.event_limit);
    for (name, count, what) in [
        ("canonlog_truncated", facts.truncated, Count::Truncated),
        ("canonlog_renamed_keys", facts.renamed, Count::RenamedKeys),
        ("canonlog_value_errors", facts.value_errors, Count::ValueErrors),
    ] {
        if count > 0 {
            counters::add(what, count);
            content.set_text(name, CANONLOG_ORDER, true, Value::U64(count));
        }
    }
    add_process_counts(content, parts.emitters.untold_losses());
    content.sort();
}

/// Troubles on this thread that no event has told of yet.
fn add_process_counts(content: &mut Content, lost: u64) {
    if lost > 0 {
        content.set_text("canonlog_dropped", CANONLOG_ORDER, true, Value::U64(lost));
    }
    for (what, count) in counters::untold() {
        if count > 0 {
            let name = if what == Count::LateWrites { "canonlog_late_writes" } else { "canonlog_outside_writes" };
            content.set_text(name, CANONLOG_ORDER, true, Value::U64(count));
        }
    }
}

/// Emits an event within a unit, or outside any: at once, with the unit's id first.
pub(crate) fn emit_now(cx: Context, kind: EventType, level: Level, fill: impl FnOnce(&mut Unit<'_>)) {
    let now = clock::now();
    let handle = cx.handle();
    let slot = handle.slot().filter(|_| handle.is_live());
    with_buffers(|Buffers { content, facts, .. }| {
        content.reset(kind, level, clock::unix_nanos(now));
        *facts = Facts { handle, started: now, taken: now, ..Facts::new() };
        let slotless = handle.with_slotless(|unit| unit.how.pipeline);
        facts.pipeline = match (slot, slotless) {
            (Some(slot), _) => slot.pipeline(),
            (None, Some(pipeline)) => pipeline,
            (None, None) => super::Pipeline::current().number(),
        };
        if let (Some(kind), Some(started), true) = (handle.kind(), handle.started(), handle.is_live()) {
            facts.kind = kind;
            facts.started = started;
            let id = cx.request_id().unwrap_or_default();
            let name = if facts.kind == Kind::Job { "job_id" } else { "req_id" };
            content.push_text(name, ID_ORDER, true, Value::Str(&id));
        }
        fill(&mut Unit { content, facts, outcome: Outcome::default() });
        features::apply(content, cx);
        let parts = parts(facts.pipeline);
        finish_event(content, facts, parts, false);
        content.level = level;
        parts.emit(&content.view(), now);
    });
}

/// Emits an event that belongs to no unit.
pub(crate) fn emit_apart(kind: EventType, level: Level, now: u64, fill: impl FnOnce(&mut Content)) {
    let parts = parts(super::Pipeline::current().number());
    with_buffers(|Buffers { content, .. }| {
        content.reset(kind, level, clock::unix_nanos(now));
        fill(content);
        features::apply(content, Context::none());
        if names::hides_late() {
            content.hide_late();
        }
        let truncated = limit::hold(content, parts.settings().event_limit);
        if truncated > 0 {
            counters::add(Count::Truncated, truncated);
            content.set_text("canonlog_truncated", CANONLOG_ORDER, true, Value::U64(truncated));
        }
        content.sort();
        parts.emit(&content.view(), now);
    });
}

/// Under `panic = "abort"`, after the hook: what there is is written, and the record that this thread is inside is ended here, as
/// nobody else will; unless it is canonlog's own code that called what panicked.
pub(super) fn before_abort(inside: bool) {
    let until = Instant::now() + Duration::from_secs(2);
    let left = || until.saturating_duration_since(Instant::now());
    let emitters = &parts(super::Pipeline::current().number()).emitters;
    // First, as an instrumenter that panics within this hook ends the process at once.
    emitters.flush_queues(until);
    if inside {
        return;
    }
    if let Some(handle) = current::handle() {
        panic::record(handle);
        let outcome = Outcome { panicked: true, ..Outcome::default() };
        end(handle, outcome, false);
    }
    reporter::flush(left() / 2);
    emitters.flush(left());
}
