//! Why canonlog could not be set up.

use std::error::Error;
use std::fmt;
use std::io;

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
    /// A variable of the environment holds something unknown.
    Environment {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        got: String,
        /// What it may hold.
        allowed: String,
        /// The allowed value that looks most like it.
        nearest: Option<&'static str>,
    },
    /// The environment has a variable that begins with `CANONLOG_` and means nothing.
    Variable {
        /// The variable.
        got: String,
        /// Which there are.
        allowed: String,
        /// The one that looks most like it.
        nearest: Option<&'static str>,
    },
    /// The file of `CANONLOG_OUTPUT` cannot be opened.
    Output(io::Error),
    /// `format`, `output` or `level` was called beside `emitter`.
    Shortcut {
        /// Which.
        called: &'static str,
    },
    /// A pattern of keys to hide is none.
    Redaction {
        /// It.
        pattern: String,
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
            SetupError::Environment { variable, got, allowed, nearest } => {
                write!(f, "`{variable}` is `{got}`; expected {allowed}")?;
                nearest.map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
            }
            SetupError::Variable { got, allowed, nearest } => {
                write!(f, "`{got}` is no variable of canonlog; expected {allowed}")?;
                nearest.map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
            }
            SetupError::Output(error) => write!(f, "`CANONLOG_OUTPUT`: {error}"),
            SetupError::Shortcut { called } => {
                write!(f, "`{called}` has no effect next to `emitter`; call it on the emitter")
            }
            SetupError::Redaction { pattern } => write!(
                f,
                "`{}` is no pattern of keys; expected words of letters and digits joined by `_`, `*` for any characters of a word",
                pattern.escape_debug()
            ),
            SetupError::Emitter(error) => error.fmt(f),
            SetupError::Instrumenter(error) => error.fmt(f),
        }
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SetupError::Output(error) => Some(error),
            SetupError::Emitter(error) => error.source(),
            SetupError::Instrumenter(error) => error.source(),
            SetupError::Again
            | SetupError::Environment { .. }
            | SetupError::Variable { .. }
            | SetupError::Shortcut { .. }
            | SetupError::Redaction { .. } => None,
        }
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
