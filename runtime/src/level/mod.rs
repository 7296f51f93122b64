//! How much an event matters, and how much one has to matter.

mod foreign;
mod threshold;

use std::fmt;
use std::str::FromStr;

use crate::nearest::{cut, nearest};
use crate::value::{ToValue, Value};

pub use self::threshold::LevelFilter;

/// How much an event matters; ordered, [`Level::Debug`] lowest.
///
/// ```
/// use canonlog::Level;
///
/// assert!(Level::Warning > Level::Info);
/// assert_eq!("WARN".parse(), Ok(Level::Warning));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Detail for whoever looks for a fault.
    Debug,
    /// The normal course.
    Info,
    /// Normal, but worth a look.
    Notice,
    /// Something was refused, or answered with less than was asked for.
    Warning,
    /// A unit of work failed.
    Error,
    /// The process itself is in danger.
    Critical,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 6] =
        [Level::Debug, Level::Info, Level::Notice, Level::Warning, Level::Error, Level::Critical];

    /// The level's name, as `event_level` shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
        }
    }

    /// The level of a name, or of an alias of one, in any case.
    fn named(text: &str) -> Option<Level> {
        let is = |name: &str| text.trim().eq_ignore_ascii_case(name);
        let aliases = [
            ("trace", Level::Debug),
            ("warn", Level::Warning),
            ("err", Level::Error),
            ("fatal", Level::Critical),
            ("crit", Level::Critical),
        ];
        let named = Level::ALL.into_iter().find(|level| is(level.as_str()));
        named.or_else(|| aliases.into_iter().find_map(|(name, level)| is(name).then_some(level)))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[diagnostic::do_not_recommend]
impl ToValue for Level {
    fn to_value(&self) -> Value<'_> {
        Value::Str(self.as_str())
    }
}

/// A text that names no [`Level`].
///
/// ```
/// let error = "wraning".parse::<canonlog::Level>().expect_err("there is no such level");
/// assert_eq!(
///     error.to_string(),
///     "`wraning` is not a level; expected one of debug, info, notice, warning, error, critical; the nearest is `warning`",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseLevelError {
    got: String,
    /// Whether `disabled` would have been one too.
    threshold: bool,
}

impl ParseLevelError {
    fn new(got: &str, threshold: bool) -> Self {
        ParseLevelError { got: cut(got), threshold }
    }
}

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        if self.threshold {
            names.push("disabled");
        }
        write!(f, "`{}` is not a level; expected one of {}", self.got, names.join(", "))?;
        nearest(self.got.trim(), &names).map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
    }
}

impl std::error::Error for ParseLevelError {}

impl FromStr for Level {
    type Err = ParseLevelError;

    /// Reads a level's name in any case; `trace`, `warn`, `err`, `fatal` and `crit` are understood too.
    fn from_str(text: &str) -> Result<Self, ParseLevelError> {
        Level::named(text).ok_or_else(|| ParseLevelError::new(text, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_read_back_from_its_name_in_any_case() {
        for level in Level::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.as_str().to_uppercase().parse(), Ok(level));
            assert_eq!(format!(" {level} ").parse(), Ok(level));
        }
    }

    #[test]
    fn an_unknown_level_is_named_in_the_error_and_so_is_the_nearest() {
        let error = "loud".parse::<Level>().expect_err("no such level");
        assert!(error.to_string().starts_with("`loud` is not a level; expected one of debug"));
        for (got, near) in [("inof", "info"), ("CRITCAL", "critical"), ("errror", "error")] {
            let error = got.parse::<Level>().expect_err("no such level").to_string();
            assert!(error.ends_with(&format!("; the nearest is `{near}`")), "{error}");
        }
    }
}
