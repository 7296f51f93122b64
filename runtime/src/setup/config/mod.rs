//! Configuration: what a file, the environment and the program say, as one.
//!
//! ```text
//! canonlog.toml ─▶ Table ─┐
//! environment ───▶ Table ─┼─check─▶ resolve ─▶ build ─▶ emitters, settings
//! program ───────▶ Table ─┘
//! ```
//!
//! Everything is checked before anything is applied, and every mistake is told at once.

mod build;
mod check;
#[cfg(feature = "config")]
mod data;
mod environment;
mod error;
#[cfg(feature = "config")]
mod file;
mod formats;
mod hints;
pub(super) mod measure;
#[cfg_attr(not(feature = "config"), allow(unreachable_pub))]
pub mod offers;
mod outputs;
mod print;
mod resolve;
mod schema;
#[cfg(feature = "config")]
mod serde;
pub(super) mod tree;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::build::Checked;
use self::resolve::{Said, Tops, resolve};
use self::tree::{Node, Table};
use crate::emitter::Emitter;
use crate::features::Feature;
use crate::format::Pretty;
use crate::lookback::Lookback;
use crate::monitor::status::Status;
use crate::pipeline::Settings;
use crate::redact::Redaction;

pub use self::error::{ConfigError, ConfigErrors};

/// The file that is read where nobody names another.
#[cfg(feature = "config")]
const FILE: &str = "canonlog.toml";

/// A configuration: what a file says, or all that holds ([`Guard::config`](crate::Guard::config)).
///
/// It is TOML ([`parse`](Config::parse), [`read`](Config::read)), or data of any other format (`from_value`, `Deserialize`). Its `Display` is
/// TOML, which can be read again, and with `Serialize` it becomes data again. Values whose keys look like those of secrets are masked there.
///
/// ```
/// # #[cfg(feature = "config")] {
/// use canonlog::Config;
///
/// let config = Config::parse(
///     "timeout = '30s'
///
///      [emitters.events]
///      format = 'json'
///
///      [emitters.errors]
///      level = 'error'
///      output = 'stderr'",
/// )?;
/// assert_eq!(Config::parse(&config.to_string())?, config);
/// let setup = canonlog::setup().config(config);
/// # }
/// # Ok::<(), canonlog::ConfigErrors>(())
/// ```
#[derive(Clone)]
pub struct Config {
    said: Table,
    /// What the program brings, in words.
    notes: Vec<String>,
    source: Option<String>,
}

/// Two that say the same are the same, wherever they come from.
impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.said == other.said
    }
}

/// Masked as in the `Display`.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("said", &self.to_string()).field("source", &self.source).finish()
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::tables(&self.said, "", f)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n# {note}\n"))
    }
}

impl Config {
    /// What says nothing.
    pub(super) fn new() -> Self {
        Config { said: Table::default(), notes: Vec::new(), source: None }
    }

    /// Reads TOML.
    ///
    /// ```
    /// let mistakes = canonlog::Config::parse("level = 'wraning'\nstaks = 3").expect_err("both lines are wrong");
    /// assert_eq!(mistakes.all().len(), 2);
    /// assert!(mistakes.to_string().ends_with("; the nearest is `stacks`"));
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    #[cfg(feature = "config")]
    pub fn parse(text: &str) -> Result<Self, ConfigErrors> {
        Config::from_text(text, None)
    }

    /// Reads a file.
    ///
    /// ```
    /// let error = canonlog::Config::read("/no/such/canonlog.toml").expect_err("there is none");
    /// assert!(error.to_string().starts_with("/no/such/canonlog.toml: "));
    /// ```
    ///
    /// # Errors
    ///
    /// It cannot be read; all that is wrong with it.
    #[cfg(feature = "config")]
    pub fn read(path: impl AsRef<std::path::Path>) -> Result<Self, ConfigErrors> {
        Config::read_at(path.as_ref(), path.as_ref(), "")
    }

    /// Reads the file at `path`, which somebody called `said`; `who` did, where it cannot be read.
    #[cfg(feature = "config")]
    fn read_at(path: &Path, said: &Path, who: &str) -> Result<Self, ConfigErrors> {
        let source = Some(said.display().to_string());
        match std::fs::read_to_string(path) {
            Ok(text) => Config::from_text(&text, source),
            Err(error) => {
                let why = match error.kind() {
                    std::io::ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
                    _ => error.to_string(),
                };
                let error = ConfigError::wrong("", tree::Place::Program, format!("it cannot be read: {why}{who}"));
                Err(ConfigErrors { source, errors: vec![error] })
            }
        }
    }

    #[cfg(feature = "config")]
    fn from_text(text: &str, source: Option<String>) -> Result<Self, ConfigErrors> {
        let table = file::read(text).map_err(|errors| ConfigErrors { source: source.clone(), errors })?;
        Config::from_table(&table, source)
    }

    #[cfg(feature = "config")]
    fn from_table(table: &Table, source: Option<String>) -> Result<Self, ConfigErrors> {
        let outputs = table.table("outputs").into_iter().flat_map(Table::keys).collect();
        let mut checks = check::Checks { outputs, ..check::Checks::default() };
        let said = checks.table(schema::ROOT, table, tree::Place::Program, "");
        let errors = checks.errors;
        if errors.is_empty() {
            Ok(Config { said, notes: Vec::new(), source })
        } else {
            Err(ConfigErrors { source, errors })
        }
    }

    /// The time that a key has, where it was checked.
    pub(super) fn time(&self, key: &str) -> Option<Duration> {
        self.said.time(key)
    }

    /// Whether its emitters are added to those that there are.
    pub(super) fn is_incremental(&self) -> bool {
        self.said.truth("incremental") == Some(true)
    }
}

/// Where the file's part comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// `CANONLOG_CONFIG`, or `canonlog.toml` if it is there.
    Search,
    /// A file that the program names.
    #[cfg(feature = "config")]
    File(PathBuf),
    Given(Config),
}

impl Source {
    /// What it says, and whether that is a file which may say something else later. Paths begin at `folder`; the file must be there
    /// if the configuration before this one `was_file`.
    #[cfg_attr(not(feature = "config"), allow(unused_variables))]
    fn read(
        &self,
        of_environment: Option<PathBuf>,
        folder: &Path,
        was_file: bool,
    ) -> Result<(Config, bool), ConfigErrors> {
        #[cfg(feature = "config")]
        let of_file = |path: &Path, who: &str| Ok((Config::read_at(&folder.join(path), path, who)?, true));
        match (self, of_environment) {
            (Source::Given(config), _) => Ok((config.clone(), false)),
            #[cfg(feature = "config")]
            (Source::File(path), _) => of_file(path, ""),
            #[cfg(feature = "config")]
            (Source::Search, Some(path)) => of_file(&path, "; `CANONLOG_CONFIG` names it"),
            #[cfg(feature = "config")]
            (Source::Search, None) if was_file || folder.join(FILE).exists() => of_file(Path::new(FILE), ""),
            #[cfg(not(feature = "config"))]
            (Source::Search, Some(_)) => {
                let message = "canonlog was built without the feature `config`, which reads files";
                Err(ConfigErrors {
                    source: None,
                    errors: vec![ConfigError::wrong("CANONLOG_CONFIG", tree::Place::Program, message)],
                })
            }
            (Source::Search, None) => Ok((Config::new(), false)),
        }
    }
}

/// What the program says, to be joined with what others say.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) emitters: Vec<Emitter>,
    /// What holds for all emitters, or the first.
    pub(super) shortcuts: Emitter,
    pub(super) said: Table,
    /// How quiet messages are kept, if it says so.
    pub(super) lookback: Option<Lookback>,
    pub(super) source: Source,
    /// Where it was started, and paths begin: it may go elsewhere before the file is read again.
    pub(super) folder: PathBuf,
}

/// All that holds.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) emitters: Vec<Emitter>,
    pub(super) settings: Settings,
    pub(super) redaction: Redaction,
    pub(super) message_fields: Vec<String>,
    pub(super) statuses: Vec<Status>,
    pub(super) features: Vec<Feature>,
    pub(super) config: Config,
    /// Whether it was read from a file; for whoever waits for signals.
    #[cfg_attr(not(feature = "signal-hook"), allow(dead_code))]
    pub(super) is_of_file: bool,
}

impl Program {
    /// Reads what others say, checks it, and opens what it leads to. Nothing is applied.
    pub(super) fn make(
        &self,
        variables: impl Iterator<Item = (OsString, OsString)>,
        before: Option<&Config>,
    ) -> Result<Made, ConfigErrors> {
        let all: Vec<_> = variables.collect();
        // The names of outputs are needed for the environment, and its variable for the file.
        let named = environment::read(all.iter().cloned(), Vec::new()).0.file;
        let was_file = before.is_some_and(|before| before.source.is_some());
        let read = self.source.read(named, &self.folder, was_file);
        let outputs = |config: &Config| {
            config.said.table("outputs").into_iter().flat_map(Table::keys).map(str::to_owned).collect::<Vec<_>>()
        };
        let names = read.as_ref().map(|(config, _)| outputs(config)).unwrap_or_default();
        let (environment, mut errors) = environment::read(all.into_iter(), names.iter().map(String::as_str).collect());
        let (file, is_of_file) = read.map_err(|mut all| {
            all.errors.append(&mut errors.clone());
            all
        })?;
        let (program, program_errors) = self.check();
        let (said, tops) = resolve(&Said {
            file: &file.said,
            environment: &environment.said,
            program: &program,
            before: before.and_then(|before| before.said.table("emitters")),
            has_emitters: !self.emitters.is_empty(),
            develops: &|to_stdout| {
                !self.shortcuts.said().format && Pretty::is_wanted_at(to_stdout && !self.shortcuts.said().output)
            },
        });
        errors.extend(program_errors);
        let is_right = errors.is_empty();
        // What is added to others leaves them alone: they may have been changed or taken away meanwhile.
        let added_to = before.filter(|_| file.is_incremental());
        let of_file = file.said.table("emitters");
        let is_meant = |name: &str| added_to.is_none() || of_file.is_some_and(|all| all.get(name).is_some());
        let made = if is_right { build::emitters(&said, &self.folder, is_meant, &mut errors) } else { Vec::new() };
        let mut emitters = self.emitters(made, is_meant, &tops, &said, &mut errors);
        let is_logging = added_to.is_some_and(|before| before.said.text("debug_log") == said.text("debug_log"));
        // The last, as the first has the format and the output that are said without a name.
        if is_right && !is_logging && self.emitters.iter().all(|emitter| emitter.name() != "debug_log") {
            emitters.extend(build::debug_log(&said, &self.folder, &mut errors));
        }
        let statuses = build::statuses(&said, &mut errors);
        build::lacks(&said, &mut errors);
        let source = file.source;
        if !errors.is_empty() {
            return Err(ConfigErrors { source, errors });
        }
        let notes = self.notes();
        let settings = build::settings(&said);
        Ok(Made {
            emitters,
            settings: Settings { lookback: self.lookback.or(settings.lookback), ..settings },
            redaction: build::redaction(&said),
            statuses,
            features: build::features(&said),
            message_fields: said
                .get("message_fields")
                .map(Node::texts)
                .unwrap_or_default()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            config: Config { said, notes, source },
            is_of_file,
        })
    }

    /// What the program says, and what is wrong with it.
    fn check(&self) -> (Table, Vec<ConfigError>) {
        let mut checks = check::Checks::default();
        let said = checks.table(schema::ROOT, &self.said, tree::Place::Program, "");
        (said, checks.errors)
    }

    /// The emitters of the configuration, and those of the program that are meant; it has the last word.
    fn emitters(
        &self,
        made: Vec<Emitter>,
        is_meant: impl Fn(&str) -> bool,
        tops: &Tops,
        said: &Table,
        errors: &mut Vec<ConfigError>,
    ) -> Vec<Emitter> {
        let first_of_config = said.table("emitters").and_then(|all| all.keys().next());
        let first = first_of_config.or(self.emitters.first().map(Emitter::name));
        let mut all = made;
        for emitter in self.emitters.iter().filter(|emitter| is_meant(emitter.name())) {
            let is_first = first_of_config.is_none() && first == Some(emitter.name());
            let mut emitter = emitter.clone();
            if let (Some(level), false) = (&tops.level, emitter.said().level) {
                emitter = emitter.level(build::level(Some(level)));
            }
            if let (Some(format), false, true) = (&tops.format, emitter.said().format, is_first) {
                match formats::format(emitter.clone(), format) {
                    Ok(whole) => emitter = whole,
                    Err(message) => errors.push(ConfigError::wrong("format", format.place, message)),
                }
            }
            if let (Some(output), false, true) = (&tops.output, emitter.said().output, is_first) {
                match outputs::output(emitter.clone(), output, said, &self.folder) {
                    Ok(whole) => emitter = whole,
                    Err(error) => errors.push(ConfigError::wrong("output", output.place, error.to_string())),
                }
            }
            match all.iter_mut().find(|known| known.name() == emitter.name()) {
                Some(known) => *known = emitter,
                None => all.push(emitter),
            }
        }
        let shortcuts = &self.shortcuts;
        let overridden = |emitter: Emitter| {
            let is_first = first == Some(emitter.name());
            emitter.overridden_by(shortcuts, is_first)
        };
        all.into_iter().map(overridden).collect()
    }

    fn notes(&self) -> Vec<String> {
        let of_emitters = self
            .emitters
            .iter()
            .map(|emitter| format!("The program brings the emitter `{}`.", emitter.name().escape_debug()));
        let shortcuts = self.shortcuts.said();
        let of_shortcuts = [("level", shortcuts.level), ("format", shortcuts.format), ("output", shortcuts.output)];
        let of_shortcuts = of_shortcuts.into_iter().filter(|(_, said)| *said);
        let of_lookback = self.lookback.iter().map(|_| "The program sets the lookback.".to_owned());
        of_emitters
            .chain(of_shortcuts.map(|(what, _)| format!("The program sets the {what}.")))
            .chain(of_lookback)
            .collect()
    }
}

#[cfg(all(test, feature = "config"))]
mod tests;
