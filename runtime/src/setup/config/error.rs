//! What is wrong with a configuration.

use std::fmt;

use super::print;
use super::tree::Place;
use crate::nearest::nearest;
use crate::redact::REDACTED;

/// One thing that is wrong with a configuration: where, what stands there, what may.
///
/// ```
/// # #[cfg(feature = "config")] {
/// let errors = canonlog::Config::parse("[emitters.slow]\nformat = 'jsno'\n").expect_err("no such format");
/// let [error] = errors.all() else { panic!("one mistake") };
/// assert_eq!((error.path(), error.line(), error.got()), ("emitters.slow.format", Some(2), "jsno"));
/// assert_eq!(error.nearest(), Some("json"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    path: String,
    line: usize,
    got: Option<String>,
    what: What,
    nearest: Option<String>,
    hint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Expected(String),
    Unknown(String),
    Variable(String),
    Missing(String),
    Wrong(String),
}

impl What {
    /// It may quote what was got, however long that is.
    fn wrong(message: impl Into<String>) -> What {
        What::Wrong(cut_to(1_000, &message.into()))
    }
}

/// What was got, short, and on one line.
pub(super) fn cut(got: &str) -> String {
    cut_to(64, got)
}

fn cut_to(longest: usize, text: &str) -> String {
    let mut cut: String = text.chars().take(longest).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        cut.push('…');
    }
    cut
}

/// Names as messages list them.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", cut(name))).collect::<Vec<_>>().join(", ")
}

impl ConfigError {
    fn new(path: &str, place: Place, got: Option<&str>, what: What) -> Self {
        let (path, line) = match place {
            Place::Variable(name) => (name, 0),
            Place::Line(line) => (path, line),
            Place::Program => (path, 0),
        };
        ConfigError { path: path.to_owned(), line, got: got.map(cut), what, nearest: None, hint: None }
    }

    /// A value that is none of what is expected, in words.
    pub(super) fn expected(path: &str, place: Place, got: &str, expected: impl Into<String>) -> Self {
        let key = path.rsplit('.').next().unwrap_or_default().split('[').next().unwrap_or_default();
        // Of these it is only said what they are.
        let is_secret = !matches!(got, "a list" | "a table") && print::hides(key);
        ConfigError::new(path, place, Some(if is_secret { REDACTED } else { got }), What::Expected(expected.into()))
    }

    /// A value that is none of these; `more`: what else it may be.
    pub(super) fn one_of(path: &str, place: Place, got: &str, names: &[&str], more: &str) -> Self {
        ConfigError::expected(path, place, got, list(names) + more).near(names)
    }

    /// The same, with which of these is nearest.
    pub(super) fn near(self, names: &[&str]) -> Self {
        let nearest = nearest(self.got(), names).map(str::to_owned);
        ConfigError { nearest, ..self }
    }

    /// The same, with what may have been meant instead; it says more than a name that is near.
    pub(super) fn hint(self, hint: Option<String>) -> Self {
        let nearest = if hint.is_some() { None } else { self.nearest };
        ConfigError { nearest, hint, ..self }
    }

    /// A key that means nothing.
    pub(super) fn unknown(path: &str, place: Place, key: &str, names: &[&str]) -> Self {
        ConfigError::new(path, place, Some(key), What::Unknown(list(names))).near(names)
    }

    /// A variable that means nothing; all of them begin alike.
    pub(super) fn unknown_variable(got: &str, names: &[&'static str], prefix: &str) -> Self {
        let error = ConfigError::new(got, Place::Program, Some(got), What::Variable(list(names)));
        let ends: Vec<&str> = names.iter().map(|name| name.trim_start_matches(prefix)).collect();
        let end = got.get(prefix.len()..).unwrap_or_default().to_ascii_uppercase();
        // `LOG_LEVEL` is far from `LEVEL`, but is meant so.
        let has_it = |name: &&str| {
            let name: &str = name;
            let (long, short) = if end.len() > name.len() { (end.as_str(), name) } else { (name, end.as_str()) };
            !short.is_empty() && (long.starts_with(&format!("{short}_")) || long.ends_with(&format!("_{short}")))
        };
        let near = nearest(&end, &ends).or_else(|| ends.iter().copied().find(has_it));
        ConfigError { nearest: near.map(|near| [prefix, near].concat()), ..error }
    }

    /// A key that has to be there.
    pub(super) fn missing(path: &str, place: Place, example: impl Into<String>) -> Self {
        ConfigError::new(path, place, None, What::Missing(example.into()))
    }

    /// A text that is wrong in itself, in words that follow the path.
    pub(super) fn wrong_text(path: &str, place: Place, got: &str, message: impl Into<String>) -> Self {
        ConfigError::new(path, place, Some(got), What::wrong(message))
    }

    /// Something else, in words that follow the path.
    pub(super) fn wrong(path: &str, place: Place, message: impl Into<String>) -> Self {
        ConfigError::new(path, place, None, What::wrong(message))
    }

    /// The key, with those that it stands in: `emitters.slow.format`; or the variable of the environment.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line of the file.
    pub fn line(&self) -> Option<usize> {
        (self.line > 0).then_some(self.line)
    }

    /// What stands there, or the key that means nothing; empty for a key that is missing.
    pub fn got(&self) -> &str {
        self.got.as_deref().unwrap_or_default()
    }

    /// What may stand there.
    pub fn expected_text(&self) -> &str {
        match &self.what {
            What::Expected(text)
            | What::Unknown(text)
            | What::Variable(text)
            | What::Missing(text)
            | What::Wrong(text) => text,
        }
    }

    /// What may have been meant.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        let (path, got) = (cut(&self.path), self.got());
        match &self.what {
            // Of these it is only said what they are.
            What::Expected(expected) if matches!(got, "a list" | "a table") => {
                write!(f, "`{path}` is {got}; expected {expected}")?
            }
            What::Expected(expected) => write!(f, "`{path}` is `{got}`; expected {expected}")?,
            What::Variable(names) => write!(f, "`{path}` is no variable of canonlog; expected {names}")?,
            What::Unknown(names) if names.is_empty() => write!(f, "`{path}` is no key of the configuration")?,
            What::Unknown(names) => write!(f, "`{path}` is no key of the configuration; expected {names}")?,
            What::Missing(example) => write!(f, "`{path}` is missing; expected {example}")?,
            What::Wrong(message) if path.is_empty() => f.write_str(message)?,
            What::Wrong(message) => write!(f, "`{path}`: {message}")?,
        }
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
    }
}

impl std::error::Error for ConfigError {}

/// All that is wrong with a configuration; nothing of it was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file, if it is one.
    pub(super) source: Option<String>,
    pub(super) errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// Each of them, in the order of the file.
    pub fn all(&self) -> &[ConfigError] {
        &self.errors
    }
}

/// One a line.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.errors.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            // What the environment says does not stand in the file.
            if let Some(source) = self.source.as_ref().filter(|_| !error.path.starts_with("CANONLOG_")) {
                write!(f, "{source}: ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
