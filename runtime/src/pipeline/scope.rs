//! A unit's life as its owner sees it.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{Pipeline, end, panic, parts};
use crate::clock;
use crate::context::Context;
use crate::counters::{self, Count};
use crate::id;
use crate::monitor::timeout;
use crate::record::keys::builtin;
use crate::record::{self, Begin, Handle, Kind, current, slotless};
use crate::trace::places;
pub(crate) use crate::unit::Outcome;
use crate::value::{Value, display};

/// Begins a record: always a new one. Its event is written when the [`Scope`] ends.
///
/// ```
/// use canonlog::{Context, Kind, begin};
///
/// let scope = begin(Kind::Job);
/// scope.enter(|| Context::set("rows", 12));
/// scope.finish();
/// ```
pub fn begin(kind: Kind) -> Scope {
    Pipeline::current().begin(kind)
}

impl Pipeline {
    /// Begins a record that goes through this pipeline.
    #[inline]
    pub fn begin(self, kind: Kind) -> Scope {
        panic::install();
        let tuned = parts(self.number()).tuned();
        let now = clock::now();
        let deadline = match tuned.timeout {
            0 => 0,
            limit => {
                timeout::ensure_running();
                now.saturating_add(limit)
            }
        };
        let id = id::fresh();
        // Made twice, so that in the usual case it is never put together.
        let how = || Begin {
            kind,
            pipeline: self.number(),
            cpu_time: tuned.settings.cpu_time,
            limits: tuned.limits,
            id,
            now,
            deadline,
            poll_limit: tuned.poll_limit,
        };
        match record::begin(&how()) {
            Some(handle) => Scope { handle, marks: AtomicU8::new(0) },
            None => Scope::without_slot(&how()),
        }
    }
}

const FAILED: u8 = 1;
const PANICKED: u8 = 2;
const CANCELLED: u8 = 4;

/// Owns a record: ends it, exactly once, when dropped.
///
/// A scope that is dropped while its thread panics ends as a panic; another thread then writes the event, as nothing of the
/// user's runs on a thread that unwinds.
///
/// ```
/// use canonlog::{Context, EventType, Kind, Level, begin, testing};
///
/// let capture = testing::capture();
/// let scope = begin(Kind::Job);
/// scope.enter(|| Context::set("rows", 12));
/// scope.failed();
/// scope.finish();
///
/// let event = capture.one();
/// assert_eq!((event.view().kind(), event.view().level()), (EventType::Job, Level::Error));
/// ```
#[must_use = "the record ends when the scope is dropped"]
#[derive(Debug)]
pub struct Scope {
    handle: Handle,
    marks: AtomicU8,
}

/// A scope between two polls, without a `Drop` of its own.
#[derive(Debug)]
pub(crate) struct Resting {
    pub(crate) handle: Handle,
    pub(crate) marks: u8,
}

impl Scope {
    #[cold]
    fn without_slot(how: &Begin) -> Scope {
        counters::add(Count::WithoutSlot, 1);
        Scope { handle: slotless::begin(how), marks: AtomicU8::new(0) }
    }

    /// The record's handle.
    ///
    /// ```
    /// let scope = canonlog::begin(canonlog::Kind::Request);
    /// let cx = scope.context();
    /// std::thread::spawn(move || cx.enter(|| canonlog::Context::set("worker", 1)));
    /// ```
    #[inline]
    pub fn context(&self) -> Context {
        Context::from_handle(self.handle)
    }

    /// The scope in fewer bytes, for a future to carry between its polls; whoever takes it must make a scope of it again.
    pub(crate) fn rest(mut self) -> Resting {
        let resting = Resting { handle: self.handle, marks: *self.marks.get_mut() };
        std::mem::forget(self);
        resting
    }

    /// The scope that was put to rest.
    pub(crate) fn wake(resting: Resting) -> Scope {
        let Resting { handle, marks } = resting;
        Scope { handle, marks: AtomicU8::new(marks) }
    }

    fn mark(&self, mark: u8) {
        self.marks.fetch_or(mark, Ordering::Relaxed);
    }

    /// Runs `f` inside the record, for the one who owns it: a panic that leaves `f` is the unit's own, and goes on.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// let answer = scope.enter(|| {
    ///     Context::set("step", 1);
    ///     42
    /// });
    /// assert_eq!(answer, 42);
    /// ```
    #[inline]
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        self.inside(current::enter(self.handle), f)
    }

    /// As [`enter`](Scope::enter), for a poll of a future: one that takes too long is counted.
    #[inline]
    pub(crate) fn poll<R>(&self, f: impl FnOnce() -> R) -> R {
        self.inside(current::enter_poll(self.handle), f)
    }

    #[inline]
    fn inside<R>(&self, _inside: current::Entered, f: impl FnOnce() -> R) -> R {
        struct Bomb<'a>(&'a Scope);
        impl Drop for Bomb<'_> {
            fn drop(&mut self) {
                self.0.panicked();
            }
        }
        let bomb = Bomb(self);
        let result = f();
        std::mem::forget(bomb);
        result
    }

    /// Marks the unit as cut off by its client: `req_cancelled="true"` and, without a status so far, `resp_status="499"`.
    /// A job has no client: its event gets neither.
    ///
    /// ```
    /// use canonlog::{Kind, Value, begin, testing};
    ///
    /// let capture = testing::capture();
    /// let scope = begin(Kind::Request);
    /// scope.cancelled();
    /// scope.finish();
    /// assert_eq!(capture.one().view().get("resp_status"), Some(Value::U64(499)));
    /// ```
    pub fn cancelled(&self) {
        self.mark(CANCELLED);
        if self.handle.kind() == Some(Kind::Job) {
            return;
        }
        if self.handle.is_slotless() {
            self.handle.write_slotless(|unit| {
                unit.set(builtin::REQ_CANCELLED, Value::Bool(true));
                if unit.lacks(builtin::RESP_STATUS) {
                    unit.set(builtin::RESP_STATUS, Value::U64(499));
                }
            });
            return;
        }
        record::cancelled(self.handle);
    }

    /// Before the unit's future is dropped unfinished: records where it was (`cancel_loc`).
    pub(crate) fn note_place(&self) {
        if let Some(places) = places::of(self.handle, None) {
            self.context().set_in("cancel", "loc", display(&places.causes()));
        }
    }

    /// Marks the unit as failed, where no status says so: its event has the level `error`.
    ///
    /// ```
    /// use canonlog::{Kind, Level, begin, testing};
    ///
    /// let capture = testing::capture();
    /// let job = begin(Kind::Job);
    /// job.failed();
    /// job.finish();
    /// assert_eq!(capture.one().view().level(), Level::Error);
    /// ```
    pub fn failed(&self) {
        self.mark(FAILED);
    }

    /// Marks the unit as ended by a panic. [`Scope::enter`] and a drop while unwinding do this by themselves.
    pub fn panicked(&self) {
        if self.marks.fetch_or(PANICKED, Ordering::Relaxed) & PANICKED == 0 {
            panic::record(self.handle);
        }
    }

    /// Ends the record now.
    ///
    /// ```
    /// use canonlog::{Kind, begin, testing};
    ///
    /// let capture = testing::capture();
    /// let job = begin(Kind::Job);
    /// assert_eq!(capture.events().len(), 0);
    /// job.finish();
    /// assert_eq!(capture.events().len(), 1);
    /// ```
    pub fn finish(self) {}
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        let unwinding = std::thread::panicking();
        if unwinding {
            self.panicked();
        }
        let marks = *self.marks.get_mut();
        let has = |mark| marks & mark != 0;
        let outcome = Outcome { failed: has(FAILED), panicked: has(PANICKED), cancelled: has(CANCELLED) };
        end::end(self.handle, outcome, unwinding);
    }
}
