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
use crate::record::keys::{self, Suffix, builtin};
use crate::record::{Packed, Section, current, set_site};
use crate::trace::errors::Trace;

/// What an annotated function is.
#[derive(Debug)]
pub struct Unit {
    fun: &'static Fun,
    kind: UnitKind,
    view: Option<&'static str>,
    time: &'static str,
    count: &'static str,
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
        Unit { fun, kind: UnitKind::Request, view, time, count }
    }

    /// `#[instrument_request(kind = "job")]`.
    pub const fn job(fun: &'static Fun, view: Option<&'static str>, time: &'static str, count: &'static str) -> Self {
        Unit { fun, kind: UnitKind::Job, view, time, count }
    }

    /// `#[operation]`.
    pub const fn operation(fun: &'static Fun, time: &'static str, count: &'static str) -> Self {
        Unit { fun, kind: UnitKind::Operation, view: None, time, count }
    }

    fn set_name(&self, cx: Context, namespace: &'static str, key: &'static str) {
        let path = self.fun.path();
        match self.view.or_else(|| path.as_str()) {
            Some(name) => cx.set_in(namespace, key, name),
            None => cx.set_in(namespace, key, format_args!("{path}")),
        }
    }

    fn begin(&'static self) -> Running {
        match self.kind {
            UnitKind::Operation => Running::Operation(self.section()),
            UnitKind::Job => {
                let parent = Context::current();
                let scope = begin_record(Kind::Job);
                let cx = scope.context();
                set_site(cx.handle(), self.fun.number());
                self.set_name(cx, "job", "name");
                if let Some(id) = parent.request_id() {
                    cx.set_in("job", "parent", id);
                }
                Running::Own(scope)
            }
            UnitKind::Request => {
                let current = Context::current();
                if !current.is_active() {
                    let scope = begin_record(Kind::Request);
                    set_site(scope.context().handle(), self.fun.number());
                    self.set_name(scope.context(), "resp", "view");
                    Running::Own(scope)
                } else if has_no_view(current) {
                    set_site(current.handle(), self.fun.number());
                    self.set_name(current, "resp", "view");
                    Running::View
                } else {
                    Running::Operation(self.section())
                }
            }
        }
    }

    /// Counts an operation, and begins to time it.
    fn section(&self) -> Packed {
        Context::add(self.count, 1_u64);
        let began = current::handle().and_then(|handle| Section::start(handle, self.key()));
        began.map_or(Packed::NONE, Packed::new)
    }

    fn stop(&self, section: Packed) {
        if let Some(section) = section.section(self.key()) {
            section.stop();
        }
    }

    fn key(&self) -> keys::KeyId {
        keys::find("app", self.time, Suffix::Time)
    }

    /// Records how the function ended.
    fn end(&'static self, running: Running, failure: Option<Failure<'_>>) {
        let cx = match &running {
            Running::Own(scope) => scope.context(),
            Running::View => Context::current(),
            Running::Operation(section) => return self.stop(*section),
        };
        let failed = failure.is_some();
        if let Some(failure) = failure {
            let trace = Trace::leaving(cx.handle(), self.fun, self.fun.line(), failure.type_name);
            failure.tell(&trace, |namespace, key, value| cx.set_in(namespace, key, value));
        }
        if let Running::Own(scope) = running {
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
    fn panicked(&self, running: &Running) {
        match running {
            Running::Own(scope) => {
                scope.panicked();
                if self.kind == UnitKind::Job {
                    scope.context().set_in("job", "outcome", "panic");
                }
            }
            Running::View => {}
            Running::Operation(section) => self.stop(*section),
        }
    }

    /// Records that the function was dropped before its end.
    fn cancelled(&self, running: &Running) {
        match running {
            Running::Own(scope) => {
                if self.kind == UnitKind::Job {
                    scope.context().set_in("job", "outcome", "cancelled");
                }
                scope.cancelled();
            }
            Running::View => {}
            Running::Operation(section) => self.stop(*section),
        }
    }
}

/// Whether nobody said yet what the record is of. A layer writes the view as null to keep its place.
fn has_no_view(cx: Context) -> bool {
    cx.lacks(builtin::RESP_VIEW) && cx.lacks(builtin::JOB_NAME)
}

/// What an annotated function is while it runs.
#[derive(Debug)]
enum Running {
    /// A record of its own.
    Own(Scope),
    /// The view of a record that somebody else began.
    View,
    /// A timed section.
    Operation(Packed),
}

/// What a boundary keeps between two polls: in few bytes, as every annotated future holds it.
#[derive(Debug)]
enum Stored {
    /// Not polled yet.
    New,
    Own {
        marks: u8,
        handle: u64,
    },
    View,
    Operation(Packed),
    /// Ended, or being polled.
    Done,
}

impl Stored {
    fn take(&mut self) -> Option<Running> {
        match std::mem::replace(self, Stored::Done) {
            Stored::New | Stored::Done => None,
            Stored::Own { marks, handle } => Some(Running::Own(Scope::wake(Resting { handle, marks }))),
            Stored::View => Some(Running::View),
            Stored::Operation(section) => Some(Running::Operation(section)),
        }
    }

    fn put(&mut self, running: Option<Running>) {
        *self = match running {
            None => Stored::Done,
            Some(Running::Own(scope)) => {
                let Resting { handle, marks } = scope.rest();
                Stored::Own { marks, handle }
            }
            Some(Running::View) => Stored::View,
            Some(Running::Operation(section)) => Stored::Operation(section),
        };
    }
}

/// Times an operation until it is dropped: 16 bytes, as `U` has no size.
#[must_use = "the operation ends when the guard is dropped"]
pub struct OperationGuard<U: Fn() -> &'static Unit> {
    unit: U,
    section: Packed,
}

impl<U: Fn() -> &'static Unit> fmt::Debug for OperationGuard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationGuard").field("section", &self.section).finish_non_exhaustive()
    }
}

impl<U: Fn() -> &'static Unit> Drop for OperationGuard<U> {
    fn drop(&mut self) {
        (self.unit)().stop(self.section);
    }
}

/// Begins an operation.
pub fn operation<U: Fn() -> &'static Unit>(unit: U) -> OperationGuard<U> {
    let section = unit().section();
    OperationGuard { unit, section }
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
            self.unit.panicked(&running);
        }
    }
}

impl Bomb<'_> {
    fn inside<R>(&self, f: impl FnOnce() -> R) -> R {
        match &*self.running {
            Some(Running::Own(scope)) => scope.enter(f),
            _ => f(),
        }
    }

    fn poll<R>(&self, f: impl FnOnce() -> R) -> R {
        match &*self.running {
            Some(Running::Own(scope)) => scope.poll(f),
            _ => f(),
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
    let value = Bomb { unit, running: &mut running }.inside(body);
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
        let inside = match &running {
            Running::Own(scope) => Some(current::enter(scope.context().handle())),
            Running::View | Running::Operation(_) => None,
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
            unit.cancelled(&running);
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
        let is_first = matches!(this.stored, Stored::New);
        // A panic leaves nothing behind: what ran has ended by then.
        let mut running = if is_first { Some(unit.begin()) } else { this.stored.take() };
        *this.stored = Stored::Done;
        let poll = Bomb { unit, running: &mut running }.poll(|| {
            if is_first {
                this.init.run();
            }
            this.future.poll(task)
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
    Boundary { future, unit, probe, init: (), stored: Stored::New, leave: Leave }
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
        Boundary { future, unit, probe, init: Once(Some(init)), stored: Stored::New, leave: Leave }
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
