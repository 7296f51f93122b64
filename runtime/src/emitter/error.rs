//! Why emitters cannot start, or cannot be changed.

use std::fmt;
use std::io;

use super::FilterError;
use crate::nearest::nearest;

/// Why emitters cannot start, or cannot be changed.
///
/// ```
/// use canonlog::{Background, Emitter, SetupError};
///
/// let setup = canonlog::setup()
///     .emitter(Emitter::new("one").background(Background::new()))
///     .emitter(Emitter::new("two").direct());
/// let error = setup.init().expect_err("both write to standard output");
/// assert!(matches!(error, SetupError::Emitter(canonlog::EmitterError::Conflict { .. })));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum EmitterError {
    /// Two emitters write to the same place in different ways.
    Conflict {
        /// The emitter that came first.
        first: String,
        /// The emitter that contradicts it.
        second: String,
    },
    /// The output's writer could not be started.
    Thread {
        /// The emitter.
        emitter: String,
        /// What the system says.
        source: io::Error,
    },
    /// Two emitters have the same name.
    Twice {
        /// The name.
        name: String,
    },
    /// No emitter has this name.
    Unknown {
        /// The name.
        name: String,
        /// Which there are.
        known: Vec<String>,
    },
    /// A filter holds a mistake.
    Filter {
        /// The emitter.
        emitter: String,
        /// Which.
        source: FilterError,
    },
    /// Canonlog was shut down.
    Ended,
}

impl fmt::Display for EmitterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmitterError::Conflict { first, second } => write!(
                f,
                "emitters `{first}` and `{second}` write to the same place in different ways; give both the same queue \
                 (`background`, in a configuration `queue`), or make both `direct`"
            ),
            EmitterError::Thread { emitter, source } => {
                write!(f, "cannot start the writer of emitter `{emitter}`: {source}")
            }
            EmitterError::Twice { name } => write!(f, "two emitters are called `{name}`; give each a name of its own"),
            EmitterError::Unknown { name, known } if known.is_empty() => {
                write!(f, "no emitter is called `{name}`; there is none")
            }
            EmitterError::Unknown { name, known } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                write!(f, "no emitter is called `{name}`; there are `{}`", known.join("`, `"))?;
                nearest(name, &known).map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
            }
            EmitterError::Filter { emitter, source } => write!(f, "the filter of emitter `{emitter}`: {source}"),
            EmitterError::Ended => f.write_str("canonlog was shut down; its emitters stay as they are"),
        }
    }
}

impl std::error::Error for EmitterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EmitterError::Thread { source, .. } => Some(source),
            EmitterError::Filter { source, .. } => Some(source),
            _ => None,
        }
    }
}
