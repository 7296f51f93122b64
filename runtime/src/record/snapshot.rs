//! What a record says, as an event's content.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use super::keys::{self, KeyId, builtin};
use super::log::{Entry, Kind as Holds, is_framework};
use super::queries::{Queries, QueryCount};
use super::slot::{Body, Slot};
use super::{Handle, Kind, Spot, layout, state};
use crate::clock;
use crate::event::{Content, Filler, Stored, rank_of};
use crate::id;
use crate::sys::words;
use crate::value::Value;

/// What is known of a record beside its fields.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) handle: Handle,
    pub(crate) kind: Kind,
    pub(crate) pipeline: u16,
    /// Where the handler stands (`trace/site.rs`); 0 where it is not known.
    pub(crate) site: u32,
    pub(crate) started: u64,
    /// When this was taken, in ticks.
    pub(crate) taken: u64,
    pub(crate) cpu: Option<u64>,
    /// Polls past the limit: how many, the longest in nanoseconds, and where that was.
    pub(crate) polls_blocked: (u64, u64, Spot),
    pub(crate) limit: Option<Duration>,
    pub(crate) status: Option<u64>,
    /// Whether an error was recorded.
    pub(crate) error: bool,
    pub(crate) query_texts: Queries,
    pub(crate) queries: u64,
    pub(crate) query_nanos: u64,
    pub(crate) untracked: u64,
    pub(crate) truncated: u64,
    pub(crate) renamed: u64,
    pub(crate) value_errors: u64,
}

impl Facts {
    pub(crate) const fn new() -> Self {
        Facts {
            handle: Handle::NONE,
            kind: Kind::Request,
            pipeline: 0,
            site: 0,
            started: 0,
            taken: 0,
            cpu: None,
            polls_blocked: (0, 0, Spot::NONE),
            limit: None,
            status: None,
            error: false,
            query_texts: Queries::new(),
            queries: 0,
            query_nanos: 0,
            untracked: 0,
            truncated: 0,
            renamed: 0,
            value_errors: 0,
        }
    }
}

/// Copies a record's fields into `content`, and the rest into `facts`. With `late`, only the fields of `req` and `job`, and
/// what was written after the timeout was reported. Where `watched`, another thread has the claim of a record that has ended: what it
/// is writing just now is told, or else counted when it leaves.
pub(crate) fn take(
    slot: Slot,
    handle: Handle,
    now: u64,
    (late, watched): (bool, bool),
    content: &mut Content,
    facts: &mut Facts,
) {
    facts.query_texts.clear();
    facts.handle = handle;
    facts.kind = slot.kind();
    facts.pipeline = slot.pipeline();
    facts.site = slot.site();
    facts.started = slot.head.started.load(Relaxed);
    facts.taken = now;
    facts.cpu = slot.cpu();
    facts.polls_blocked = slot.take_polls();
    let deadline = slot.head.deadline.load(Relaxed);
    facts.limit = (deadline != 0).then(|| Duration::from_nanos(clock::between(facts.started, deadline)));

    let fields = content.len();
    if late || watched || !take_plain(slot, now, content, facts) {
        content.truncate(fields);
        take_slowly(slot, now, (late, watched), content, facts);
    }
}

/// The usual case: the main log is [plain](plain_log), and mostly there is no other. False where it is not like that.
#[inline(always)]
fn take_plain(slot: Slot, now: u64, content: &mut Content, facts: &mut Facts) -> bool {
    let mut filler = Filler::new(content);
    begin(slot, &mut filler);
    let layout = slot.body.layout.load(Acquire);
    if !layout::is_whole(layout) || plain_log(slot.body, now, facts, &mut filler).is_none() {
        return false;
    }
    // After the log: of what is written beside this, as little as may be is in neither.
    facts.set_counts(Some(slot.body));
    (slot.head.side.load(Acquire) == 0 || take_side(slot, now, false, content, facts))
        && layout::is_still(&slot.body.layout, layout)
}

/// Every case.
#[inline(never)]
fn take_slowly(slot: Slot, now: u64, (late, watched): (bool, bool), content: &mut Content, facts: &mut Facts) {
    let late_from = if late { usize::try_from(slot.body.late.load(Relaxed)).unwrap_or(0).checked_sub(1) } else { None };
    // After a timeout nothing may have been written at all: then all there is belongs to the timeout.
    let late_from = if late { Some(late_from.unwrap_or_else(|| slot.body.closed_len())) } else { None };
    let fields = content.len();
    for tries in 0..10_000 {
        content.truncate(fields);
        (facts.status, facts.error) = (None, false);
        let sum = watched.then(|| slot.body.sum());
        // What was counted before a timeout was reported, that event has told.
        facts.set_counts((!late || slot.body.late.load(Relaxed) != 0).then_some(slot.body));
        let mut taking =
            Taking { now, facts: &mut *facts, filler: Filler::new(content), late_from, main: None, named: false };
        begin(slot, &mut taking.filler);
        let layout = slot.body.layout.load(Acquire);
        // What the side log says is newer or older than places in the main log: those must be the same all the time.
        if taking.log(slot.body)
            && take_side(slot, now, late, content, facts)
            && slot.body.layout.load(Relaxed) == layout
            && sum.is_none_or(|sum| sum == slot.body.sum())
        {
            if let Some(sum) = sum {
                slot.body.told.keep(sum);
            }
            break;
        }
        state::back_off(tries);
    }
}

/// The id comes first.
#[inline(always)]
fn begin(slot: Slot, filler: &mut Filler<'_>) {
    let key = if slot.kind() == Kind::Job { builtin::JOB_ID } else { builtin::REQ_ID };
    let id = [slot.head.id[0].load(Relaxed), slot.head.id[1].load(Relaxed)];
    filler.push_text(key, &id::text(id));
}

/// Copies a log in one piece, whose list has all of its fields; none where it is not like that. If the log is compacted before the caller
/// looks at its layout again, what was copied is worth nothing.
#[inline(always)]
fn plain_log(body: &Body, now: u64, facts: &mut Facts, filler: &mut Filler<'_>) -> Option<()> {
    let extent = body.extent_read();
    let log = body.log.get(..extent.words())?;
    // An id from outside replaces another.
    if body.has(builtin::REQ_ID) {
        return None;
    }
    let listed = body.listed(extent)?;
    let start = filler.entries(|bytes| words::append(log, bytes));
    filler.list(listed, start, body.present_ours(), |at| plain_timer(log.get(at / 8 + 1..), now));
    facts.error = body.has(builtin::EXC_TYPE) || body.has(builtin::EXC_PANIC);
    facts.status = body.plain_value(builtin::RESP_STATUS).and_then(status_of);
    let (mut worst, mut links_of_worst) = ((1, 0), 0);
    body.each_query(|query, links| {
        facts.query_texts.push(query);
        // The first of those that are equal comes last.
        if query.count > 1 && (query.count, query.nanos) >= worst {
            (worst, links_of_worst) = ((query.count, query.nanos), links);
        }
    });
    if links_of_worst != 0 {
        body.take_statement(links_of_worst, &mut facts.query_texts);
    }
    Some(())
}

/// Copies what the side log says; false if it was compacted meanwhile.
fn take_side(slot: Slot, now: u64, late: bool, content: &mut Content, facts: &mut Facts) -> bool {
    let Some(side) = slot.side() else { return true };
    if !late {
        // What is written from here on belongs to the late response, if this is for a timeout.
        side.closed_end.store(side.end() as u64, Release);
    }
    let late_from = late.then(|| match usize::try_from(side.late.load(Relaxed)).unwrap_or(0) {
        // A write that was under way when the timeout was taken.
        0 => side.closed_len(),
        from => from - 1,
    });
    if !late || side.late.load(Relaxed) != 0 {
        facts.add_counts(side);
    }
    Taking { now, facts, filler: Filler::new(content), late_from, main: Some(slot.body), named: false }.log(side)
}

impl Facts {
    /// What this log has counted, or with none nothing.
    #[inline]
    fn set_counts(&mut self, body: Option<&Body>) {
        let count = |of: fn(&Body) -> &AtomicU64| body.map_or(0, |body| of(body).load(Relaxed));
        self.queries = count(|body| &body.queries);
        self.query_nanos = count(|body| &body.query_nanos);
        self.untracked = count(|body| &body.query_untracked);
        self.truncated = count(|body| &body.truncated);
        self.renamed = count(|body| &body.renamed);
        self.value_errors = count(|body| &body.value_errors);
    }

    #[cold]
    fn add_counts(&mut self, body: &Body) {
        self.queries += body.queries.load(Relaxed);
        self.query_nanos = self.query_nanos.saturating_add(body.query_nanos.load(Relaxed));
        self.untracked += body.query_untracked.load(Relaxed);
        self.truncated += body.truncated.load(Relaxed);
        self.renamed += body.renamed.load(Relaxed);
        self.value_errors += body.value_errors.load(Relaxed);
    }
}

struct Taking<'a> {
    now: u64,
    facts: &'a mut Facts,
    filler: Filler<'a>,
    /// For a late response: where it begins in this log.
    late_from: Option<usize>,
    /// For a side log: the main one.
    main: Option<&'static Body>,
    /// Whether a name made at run time has become one that the program knows: the field can come again.
    named: bool,
}

impl Taking<'_> {
    #[must_use]
    fn log(&mut self, body: &'static Body) -> bool {
        if self.main.is_none() {
            self.facts.query_texts.clear();
        }
        let late_from = self.late_from;
        body.read(0, |entry| {
            let (order, framework) = match entry.key() {
                Some(id) => (keys::key(id).order, id.is_framework()),
                None => {
                    let order = entry.name(|_, order| order);
                    (order, is_framework(order))
                }
            };
            if late_from.is_some_and(|from| entry.first_offset() < from) && rank_of(order) != 1 {
                return;
            }
            self.entry(entry, order, framework);
        })
    }

    #[inline]
    fn entry(&mut self, entry: Entry<'_>, order: u16, framework: bool) {
        let id = entry.key();
        let value = match entry.kind() {
            Holds::Query => {
                let query = QueryCount { hash: entry.word(0), count: entry.word(1), nanos: entry.word(2) };
                match self.main {
                    Some(_) => self.facts.query_texts.add(query),
                    None => self.facts.query_texts.push(query),
                }
                return;
            }
            Holds::Statement => {
                let words = [entry.word(0), entry.word(1), entry.word(2)];
                self.facts.query_texts.keep(words, |bytes| entry.text_behind(3, bytes));
                return;
            }
            Holds::Timer => Stored::Nanos(self.timer(&entry)),
            Holds::Text => Stored::Text(self.filler.text(|bytes| entry.text(bytes))),
            _ => entry.plain().map_or(Stored::Null, stored),
        };
        let told = match id {
            Some(id) if self.main.is_none() && self.late_from.is_none() && !self.named && id != builtin::REQ_ID => {
                self.filler.push(id, value);
                Some(value)
            }
            _ => self.merge(&entry, order, framework, value),
        };
        if let (Some(id), Some(told)) = (id, told) {
            self.note(id, told);
        }
    }

    /// What the framework wants to know of its own fields.
    #[inline]
    fn note(&mut self, id: KeyId, told: Stored) {
        if id == builtin::RESP_STATUS {
            self.facts.status = status(told);
        } else if id == builtin::EXC_TYPE || id == builtin::EXC_PANIC {
            self.facts.error = true;
        }
    }

    /// For a side log: what the main log says of a key, in the event that this is for.
    fn main_entry(&self, by: super::log::By<'_>) -> Option<Entry<'static>> {
        let main = self.main?;
        // Nothing was written to it since the timeout was reported.
        let all_reported = self.late_from.is_some() && main.late.load(Relaxed) == 0;
        if all_reported { None } else { main.get_unreported(by) }
    }

    /// A sum of timings, with what is running.
    fn timer(&self, entry: &Entry<'_>) -> u64 {
        let (mut sum, inside, began) = (entry.word(0), entry.word(1).cast_signed(), entry.word(2));
        let mut running = (inside > 0).then_some(began);
        // Here a side log, which notes what has become of the main log's sections beside it.
        if let (Some(id), Some(_)) = (entry.key(), self.main) {
            let (ended, ended_at, outermost) = (entry.word(3).cast_signed(), entry.word(4), entry.word(5));
            match self.main_entry(super::log::By::Id(id)).filter(|other| other.kind() == Holds::Timer) {
                Some(other) => {
                    let (inside, began) = (other.word(1).cast_signed(), other.word(2));
                    sum += other.word(0);
                    if inside > ended {
                        running = Some(running.map_or(began, |other| other.min(began)));
                    } else if inside > 0 {
                        sum += ended_at.saturating_sub(began);
                    }
                }
                None if ended < 0 => running = Some(running.map_or(outermost, |other| other.min(outermost))),
                None if outermost != 0 => sum += ended_at.saturating_sub(outermost),
                None => {}
            }
        }
        with_running(sum, running, self.now)
    }

    /// A field that may be there already: a side log's, a name made at run time, an id from outside. What the event says
    /// of it now, if that is this entry's doing.
    fn merge(&mut self, entry: &Entry<'_>, order: u16, framework: bool, value: Stored) -> Option<Stored> {
        let mut own = String::new();
        let name = match entry.key() {
            // An id from outside takes the place of the unit's own.
            Some(builtin::REQ_ID) if self.facts.kind == Kind::Job => "job_id",
            Some(id) => keys::key(id).name,
            None => {
                entry.name(|name, _| own.push_str(name));
                self.named |= keys::known(&own).is_some();
                own.as_str()
            }
        };
        let main = self.main_entry(entry.key().map_or(super::log::By::Name(name, order), super::log::By::Id));
        let newer = main.is_none_or(|other| other.offset() < entry.main_offset());
        // What both logs have added to, is their sum; what the main log has set since, is that.
        let main_added = main.is_some_and(|main| main.is_added());
        if let Some(known) = self.filler.find(name) {
            let told = if entry.is_added() && (newer || main_added) {
                add(self.filler.value(known), value)
            } else if newer || entry.kind() == Holds::Timer {
                value
            } else {
                return None;
            };
            self.filler.set(known, told);
            return Some(told);
        }
        match entry.key() {
            Some(id) => self.filler.push(id, value),
            None => {
                let text = self.filler.text(|bytes| bytes.extend_from_slice(own.as_bytes()));
                self.filler.push_named(text, order, framework, value);
            }
        }
        Some(value)
    }
}

/// A sum of timings in a record without a side log, with what is running, in nanoseconds.
#[inline(always)]
fn plain_timer(words: Option<&[AtomicU64]>, now: u64) -> u64 {
    let Some([sum, inside, began, ..]) = words else { return 0 };
    let running = (inside.load(Relaxed).cast_signed() > 0).then(|| began.load(Relaxed));
    with_running(sum.load(Relaxed), running, now)
}

/// A sum and the section that runs since `began`, all in ticks, as nanoseconds.
#[inline(always)]
fn with_running(sum: u64, began: Option<u64>, now: u64) -> u64 {
    clock::nanos(sum + began.map_or(0, |began| now.saturating_sub(began)))
}

/// A status, if it is a number.
pub(crate) fn status_of(value: Value<'_>) -> Option<u64> {
    status(stored(value))
}

fn status(told: Stored) -> Option<u64> {
    match told {
        Stored::U64(status) => Some(status),
        Stored::I64(status) => u64::try_from(status).ok(),
        _ => None,
    }
}

fn stored(value: Value<'_>) -> Stored {
    match value {
        Value::Bool(value) => Stored::Bool(value),
        Value::I64(value) => Stored::I64(value),
        Value::U64(value) => Stored::U64(value),
        Value::F64(value) => Stored::F64(value),
        Value::Duration(value) => Stored::Nanos(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
        _ => Stored::Null,
    }
}

/// The sum of what two logs counted; the first where they are no numbers of one kind.
fn add(a: Stored, b: Stored) -> Stored {
    if matches!(a, Stored::Null) {
        return b;
    }
    let word = match a {
        Stored::U64(a) => Some((Holds::U64, a)),
        Stored::I64(a) => Some((Holds::I64, a.cast_unsigned())),
        Stored::F64(a) => Some((Holds::F64, a.to_bits())),
        Stored::Nanos(a) => Some((Holds::Nanos, a)),
        _ => None,
    };
    let value = match b {
        Stored::U64(b) => Value::U64(b),
        Stored::I64(b) => Value::I64(b),
        Stored::F64(b) => Value::F64(b),
        Stored::Nanos(b) => Value::Duration(Duration::from_nanos(b)),
        _ => Value::Null,
    };
    let sum = word.and_then(|(kind, word)| super::log::sum(kind, word, value));
    sum.map_or(a, |(kind, word)| stored(super::log::plain(kind, word)))
}
