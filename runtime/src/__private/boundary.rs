//! The boundary of a record, and operations inside it.
//!
//! ```text
//! begin ──▶ a record of its own: no other is current, or it is a job
//!       ──▶ the view of the current record: it has none yet
//!       ──▶ an operation of the current record
//! ```

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::probe::Failure;
use super::site::Fun;
use crate::context::Context;
use crate::pipeline::{Kind, Resting, Scope, begin as begin_record};
use crate::record::current::{self, Frame};
use crate::record::frames::Place;
use crate::record::keys::{self, Suffix, builtin};
use crate::record::{Handle, set_site};
use crate::trace::errors::Trace;

/// What an annotated function is.
#[derive(Debug)]
pub struct Unit {
    fun: &'static Fun,
    kind: UnitKind,
    view: Option<&'static str>,
    time: &'static str,
    count: &'static str,
    seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnitKind {
    Request,
    Job,
    Operation,
}

impl Unit {
    /// `#[instrument_request]`.
    pub const fn request(
        fun: &'static Fun,
        view: Option<&'static str>,
        time: &'static str,
        count: &'static str,
    ) -> Self {
        Unit { fun, kind: UnitKind::Request, view, time, count, seen: true }
    }

    /// `#[instrument_request(kind = "job")]`.
    pub const fn job(fun: &'static Fun, view: Option<&'static str>, time: &'static str, count: &'static str) -> Self {
        Unit { fun, kind: UnitKind::Job, view, time, count, seen: true }
    }

    /// `#[operation]`.
    pub const fn operation(fun: &'static Fun, time: &'static str, count: &'static str) -> Self {
        Unit { fun, kind: UnitKind::Operation, view: None, time, count, seen: true }
    }

    /// With `frames = false`: where it is shall not be known.
    #[must_use]
    pub const fn unseen(self) -> Self {
        Unit { seen: false, ..self }
    }

    fn set_name(&self, cx: Context, namespace: &'static str, key: &'static str) {
        let path = self.fun.path();
        match self.view.or_else(|| path.as_str()) {
            Some(name) => cx.set_in(namespace, key, name),
            None => cx.set_in(namespace, key, format_args!("{path}")),
        }
    }

    fn begin(&'static self) -> Running {
        Running { frame: Frame::NONE, what: self.begin_as() }
    }

    fn begin_as(&'static self) -> What {
        match self.kind {
            UnitKind::Operation => What::Operation,
            UnitKind::Job => {
                let parent = Context::current();
                let scope = begin_record(Kind::Job);
                let cx = scope.context();
                set_site(cx.handle(), self.fun.number());
                self.set_name(cx, "job", "name");
                if let Some(id) = parent.request_id() {
                    cx.set_in("job", "parent", id);
                }
                What::Own(scope)
            }
            UnitKind::Request => {
                let current = Context::current();
                if !current.is_active() {
                    let scope = begin_record(Kind::Request);
                    set_site(scope.context().handle(), self.fun.number());
                    self.set_name(scope.context(), "resp", "view");
                    What::Own(scope)
                } else if has_no_view(current) {
                    set_site(current.handle(), self.fun.number());
                    self.set_name(current, "resp", "view");
                    What::View
                } else {
                    What::Operation
                }
            }
        }
    }

    /// Inside the record: the function begins to run.
    fn frame(&'static self) -> Frame {
        if self.seen { Frame::enter(|| self.fun.number(), self.fun.line()) } else { Frame::NONE }
    }

    /// The same for an operation, which is counted and timed.
    fn timed_frame(&'static self) -> Frame {
        Context::add(self.count, 1_u64);
        let frame = if self.seen { self.frame() } else { Frame::hidden() };
        frame.measure(self.key())
    }

    fn key(&self) -> keys::KeyId {
        keys::find("app", self.time, Suffix::Time)
    }

    /// Records how the function ended.
    fn end(&'static self, running: Running, failure: Option<Failure<'_>>) {
        let cx = match &running.what {
            What::Own(scope) => scope.context(),
            What::View => Context::current(),
            What::Operation => return,
        };
        let failed = failure.is_some();
        if let Some(failure) = failure {
            let trace = Trace::leaving(cx.handle(), self.fun, self.fun.line(), failure.type_name);
            failure.tell(&trace, |namespace, key, value| cx.set_in(namespace, key, value));
        }
        if let What::Own(scope) = running.what {
            if self.kind == UnitKind::Job {
                cx.set_in("job", "outcome", if failed { "error" } else { "ok" });
            }
            if failed {
                scope.failed();
            }
            scope.finish();
        }
    }

    /// Records that the function was left by a panic.
    fn panicked(&'static self, mut running: Running) {
        running.leave(self);
        if let What::Own(scope) = &running.what {
            scope.panicked();
            if self.kind == UnitKind::Job {
                scope.context().set_in("job", "outcome", "panic");
            }
        }
    }

    /// Records that the function was dropped before its end.
    fn cancelled(&'static self, mut running: Running) {
        running.leave(self);
        if let What::Own(scope) = &running.what {
            if self.kind == UnitKind::Job {
                scope.context().set_in("job", "outcome", "cancelled");
            }
            scope.cancelled();
        }
    }
}

/// Whether nobody said yet what the record is of. A layer writes the view as null to keep its place.
fn has_no_view(cx: Context) -> bool {
    cx.lacks(builtin::RESP_VIEW) && cx.lacks(builtin::JOB_NAME)
}

/// What an annotated function is while it runs.
#[derive(Debug)]
struct Running {
    // The first field: it is left before the record ends.
    frame: Frame,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A record of its own.
    Own(Scope),
    /// The view of a record that somebody else began.
    View,
    /// A timed section.
    Operation,
}

impl Running {
    fn parts(&mut self) -> (Option<&Scope>, Inside<'_>) {
        let Running { frame, what } = self;
        let inside = Inside { frame, is_operation: matches!(what, What::Operation) };
        let scope = if let What::Own(scope) = what { Some(&*scope) } else { None };
        (scope, inside)
    }

    fn leave(&mut self, unit: &'static Unit) {
        self.parts().1.leave(unit);
    }
}

/// What an annotated function is to its record, seen from inside.
struct Inside<'f> {
    frame: &'f mut Frame,
    is_operation: bool,
}

impl Inside<'_> {
    /// It runs for the first time.
    fn enter(&mut self, unit: &'static Unit) {
        *self.frame = if self.is_operation { unit.timed_frame() } else { unit.frame() };
    }

    /// It runs no more.
    fn leave(&mut self, unit: &'static Unit) {
        let frame = std::mem::replace(self.frame, Frame::NONE);
        if self.is_operation {
            frame.measured(unit.key());
        }
    }
}

/// What a boundary keeps between two polls, in 8 bytes, as every annotated future holds it: the frame, what it is, and its marks.
struct Stored(u64);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({:#x})", self.0)
    }
}

const KIND: u64 = 0b111 << KIND_SHIFT;
const KIND_SHIFT: u32 = 56;
const MARKS_SHIFT: u32 = 59;
/// Not polled yet.
const NEW: u64 = 0;
const OWN: u64 = 1 << KIND_SHIFT;
/// A record of its own that has no slot; the number is its.
const SLOTLESS: u64 = 2 << KIND_SHIFT;
const VIEW: u64 = 3 << KIND_SHIFT;
const OPERATION: u64 = 4 << KIND_SHIFT;
/// Ended, or being polled.
const DONE: u64 = 5 << KIND_SHIFT;

impl Stored {
    fn is_new(&self) -> bool {
        self.0 == NEW
    }

    fn take(&mut self) -> Option<Running> {
        let stored = std::mem::replace(&mut self.0, DONE);
        let (place, marks) = (Place(stored & Place::NONE.0), (stored >> MARKS_SHIFT) as u8);
        let own = |handle| What::Own(Scope::wake(Resting { handle, marks }));
        let running = |what| Some(Running { frame: Frame::kept(place), what });
        match stored & KIND {
            OWN => running(own(current::handle_of(place).unwrap_or(Handle::NONE))),
            SLOTLESS => Some(Running { frame: Frame::NONE, what: own(Handle::slotless(stored & (OWN - 1))) }),
            VIEW => running(What::View),
            OPERATION => running(What::Operation),
            _ => None,
        }
    }

    fn put(&mut self, running: Option<Running>) {
        let Some(Running { frame, what }) = running else {
            self.0 = DONE;
            return;
        };
        let place = frame.keep();
        self.0 = match what {
            What::Own(scope) => {
                let Resting { handle, marks } = scope.rest();
                let marks = u64::from(marks) << MARKS_SHIFT;
                if handle.is_slotless() {
                    SLOTLESS | marks | handle.generation()
                } else {
                    OWN | marks | handle.place().with(place.at()).0
                }
            }
            What::View => VIEW | place.0,
            What::Operation => OPERATION | place.0,
        };
    }
}

/// Times an operation until it is dropped: 6 bytes, as `U` has no size.
#[must_use = "the operation ends when the guard is dropped"]
pub struct OperationGuard<U: Fn() -> &'static Unit> {
    unit: U,
    frame: Frame,
}

impl<U: Fn() -> &'static Unit> fmt::Debug for OperationGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationGuard").field("frame", &self.frame).finish_non_exhaustive()
    }
}

impl<U: Fn() -> &'static Unit> Drop for OperationGuard<U> {
    fn drop(&mut self) {
        self.frame.measured((self.unit)().key());
    }
}

/// Begins an operation.
pub fn operation<U: Fn() -> &'static Unit>(unit: U) -> OperationGuard<U> {
    let frame = unit().timed_frame();
    OperationGuard { unit, frame }
}

/// Ends what runs while its thread unwinds through the boundary: later, the panic may have been caught.
struct Bomb<'a> {
    unit: &'static Unit,
    running: &'a mut Option<Running>,
}

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(running) = self.running.take()
        {
            self.unit.panicked(running);
        }
    }
}

impl Bomb<'_> {
    fn run<R>(&mut self, is_poll: bool, f: impl FnOnce(&mut Inside<'_>) -> R) -> R {
        let mut none = Frame::NONE;
        let (scope, mut inside) = match self.running {
            Some(running) => running.parts(),
            None => (None, Inside { frame: &mut none, is_operation: false }),
        };
        match scope {
            Some(scope) if is_poll => scope.poll(|| f(&mut inside)),
            Some(scope) => scope.enter(|| f(&mut inside)),
            None => f(&mut inside),
        }
    }
}

/// Runs the body of a function inside its record.
pub fn call<R>(
    unit: &'static Unit,
    body: impl FnOnce() -> R,
    probe: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> R {
    let mut running = Some(unit.begin());
    let value = Bomb { unit, running: &mut running }.run(false, |inside| {
        inside.enter(unit);
        let value = body();
        inside.leave(unit);
        value
    });
    if let Some(running) = running {
        unit.end(running, probe(&value));
    }
    value
}

pin_project! {
    /// A future inside its record.
    pub struct Boundary<F, U, P, I>
    where
        F: Future,
        U: Fn() -> &'static Unit,
    {
        #[pin]
        future: F,
        unit: U,
        probe: P,
        init: I,
        stored: Stored,
        // The last field: it is dropped after the future.
        leave: Leave,
    }

    impl<F, U, P, I> PinnedDrop for Boundary<F, U, P, I>
    where
        F: Future,
        U: Fn() -> &'static Unit,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let leaving = this.stored.take().map(|running| Leaving::new((this.unit)(), running));
            // Where the thread is being torn down, the unit ends here and its future is dropped outside.
            let _torn_down = LEAVING.try_with(|all| all.borrow_mut().push(leaving));
        }
    }
}

thread_local! {
    /// What the boundaries that are being dropped on this thread are, innermost last.
    static LEAVING: RefCell<Vec<Option<Leaving>>> = const { RefCell::new(Vec::new()) };
}

/// A unit whose future is being dropped: what the future records meanwhile still lands.
///
/// The boundary cannot drop its future by hand: a future that can be taken out takes 8 bytes more.
struct Leaving {
    unit: &'static Unit,
    running: Running,
    inside: Option<current::Entered>,
}

impl Leaving {
    fn new(unit: &'static Unit, running: Running) -> Self {
        let inside = match &running.what {
            What::Own(scope) => {
                scope.note_place();
                Some(current::enter(scope.context().handle()))
            }
            What::View | What::Operation => None,
        };
        Leaving { unit, running, inside }
    }
}

/// Ends what the boundary's own drop began.
#[derive(Debug)]
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        let leaving = LEAVING.try_with(|all| all.borrow_mut().pop());
        if let Ok(Some(Some(Leaving { unit, running, inside }))) = leaving {
            drop(inside);
            unit.cancelled(running);
        }
    }
}

impl<F: Future, U: Fn() -> &'static Unit, P, I> fmt::Debug for Boundary<F, U, P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boundary").field("stored", &self.stored).finish_non_exhaustive()
    }
}

impl<F, U, P, I> Future for Boundary<F, U, P, I>
where
    F: Future,
    U: Fn() -> &'static Unit,
    P: for<'v> Fn(&'v F::Output) -> Option<Failure<'v>>,
    I: Init,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let unit = (this.unit)();
        let is_first = this.stored.is_new();
        // A panic leaves nothing behind: what ran has ended by then.
        let first = is_first.then(|| unit.begin());
        let mut running = this.stored.take().or(first);
        let poll = Bomb { unit, running: &mut running }.run(true, |inside| {
            if is_first {
                inside.enter(unit);
                this.init.run();
            } else if unit.seen {
                inside.frame.resume();
            }
            let poll = this.future.poll(task);
            if poll.is_ready() {
                inside.leave(unit);
            } else if unit.seen {
                inside.frame.rest();
            }
            poll
        });
        match poll {
            Poll::Ready(value) => {
                if let Some(running) = running {
                    unit.end(running, (this.probe)(&value));
                }
                Poll::Ready(value)
            }
            Poll::Pending => {
                this.stored.put(running);
                Poll::Pending
            }
        }
    }
}

/// What is still to be done at the first poll.
pub trait Init {
    #[doc(hidden)]
    fn run(&mut self);
}

impl Init for () {
    fn run(&mut self) {}
}

/// Something to do once.
#[derive(Debug)]
pub struct Once<I>(Option<I>);

impl<I: FnOnce()> Init for Once<I> {
    fn run(&mut self) {
        if let Some(init) = self.0.take() {
            init();
        }
    }
}

/// Wraps the body of an `async fn`.
pub fn boundary<F, U, P>(unit: U, future: F, probe: P) -> Boundary<F, U, P, ()>
where
    F: Future,
    U: Fn() -> &'static Unit,
    P: for<'v> Fn(&'v F::Output) -> Option<Failure<'v>>,
{
    Boundary { future, unit, probe, init: (), stored: Stored(NEW), leave: Leave }
}

/// What a function that returns a future wraps it in.
#[derive(Clone, Copy)]
pub struct Start<R, U, P, I> {
    unit: U,
    init: I,
    probe: P,
    result: std::marker::PhantomData<fn() -> R>,
}

impl<R, U, P, I> fmt::Debug for Start<R, U, P, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}

/// Prepares the wrapping of a returned future; `init` runs at its first poll.
pub fn start<R, U, P, I>(unit: U, init: I, probe: P) -> Start<R, U, P, I>
where
    U: Fn() -> &'static Unit,
    P: for<'v> Fn(&'v R) -> Option<Failure<'v>>,
    I: FnOnce(),
{
    Start { unit, init, probe, result: std::marker::PhantomData }
}

impl<R, U: Fn() -> &'static Unit, P, I> Start<R, U, P, I> {
    /// Wraps the future.
    pub fn wrap<F: Future<Output = R>>(self, future: F) -> Boundary<F, U, P, Once<I>> {
        let Start { unit, init, probe, .. } = self;
        Boundary { future, unit, probe, init: Once(Some(init)), stored: Stored(NEW), leave: Leave }
    }
}

/// Boxes a future again.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// A value of any type, in code that is never run.
#[cold]
pub fn never<T>() -> T {
    unreachable!("this stands in dead code, for its type alone")
}
