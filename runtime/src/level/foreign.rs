//! Levels as others count them.
//!
//! | canonlog | syslog | OpenTelemetry | `log`, `tracing` |
//! |---|---|---|---|
//! | debug | 7 | 5 | debug, trace |
//! | info | 6 | 9 | info |
//! | notice | 5 | 10 | (info) |
//! | warning | 4 | 13 | warn |
//! | error | 3 | 17 | error |
//! | critical | 2 | 21 | (error) |
//!
//! What others have and canonlog has not becomes what is nearest; in brackets, what canonlog has and they have not.

use super::Level;

impl Level {
    /// The severity of syslog (RFC 5424, 6.2.1): 7 for debug, 2 for critical.
    ///
    /// ```
    /// use canonlog::Level;
    ///
    /// assert_eq!(Level::Notice.syslog_severity(), 5);
    /// assert!(Level::ALL.into_iter().all(|level| Level::from_syslog_severity(level.syslog_severity()) == Some(level)));
    /// ```
    pub const fn syslog_severity(self) -> u8 {
        match self {
            Level::Debug => 7,
            Level::Info => 6,
            Level::Notice => 5,
            Level::Warning => 4,
            Level::Error => 3,
            Level::Critical => 2,
        }
    }

    /// The level of a severity of syslog: alert and emergency (1, 0) are critical too; none above 7.
    ///
    /// ```
    /// use canonlog::Level;
    ///
    /// assert_eq!(Level::from_syslog_severity(0), Some(Level::Critical));
    /// assert_eq!(Level::from_syslog_severity(8), None);
    /// ```
    pub const fn from_syslog_severity(severity: u8) -> Option<Level> {
        Some(match severity {
            7 => Level::Debug,
            6 => Level::Info,
            5 => Level::Notice,
            4 => Level::Warning,
            3 => Level::Error,
            0..=2 => Level::Critical,
            8.. => return None,
        })
    }

    /// The severity number of OpenTelemetry's log model: the first of its range, and 10 (`INFO2`) for notice.
    ///
    /// ```
    /// use canonlog::Level;
    ///
    /// assert_eq!(Level::Error.otel_severity(), 17);
    /// assert!(Level::ALL.into_iter().all(|level| Level::from_otel_severity(level.otel_severity()) == Some(level)));
    /// ```
    pub const fn otel_severity(self) -> u8 {
        match self {
            Level::Debug => 5,
            Level::Info => 9,
            Level::Notice => 10,
            Level::Warning => 13,
            Level::Error => 17,
            Level::Critical => 21,
        }
    }

    /// The level of a severity number of OpenTelemetry, 1 to 24: its traces are debug, its fatals critical.
    ///
    /// ```
    /// use canonlog::Level;
    ///
    /// assert_eq!(Level::from_otel_severity(1), Some(Level::Debug));
    /// assert_eq!(Level::from_otel_severity(0), None, "unspecified");
    /// ```
    pub const fn from_otel_severity(severity: u8) -> Option<Level> {
        Some(match severity {
            1..=8 => Level::Debug,
            9 => Level::Info,
            10..=12 => Level::Notice,
            13..=16 => Level::Warning,
            17..=20 => Level::Error,
            21..=24 => Level::Critical,
            0 | 25.. => return None,
        })
    }
}

/// Conversions for a crate that has trace, debug, info, warn and error, and `off` as a threshold.
#[cfg(any(feature = "log", feature = "tracing"))]
macro_rules! five_levels {
    ($Theirs:ty, $TheirFilter:ty: $trace:path, $debug:path, $info:path, $warn:path, $error:path; $off:path) => {
        /// Its trace becomes debug.
        impl From<$Theirs> for Level {
            fn from(level: $Theirs) -> Level {
                match level {
                    $trace | $debug => Level::Debug,
                    $info => Level::Info,
                    $warn => Level::Warning,
                    $error => Level::Error,
                }
            }
        }

        /// Notice becomes info, and critical an error.
        impl From<Level> for $Theirs {
            fn from(level: Level) -> $Theirs {
                match level {
                    Level::Debug => $debug,
                    Level::Info | Level::Notice => $info,
                    Level::Warning => $warn,
                    Level::Error | Level::Critical => $error,
                }
            }
        }

        impl From<$TheirFilter> for LevelFilter {
            fn from(filter: $TheirFilter) -> LevelFilter {
                let level = Level::ALL.into_iter().find(|level| <$Theirs>::from(*level) <= filter);
                level.map_or(LevelFilter::Disabled, LevelFilter::from)
            }
        }

        /// The lowest that lets everything through which this one does: debug lets through their trace as well, and critical their
        /// errors.
        impl From<LevelFilter> for $TheirFilter {
            fn from(filter: LevelFilter) -> $TheirFilter {
                match filter.level() {
                    None => $off,
                    Some(Level::Debug) => <$TheirFilter>::from_theirs($trace),
                    Some(level) => <$TheirFilter>::from_theirs(level.into()),
                }
            }
        }
    };
}

/// A threshold of another crate, made of one of its levels.
#[cfg(any(feature = "log", feature = "tracing"))]
trait FromTheirs<L> {
    fn from_theirs(level: L) -> Self;
}

#[cfg(feature = "log")]
mod log_levels {
    use super::super::LevelFilter;
    use super::{FromTheirs, Level};

    impl FromTheirs<log::Level> for log::LevelFilter {
        fn from_theirs(level: log::Level) -> Self {
            level.to_level_filter()
        }
    }

    five_levels! {
        log::Level, log::LevelFilter:
        log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error;
        log::LevelFilter::Off
    }
}

#[cfg(feature = "tracing")]
mod tracing_levels {
    use tracing_core::{Level as Theirs, LevelFilter as TheirFilter};

    use super::super::LevelFilter;
    use super::{FromTheirs, Level};

    impl FromTheirs<Theirs> for TheirFilter {
        fn from_theirs(level: Theirs) -> Self {
            TheirFilter::from_level(level)
        }
    }

    five_levels! {
        Theirs, TheirFilter:
        Theirs::TRACE, Theirs::DEBUG, Theirs::INFO, Theirs::WARN, Theirs::ERROR;
        TheirFilter::OFF
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(any(feature = "log", feature = "tracing"))]
    use crate::level::LevelFilter;

    #[test]
    fn a_severity_of_others_that_matters_more_never_becomes_a_lower_level() {
        let syslog: Vec<_> = (0..=7).rev().map(Level::from_syslog_severity).collect();
        assert!(syslog.is_sorted() && syslog.iter().all(Option::is_some), "{syslog:?}");
        let otel: Vec<_> = (1..=24).map(Level::from_otel_severity).collect();
        assert!(otel.is_sorted() && otel.iter().all(Option::is_some), "{otel:?}");
        assert_eq!(Level::from_otel_severity(25), None);
    }

    #[cfg(feature = "log")]
    #[test]
    fn levels_of_log_are_those_of_the_same_name() {
        for (theirs, ours) in [
            (log::Level::Trace, Level::Debug),
            (log::Level::Debug, Level::Debug),
            (log::Level::Info, Level::Info),
            (log::Level::Warn, Level::Warning),
            (log::Level::Error, Level::Error),
        ] {
            assert_eq!(Level::from(theirs), ours);
            assert_eq!(LevelFilter::from(theirs.to_level_filter()), LevelFilter::from(ours));
        }
        assert_eq!(LevelFilter::from(log::LevelFilter::Off), LevelFilter::Disabled);
        assert_eq!(log::LevelFilter::from(LevelFilter::Debug), log::LevelFilter::Trace);
        assert_eq!(log::LevelFilter::from(LevelFilter::Notice), log::LevelFilter::Info);
        assert_eq!(log::LevelFilter::from(LevelFilter::Disabled), log::LevelFilter::Off);
        assert_eq!(log::Level::from(Level::Critical), log::Level::Error);
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn levels_of_tracing_are_those_of_the_same_name() {
        use tracing_core::{Level as Theirs, LevelFilter as TheirFilter};
        for (theirs, ours) in [
            (Theirs::TRACE, Level::Debug),
            (Theirs::DEBUG, Level::Debug),
            (Theirs::INFO, Level::Info),
            (Theirs::WARN, Level::Warning),
            (Theirs::ERROR, Level::Error),
        ] {
            assert_eq!(Level::from(theirs), ours);
            assert_eq!(LevelFilter::from(TheirFilter::from_level(theirs)), LevelFilter::from(ours));
        }
        assert_eq!(LevelFilter::from(TheirFilter::OFF), LevelFilter::Disabled);
        assert_eq!(TheirFilter::from(LevelFilter::Debug), TheirFilter::TRACE);
        assert_eq!(TheirFilter::from(LevelFilter::Critical), TheirFilter::ERROR);
    }
}
