//! Why canonlog could not be set up.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::config::ConfigErrors;
use crate::emitter::EmitterError;
use crate::instrumenter::InstrumenterSetupError;

/// Why canonlog could not be set up. The process goes on without: events go to stdout as logfmt.
///
/// ```
/// use canonlog::{Emitter, Json, SetupError};
///
/// let error = canonlog::setup().format(Json::new()).emitter(Emitter::new("events")).init().expect_err("which format?");
/// assert_eq!(error.to_string(), "`format` has no effect next to `emitter`; call it on the emitter");
/// assert!(matches!(error, SetupError::Shortcut { called: "format" }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// It is set up already.
    Again,
    /// What the file, the environment or the program says is wrong: all of it.
    Config(ConfigErrors),
    /// `format`, `output` or `level` was called beside `emitter`.
    Shortcut {
        /// Which.
        called: &'static str,
    },
    /// The period of a [`Status`](crate::Status) is too short.
    Status {
        /// The period.
        period: Duration,
    },
    /// The emitters cannot start.
    Emitter(EmitterError),
    /// The instrumenters cannot start.
    Instrumenter(InstrumenterSetupError),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetupError::Again => f.write_str("canonlog is set up already; `init` can succeed once in a process"),
            SetupError::Config(errors) => errors.fmt(f),
            SetupError::Shortcut { called } => {
                write!(f, "`{called}` has no effect next to `emitter`; call it on the emitter")
            }
            SetupError::Status { period } => {
                write!(f, "the period of a status is {period:?}; expected at least 1 ms; for no status, leave it out")
            }
            SetupError::Emitter(error) => error.fmt(f),
            SetupError::Instrumenter(error) => error.fmt(f),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SetupError::Emitter(error) => error.source(),
            SetupError::Instrumenter(error) => error.source(),
            SetupError::Again | SetupError::Config(_) | SetupError::Shortcut { .. } | SetupError::Status { .. } => None,
        }
    }
}

impl From<ConfigErrors> for SetupError {
    fn from(errors: ConfigErrors) -> Self {
        SetupError::Config(errors)
    }
}

impl From<EmitterError> for SetupError {
    fn from(error: EmitterError) -> Self {
        SetupError::Emitter(error)
    }
}

impl From<InstrumenterSetupError> for SetupError {
    fn from(error: InstrumenterSetupError) -> Self {
        SetupError::Instrumenter(error)
    }
}
