//! How much an event matters.

use std::fmt;
use std::str::FromStr;

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
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Level`].
///
/// ```
/// let error = "loud".parse::<canonlog::Level>().expect_err("there is no such level");
/// assert!(error.to_string().starts_with("`loud` is not a level"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseLevelError {
    got: String,
}

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a level; expected one of debug, info, notice, warning, error, critical", self.got)
    }
}

impl std::error::Error for ParseLevelError {}

impl FromStr for Level {
    type Err = ParseLevelError;

    /// Reads a level's name in any case; `warn`, `err`, `fatal` and `crit` are understood too.
    fn from_str(text: &str) -> Result<Self, ParseLevelError> {
        let is = |name: &str| text.trim().eq_ignore_ascii_case(name);
        Level::ALL
            .into_iter()
            .find(|level| is(level.as_str()))
            .or_else(|| is("warn").then_some(Level::Warning))
            .or_else(|| is("err").then_some(Level::Error))
            .or_else(|| (is("fatal") || is("crit")).then_some(Level::Critical))
            .ok_or_else(|| ParseLevelError { got: text.chars().take(64).collect() })
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
        }
    }

    #[test]
    fn an_unknown_level_is_named_in_the_error() {
        let error = "loud".parse::<Level>().expect_err("no such level");
        assert!(error.to_string().starts_with("`loud` is not a level; expected one of debug"));
    }
}
