//! Where the parts meet: a unit begins, ends, and becomes an event.
//!
//! ```text
//! begin ──▶ Scope ──(dropped)──▶ end ──▶ Unit ──▶ instrumenters ──▶ levels, limits, order ──▶ emitters
//!                     monitor ──▶ reporter's thread ──▲
//!              a panic unwinds ──▶ reporter's thread ──┘
//! ```

mod end;
mod limit;
mod live;
mod lookback;
mod now;
pub(crate) mod panic;
mod process;
pub(crate) mod reporter;
mod scope;
pub(crate) mod timed_out;
mod tuned;

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockWriteGuard};

use crate::emitter::{self, Emitters, Wants};
use crate::event::{Event, OwnedEvent};
use crate::inside::is_inside;
use crate::instrumenter::Instrumenters;
use crate::record::{Handle, current};
use crate::sys::lasting::Lasting;

pub use self::live::{LiveEmitters, emitters};
pub(crate) use self::scope::Resting;
pub use self::scope::{Scope, begin};
pub(crate) use self::tuned::Settings;
use self::tuned::Tuned;
pub use crate::record::Kind;

pub(crate) use self::end::{emit_apart, emit_now};
pub use self::lookback::flush_lookback;
pub(crate) use self::now::{Draft, LOG_LOC, LOG_MSG, LOG_NAME, draft};

/// The parts that the records of a pipeline go through.
pub(crate) struct Parts {
    tuned: Lasting<Tuned>,
    pub(crate) emitters: Emitters,
    /// Where a test looks at the events.
    capture: Option<Arc<Mutex<Vec<OwnedEvent>>>>,
    instrumenters: &'static Instrumenters,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("tuned", self.tuned()).field("emitters", &self.emitters).finish_non_exhaustive()
    }
}

impl Parts {
    pub(crate) fn new(settings: Settings, emitters: Emitters) -> Parts {
        Parts {
            tuned: Lasting::of(Tuned::new(settings, Vec::new())),
            emitters,
            capture: None,
            instrumenters: Instrumenters::process(),
        }
    }

    /// As [`new`](Parts::new), with a copy of every event.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn captured(settings: Settings, emitters: Emitters, capture: Arc<Mutex<Vec<OwnedEvent>>>) -> Parts {
        Parts { capture: Some(capture), ..Parts::new(settings, emitters) }
    }

    /// The same, where messages show these fields of their request too.
    pub(crate) fn with_message_fields(self, names: Vec<String>) -> Parts {
        self.tuned.store(Some(Tuned::new(*self.settings(), names)));
        self
    }

    fn wants(&self) -> Wants {
        // A test looks at everything.
        if self.capture.is_some() { Wants::ALL } else { self.emitters.wants() }
    }

    fn emit(&self, event: &Event<'_>, stamp: u64) {
        if let Some(capture) = self.capture.as_ref().filter(|_| !is_inside()) {
            capture.lock().unwrap_or_else(PoisonError::into_inner).push(event.to_owned());
        }
        self.emitters.emit(event, stamp);
    }
}

static PROCESS: OnceLock<&'static Parts> = OnceLock::new();
static FALLBACK: OnceLock<&'static Parts> = OnceLock::new();
/// Pipelines of tests; number 1 is the first.
static OTHERS: RwLock<Vec<&'static Parts>> = RwLock::new(Vec::new());

/// The parts of a pipeline.
#[inline(always)]
pub(crate) fn parts(number: u16) -> &'static Parts {
    match PROCESS.get() {
        Some(parts) if number == 0 => parts,
        _ => other_parts(number),
    }
}

#[inline(never)]
fn other_parts(number: u16) -> &'static Parts {
    if number == 0 {
        return fallback();
    }
    let others = OTHERS.read().unwrap_or_else(PoisonError::into_inner);
    others.get(usize::from(number) - 1).copied().unwrap_or_else(fallback)
}

/// Without any set-up, events go to stdout as logfmt.
#[cold]
fn fallback() -> &'static Parts {
    if let Some(parts) = FALLBACK.get() {
        return parts;
    }
    process::keep_forks_in_order();
    // A fork waits for this lock; for the value alone its child could wait in vain.
    let _only = making();
    FALLBACK.get_or_init(|| {
        crate::monitor::saturation::ensure_started();
        Box::leak(Box::new(Parts::new(Settings::default(), Emitters::fallback())))
    })
}

fn making() -> MutexGuard<'static, ()> {
    static MAKING: Mutex<()> = Mutex::new(());
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The locks on the pipelines, held.
struct Held {
    _making: MutexGuard<'static, ()>,
    _others: RwLockWriteGuard<'static, Vec<&'static Parts>>,
    _emitters: Vec<emitter::Held<'static>>,
}

fn hold() -> Held {
    let making = making();
    let others = OTHERS.write().unwrap_or_else(PoisonError::into_inner);
    let emitters = in_use().chain(others.iter().copied()).map(|parts| parts.emitters.hold()).collect();
    Held { _making: making, _others: others, _emitters: emitters }
}

/// Makes the process's pipeline; nothing if there is one already.
pub(crate) fn install(parts: Parts) -> Option<&'static Parts> {
    if installed().is_some() {
        return None;
    }
    process::keep_forks_in_order();
    let parts: &'static Parts = Box::leak(Box::new(parts));
    // Two threads at once: the later one's parts stay unused.
    PROCESS.set(parts).ok()?;
    publish_wants();
    crate::monitor::saturation::start();
    parts.tuned().start_monitors();
    panic::install();
    Some(parts)
}

/// Says anew which events are wanted, after some pipeline came to want others.
fn publish_wants() {
    // The last to publish has seen all that was done before.
    let _only = making();
    let others = OTHERS.read().unwrap_or_else(PoisonError::into_inner);
    let process = PROCESS.get().map_or(Wants::ALL, |parts| parts.wants());
    others.iter().fold(process, |all, parts| all.and(parts.wants())).publish();
}

/// The process's pipeline, if one was made.
pub(crate) fn installed() -> Option<&'static Parts> {
    PROCESS.get().copied()
}

/// The process's pipeline, and the one that served without, if it did.
pub(crate) fn in_use() -> impl Iterator<Item = &'static Parts> {
    [PROCESS.get(), FALLBACK.get()].into_iter().flatten().copied()
}

/// The pipeline that records go through: the process's, or in a test its thread's own.
///
/// Integrations take the current one when they are made, so that a server in a test writes to the test that made it.
///
/// ```
/// use canonlog::{Kind, Pipeline};
///
/// let pipeline = Pipeline::current();
/// let scope = pipeline.begin(Kind::Request);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipeline {
    number: u16,
}

thread_local! {
    static MINE: Cell<u16> = const { Cell::new(0) };
}

impl Pipeline {
    /// The pipeline of the record that this thread is inside, else this thread's, else the process's.
    #[inline]
    pub fn current() -> Pipeline {
        match current::handle() {
            None => Pipeline { number: MINE.get() },
            Some(handle) => Pipeline::of(handle),
        }
    }

    #[inline(never)]
    fn of(handle: Handle) -> Pipeline {
        let number = handle.slot().map(|slot| slot.pipeline());
        let number = number.or_else(|| handle.with_slotless(|unit| unit.how.pipeline));
        Pipeline { number: number.unwrap_or_else(|| MINE.get()) }
    }

    pub(crate) fn number(self) -> u16 {
        self.number
    }

    /// Adds a pipeline.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn add(parts: Parts) -> Pipeline {
        let mut others = OTHERS.write().unwrap_or_else(PoisonError::into_inner);
        others.push(Box::leak(Box::new(parts)));
        let number = u16::try_from(others.len()).unwrap_or(0);
        drop(others);
        publish_wants();
        Pipeline { number }
    }

    /// Makes it this thread's; the one before.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn make_current(self) -> Pipeline {
        Pipeline { number: MINE.replace(self.number) }
    }
}
