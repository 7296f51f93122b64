//! Setting canonlog up: which emitters, which limits; then a guard that ends it.

mod config;
mod error;
mod guard;
mod limits;
mod running;

use std::time::Duration;

use self::config::tree::{Node, Table, What};
use self::config::{Program, Source, measure};
use self::running::Running;
use crate::emitter::{Emitter, Emitters};
use crate::event::names;
use crate::features::{self, Feature};
use crate::format::Format;
use crate::instrumenter::Instrumenters;
use crate::level::LevelFilter;
use crate::lookback::Lookback;
use crate::monitor::status::{self, Status};
use crate::output::Output;
use crate::pipeline::{self, Parts};
use crate::record::log::MOST_FIELDS;
use crate::redact::Redaction;

#[cfg(feature = "config")]
pub use self::config::offers;
pub use self::config::{Config, ConfigError, ConfigErrors};
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

/// Sets canonlog up in one line: every event from a level on, as a line for people.
///
/// The output is `stdout`, `stderr` or a path, as in `CANONLOG_OUTPUT`. A stream gets lines without the time
/// ([`TextLine::shell`](crate::TextLine::shell)), a file with it ([`TextLine::new`](crate::TextLine::new)).
///
/// ```
/// use canonlog::Level;
///
/// let _guard = canonlog::quick_setup(Level::Info, "stderr")?;
/// canonlog::logger("shop").info("open"); // INFO:shop|open
/// # Ok::<(), canonlog::SetupError>(())
/// ```
///
/// # Errors
///
/// As of [`Setup::init`].
pub fn quick_setup(level: impl Into<LevelFilter>, output: &str) -> Result<Guard, SetupError> {
    let mut setup = setup().level(level);
    let format = if matches!(output, "stdout" | "stderr" | "-") { "shell" } else { "line" };
    setup.said.put("format", Node::text(format));
    setup.said.put("output", Node::text(output));
    setup.init()
}

/// How canonlog is set up; made by [`setup`].
///
/// Without more, every event goes to standard output, through a queue: as logfmt, or at a terminal as [`Pretty`](crate::Pretty). What the
/// program says here has the last word; before it comes the environment, and before that a file (feature `config`: `canonlog.toml`, or what `CANONLOG_CONFIG` names). So an operator
/// decides what the program leaves open:
///
/// | variable | holds | sets |
/// |---|---|---|
/// | `CANONLOG_LEVEL` | `debug`, `info`, `notice`, `warning`, `error`, `critical`, `disabled` | the level of every emitter |
/// | `CANONLOG_FORMAT` | `logfmt`, `json`, `pretty`, ... | the format of the first emitter |
/// | `CANONLOG_OUTPUT` | `stdout`, `stderr`, a path, ... | the output of the first emitter |
/// | `DEVEL` | `1`, `0` | whether it is `Pretty` where nobody names a format; without it, a terminal is asked |
/// | `CANONLOG_CLOCK` | `tsc`, `instant` | the clock; without it, the best that the machine has |
///
/// The book lists the other variables, and every key of the file. An unknown value, or a further variable that begins with `CANONLOG_`, is an
/// error.
#[must_use = "nothing is set up before `init`"]
#[derive(Debug)]
pub struct Setup {
    emitters: Vec<Emitter>,
    default: Emitter,
    /// The last shortcut that was called.
    shortcut: Option<&'static str>,
    said: Table,
    source: Source,
    statuses: Vec<Status>,
    features: Vec<Feature>,
    lookback: Option<Lookback>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            emitters: Vec::new(),
            default: Emitter::new("default"),
            shortcut: None,
            said: Table::default(),
            source: Source::Search,
            statuses: Vec::new(),
            features: Vec::new(),
            lookback: None,
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
    ///
    /// ```
    /// let _guard = canonlog::setup().format(canonlog::Json::new()).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn format(self, format: impl Format) -> Self {
        self.shortcut("format", |emitter| emitter.format(format))
    }

    /// The output of the only emitter.
    ///
    /// ```
    /// let _guard = canonlog::setup().output(canonlog::Stderr::new()).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn output(self, output: impl Output) -> Self {
        self.shortcut("output", |emitter| emitter.output(output))
    }

    /// The minimum level of the only emitter.
    ///
    /// ```
    /// let _guard = canonlog::setup().level(canonlog::Level::Warning).init()?;
    /// assert!(!canonlog::wanted(canonlog::EventType::Log, canonlog::Level::Info));
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn level(self, minimum: impl Into<LevelFilter>) -> Self {
        self.shortcut("level", |emitter| emitter.level(minimum))
    }

    /// Whether `resp_cpu_time` is measured; it is, by default.
    ///
    /// ```
    /// let _guard = canonlog::setup().cpu_time(false).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn cpu_time(mut self, measured: bool) -> Self {
        self.said.put("cpu_time", What::Bool(measured).into());
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
        self.said.put("poll_limit", time_or_off(limit.into()));
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
        self.said.put("stacks", What::Integer(per_second.into()).into());
        self
    }

    /// Which fields of a request its messages show too, by their whole names, as far as they are known by then; none by default but
    /// `req_id` (`job_id`), which each has.
    ///
    /// ```
    /// let setup = canonlog::setup().message_fields(["req_method", "req_path", "app_cart_id"]);
    /// ```
    pub fn message_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(|name| Node::text(name.into()));
        self.said.put("message_fields", What::List(names.collect()).into());
        self
    }

    /// How much a record and an event may hold.
    ///
    /// ```
    /// let _guard = canonlog::setup().limits(canonlog::Limits::default().value(1_024).fields(64)).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        for (key, bytes) in [("record", limits.record), ("value", limits.value), ("event", limits.event)] {
            self.said.put(&format!("limits.{key}"), Node::text(measure::of_size(bytes as u64)));
        }
        let fields = limits.fields.min(MOST_FIELDS);
        self.said.put("limits.fields", What::Integer(fields as i64).into());
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
        self.said.put("timeout", time_or_off(Some(limit)));
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
        self.said.put("redact", What::Table(said_of(&redaction)).into());
        self
    }

    /// Adds a `status` event every so often; off by default.
    ///
    /// ```
    /// use canonlog::Status;
    /// use std::time::Duration;
    ///
    /// let _guard = canonlog::setup().status(Status::every(Duration::from_secs(60))).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn status(mut self, status: Status) -> Self {
        self.statuses.push(status);
        self
    }

    /// Keeps quiet messages of a request, and writes them only if it goes wrong; off by default.
    ///
    /// ```
    /// let _guard = canonlog::setup().lookback(canonlog::Lookback::new()).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn lookback(mut self, lookback: Lookback) -> Self {
        self.lookback = Some(lookback);
        self
    }

    /// Adds a [`Feature`]: fields for events of every kind. [`features::add`](crate::features::add) does the same at any time.
    ///
    /// ```
    /// use canonlog::Feature;
    ///
    /// let _guard = canonlog::setup().feature(Feature::process()).init()?;
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn feature(mut self, feature: Feature) -> Self {
        self.features.push(feature);
        self
    }

    /// How long a shutdown waits for the outputs: 2 s by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let guard = canonlog::setup().drain(Duration::from_millis(500)).init()?;
    /// assert_eq!(guard.shutdown(), 0);
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn drain(mut self, limit: Duration) -> Self {
        self.said.put("drain", Node::text(measure::of_duration(limit)));
        self
    }

    /// The file of the configuration, in place of `CANONLOG_CONFIG` and `canonlog.toml`. [`Guard::reload`] reads it again.
    ///
    /// ```
    /// let error = canonlog::setup().config_file("/no/such/canonlog.toml").init().expect_err("there is none");
    /// assert!(error.to_string().starts_with("/no/such/canonlog.toml: it cannot be read: "));
    /// ```
    #[cfg(feature = "config")]
    pub fn config_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.source = Source::File(path.into());
        self
    }

    /// The configuration in place of that of a file.
    ///
    /// ```
    /// # #[cfg(feature = "config")] {
    /// let config = canonlog::Config::parse("emitters.events = { format = 'json', output = 'stderr' }").expect("it is right");
    /// let _guard = canonlog::setup().config(config).init()?;
    /// # }
    /// # Ok::<(), canonlog::SetupError>(())
    /// ```
    pub fn config(mut self, config: Config) -> Self {
        self.source = Source::Given(config);
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
        if let Some(called) = self.shortcut.filter(|_| !self.emitters.is_empty()) {
            return Err(SetupError::Shortcut { called });
        }
        let Setup { emitters, default, said, source, statuses, features, lookback, .. } = self;
        let folder = std::env::current_dir().unwrap_or_default();
        let program = Program { emitters, shortcuts: default, said, lookback, source, folder };
        let mut made = program.make(std::env::vars_os(), None)?;
        if let Some(status) = statuses.iter().find(|status| status.period < status::SHORTEST) {
            return Err(SetupError::Status { period: status.period });
        }
        Instrumenters::process().setup_all()?;
        let emitters = Emitters::start(std::mem::take(&mut made.emitters))?;
        names::hide(&made.redaction);
        let fields = std::mem::take(&mut made.message_fields);
        let parts = pipeline::install(Parts::new(made.settings, emitters).with_message_fields(fields));
        let parts = parts.ok_or(SetupError::Again)?;
        features::configure(std::mem::take(&mut made.features));
        features.into_iter().for_each(features::add);
        status::configure(std::mem::take(&mut made.statuses));
        status::start(statuses);
        Ok(Guard::new(Running::new(program, made, parts)))
    }
}

fn time_or_off(limit: Option<Duration>) -> Node {
    // No time at all would read as none.
    limit.map_or(What::Bool(false).into(), |limit| Node::text(measure::of_duration(limit.max(Duration::from_nanos(1)))))
}

fn said_of(redaction: &Redaction) -> Table {
    let list = |texts: &[String]| Node::from(What::List(texts.iter().map(Node::text).collect()));
    let mut said = Table::default();
    if !redaction.usual {
        said.set("usual", What::Bool(false).into());
    }
    said.set("keys", list(&redaction.keys));
    said.set("except", list(&redaction.except));
    for (key, shown) in [("query_strings", redaction.query_strings), ("sql_literals", redaction.sql_literals)] {
        if shown {
            said.set(key, What::Bool(true).into());
        }
    }
    said
}
