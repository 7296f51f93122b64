//! The future of a function, inside its record until it is dropped.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::running::{Bomb, Running, What};
use super::stored::Stored;
use super::unit::Unit;
use super::wrap::Init;
use crate::__private::probe::Failure;
use crate::record::current::{self, Above};

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

impl<F: Future, U: Fn() -> &'static Unit, P, I> Boundary<F, U, P, I> {
    pub(super) fn new(future: F, unit: U, probe: P, init: I) -> Self {
        Boundary { future, unit, probe, init, stored: Stored::NEW, leave: Leave }
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
            let above = Above::here();
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
                inside.frame.rest(above);
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
