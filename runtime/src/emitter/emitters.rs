//! All the ways out of the process, and the one way in to them.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::sink::{Sink, SinkStats, guarded};
use super::{Emitter, Wants, Way, foreign};
use crate::counters::{self, Count};
use crate::event::{Event, EventType};
use crate::format::{Format, Own, with_kept};
use crate::level::Level;
use crate::output::{Background, Inside, LossReason, Output};

/// Why emitters cannot start.
///
/// ```
/// use canonlog::{Background, Emitter, SetupError};
///
/// let setup = canonlog::setup()
///     .emitter(Emitter::new("one").background(Background::new()))
///     .emitter(Emitter::new("two").direct());
/// let error = setup.init().expect_err("both write to standard output");
/// assert!(matches!(error, SetupError::Emitter(canonlog::EmitterError::Conflict { .. })));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum EmitterError {
    /// Two emitters write to the same place in different ways.
    Conflict {
        /// The emitter that came first.
        first: String,
        /// The emitter that contradicts it.
        second: String,
    },
    /// The output's writer could not be started.
    Thread {
        /// The emitter.
        emitter: String,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for EmitterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmitterError::Conflict { first, second } => write!(
                f,
                "emitters `{first}` and `{second}` write to the same place in different ways; \
                 give both the same `background`, or make both `direct`"
            ),
            EmitterError::Thread { emitter, source } => {
                write!(f, "cannot start the writer of emitter `{emitter}`: {source}")
            }
        }
    }
}

impl std::error::Error for EmitterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EmitterError::Conflict { .. } => None,
            EmitterError::Thread { source, .. } => Some(source),
        }
    }
}

/// Emitters, each with the place of its sink.
pub(crate) struct Emitters {
    emitters: Vec<(Emitter, usize)>,
    sinks: Vec<Sink>,
    filter_panics: AtomicU64,
    /// How many losses events have told of.
    told: AtomicU64,
}

impl fmt::Debug for Emitters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.emitters.iter().map(|(emitter, _)| emitter)).finish()
    }
}

thread_local! {
    /// The line that a user's format makes; kept, so that no event allocates.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A line's buffer that grew longer than this is given back.
const KEPT_LINE: usize = 256 * 1024;

/// What one place is made of, before it starts.
struct Plan {
    label: String,
    place: Option<String>,
    output: Arc<dyn Output>,
    formats: Vec<Arc<dyn Format>>,
    way: Option<Way>,
    first: String,
}

impl Emitters {
    /// Starts them.
    ///
    /// # Errors
    ///
    /// Emitters that contradict each other, and whatever keeps a thread from starting.
    pub(crate) fn start(emitters: Vec<Emitter>) -> Result<Emitters, EmitterError> {
        let mut plans: Vec<Plan> = Vec::new();
        let mut placed = Vec::with_capacity(emitters.len());
        for emitter in emitters {
            let emitter = emitter.wired();
            let at = plan(&mut plans, &emitter)?;
            placed.push((emitter, at));
        }
        let start = |plan: Plan| {
            let way = plan.way.unwrap_or(Way::Background(Background::default()));
            Sink::start(plan.label, plan.output, plan.formats, way)
                .map_err(|source| EmitterError::Thread { emitter: plan.first, source })
        };
        let sinks = plans.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Emitters { emitters: placed, sinks, filter_panics: AtomicU64::new(0), told: AtomicU64::new(0) })
    }

    /// What a program without any set-up has: logfmt on standard output, which each event waits for at most 100 ms.
    pub(crate) fn fallback() -> Emitters {
        let way = Way::Direct(Some(Duration::from_millis(100)));
        let emitter = Emitter::new("default").direct_within(Duration::from_millis(100));
        let (output, format) = (Arc::clone(&emitter.output), Arc::clone(&emitter.format));
        // A direct sink has no thread, so nothing can fail.
        let sinks = Sink::start("stdout".to_owned(), output, vec![format], way).into_iter().collect();
        Emitters { emitters: vec![(emitter, 0)], sinks, filter_panics: AtomicU64::new(0), told: AtomicU64::new(0) }
    }

    /// What one of them at least wants.
    pub(crate) fn wants(&self) -> Wants {
        let each = self.emitters.iter().map(|(emitter, _)| Wants::from(emitter.types, emitter.level));
        each.fold(Wants::NOTHING, Wants::and)
    }

    /// Hands an event to every emitter that takes it; `stamp` is [`clock::now`](crate::clock::now) of now, or before.
    pub(crate) fn emit(&self, event: &Event<'_>, stamp: u64) {
        let (kind, level) = (event.kind(), event.level());
        let Some(_inside) = Inside::enter() else { return self.lose_reentrant(kind, level) };
        for (emitter, sink) in &self.emitters {
            if !emitter.wants(kind, level) || !(emitter.filters.is_empty() || self.passes(emitter, event)) {
                continue;
            }
            let sink = &self.sinks[*sink];
            match &emitter.own {
                Some(format) => emit_own(format, event, sink, stamp),
                None => emit_other(&*emitter.format, event, sink, stamp),
            }
        }
    }

    #[cold]
    fn lose_reentrant(&self, kind: EventType, level: Level) {
        counters::add(Count::Reentrant, 1);
        self.lose(kind, level, LossReason::Reentrant);
    }

    /// Counts an event that was not made as lost, wherever it was to go.
    #[cold]
    pub(crate) fn lose(&self, kind: EventType, level: Level, reason: LossReason) {
        for (emitter, sink) in &self.emitters {
            if emitter.wants(kind, level) {
                self.sinks[*sink].lose(reason);
            }
        }
    }

    #[cold]
    fn passes(&self, emitter: &Emitter, event: &Event<'_>) -> bool {
        emitter.filters.iter().all(|filter| {
            guarded(|| filter(event)).unwrap_or_else(|()| {
                self.filter_panics.fetch_add(1, Ordering::Relaxed);
                true
            })
        })
    }

    /// Waits until every event so far is written or counted as lost; false if that takes longer than `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let left = || deadline.saturating_duration_since(Instant::now());
        // Every one of them, also after one that took all the time.
        self.sinks.iter().filter(|sink| !sink.flush(left())).count() == 0
    }

    /// As [`flush`](Emitters::flush), from a thread that may be inside an output, and does not go on after it.
    pub(crate) fn flush_queues(&self, until: Instant) {
        for sink in &self.sinks {
            sink.flush_queue(until.saturating_duration_since(Instant::now()));
        }
    }

    /// Opens files again; the first error, if any.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let mut all = Ok(());
        for sink in &self.sinks {
            all = all.and(sink.reopen());
        }
        all
    }

    /// Writes what there is, at most until `limit`, and says on stderr what was lost: how many events, in all.
    pub(crate) fn shutdown(&self, limit: Duration) -> u64 {
        let deadline = Instant::now() + limit;
        self.sinks.iter().for_each(Sink::close);
        self.sinks.iter().map(|sink| sink.finish(deadline)).sum()
    }

    /// What became of the events of each output.
    pub(crate) fn stats(&self) -> Vec<SinkStats> {
        self.sinks.iter().map(Sink::stats).collect()
    }

    /// Events lost that no event has told of yet; from now on, one has.
    pub(crate) fn untold_losses(&self) -> u64 {
        let lost: u64 = self.sinks.iter().map(Sink::lost).sum();
        if lost == 0 {
            return 0;
        }
        lost.saturating_sub(self.told.fetch_max(lost, Ordering::Relaxed))
    }

    /// How often a filter has panicked.
    pub(crate) fn filter_panics(&self) -> u64 {
        self.filter_panics.load(Ordering::Relaxed)
    }
}

/// Makes a line where this thread puts its lines together, and hands it on from there.
#[inline]
fn emit_own(format: &Own, event: &Event<'_>, sink: &Sink, stamp: u64) {
    with_kept(|kept| match guarded(move || kept.line(|staged| format.stage(event, staged))) {
        Ok(line) => sink.push(line, stamp),
        Err(()) => sink.lose(LossReason::Encode),
    });
}

/// The same for a format that wants a buffer of its own, or has no line for the event.
fn emit_other(format: &dyn Format, event: &Event<'_>, sink: &Sink, stamp: u64) {
    let mut line = LINE.try_with(Cell::take).unwrap_or_default();
    line.clear();
    if foreign::format(format, event, &mut line).is_err() {
        sink.lose(LossReason::Encode);
    } else if !line.is_empty() {
        sink.push(&line, stamp);
    }
    if line.capacity() <= KEPT_LINE {
        let _ = LINE.try_with(|kept| kept.set(line));
    }
}

/// The place of the emitter's sink among the plans, made if it is new.
fn plan(plans: &mut Vec<Plan>, emitter: &Emitter) -> Result<usize, EmitterError> {
    let place = emitter.output.place();
    if let Some(at) = plans.iter().position(|plan| place.is_some() && plan.place == place) {
        let plan = &mut plans[at];
        if plan.way.is_some() && emitter.way.is_some() && plan.way != emitter.way {
            return Err(EmitterError::Conflict { first: plan.first.clone(), second: emitter.name.clone() });
        }
        plan.way = plan.way.or(emitter.way);
        plan.formats.push(Arc::clone(&emitter.format));
        return Ok(at);
    }
    let name = emitter.output.name();
    let alike = plans.iter().filter(|plan| plan.output.name() == name).count();
    plans.push(Plan {
        label: if alike == 0 { name.to_owned() } else { format!("{name}-{}", alike + 1) },
        place,
        output: Arc::clone(&emitter.output),
        formats: vec![Arc::clone(&emitter.format)],
        way: emitter.way,
        first: emitter.name.clone(),
    });
    Ok(plans.len() - 1)
}
