//! Ways out of the process.
//!
//! ```text
//! Event ──▶ Emitter: level ▸ types ▸ filters ▸ format ──line──▶ Sink: queue or direct ──▶ Output
//! ```
//!
//! Emitters are asked in the order in which they were declared; those that write to the same place share one sink, so
//! their lines stand in that order too, and a line that is there already is not written again. What a user's filter or format does is caught; what is lost is counted.

#[cfg(test)]
mod change_tests;
mod debug_log;
mod emitters;
mod error;
pub mod filter;
mod foreign;
mod leaving;
mod list;
#[cfg(test)]
mod place_tests;
mod plan;
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
use crate::level::LevelFilter;
use crate::output::{Background, Output, Stdout};

pub(crate) use emitters::{Emitters, Held};
pub use error::EmitterError;
pub use filter::{Filter, FilterError};
#[cfg(any(test, feature = "test-util"))]
pub use set::EmitterSet;
pub(crate) use sink::SinkStats;
pub(crate) use wanted::Wants;
pub use wanted::wanted;

/// One way out of the process: which events, as what, where to.
///
/// Without more, an emitter takes every event and writes logfmt to standard output through a queue.
///
/// Several emitters may write to the same output. It gets a line of an event once: where two emitters would write the same line, the first
/// does. Where their formats differ it gets both lines, in the order of the emitters.
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
#[derive(Clone)]
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
    said: Said,
    ready: Option<Arc<Ready>>,
}

/// What somebody said of an emitter; all else is as usual, and can be said by others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub(crate) level: bool,
    pub(crate) format: bool,
    pub(crate) output: bool,
    /// It stays as it is, whatever is said of all emitters.
    pub(crate) is_whole: bool,
}

/// What only a user's code knows of an emitter: asked for once, while nothing is locked.
struct Ready {
    /// The format as the output wants it; the same again if it is one of ours.
    format: Arc<dyn Format>,
    own: Option<Own>,
    place: Option<String>,
    output: String,
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
    /// An emitter; by its name it is changed and removed while the program runs, and called in messages.
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
            said: Said::default(),
            ready: None,
        }
    }

    /// Takes events of this level and above; with [`LevelFilter::Disabled`], none.
    ///
    /// ```
    /// use canonlog::{Emitter, Level, LevelFilter};
    ///
    /// let loud = Emitter::new("loud").level(Level::Warning);
    /// assert_eq!(loud.minimum(), LevelFilter::Warning);
    /// ```
    #[must_use]
    pub fn level(mut self, minimum: impl Into<LevelFilter>) -> Self {
        self.level = minimum.into();
        self.said.level = true;
        self
    }

    /// Takes events of these types only. Twice: only of those named both times; [`types`](Emitter::types) begins anew.
    ///
    /// ```
    /// use canonlog::{Emitter, EventType};
    ///
    /// let access = Emitter::new("access").only([EventType::Request, EventType::Job]);
    /// ```
    #[must_use]
    pub fn only(mut self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.types &= types.into_iter().fold(0, |types, kind| types | bit(kind));
        self
    }

    /// Takes events of these types only, whatever was said of types before: for an emitter that is changed.
    ///
    /// ```
    /// use canonlog::{Emitter, EventType};
    ///
    /// let _guard = canonlog::setup().emitter(Emitter::new("access").only([EventType::Request])).init()?;
    /// canonlog::emitters().change("access", |access| access.types([EventType::Request, EventType::Job]))?;
    /// canonlog::emitters().change("access", Emitter::every_type)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn types(self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.every_type().only(types)
    }

    /// Takes events of every type, whatever was said of types before.
    #[must_use]
    pub fn every_type(mut self) -> Self {
        self.types = u32::MAX;
        self
    }

    /// Takes events that pass this test too. A test that panics lets the event pass, and is counted.
    ///
    /// ```
    /// use canonlog::{Emitter, Value};
    ///
    /// let paid = Emitter::new("paid").filter(|event| event.get("app_paid") == Some(Value::Bool(true)));
    /// ```
    #[must_use]
    pub fn filter(self, test: impl Fn(&Event<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.matching(test)
    }

    /// Takes events that pass this filter too: see [`Filter`] for what can be one.
    ///
    /// ```
    /// use canonlog::Emitter;
    /// use canonlog::filter::{field, globs};
    ///
    /// let failed = Emitter::new("failed").matching(field("resp_status").ge(500));
    /// let shop = Emitter::new("shop").matching(globs(["shop.*"]));
    /// ```
    #[must_use]
    pub fn matching(mut self, filter: impl Into<Filter>) -> Self {
        self.filters.push(filter.into());
        self
    }

    /// Takes events whatever tests and filters it had so far, for one that is changed.
    ///
    /// ```
    /// use canonlog::filter::names;
    ///
    /// let _guard = canonlog::setup().init()?;
    /// canonlog::emitters().change("default", |emitter| emitter.unfiltered().matching(names(["shop"])))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn unfiltered(mut self) -> Self {
        self.filters.clear();
        self
    }

    /// Writes events in this format.
    ///
    /// ```
    /// let archive = canonlog::Emitter::new("archive").format(canonlog::Json::new());
    /// ```
    #[must_use]
    pub fn format(mut self, format: impl Format) -> Self {
        self.own = Own::of(&format);
        self.format = Arc::new(format);
        self.said.format = true;
        self.ready = None;
        self
    }

    /// Writes to this output.
    ///
    /// ```
    /// use canonlog::{Emitter, Kind, Memory, begin};
    ///
    /// let memory = Memory::new();
    /// let guard = canonlog::setup().emitter(Emitter::new("memory").output(memory.clone())).init()?;
    /// begin(Kind::Job).finish();
    /// guard.flush();
    /// assert_eq!(memory.lines().len(), 1);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    #[must_use]
    pub fn output(mut self, output: impl Output) -> Self {
        self.output = Arc::new(output);
        self.said.output = true;
        self.ready = None;
        self
    }

    /// Writes through a queue of this kind, which is what happens by default.
    ///
    /// ```
    /// use canonlog::{Background, Emitter, Overflow};
    /// use std::time::Duration;
    ///
    /// let patient = Background::new().events(1_024).overflow(Overflow::Block(Duration::from_millis(5)));
    /// let audit = Emitter::new("audit").background(patient);
    /// ```
    #[must_use]
    pub fn background(mut self, queue: Background) -> Self {
        self.way = Some(Way::Background(queue));
        self
    }

    /// Writes each event at once, on the thread that made it, which waits until the output has taken it.
    ///
    /// ```
    /// use canonlog::{Emitter, Kind, Memory, begin};
    ///
    /// let memory = Memory::new();
    /// let _guard = canonlog::setup().emitter(Emitter::new("now").output(memory.clone()).direct()).init()?;
    /// begin(Kind::Job).finish();
    /// assert_eq!(memory.lines().len(), 1); // without a flush
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    #[must_use]
    pub fn direct(mut self) -> Self {
        self.way = Some(Way::Direct(None));
        self
    }

    /// As [`direct`](Emitter::direct), but an event that the output has not taken after `limit` is counted as lost.
    ///
    /// [`Stdout`], [`Stderr`](crate::Stderr) and [`File`](crate::File) keep to the limit; others are free not to.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let now = canonlog::Emitter::new("now").direct_within(Duration::from_millis(20));
    /// ```
    #[must_use]
    pub fn direct_within(mut self, limit: Duration) -> Self {
        self.way = Some(Way::Direct(Some(limit)));
        self
    }

    /// Writes as other emitters of the same output do, or else through a queue of the usual size, whatever was said of that before
    /// ([`background`](Emitter::background), [`direct`](Emitter::direct), [`direct_within`](Emitter::direct_within)).
    ///
    /// ```
    /// use canonlog::Emitter;
    ///
    /// let _guard = canonlog::setup().emitter(Emitter::new("events").direct()).init()?;
    /// canonlog::emitters().change("events", Emitter::usual_way)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn usual_way(mut self) -> Self {
        self.way = None;
        self
    }

    /// The emitter's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was said of it.
    pub(crate) fn said(&self) -> Said {
        self.said
    }

    /// The line of an event, whatever level and filters say.
    #[cfg(all(test, feature = "config"))]
    pub(crate) fn line_of(&self, event: &Event<'_>) -> Vec<u8> {
        let mut line = Vec::new();
        self.format.format(event, &mut line);
        line
    }

    /// The emitter with what was said of another one; format and output only `with_output`.
    pub(crate) fn overridden_by(mut self, other: &Emitter, with_output: bool) -> Self {
        if self.said.is_whole {
            return self;
        }
        if other.said.level {
            self = self.level(other.level);
        }
        if other.said.format && with_output {
            (self.format, self.own) = (Arc::clone(&other.format), other.own.clone());
            self.ready = None;
        }
        if other.said.output && with_output {
            self.output = Arc::clone(&other.output);
            self.ready = None;
        }
        self
    }

    /// The level from which on it takes events.
    pub fn minimum(&self) -> LevelFilter {
        self.level
    }

    /// The emitter with all that the user's output has to say about it.
    pub(crate) fn ready(mut self) -> Self {
        if self.ready.is_none() {
            let wired = self.output.wire(&self.format);
            let own = if wired.is_none() { self.own.clone() } else { None };
            let format = wired.unwrap_or_else(|| Arc::clone(&self.format));
            let (place, output) = (self.output.place(), self.output.name().to_owned());
            self.ready = Some(Arc::new(Ready { format, own, place, output }));
        }
        self
    }

    fn wired_format(&self) -> &Arc<dyn Format> {
        self.ready.as_ref().map_or(&self.format, |ready| &ready.format)
    }

    fn wired_own(&self) -> Option<&Own> {
        self.ready.as_ref().map_or(self.own.as_ref(), |ready| ready.own.as_ref())
    }

    fn place(&self) -> Option<String> {
        self.ready.as_ref().and_then(|ready| ready.place.clone())
    }

    fn output_name(&self) -> &str {
        self.ready.as_ref().map_or("", |ready| &ready.output)
    }

    /// Events of these types and levels can pass.
    fn wants(&self) -> Wants {
        Wants::from(self.types, self.level)
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
