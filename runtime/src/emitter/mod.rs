//! Ways out of the process.
//!
//! ```text
//! Event ──▶ Emitter: level ▸ types ▸ filters ▸ format ──line──▶ Sink: queue or direct ──▶ Output
//! ```
//!
//! Emitters are asked in the order in which they were declared; those that write to the same place share one sink, so
//! their lines stand in that order too. What a user's filter or format does is caught; what is lost is counted.

mod debug_log;
mod emitters;
mod foreign;
mod report;
#[cfg(any(test, feature = "test-util"))]
mod set;
mod sink;
#[cfg(test)]
mod tests;
mod wanted;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, EventType};
use crate::format::{Format, Logfmt, Own};
use crate::level::{Level, LevelFilter};
use crate::output::{Background, Output, Stdout};

pub use emitters::EmitterError;
pub(crate) use emitters::Emitters;
#[cfg(any(test, feature = "test-util"))]
pub use set::EmitterSet;
pub(crate) use sink::SinkStats;
pub(crate) use wanted::Wants;
pub use wanted::wanted;

/// A test that an event has to pass.
type Filter = Box<dyn Fn(&Event<'_>) -> bool + Send + Sync>;

/// One way out of the process: which events, as what, where to.
///
/// Without more, an emitter takes every event and writes logfmt to standard output through a queue.
///
/// ```
/// use canonlog::{Emitter, EventType, Json, Level, Memory};
///
/// let memory = Memory::new();
/// let slow = Emitter::new("slow")
///     .level(Level::Info)
///     .only([EventType::Request, EventType::Job])
///     .filter(|event| event.get("resp_status").is_some())
///     .format(Json::new())
///     .output(memory.clone());
/// ```
pub struct Emitter {
    name: String,
    level: LevelFilter,
    types: u32,
    filters: Vec<Filter>,
    format: Arc<dyn Format>,
    /// The same format, if it is one of ours.
    own: Option<Own>,
    output: Arc<dyn Output>,
    way: Option<Way>,
    /// Whether the level of the environment is none of its concern.
    everything: bool,
}

/// How lines get to an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Background(Background),
    Direct(Option<Duration>),
}

fn bit(kind: EventType) -> u32 {
    1 << kind as u32
}

impl Emitter {
    /// An emitter; the name is for messages.
    pub fn new(name: impl Into<String>) -> Self {
        Emitter {
            name: name.into(),
            level: LevelFilter::Debug,
            types: u32::MAX,
            filters: Vec::new(),
            format: Arc::new(Logfmt::default()),
            own: Some(Own::Logfmt(Logfmt::default())),
            output: Arc::new(Stdout::new()),
            way: None,
            everything: false,
        }
    }

    /// Takes events of this level and above; with [`LevelFilter::Disabled`], none.
    #[must_use]
    pub fn level(mut self, minimum: impl Into<LevelFilter>) -> Self {
        self.level = minimum.into();
        self
    }

    /// Takes events of these types only. Twice: only of those named both times.
    #[must_use]
    pub fn only(mut self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.types &= types.into_iter().fold(0, |types, kind| types | bit(kind));
        self
    }

    /// Takes events that pass this test too. A test that panics lets the event pass, and is counted.
    #[must_use]
    pub fn filter(mut self, test: impl Fn(&Event<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.filters.push(Box::new(test));
        self
    }

    /// Writes events in this format.
    #[must_use]
    pub fn format(mut self, format: impl Format) -> Self {
        self.own = Own::of(&format);
        self.format = Arc::new(format);
        self
    }

    /// Writes to this output.
    #[must_use]
    pub fn output(mut self, output: impl Output) -> Self {
        self.output = Arc::new(output);
        self
    }

    /// Writes through a queue of this kind, which is what happens by default.
    #[must_use]
    pub fn background(mut self, queue: Background) -> Self {
        self.way = Some(Way::Background(queue));
        self
    }

    /// Writes each event at once, on the thread that made it, which waits until the output has taken it.
    #[must_use]
    pub fn direct(mut self) -> Self {
        self.way = Some(Way::Direct(None));
        self
    }

    /// As [`direct`](Emitter::direct), but an event that the output has not taken after `limit` is counted as lost.
    ///
    /// [`Stdout`], [`Stderr`](crate::Stderr) and [`File`](crate::File) keep to the limit; others are free not to.
    #[must_use]
    pub fn direct_within(mut self, limit: Duration) -> Self {
        self.way = Some(Way::Direct(Some(limit)));
        self
    }

    /// The emitter's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes what the environment has as its minimum level.
    pub(crate) fn level_of_environment(self, minimum: LevelFilter) -> Self {
        if self.everything { self } else { self.level(minimum) }
    }

    /// The emitter with its format as its output wants it.
    fn wired(mut self) -> Self {
        if let Some(format) = self.output.wire(&self.format) {
            self.format = format;
            self.own = None;
        }
        self
    }

    /// Whether events of this type and level can pass.
    fn wants(&self, kind: EventType, level: Level) -> bool {
        self.level.allows(level) && self.types & bit(kind) != 0
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter")
            .field("name", &self.name)
            .field("level", &self.level)
            .field("filters", &self.filters.len())
            .field("output", &self.output.name())
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}
