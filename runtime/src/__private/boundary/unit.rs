//! What the attribute says of a function, and what it does to a record.

use super::running::{Running, What};
use crate::__private::probe::Failure;
use crate::__private::site::Fun;
use crate::context::{Context, add_by};
use crate::pipeline::{Kind, begin as begin_record};
use crate::record::current::Frame;
use crate::record::keys::{self, Key, Suffix, builtin};
use crate::record::set_site;
use crate::trace::errors::Trace;
use crate::value::Value;

/// What an annotated function is.
#[derive(Debug)]
pub struct Unit {
    pub(super) fun: &'static Fun,
    kind: UnitKind,
    view: Option<&'static str>,
    time: Key,
    count: Key,
    pub(super) seen: bool,
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
        Unit::new(fun, UnitKind::Request, view, time, count)
    }

    /// `#[instrument_request(kind = "job")]`.
    pub const fn job(fun: &'static Fun, view: Option<&'static str>, time: &'static str, count: &'static str) -> Self {
        Unit::new(fun, UnitKind::Job, view, time, count)
    }

    /// `#[operation]`.
    pub const fn operation(fun: &'static Fun, time: &'static str, count: &'static str) -> Self {
        Unit::new(fun, UnitKind::Operation, None, time, count)
    }

    const fn new(
        fun: &'static Fun,
        kind: UnitKind,
        view: Option<&'static str>,
        time: &'static str,
        count: &'static str,
    ) -> Self {
        let (time, count) = (Key::new("app", time, Suffix::Time), Key::new("app", count, Suffix::None));
        Unit { fun, kind, view, time, count, seen: true }
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

    pub(super) fn begin(&'static self) -> Running {
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
    pub(super) fn frame(&'static self) -> Frame {
        if self.seen { Frame::enter(|| self.fun.number(), self.fun.line()) } else { Frame::NONE }
    }

    /// The same for an operation, which is counted and timed.
    pub(super) fn timed_frame(&'static self) -> Frame {
        add_by(&self.count, Value::U64(1));
        let frame = if self.seen { self.frame() } else { Frame::hidden() };
        frame.measure(self.key())
    }

    pub(super) fn key(&self) -> keys::KeyId {
        self.time.listed().id()
    }

    /// Records how the function ended.
    pub(super) fn end(&'static self, running: Running, failure: Option<Failure<'_>>) {
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
    pub(super) fn panicked(&'static self, mut running: Running) {
        running.leave(self);
        if let What::Own(scope) = &running.what {
            scope.panicked();
            if self.kind == UnitKind::Job {
                scope.context().set_in("job", "outcome", "panic");
            }
        }
    }

    /// Records that the function was dropped before its end.
    pub(super) fn cancelled(&'static self, mut running: Running) {
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
