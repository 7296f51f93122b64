//! Counters of the program's own: `inc("requests").inc("2xx")`.

use crate::counters::measures;

/// Counts one under this name, wherever the program is; more names can follow.
///
/// [`Status`](crate::Status) reports each counter: how far it went in the last period as `app_<name>`, and the mean of its increments
/// as `app_<name>.avg`. [`stats`](crate::stats) has the sum since the process began.
///
/// An increment is two additions on memory of this thread alone, and does not allocate. A program can have 256 counters; increments
/// of others are lost, and counted (`increments_lost`).
///
/// ```
/// canonlog::inc("requests").inc("2xx").by("bytes", 512);
/// canonlog::inc("requests").inc("4xx").by("bytes", 128);
/// let stats = canonlog::stats();
/// assert_eq!((stats.counter("requests"), stats.counter("2xx"), stats.counter("bytes")), (2, 1, 640));
/// ```
pub fn inc(name: &'static str) -> Inc {
    inc_by(name, 1)
}

/// As [`inc`], with a number, which may be negative.
///
/// ```
/// for requests in [1, 5, 7] {
///     canonlog::inc_by("requests", requests); // app_requests="13" app_requests.avg="4.333"
/// }
/// assert_eq!(canonlog::stats().counter("requests"), 13);
/// ```
pub fn inc_by(name: &'static str, by: i64) -> Inc {
    measures::increment(name, by);
    Inc(())
}

/// What [`inc`] gives: more counters can follow.
///
/// ```
/// fn answered(status: u16) -> canonlog::Inc {
///     match status {
///         200..300 => canonlog::inc("2xx"),
///         _ => canonlog::inc("other"),
///     }
/// }
/// answered(204).inc("requests");
/// assert_eq!(canonlog::stats().counter("2xx"), 1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Inc(());

impl Inc {
    /// Counts one under this name.
    pub fn inc(self, name: &'static str) -> Inc {
        inc(name)
    }

    /// Counts a number under this name; it may be negative.
    pub fn by(self, name: &'static str, by: i64) -> Inc {
        inc_by(name, by)
    }
}
