//! What a returned value says of a failure, by its type.
//!
//! `(&&&Probe(&value)).__canonlog_failure()` finds the most telling of three implementations: the compiler tries the method
//! on as many references as there are, then on fewer. None has a lifetime bound, which the search would not look at.

use std::fmt;

use crate::trace::errors::Trace;
use crate::value::Value;

/// An error that a function returned.
pub struct Failure<'a> {
    /// The full path of its type.
    pub(crate) type_name: &'static str,
    /// Its text, where it has one.
    pub(crate) message: Option<&'a dyn fmt::Display>,
}

impl fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("type_name", &self.type_name).finish_non_exhaustive()
    }
}

impl Failure<'_> {
    /// Tells an event of the error, and of the way by which it came.
    pub(crate) fn tell(&self, trace: &Trace, mut tell: impl FnMut(&'static str, &'static str, Value<'_>)) {
        let (type_name, cause) = trace.types(self.type_name);
        tell("exc", "type", Value::Str(type_name));
        if let Some(message) = self.message {
            tell("exc", "msg", Value::Display(message));
        }
        trace.tell(cause, tell);
    }
}

/// A value to look at.
pub struct Probe<'a, T>(pub &'a T);

impl<T> fmt::Debug for Probe<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// A `Result` whose error has a text.
pub trait ShownResultProbe<'a> {
    #[doc(hidden)]
    fn __canonlog_failure(&self) -> Option<Failure<'a>>;
}

impl<'a, T, E: fmt::Display> ShownResultProbe<'a> for &&Probe<'a, Result<T, E>> {
    fn __canonlog_failure(&self) -> Option<Failure<'a>> {
        let error = self.0.as_ref().err()?;
        Some(Failure { type_name: std::any::type_name::<E>(), message: Some(error) })
    }
}

/// Any `Result`.
pub trait ResultProbe<'a> {
    #[doc(hidden)]
    fn __canonlog_failure(&self) -> Option<Failure<'a>>;
}

impl<'a, T, E> ResultProbe<'a> for &Probe<'a, Result<T, E>> {
    fn __canonlog_failure(&self) -> Option<Failure<'a>> {
        self.0.as_ref().err()?;
        Some(Failure { type_name: std::any::type_name::<E>(), message: None })
    }
}

/// Anything else: no failure.
pub trait ValueProbe<'a> {
    #[doc(hidden)]
    fn __canonlog_failure(&self) -> Option<Failure<'a>>;
}

impl<'a, T> ValueProbe<'a> for Probe<'a, T> {
    fn __canonlog_failure(&self) -> Option<Failure<'a>> {
        None
    }
}

/// For types that are certainly no `Result`.
pub fn unprobed<T>(_: &T) -> Option<Failure<'_>> {
    None
}
