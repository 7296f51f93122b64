//! A finished, immutable fact: type, level, time, ordered fields.
//!
//! [`Event`] is a view that lives as long as the call it is handed to; whoever keeps one takes [`Event::to_owned`].
//! Fields stand in canonical order: namespace by namespace, each in the order of its first write.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use crate::level::Level;
use crate::value::{ToValue, Value};

/// What an event tells about.
///
/// ```
/// assert_eq!(canonlog::EventType::PartialFailure.as_str(), "partial_failure");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// A request ended.
    Request,
    /// A job ended.
    Job,
    /// A unit passed its deadline while it was still running.
    Timeout,
    /// A function failed and its fallback was returned.
    PartialFailure,
    /// A unit already reported as timed out ended after all.
    LateResponse,
    /// The process died with the unit in flight.
    Lost,
    /// Writing resumed after a loss.
    Dropped,
    /// A message.
    Log,
    /// Periodic counts.
    Status,
}

impl EventType {
    /// The name, as `event_type` shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventType::Request => "request",
            EventType::Job => "job",
            EventType::Timeout => "timeout",
            EventType::PartialFailure => "partial_failure",
            EventType::LateResponse => "late_response",
            EventType::Lost => "lost",
            EventType::Dropped => "dropped",
            EventType::Log => "log",
            EventType::Status => "status",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a namespace stands in an event; equal ranks keep the order of their first write.
pub(crate) fn rank(namespace: &str) -> u8 {
    match namespace {
        "req" | "job" => 1,
        "app" => 2,
        "exc" => 3,
        "resp" => 4,
        "timeout" => 5,
        "db" => 6,
        "http" => 7,
        "rt" | "poll" => 8,
        "canonlog" => 15,
        _ => OTHER_RANK,
    }
}

/// Where a field stands in an event: by its namespace, then, for the framework's own, in the order of the reference. Below 256.
pub(crate) fn order(name: &str) -> u16 {
    let namespace = name.split_once('_').map_or(name, |(namespace, _)| namespace);
    // Fewer than 15 a rank: each has an order of its own. Fewer than 62 in all: each has a bit ([`bit`]).
    const KNOWN: [&[&str]; 6] = [
        &[
            "req_id",
            "req_method",
            "req_path",
            "req_referrer",
            "req_user_agent",
            "req_route",
            "req_client_ip",
            "req_cancelled",
            "job_id",
            "job_name",
            "job_time",
            "job_cpu_time",
            "job_outcome",
        ],
        &[
            "exc_template",
            "exc_type",
            "exc_msg",
            "exc_loc",
            "exc_cause_loc",
            "exc_cause_type",
            "exc_trace",
            "exc_panic",
        ],
        &["resp_view", "resp_time", "resp_cpu_time", "resp_status", "resp_size", "resp_ttfb"],
        &["timeout_loc", "timeout_cause_loc", "timeout_limit", "timeout_state", "timeout_stack"],
        &["db_queries", "db_time", "db_dup_queries", "db_dup_time", "db_dup_top", "db_dup_loc"],
        &["rt_w_count", "rt_w_active", "rt_backlog", "poll_blocked_count", "poll_max_time", "poll_max_loc"],
    ];
    let known = KNOWN.iter().find_map(|names| names.iter().position(|known| *known == name));
    let within = known.and_then(|at| u16::try_from(at).ok()).unwrap_or(UNKNOWN);
    u16::from(rank(namespace)) << 4 | within
}

/// The namespace's rank in an [`order`].
pub(crate) const fn rank_of(order: u16) -> u8 {
    (order >> 4) as u8
}

/// The bit of an order in [`Content::seen`]: one for each field that the framework knows, one for all fields of namespaces that
/// it does not know, one for the rest.
const fn bit(order: u16) -> u8 {
    let within = (order & 15) as u8;
    match (rank_of(order), within) {
        (OTHER_RANK, _) => OTHERS,
        (_, 15) => REST,
        (1, _) => within,
        (3, _) => 15 + within,
        (4, _) => 25 + within,
        (6, _) => 35 + within,
        (8, _) => 45 + within,
        _ => REST,
    }
}

const OTHERS: u8 = 62;
const REST: u8 = 63;

/// Within its namespace, where a field stands that the framework does not know: last.
const UNKNOWN: u16 = 15;

/// Where `req_id` and `job_id` stand: first.
pub(crate) const ID_ORDER: u16 = 1 << 4;

/// Where canonlog's remarks on itself stand: last.
pub(crate) const CANONLOG_ORDER: u16 = 15 << 4 | UNKNOWN;

/// The rank of the namespaces that the framework does not know.
pub(crate) const OTHER_RANK: u8 = 9;

/// Whether a namespace is the framework's own, where users cannot write.
pub(crate) fn is_reserved(namespace: &str) -> bool {
    namespace == "event" || namespace == "trace" || !matches!(rank(namespace), 2 | OTHER_RANK)
}

/// What is known of a field's name that the program has.
#[derive(Debug)]
pub(crate) struct Label {
    /// `namespace_key`, as it is written.
    pub(crate) name: &'static str,
    /// Where it stands in an event.
    pub(crate) order: u16,
    bit: u8,
    /// Whether it lies in one of the framework's namespaces.
    pub(crate) framework: bool,
}

impl Label {
    pub(crate) const fn new(name: &'static str, order: u16, framework: bool) -> Label {
        Label { name, order, bit: bit(order), framework }
    }
}

/// A field's name: `namespace_key`.
#[derive(Clone, Copy, Debug)]
enum Name {
    /// A name known to the program.
    Known(&'static Label),
    /// A name made at run time; it lies in the content's text.
    Text { text: Span, order: u16, framework: bool },
}

/// A piece of a content's text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    #[inline]
    pub(crate) fn new(start: usize, len: usize) -> Span {
        // A content never has 4 GiB; if it had, its texts would be wrong, and nothing else.
        Span { start: start as u32, len: len as u32 }
    }
}

/// A value whose text lies in the content's text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Nanos(u64),
    Text(Span),
}

/// One field of a content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    name: Name,
    value: Stored,
}

impl Field {
    #[inline]
    fn order(&self) -> u16 {
        match self.name {
            Name::Known(label) => label.order,
            Name::Text { order, .. } => order,
        }
    }

    /// Whether the framework wrote it: such a field is never cut.
    fn is_framework(&self) -> bool {
        match self.name {
            Name::Known(label) => label.framework,
            Name::Text { framework, .. } => framework,
        }
    }
}

/// What an event says, in buffers that can be used again.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) kind: EventType,
    pub(crate) level: Level,
    pub(crate) unix_nanos: i64,
    fields: Vec<Field>,
    /// Texts, and whatever lies between them; only what a span says is looked at.
    text: Vec<u8>,
    /// Which orders may be among the fields, one bit for each: most fields are set once, and need no search.
    seen: u64,
    /// Whether each field was pushed behind those that stand before it.
    in_order: bool,
    /// The order of the field pushed last.
    last: u16,
}

impl Content {
    #[inline]
    fn push(&mut self, name: Name, value: Stored) {
        let (order, bit) = match name {
            Name::Known(label) => (label.order, label.bit),
            Name::Text { order, .. } => (order, bit(order)),
        };
        self.seen |= 1 << bit;
        self.in_order &= order >= self.last;
        self.last = order;
        self.fields.push(Field { name, value });
    }

    pub(crate) const fn new() -> Self {
        Content {
            kind: EventType::Log,
            level: Level::Info,
            unix_nanos: 0,
            fields: Vec::new(),
            text: Vec::new(),
            seen: 0,
            in_order: true,
            last: 0,
        }
    }

    /// Empties the content and keeps its buffers.
    pub(crate) fn reset(&mut self, kind: EventType, level: Level, unix_nanos: i64) {
        (self.kind, self.level, self.unix_nanos) = (kind, level, unix_nanos);
        self.fields.clear();
        self.text.clear();
        self.seen = 0;
        (self.in_order, self.last) = (true, 0);
    }

    pub(crate) fn view(&self) -> Event<'_> {
        Event { content: self }
    }

    /// Bytes of text held, an estimate of the event's size.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Bytes of all names.
    pub(crate) fn names_len(&self) -> usize {
        self.fields.iter().map(|field| self.name_of(field).len()).sum()
    }

    /// Fields that hold text: where, whether the framework's, and the text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, bool, &str)> {
        self.fields.iter().enumerate().filter_map(|(at, field)| match field.value {
            Stored::Text(span) => Some((at, field.is_framework(), self.span(span))),
            _ => None,
        })
    }

    /// The text of a field.
    pub(crate) fn text_at(&self, at: usize) -> &str {
        match self.fields.get(at).map(|field| field.value) {
            Some(Stored::Text(span)) => self.span(span),
            _ => "",
        }
    }

    /// Gives a field another text.
    pub(crate) fn set_text_at(&mut self, at: usize, text: &str) {
        let span = self.keep(text);
        if let Some(field) = self.fields.get_mut(at) {
            field.value = Stored::Text(span);
        }
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Leaves only the first fields.
    pub(crate) fn truncate(&mut self, fields: usize) {
        if fields < self.fields.len() {
            self.fields.truncate(fields);
            self.in_order = false;
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.text.extend_from_slice(text.as_bytes());
        Span { start, len: u32::try_from(text.len()).unwrap_or(u32::MAX) }
    }

    fn span(&self, span: Span) -> &str {
        let start = span.start as usize;
        let bytes = self.text.get(start..start + span.len as usize).unwrap_or_default();
        // Only whole texts are recorded, so this holds for each of them.
        str::from_utf8(bytes).unwrap_or_default()
    }

    fn name_of(&self, field: &Field) -> &str {
        match field.name {
            Name::Known(label) => label.name,
            Name::Text { text, .. } => self.span(text),
        }
    }

    fn store(&mut self, value: Value<'_>) -> Stored {
        match value {
            Value::Null => Stored::Null,
            Value::Bool(value) => Stored::Bool(value),
            Value::I64(value) => Stored::I64(value),
            Value::U64(value) => Stored::U64(value),
            Value::F64(value) => Stored::F64(value),
            Value::Duration(value) => Stored::Nanos(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
            Value::Str(value) => Stored::Text(self.keep(value)),
            Value::Display(value) => {
                let text = crate::scratch::display(value);
                Stored::Text(self.keep(&text))
            }
        }
    }

    /// Adds a field without looking for one of the same name.
    pub(crate) fn push_text(&mut self, name: &str, order: u16, framework: bool, value: Value<'_>) {
        let text = self.keep(name);
        let value = self.store(value);
        self.push(Name::Text { text, order, framework }, value);
    }

    /// Sets a field whose name the program knows; one of the same name keeps its position.
    pub(crate) fn set_label(&mut self, label: &'static Label, value: Value<'_>) {
        let value = self.store(value);
        match self.position(label.name, label.order) {
            Some(at) => self.fields[at].value = value,
            None => self.push(Name::Known(label), value),
        }
    }

    /// Sets a field; one of the same name keeps its position.
    pub(crate) fn set_text(&mut self, name: &str, order: u16, framework: bool, value: Value<'_>) {
        match self.position(name, order) {
            Some(at) => self.fields[at].value = self.store(value),
            None => self.push_text(name, order, framework, value),
        }
    }

    #[inline]
    fn position(&self, name: &str, order: u16) -> Option<usize> {
        if self.seen & 1 << bit(order) == 0 {
            return None;
        }
        self.fields.iter().position(|field| field.order() == order && self.name_of(field) == name)
    }

    /// Whether there is a field of an order that only one name has ([`KNOWN`] ones).
    #[inline]
    pub(crate) fn has_known(&self, label: &Label) -> bool {
        self.seen & 1 << label.bit != 0
    }

    /// Sets a field of an order that only one name has, in its place.
    #[inline]
    pub(crate) fn set_known(&mut self, label: &'static Label, value: Stored) {
        let order = label.order;
        if !self.has_known(label) && order >= self.last {
            return self.push(Name::Known(label), value);
        }
        self.put_known(label, value);
    }

    /// As [`set_known`](Self::set_known), before or at a field that is there.
    #[inline(never)]
    fn put_known(&mut self, label: &'static Label, value: Stored) {
        let order = label.order;
        if self.has_known(label) {
            if let Some(field) = self.fields.iter_mut().find(|field| field.order() == order) {
                field.value = value;
            }
            return;
        }
        let at = self.fields.iter().rposition(|before| before.order() <= order).map_or(0, |before| before + 1);
        self.seen |= 1 << label.bit;
        self.fields.insert(at, Field { name: Name::Known(label), value });
    }

    /// Keeps the fields for which `keep` is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let fields = std::mem::take(&mut self.fields);
        let mut kept = fields;
        kept.retain(|field| keep(self.name_of(field)));
        self.fields = kept;
    }

    /// Puts the fields in canonical order. Stable, without allocation.
    pub(crate) fn sort(&mut self) {
        let others = self.seen & 1 << OTHERS != 0;
        if self.in_order && !others {
            return;
        }
        // Few fields stand out of place (an `app_` after the first `resp_`), so insertion is the right sort.
        let mut last = 0;
        for at in 0..self.fields.len() {
            let order = self.fields[at].order();
            if order >= last {
                last = order;
                continue;
            }
            let to = self.fields[..at].iter().rposition(|field| field.order() <= order).map_or(0, |before| before + 1);
            self.fields[to..=at].rotate_right(1);
        }
        self.in_order = true;
        self.last = self.fields.last().map_or(0, |field| field.order());
        if others {
            self.group_other();
        }
    }

    /// Brings fields of one unknown namespace together, in the order of each namespace's first write.
    fn group_other(&mut self) {
        let start = self.fields.partition_point(|field| rank_of(field.order()) < OTHER_RANK);
        let end = self.fields.partition_point(|field| rank_of(field.order()) <= OTHER_RANK);
        let namespace = |content: &Self, at: usize| {
            let name = content.name_of(&content.fields[at]);
            name.split_once('_').map_or(name.len(), |(namespace, _)| namespace.len())
        };
        for at in start + 1..end {
            let len = namespace(self, at);
            let last = (start..at).rev().find(|&before| {
                let (a, b) = (self.name_of(&self.fields[at]), self.name_of(&self.fields[before]));
                namespace(self, before) == len && a[..len] == b[..len]
            });
            if let Some(last) = last {
                self.fields[last + 1..=at].rotate_right(1);
            }
        }
    }

    fn value_of(&self, stored: Stored) -> Value<'_> {
        match stored {
            Stored::Null => Value::Null,
            Stored::Bool(value) => Value::Bool(value),
            Stored::I64(value) => Value::I64(value),
            Stored::U64(value) => Value::U64(value),
            Stored::F64(value) => Value::F64(value),
            Stored::Nanos(value) => Value::Duration(Duration::from_nanos(value)),
            Stored::Text(span) => Value::Str(self.span(span)),
        }
    }
}

/// Fills a content with fields whose text comes as bytes of whole texts.
pub(crate) struct Filler<'a> {
    content: &'a mut Content,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(content: &'a mut Content) -> Self {
        Filler { content }
    }

    /// Keeps the text that `write` appends.
    #[inline]
    pub(crate) fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.content.text.len();
        write(&mut self.content.text);
        Span::new(start, self.content.text.len() - start)
    }

    /// Keeps words as they are, texts among them; where they stand.
    #[inline]
    pub(crate) fn words(&mut self, words: &[AtomicU64]) -> usize {
        const AT_ONCE: usize = 8;
        let text = &mut self.content.text;
        let start = text.len();
        text.resize(start + words.len() * 8, 0);
        let put = |to: &mut [u8], words: &[AtomicU64]| {
            for (to, word) in to.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                *to = word.load(Relaxed).to_le_bytes();
            }
        };
        let (many, few) = words.as_chunks::<AT_ONCE>();
        let (to_many, to_few) = text[start..].as_chunks_mut::<{ AT_ONCE * 8 }>();
        for (to, words) in to_many.iter_mut().zip(many) {
            put(to, words);
        }
        put(to_few, few);
        start
    }

    /// Whether there is a field of an order that only one name has.
    pub(crate) fn has_known(&self, label: &Label) -> bool {
        self.content.has_known(label)
    }

    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.content.fields.len()
    }

    /// Leaves only the first fields.
    pub(crate) fn truncate(&mut self, fields: usize) {
        self.content.truncate(fields);
    }

    #[inline]
    pub(crate) fn push(&mut self, label: &'static Label, value: Stored) {
        self.content.push(Name::Known(label), value);
    }

    /// As [`push`](Self::push), under a name that was kept as text.
    pub(crate) fn push_named(&mut self, text: Span, order: u16, framework: bool, value: Stored) {
        self.content.push(Name::Text { text, order, framework }, value);
    }

    /// The value of a field that was pushed before, by its name.
    pub(crate) fn find(&mut self, name: &str) -> Option<&mut Stored> {
        let text = &self.content.text;
        let field = self.content.fields.iter_mut().find(|field| match field.name {
            Name::Known(label) => label.name == name,
            Name::Text { text: span, .. } => {
                text.get(span.start as usize..(span.start + span.len) as usize) == Some(name.as_bytes())
            }
        });
        field.map(|field| &mut field.value)
    }
}

/// A finished, immutable fact: type, level, time, ordered fields.
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent, Value};
/// use std::time::SystemTime;
///
/// let mut owned = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
/// owned.set("resp_status", 200);
/// owned.set("req_path", "/cart");
/// let event = owned.view();
/// let names: Vec<&str> = event.fields().map(|(name, _)| name).collect();
/// assert_eq!(names, ["req_path", "resp_status"]); // canonical order
/// assert_eq!(event.get("resp_status"), Some(Value::U64(200)));
/// ```
#[derive(Clone, Copy)]
pub struct Event<'a> {
    content: &'a Content,
}

impl<'a> Event<'a> {
    /// What the event tells about.
    pub fn kind(&self) -> EventType {
        self.content.kind
    }

    /// How much it matters.
    pub fn level(&self) -> Level {
        self.content.level
    }

    /// When it was made.
    pub fn time(&self) -> SystemTime {
        let nanos = Duration::from_nanos(self.content.unix_nanos.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let time = if self.content.unix_nanos < 0 { epoch.checked_sub(nanos) } else { epoch.checked_add(nanos) };
        time.unwrap_or(epoch)
    }

    /// When it was made, in nanoseconds since 1970-01-01T00:00:00Z.
    pub fn unix_nanos(&self) -> i64 {
        self.content.unix_nanos
    }

    /// The fields in canonical order, without type, time and level.
    pub fn fields(&self) -> EventFields<'a> {
        EventFields { content: self.content, rest: self.content.fields.iter() }
    }

    /// The value of one field, by its full name: `resp_status`.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let field = self.content.fields.iter().find(|field| self.content.name_of(field) == name)?;
        Some(self.content.value_of(field.value))
    }

    /// The fields as a format reads them: a text value is looked up by [`Event::text_of`], where it is written.
    #[inline]
    pub(crate) fn raw_fields(&self) -> impl ExactSizeIterator<Item = (&'a [u8], Stored)> + use<'a> {
        let event = *self;
        event.content.fields.iter().map(move |field| {
            let name = match field.name {
                Name::Known(label) => label.name.as_bytes(),
                Name::Text { text, .. } => event.text_of(text),
            };
            (name, field.value)
        })
    }

    /// A text of the event, as bytes that are valid UTF-8: checking its borders, as `str` does, would take as long as
    /// writing it.
    #[inline(always)]
    pub(crate) fn text_of(&self, span: Span) -> &'a [u8] {
        let text = &self.content.text;
        text.get(span.start as usize..).and_then(|rest| rest.get(..span.len as usize)).unwrap_or_default()
    }

    /// A copy that can be kept.
    pub fn to_owned(&self) -> OwnedEvent {
        OwnedEvent { content: self.content.clone() }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"event_type", &self.kind().as_str()).entry(&"event_level", &self.level().as_str());
        map.entries(self.fields()).finish()
    }
}

/// The fields of an [`Event`] in canonical order; made by [`Event::fields`].
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent};
///
/// let mut event = OwnedEvent::new(EventType::Request, Level::Info, std::time::SystemTime::UNIX_EPOCH);
/// event.set("req_method", "GET");
/// assert_eq!(event.view().fields().len(), 1);
/// ```
#[derive(Clone)]
pub struct EventFields<'a> {
    content: &'a Content,
    rest: std::slice::Iter<'a, Field>,
}

impl<'a> Iterator for EventFields<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.rest.next()?;
        Some((self.content.name_of(field), self.content.value_of(field.value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for EventFields<'_> {}

impl fmt::Debug for EventFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

/// An event that can be kept, sent to another thread, or made by hand.
///
/// ```
/// use canonlog::{EventType, Level, OwnedEvent, Value};
/// use std::time::SystemTime;
///
/// let mut event = OwnedEvent::new(EventType::Job, Level::Info, SystemTime::UNIX_EPOCH);
/// event.set("job_name", "mails");
/// let copy = std::thread::spawn(move || event.view().to_owned()).join().expect("it does not panic");
/// assert_eq!(copy.view().get("job_name"), Some(Value::Str("mails")));
/// assert_eq!(copy.view().time(), SystemTime::UNIX_EPOCH);
/// ```
#[derive(Clone, Debug)]
pub struct OwnedEvent {
    content: Content,
}

impl OwnedEvent {
    /// An event without fields.
    pub fn new(kind: EventType, level: Level, time: SystemTime) -> Self {
        let mut content = Content::new();
        let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        };
        content.reset(kind, level, nanos);
        OwnedEvent { content }
    }

    /// Sets a field by its full name, `namespace_key`; one of the same name keeps its position.
    ///
    /// What may not stand in a name becomes `_`, and a name of the event itself (`event_type`, `event_time`, `event_level`)
    /// gets `app_` in front: no name forges a field.
    pub fn set(&mut self, name: &str, value: impl ToValue) {
        let name = clean_name(name);
        self.content.set_text(&name, order(&name), true, value.to_value());
        self.content.sort();
    }

    /// The event to look at.
    pub fn view(&self) -> Event<'_> {
        self.content.view()
    }
}

/// A full name in which every byte may stand.
fn clean_name(name: &str) -> Cow<'_, str> {
    const LIMIT: usize = 128;
    let starts = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@');
    let fits = |byte: u8| starts(byte) || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'/' | b':');
    if matches!(name, "event_type" | "event_time" | "event_level") {
        return Cow::Owned(format!("app_{name}"));
    }
    let starts_well = name.bytes().next().is_some_and(starts);
    if starts_well && name.len() <= LIMIT && name.bytes().all(fits) {
        return Cow::Borrowed(name);
    }
    let first = if starts_well { None } else { Some('_') };
    let rest = name.bytes().map(|byte| if fits(byte) { char::from(byte) } else { '_' });
    Cow::Owned(first.into_iter().chain(rest).take(LIMIT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(owned: &OwnedEvent) -> Vec<String> {
        owned.view().fields().map(|(name, _)| name.to_owned()).collect()
    }

    fn event() -> OwnedEvent {
        OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn fields_stand_in_canonical_order() {
        let mut owned = event();
        for name in
            ["canonlog_truncated", "shop_a", "rt_backlog", "gift_a", "shop_b", "app_b", "resp_time", "app_a", "req_id"]
        {
            owned.set(name, 1);
        }
        assert_eq!(
            names(&owned),
            ["req_id", "app_b", "app_a", "resp_time", "rt_backlog", "shop_a", "shop_b", "gift_a", "canonlog_truncated"]
        );
    }

    #[test]
    fn overwriting_keeps_the_first_position() {
        let mut owned = event();
        owned.set("app_a", 1);
        owned.set("app_b", 2);
        owned.set("app_a", "three");
        assert_eq!(names(&owned), ["app_a", "app_b"]);
        assert_eq!(owned.view().get("app_a"), Some(Value::Str("three")));
    }

    #[test]
    fn no_name_forges_a_field() {
        let mut owned = event();
        for name in ["app_a=\"b\" req_id", "event_type", "", "1a", "app_k:v/w-x.y", &"k".repeat(200)] {
            owned.set(name, 1);
        }
        let mut names = names(&owned);
        names.sort();
        let expected = ["_", "_1a", "app_a__b__req_id", "app_event_type", "app_k:v/w-x.y", &"k".repeat(128)];
        assert_eq!(names, expected);
    }

    #[test]
    fn times_before_1970_are_kept() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
        let owned = OwnedEvent::new(EventType::Log, Level::Info, before);
        assert_eq!(owned.view().time(), before);
    }
}
