//! The level from which on something happens, or never.

use std::fmt;
use std::str::FromStr;

use super::{Level, ParseLevelError};

/// The level from which on events are taken, or none at all.
///
/// Wherever a minimum is asked for, a [`Level`] will do too.
///
/// ```
/// use canonlog::{Emitter, Level, LevelFilter};
///
/// let silent = Emitter::new("silent").level(LevelFilter::Disabled);
/// let errors = Emitter::new("errors").level(Level::Error);
/// assert!(LevelFilter::from(Level::Warning).allows(Level::Error));
/// assert!(!LevelFilter::Disabled.allows(Level::Critical));
/// assert_eq!("Disabled".parse(), Ok(LevelFilter::Disabled));
/// assert_eq!("WARN".parse(), Ok(LevelFilter::Warning));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelFilter {
    /// Everything.
    Debug,
    /// From [`Level::Info`] on.
    Info,
    /// From [`Level::Notice`] on.
    Notice,
    /// From [`Level::Warning`] on.
    Warning,
    /// From [`Level::Error`] on.
    Error,
    /// [`Level::Critical`] alone.
    Critical,
    /// Nothing.
    Disabled,
}

impl LevelFilter {
    /// Whether an event of this level is taken.
    #[inline]
    pub const fn allows(self, level: Level) -> bool {
        level as u8 >= self as u8
    }

    /// The lowest level that is taken; none where nothing is.
    ///
    /// ```
    /// use canonlog::{Level, LevelFilter};
    ///
    /// assert_eq!(LevelFilter::Notice.level(), Some(Level::Notice));
    /// assert_eq!(LevelFilter::Disabled.level(), None);
    /// ```
    pub fn level(self) -> Option<Level> {
        Level::ALL.get(self as usize).copied()
    }

    /// The name, as configuration has it.
    pub fn as_str(self) -> &'static str {
        self.level().map_or("disabled", Level::as_str)
    }
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => LevelFilter::Debug,
            Level::Info => LevelFilter::Info,
            Level::Notice => LevelFilter::Notice,
            Level::Warning => LevelFilter::Warning,
            Level::Error => LevelFilter::Error,
            Level::Critical => LevelFilter::Critical,
        }
    }
}

impl fmt::Display for LevelFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LevelFilter {
    type Err = ParseLevelError;

    /// Reads what [`Level`] reads, and `disabled` or `off`, in any case.
    fn from_str(text: &str) -> Result<Self, ParseLevelError> {
        if ["disabled", "off"].iter().any(|name| text.trim().eq_ignore_ascii_case(name)) {
            return Ok(LevelFilter::Disabled);
        }
        Level::named(text).map(LevelFilter::from).ok_or_else(|| ParseLevelError::new(text, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_allows_its_own_level_and_those_above() {
        for threshold in Level::ALL {
            for level in Level::ALL {
                assert_eq!(LevelFilter::from(threshold).allows(level), level >= threshold, "{threshold} {level}");
            }
        }
        assert!(Level::ALL.into_iter().all(|level| !LevelFilter::Disabled.allows(level)));
    }

    #[test]
    fn every_threshold_is_read_back_from_its_name_in_any_case() {
        let all = Level::ALL.into_iter().map(LevelFilter::from).chain([LevelFilter::Disabled]);
        for threshold in all {
            assert_eq!(threshold.as_str().to_uppercase().parse(), Ok(threshold));
            assert_eq!(threshold.level().map_or(LevelFilter::Disabled, LevelFilter::from), threshold);
        }
        let error = "disabeld".parse::<LevelFilter>().expect_err("no such level").to_string();
        assert!(error.ends_with("critical, disabled; the nearest is `disabled`"), "{error}");
    }
}
