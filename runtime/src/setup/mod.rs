//! Setting canonlog up: which emitters, which limits; then a guard that ends it.

mod environment;
mod error;
mod guard;
mod limits;

use std::time::Duration;

use self::environment::{Environment, FormatName, OutputName};
use crate::emitter::{Emitter, Emitters};
use crate::event::names;
use crate::format::{Format, Json, Logfmt, Pretty};
use crate::instrumenter::Instrumenters;
use crate::level::LevelFilter;
use crate::output::{File, Output, Stderr, Stdout};
use crate::pipeline::{self, Parts, Settings};
use crate::redact::Redaction;

pub use self::error::SetupError;
pub use self::guard::Guard;
pub use self::limits::Limits;

/// Begins to set canonlog up; [`Setup::init`] ends it.
///
/// ```
/// use canonlog::Level;
///
/// let _guard = canonlog::setup().level(Level::Info).init()?;
/// # Ok::<(), canonlog::SetupError>(())
/// ```
pub fn setup() -> Setup {
    Setup::default()
}

/// How canonlog is set up; made by [`setup`].
///
/// Without more, every event goes to standard output, through a queue: as logfmt, or at a terminal as [`Pretty`]. The environment
/// has the last word:
///
/// | variable | holds | sets |
/// |---|---|---|
/// | `CANONLOG_LEVEL` | `debug`, `info`, `notice`, `warning`, `error`, `critical`, `disabled` | the level of every emitter |
/// | `CANONLOG_FORMAT` | `logfmt`, `json`, `pretty` | the format of the first emitter |
/// | `CANONLOG_OUTPUT` | `stdout`, `stderr`, a path | the output of the first emitter |
/// | `DEVEL` | `1`, `0` | whether it is `Pretty` where nobody names a format; without it, a terminal is asked |
/// | `CANONLOG_CLOCK` | `tsc`, `instant` | the clock; without it, the best that the machine has |
///
/// An unknown value, or a further variable that begins with `CANONLOG_`, is an error.
#[must_use = "nothing is set up before `init`"]
#[derive(Debug)]
pub struct Setup {
    emitters: Vec<Emitter>,
    default: Emitter,
    /// The last shortcut that was called.
    shortcut: Option<&'static str>,
    /// Whether the program has said in which format.
    has_format: bool,
    /// Whether it has said where to.
    has_output: bool,
    settings: Settings,
    message_fields: Vec<String>,
    redaction: Redaction,
    drain: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            emitters: Vec::new(),
            default: Emitter::new("default"),
            shortcut: None,
            has_format: false,
            has_output: false,
            settings: Settings::default(),
            message_fields: Vec::new(),
            redaction: Redaction::default(),
            drain: Duration::from_secs(2),
        }
    }
}

impl Setup {
    /// Adds an emitter. The first one given takes the place of the default; emitters write in the order given.
    ///
    /// ```
    /// use canonlog::{Emitter, Json, Level, Stderr};
    ///
    /// let errors = Emitter::new("errors").level(Level::Error).format(Json::new()).output(Stderr::new());
    /// let _guard = canonlog::setup().emitter(Emitter::new("events")).emitter(errors).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitters.push(emitter);
        self
    }

    fn shortcut(mut self, called: &'static str, change: impl FnOnce(Emitter) -> Emitter) -> Self {
        self.default = change(self.default);
        self.shortcut = Some(called);
        self
    }

    /// The format of the only emitter.
    pub fn format(mut self, format: impl Format) -> Self {
        self.has_format = true;
        self.shortcut("format", |emitter| emitter.format(format))
    }

    /// The output of the only emitter.
    pub fn output(mut self, output: impl Output) -> Self {
        self.has_output = true;
        self.shortcut("output", |emitter| emitter.output(output))
    }

    /// The minimum level of the only emitter.
    pub fn level(self, minimum: impl Into<LevelFilter>) -> Self {
        self.shortcut("level", |emitter| emitter.level(minimum))
    }

    /// Whether `resp_cpu_time` is measured; it is, by default.
    pub fn cpu_time(mut self, measured: bool) -> Self {
        self.settings.cpu_time = measured;
        self
    }

    /// How long a future may keep its thread: a poll that takes longer is counted in the event of its own record
    /// (`poll_blocked_count`, `poll_max_time`, `poll_max_loc`). 100 ms by default; `None` counts none. A thread looks where such polls are,
    /// every 50 ms, or twice as often as the limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let _guard = canonlog::setup().poll_limit(Duration::from_millis(20)).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn poll_limit(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.poll_limit = limit.into();
        self
    }

    /// How many stacks of stuck requests are taken in a second; none by default.
    ///
    /// A `timeout` event then names the line at which the request's thread is, also in code without annotations
    /// (`timeout_loc`, `timeout_cause_loc`, `timeout_stack`). Linux on x86-64; where it can't be done the event says so. A thread
    /// that runs gets SIGURG, unless the program handles that itself; one that sleeps gets no signal.
    ///
    /// ```
    /// let _guard = canonlog::setup().stacks(10).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    #[cfg(feature = "stacks")]
    pub fn stacks(mut self, per_second: u32) -> Self {
        self.settings.stacks = per_second;
        self
    }

    /// Which fields of a request its messages show too, by their whole names, as far as they are known by then; none by default but
    /// `req_id` (`job_id`), which each has.
    ///
    /// ```
    /// let setup = canonlog::setup().message_fields(["req_method", "req_path", "app_cart_id"]);
    /// ```
    pub fn message_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.message_fields.extend(names.into_iter().map(Into::into));
        self
    }

    /// How much a record and an event may hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        let kept = crate::record::log::Limits { record: limits.record, value: limits.value, fields: limits.fields };
        (self.settings.limits, self.settings.event_limit) = (kept, limits.event);
        self
    }

    /// After how long a unit is reported as timed out, where it sets no limit itself. Off by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let _guard = canonlog::setup().timeout(Duration::from_secs(30)).drain(Duration::from_millis(500)).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// What is never recorded: values under names that look like those of secrets, query strings, literals in SQL. It holds for
    /// the process, whatever pipeline a record goes through.
    ///
    /// ```
    /// use canonlog::Redaction;
    ///
    /// let _guard = canonlog::setup().redact(Redaction::default().keys(["iban", "*card*"])).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn redact(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// How long a shutdown waits for the outputs: 2 s by default.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// Sets canonlog up for this process, until the guard is dropped.
    ///
    /// ```
    /// let guard = canonlog::setup().init()?;
    /// assert!(canonlog::setup().init().is_err(), "it can succeed once in a process");
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever cannot work: an unknown value or variable in the environment, an output that cannot be opened, emitters that contradict
    /// each other, an instrumenter that fails, a second set-up.
    pub fn init(self) -> Result<Guard, SetupError> {
        if pipeline::installed().is_some() {
            return Err(SetupError::Again);
        }
        let environment = Environment::read(std::env::vars_os())?;
        if let Some(pattern) = self.redaction.wrong() {
            return Err(SetupError::Redaction { pattern: pattern.to_owned() });
        }
        let to_stdout = !self.has_output && matches!(environment.output, None | Some(OutputName::Stdout));
        let develops = !self.has_format && Pretty::is_wanted_at(to_stdout);
        let default = if develops { self.default.format(Pretty::new()) } else { self.default };
        let emitters = apply(self.emitters, default, self.shortcut, environment)?;
        Instrumenters::process().setup_all()?;
        let emitters = Emitters::start(emitters)?;
        names::hide(&self.redaction);
        let parts = pipeline::install(Parts::new(self.settings, emitters).with_message_fields(self.message_fields))
            .ok_or(SetupError::Again)?;
        Ok(Guard::new(&parts.emitters, self.drain))
    }
}

/// The emitters that the program and the environment ask for.
fn apply(
    mut emitters: Vec<Emitter>,
    default: Emitter,
    shortcut: Option<&'static str>,
    environment: Environment,
) -> Result<Vec<Emitter>, SetupError> {
    match shortcut {
        Some(called) if !emitters.is_empty() => return Err(SetupError::Shortcut { called }),
        _ if emitters.is_empty() => emitters.push(default),
        _ => {}
    }
    let mut emitters = emitters.into_iter();
    let mut first: Vec<Emitter> = emitters.next().into_iter().collect();
    if let Some(format) = environment.format {
        let change = |emitter: Emitter| match format {
            FormatName::Logfmt => emitter.format(Logfmt::new()),
            FormatName::Json => emitter.format(Json::new()),
            FormatName::Pretty => emitter.format(Pretty::new()),
        };
        first = first.into_iter().map(change).collect();
    }
    if let Some(output) = environment.output {
        let change = |emitter: Emitter| {
            Ok(match &output {
                OutputName::Stdout => emitter.output(Stdout::new()),
                OutputName::Stderr => emitter.output(Stderr::new()),
                OutputName::File(path) => emitter.output(File::open(path).map_err(SetupError::Output)?),
            })
        };
        first = first.into_iter().map(change).collect::<Result<_, SetupError>>()?;
    }
    let all = first.into_iter().chain(emitters);
    Ok(match environment.level {
        Some(level) => all.map(|emitter| emitter.level_of_environment(level)).collect(),
        None => all.collect(),
    })
}
