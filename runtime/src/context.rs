//! The cheap, copyable handle to a record, and the functions that write the record the current thread is inside.
//!
//! ```text
//! Context::set("cart", 7)          the record this thread is inside
//! cx.set_in("req", "method", m)    a record by its handle, from any thread
//! cx.enter(|| ..)  cx.scope(fut)   carry it to a thread or a task
//! ```

use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::clock;
use crate::counters::{self, Count};
use crate::event::{is_reserved, order};
use crate::fields::Fields;
use crate::id;
use crate::record::keys::{self, NOT_INTERNED, Suffix, builtin};
use crate::record::log::{By, Entry, Kind as Holds, Noted, Writer, total};
use crate::record::slot::Body;
use crate::record::{self, Handle, Name, Section, current};
use crate::scratch;
use crate::value::{ToValue, Value};

/// A value that was copied out of a record by [`Context::get`].
///
/// ```
/// use canonlog::{OwnedValue, Value};
///
/// assert_eq!(OwnedValue::from(Value::Str("red")), OwnedValue::Text("red".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A length of time.
    Duration(Duration),
    /// Text.
    Text(String),
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => OwnedValue::Null,
            Value::Bool(value) => OwnedValue::Bool(value),
            Value::I64(value) => OwnedValue::I64(value),
            Value::U64(value) => OwnedValue::U64(value),
            Value::F64(value) => OwnedValue::F64(value),
            Value::Duration(value) => OwnedValue::Duration(value),
            Value::Str(value) => OwnedValue::Text(value.to_owned()),
            Value::Display(value) => OwnedValue::Text(scratch::display(value)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl ToValue for OwnedValue {
    fn to_value(&self) -> Value<'_> {
        match self {
            OwnedValue::Null => Value::Null,
            OwnedValue::Bool(value) => Value::Bool(*value),
            OwnedValue::I64(value) => Value::I64(*value),
            OwnedValue::U64(value) => Value::U64(*value),
            OwnedValue::F64(value) => Value::F64(*value),
            OwnedValue::Duration(value) => Value::Duration(*value),
            OwnedValue::Text(value) => Value::Str(value),
        }
    }
}

/// The cheap, copyable handle to a record: 16 bytes, no reference count.
///
/// The functions without a handle ([`Context::set`], [`add`](Context::add), [`get`](Context::get), [`time`](Context::time))
/// mean the record that the current thread is inside; they work anywhere in a request, across `.await` and `join!`. To
/// carry a record into another task or thread, take [`Context::current`] along.
///
/// Outside a record, and after it has ended, nothing is written, and that is counted ([`stats`](crate::stats)).
///
/// ```
/// use canonlog::{Context, Kind, begin};
///
/// let scope = begin(Kind::Request);
/// let cx = scope.context();
/// cx.enter(|| {
///     Context::set("cart_total", 19.99);
///     let _section = Context::time("render");
/// });
/// std::thread::spawn(move || cx.enter(|| Context::set("worker", true)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    handle: Handle,
}

/// Writes a value where `write` says: text is made before the record is touched.
#[inline]
fn with_text<R>(value: Value<'_>, write: impl FnOnce(Value<'_>, bool) -> R) -> R {
    match value {
        Value::Display(value) => {
            let (text, whole) = scratch::display_checked(value);
            write(Value::Str(&text), whole)
        }
        value => write(value, true),
    }
}

#[inline]
fn set(body: &Body, by: By<'_>, value: Value<'_>, whole: bool, writer: Writer) {
    body.set(by, value, writer);
    if !whole {
        body.count_value_error();
    }
}

/// A record written to by key: where the key is interned it is found by its number, else by its name.
#[inline]
fn with_key<R>(namespace: &'static str, key: &'static str, write: impl FnOnce(By<'_>) -> R) -> R {
    let id = keys::find(namespace, key, Suffix::None);
    if id != NOT_INTERNED {
        return write(By::Id(id));
    }
    let name = Name::new(namespace, key, Suffix::None);
    let name = name.as_str();
    write(By::Name(name, order(name)))
}

impl Context {
    /// Sets `app_<key>` in the current record. A key set again keeps its first position.
    ///
    /// Keys are lower-case words joined by `_`; anything else is changed to that, and counted.
    ///
    /// ```
    /// canonlog::Context::set("cart_total", 19.99);
    /// ```
    #[inline(always)]
    pub fn set(key: &'static str, value: impl ToValue) {
        set_here("app", key, value.to_value());
    }

    /// As [`set`](Context::set), for a key made at run time; such a key is never kept beyond its record.
    ///
    /// ```
    /// for (name, value) in [("colour", "red"), ("size", "M")] {
    ///     canonlog::Context::set_dynamic(name, value);
    /// }
    /// ```
    pub fn set_dynamic(key: &str, value: impl ToValue) {
        let name = Name::new("app", key, Suffix::None);
        with_text(value.to_value(), |value, whole| {
            current::write_here(|body, writer| set_named(body, &name, value, whole, writer));
        });
    }

    /// Sets every field that a struct has ([`Fields`]), each as [`set`](Context::set) does.
    ///
    /// ```
    /// #[derive(canonlog::Fields)]
    /// struct Cart {
    ///     cart_id: u64,
    ///     cart_total: f64,
    /// }
    ///
    /// canonlog::Context::record(&Cart { cart_id: 7, cart_total: 19.99 });
    /// ```
    pub fn record(fields: &(impl Fields + ?Sized)) {
        fields.record(&mut |key, value| set_here("app", key, value));
    }

    /// Adds a number or a duration to `app_<key>`, which begins at nothing.
    ///
    /// ```
    /// canonlog::Context::add("items", 3);
    /// ```
    #[inline]
    pub fn add(key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        with_key("app", key, |by| {
            let handle = Context::current().handle;
            current::write_here(|body, writer| handle.add(by, value, body, writer));
        });
    }

    /// Reads `app_<key>` of the current record.
    ///
    /// ```
    /// use canonlog::{Context, Kind, OwnedValue, begin};
    ///
    /// let scope = begin(Kind::Job);
    /// scope.context().enter(|| {
    ///     Context::set("step", 3_u8);
    ///     assert_eq!(Context::get("step"), Some(OwnedValue::U64(3)));
    /// });
    /// ```
    pub fn get(key: &str) -> Option<OwnedValue> {
        Context::current().get_in("app", key)
    }

    /// Times a section, until the guard is dropped, into `app_<key>_time`.
    ///
    /// Sections of one key add up. One within another of the same key, or beside it, counts once. A section that ends by
    /// an error, a panic or a cancellation counts too.
    ///
    /// ```
    /// let _section = canonlog::Context::time("render");
    /// ```
    #[inline]
    pub fn time(key: &'static str) -> TimeGuard {
        if current::is_outside() {
            outside();
            return TimeGuard { section: None };
        }
        match Section::start_here("app", key) {
            Some(section) => TimeGuard { section: Some(section) },
            None => time_slowly(key),
        }
    }

    /// Sets the time limit of the current record, counted from its beginning; `None` for no limit. The latest wins.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// canonlog::Context::set_timeout(Duration::from_secs(2));
    /// ```
    pub fn set_timeout(limit: impl Into<Option<Duration>>) {
        Context::current().limit(limit.into());
    }

    /// The record that the current thread is inside; [`Context::none`] outside.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// assert_eq!(Context::current(), Context::none());
    /// let scope = begin(Kind::Request);
    /// scope.enter(|| assert_eq!(Context::current(), scope.context()));
    /// ```
    #[inline]
    pub fn current() -> Context {
        Context { handle: current::handle().unwrap_or(Handle::NONE) }
    }

    /// The handle of no record.
    pub const fn none() -> Context {
        Context { handle: Handle::NONE }
    }

    /// Whether the record is still running.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// let cx = scope.context();
    /// assert!(cx.is_active());
    /// scope.finish();
    /// assert!(!cx.is_active() && !Context::none().is_active());
    /// ```
    pub fn is_active(&self) -> bool {
        self.handle.is_live()
    }

    pub(crate) fn from_handle(handle: Handle) -> Context {
        Context { handle }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    /// Sets the time limit of this record, counted from its beginning; `None` for no limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let scope = canonlog::begin(canonlog::Kind::Job);
    /// scope.context().limit(Some(Duration::from_secs(60)));
    /// ```
    pub fn limit(&self, limit: Option<Duration>) {
        let Some(slot) = self.handle.slot() else { return };
        let started = slot.head.started.load(std::sync::atomic::Ordering::Relaxed);
        let deadline = limit.map_or(0, |limit| started.saturating_add(clock::ticks(limit)).max(1));
        record::set_deadline(self.handle, deadline);
        if limit.is_some() {
            crate::monitor::timeout::ensure_started(limit);
        }
    }

    /// Sets `<namespace>_<key>`, in any namespace: for integrations, which own some (`req`, `resp`, `db`).
    ///
    /// ```
    /// canonlog::Context::current().set_in("resp", "status", 200);
    /// ```
    #[inline(always)]
    pub fn set_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        if !record::set::within(self.handle, namespace, key, &value) {
            self.set_slowly(namespace, key, value);
        }
    }

    #[inline(never)]
    fn set_slowly(&self, namespace: &'static str, key: &'static str, value: Value<'_>) {
        with_text(value, |value, whole| {
            if self.handle.is_slotless() {
                let id = keys::find(namespace, key, Suffix::None);
                self.handle.write_slotless(|unit| unit.set(id, value));
                return;
            }
            with_key(namespace, key, |by| {
                current::write(self.handle, |body, writer| set(body, by, value, whole, writer));
            });
        });
    }

    /// Adds a number or a duration to `<namespace>_<key>`.
    ///
    /// ```
    /// canonlog::Context::current().add_in("http", "calls", 1);
    /// ```
    pub fn add_in(&self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        if self.handle.is_slotless() {
            let id = keys::find(namespace, key, Suffix::None);
            self.handle.write_slotless(|unit| unit.add(id, value));
            return;
        }
        with_key(namespace, key, |by| {
            current::write(self.handle, |body, writer| self.handle.add(by, value, body, writer));
        });
    }

    /// Reads `<namespace>_<key>`.
    ///
    /// ```
    /// assert_eq!(canonlog::Context::none().get_in("req", "method"), None);
    /// ```
    pub fn get_in(&self, namespace: &str, key: &str) -> Option<OwnedValue> {
        let name = Name::new(namespace, key, Suffix::None);
        let known = keys::known(name.as_str());
        if let (true, Some(id)) = (self.handle.is_slotless(), known) {
            return self.handle.with_slotless(|unit| unit.get(id).map(OwnedValue::from))?;
        }
        let by = known.map_or(By::Name(name.as_str(), 0), By::Id);
        self.handle.read(|body, side| {
            let _busy = current::busy();
            read(body, side, by)
        })?
    }

    /// Times a section into `<namespace>_<key>_time`, until the guard is dropped.
    ///
    /// ```
    /// let _section = canonlog::Context::current().time_in("shop", "search"); // shop_search_time
    /// ```
    pub fn time_in(&self, namespace: &'static str, key: &'static str) -> TimeGuard {
        time(self.handle, namespace, key)
    }

    /// A namespace of your own in this record.
    ///
    /// ```
    /// use canonlog::Context;
    ///
    /// Context::current().namespace("shop").set("tenant", 17); // shop_tenant="17"
    /// ```
    pub fn namespace(&self, namespace: &'static str) -> Namespace {
        Namespace { context: *self, namespace, refused: is_reserved(namespace) }
    }

    /// Runs `f` inside this record, on this thread.
    ///
    /// ```
    /// use canonlog::Context;
    ///
    /// let cx = Context::current();
    /// std::thread::spawn(move || cx.enter(|| Context::set("worker", 1)));
    /// ```
    #[inline]
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _inside = current::enter(self.handle);
        f()
    }

    /// A future that is polled inside this record, and dropped inside it.
    ///
    /// ```no_run
    /// use canonlog::Context;
    ///
    /// # fn spawn(_: impl Future) {}
    /// spawn(Context::current().scope(async { Context::set("in_task", true) }));
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped { context: *self, future: Some(future) }
    }

    /// The id that the record's events share (`req_id`).
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert_eq!(scope.context().request_id().map(|id| id.len()), Some(36));
    /// assert_eq!(Context::none().request_id(), None);
    /// ```
    pub fn request_id(&self) -> Option<String> {
        let mut room = [0; id::LONGEST];
        self.copy_request_id(&mut room).map(str::to_owned)
    }

    /// The id, copied to where the caller has room.
    pub(crate) fn copy_request_id<'a>(&self, room: &'a mut [u8; id::LONGEST]) -> Option<&'a str> {
        let Some(slot) = self.handle.slot() else {
            let len = self.handle.with_slotless(|unit| unit.copy_id(room))?;
            return str::from_utf8(&room[..len]).ok();
        };
        let len = self.handle.read(|body, side| match newest(body, side, By::Id(builtin::REQ_ID)) {
            Some(entry) => entry.copy_text(room),
            None => {
                let words = [&slot.head.id[0], &slot.head.id[1]];
                let id = id::text(words.map(|word| word.load(std::sync::atomic::Ordering::Relaxed)));
                room[..id.len()].copy_from_slice(&id);
                id.len()
            }
        })?;
        str::from_utf8(&room[..len]).ok()
    }

    /// The time since the record began; `None` once it has ended.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert!(scope.context().elapsed().is_some());
    /// assert_eq!(Context::none().elapsed(), None);
    /// ```
    pub fn elapsed(&self) -> Option<Duration> {
        let started = match self.handle.slot().filter(|_| self.handle.is_live()) {
            Some(slot) => slot.head.started.load(std::sync::atomic::Ordering::Relaxed),
            None => self.handle.with_slotless(|unit| unit.how.now)?,
        };
        Some(Duration::from_nanos(clock::between(started, clock::now())))
    }

    /// Takes an id from outside: 1 to 128 visible ASCII characters; else it returns false and nothing changes.
    ///
    /// ```
    /// use canonlog::{Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// assert!(scope.context().set_request_id("from-the-proxy"));
    /// assert!(!scope.context().set_request_id("two\nlines"));
    /// assert_eq!(scope.context().request_id().as_deref(), Some("from-the-proxy"));
    /// ```
    pub fn set_request_id(&self, id: &str) -> bool {
        if !id::is_valid(id) {
            return false;
        }
        if self.handle.is_slotless() {
            return self.handle.write_slotless(|unit| unit.set_id(id)).is_some();
        }
        current::write(self.handle, |body, writer| body.set(By::Id(builtin::REQ_ID), Value::Str(id), writer)).is_some()
    }

    /// Whether one of the framework's own fields has no value yet. Without an allocation.
    pub(crate) fn lacks(&self, id: keys::KeyId) -> bool {
        let lacks = |body: &Body| body.get(By::Id(id)).is_none_or(|entry| entry.kind() == Holds::Null);
        match current::claimed(self.handle) {
            Some(body) => lacks(body),
            None => {
                let read = self.handle.read(|body, side| lacks(body) && side.is_none_or(lacks));
                read.or_else(|| self.handle.with_slotless(|unit| unit.lacks(id))).unwrap_or(true)
            }
        }
    }

    /// One execution of a query, by the hash of its text; whether it is the second one of the text.
    #[inline]
    pub(crate) fn note_query(&self, hash: u64, nanos: u64) -> bool {
        let noted = current::claimed(self.handle).and_then(|body| body.notes_query(hash, nanos));
        noted.map_or_else(|| self.note_query_slowly(hash, nanos), |noted| noted == Noted::Again)
    }

    #[inline(never)]
    fn note_query_slowly(&self, hash: u64, nanos: u64) -> bool {
        let noted = current::write(self.handle, |body, writer| body.note_query(hash, nanos, writer));
        noted == Some(Noted::Again)
    }

    /// Keeps the text of a query that ran again, and where it did.
    pub(crate) fn keep_statement(&self, hash: u64, place: u64, sql: &str) {
        current::write(self.handle, |body, writer| body.keep_statement(hash, place, sql, writer));
    }
}

#[inline(always)]
pub(crate) fn set_here(namespace: &'static str, key: &'static str, value: Value<'_>) {
    if current::is_outside() {
        return outside();
    }
    if !record::set::here(namespace, key, &value) {
        set_slowly(namespace, key, value);
    }
}

#[inline(never)]
fn set_slowly(namespace: &'static str, key: &'static str, value: Value<'_>) {
    with_text(value, |value, whole| {
        with_key(namespace, key, |by| {
            current::write_here(|body, writer| set(body, by, value, whole, writer));
        });
    });
}

fn set_named(body: &Body, name: &Name, value: Value<'_>, whole: bool, writer: Writer) {
    let text = name.as_str();
    // The name may be known to the program after all: then it is the same field.
    set(body, keys::known(text).map_or(By::Name(text, order(text)), By::Id), value, whole, writer);
    if name.is_renamed() {
        body.count_renamed();
    }
}

/// A field of the log that was written last.
fn newest(body: &'static Body, side: Option<&'static Body>, by: By<'_>) -> Option<Entry<'static>> {
    match (body.get(by), side.and_then(|side| side.get(by))) {
        (Some(main), Some(beside)) if beside.main_offset() <= main.offset() => Some(main),
        (main, beside) => beside.or(main),
    }
}

fn read(body: &'static Body, side: Option<&'static Body>, by: By<'_>) -> Option<OwnedValue> {
    let unreported = match side {
        Some(side) => (body.get_unreported_beside(side, by), side.get_unreported_beside(body, by)),
        None => (body.get_unreported(by), None),
    };
    let (main, beside) = match unreported {
        // What a timeout has reported, where nothing came after.
        (None, None) => (body.get(by), side.and_then(|side| side.get(by))),
        some => some,
    };
    if let Some(beside) = beside.filter(|beside| beside.kind() == Holds::Timer)
        && main.is_none_or(|main| main.kind() == Holds::Timer)
    {
        let ticks = main.map_or(0, |main| main.word(0)) + beside.word(0) + beside.ended_of(main.as_ref());
        return Some(OwnedValue::Duration(Duration::from_nanos(clock::nanos(ticks))));
    }
    let Some((main, beside)) = main.zip(beside) else { return owned(&main.or(beside)?) };
    let newer = main.offset() < beside.main_offset();
    if beside.is_added() && (newer || main.is_added()) {
        if main.kind() == Holds::Null {
            return owned(&beside);
        }
        let sum = main.plain().zip(beside.plain()).and_then(|(main, beside)| total(main, beside));
        return sum.map_or_else(|| owned(&main), |sum| Some(sum.into()));
    }
    owned(if newer { &beside } else { &main })
}

fn owned(entry: &Entry<'_>) -> Option<OwnedValue> {
    Some(match entry.kind() {
        Holds::Text => {
            let mut text = Vec::new();
            entry.text(&mut text);
            OwnedValue::Text(String::from_utf8_lossy(&text).into_owned())
        }
        Holds::Timer => OwnedValue::Duration(Duration::from_nanos(clock::nanos(entry.word(0)))),
        Holds::Query | Holds::Statement => return None,
        _ => entry.plain().map_or(OwnedValue::Null, OwnedValue::from),
    })
}

/// Counts a write outside any record.
#[inline(never)]
fn outside() {
    counters::add(Count::OutsideWrites, 1);
}

/// As [`Context::time`], where the thread is outside, or not alone in the record.
#[inline(never)]
fn time_slowly(key: &'static str) -> TimeGuard {
    time(Context::current().handle, "app", key)
}

#[inline]
fn time(handle: Handle, namespace: &'static str, key: &'static str) -> TimeGuard {
    TimeGuard { section: Section::start(handle, keys::find(namespace, key, Suffix::Time)) }
}

/// A namespace of a record; made by [`Context::namespace`].
///
/// The framework's own namespaces are refused: a field meant for `req` is written as `app_<key>`, and counted.
///
/// ```
/// use canonlog::{Context, Kind, OwnedValue, begin};
///
/// begin(Kind::Request).enter(|| {
///     let shop = Context::current().namespace("shop");
///     shop.set("tenant", 17_u8); // shop_tenant="17"
///     shop.add("calls", 1); // shop_calls="1"
///     assert_eq!(shop.get("tenant"), Some(OwnedValue::U64(17)));
///
///     Context::current().namespace("req").set("tenant", 18); // app_tenant="18"
///     assert!(Context::get("tenant").is_some());
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Namespace {
    context: Context,
    namespace: &'static str,
    refused: bool,
}

impl Namespace {
    fn name(&self) -> &'static str {
        if self.refused {
            current::write(self.context.handle, |body, _| body.count_renamed());
            return "app";
        }
        self.namespace
    }

    /// Sets `<namespace>_<key>`.
    ///
    /// ```
    /// canonlog::Context::current().namespace("shop").set("tenant", 17);
    /// ```
    pub fn set(&self, key: &'static str, value: impl ToValue) {
        self.context.set_in(self.name(), key, value);
    }

    /// Sets `<namespace>_<key>` for a key made at run time.
    pub fn set_dynamic(&self, key: &str, value: impl ToValue) {
        let namespace = self.name();
        let name = Name::new(namespace, key, Suffix::None);
        with_text(value.to_value(), |value, whole| {
            current::write(self.context.handle, |body, writer| set_named(body, &name, value, whole, writer));
        });
    }

    /// Adds to `<namespace>_<key>`.
    pub fn add(&self, key: &'static str, value: impl ToValue) {
        self.context.add_in(self.name(), key, value);
    }

    /// Reads `<namespace>_<key>`.
    pub fn get(&self, key: &str) -> Option<OwnedValue> {
        self.context.get_in(if self.refused { "app" } else { self.namespace }, key)
    }

    /// Times a section into `<namespace>_<key>_time`.
    pub fn time(&self, key: &'static str) -> TimeGuard {
        self.context.time_in(self.name(), key)
    }
}

/// A section being timed; made by [`Context::time`]. It ends when the guard is dropped.
///
/// ```
/// let section = canonlog::Context::time("parse");
/// // ... the work ...
/// drop(section);
/// ```
#[must_use = "the section ends when the guard is dropped"]
#[derive(Debug)]
pub struct TimeGuard {
    section: Option<Section>,
}

impl Drop for TimeGuard {
    #[inline]
    fn drop(&mut self) {
        if let Some(section) = self.section {
            section.stop();
        }
    }
}

pin_project! {
    /// A future inside a record; made by [`Context::scope`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Scoped<F> {
        context: Context,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = current::enter(this.context.handle);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    /// # Panics
    ///
    /// When polled again after it was ready.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = current::enter_poll(this.context.handle);
        let future: Option<Pin<&mut F>> = this.future.as_pin_mut();
        future.expect("the future is there until it is dropped").poll(cx)
    }
}
