//! Quiet messages are kept for as long as nobody knows whether they matter.
//!
//! ```text
//! message ──below `keep_below`──▶ ring of its request, or of its thread ──(nothing happens)──▶ gone
//!    │                              │
//!    │                              └──(a loud message, an error, a timeout, a panic, too slow)──▶ emitters, oldest first
//!    └──loud──────────────────────────────────────────────────────────────────────────────────▶ emitters
//! ```
//!
//! A ring is the record's own: it has a lock, which only those who speak in the same request at the same time wait for. Its
//! memory is used again by later records.

mod ring;

use std::time::Duration;

pub(crate) use self::ring::{Ring, give_back, keep, take, take_of_record};
use crate::clock;
use crate::level::Level;

/// Quiet messages of a request are kept, and written only if it goes wrong.
///
/// | they are written, in order | when |
/// |---|---|
/// | before a message | at [`flush_level`](Lookback::flush_level) or above |
/// | before the event of the request or job | that ends in an error, a panic, or a timeout |
/// | the same | of one that took [longer than a limit](Lookback::slower_than) |
///
/// Else they vanish. Outside requests each thread has its own. Emitters decide as ever which levels they want: a message that none
/// wants is not kept.
///
/// ```
/// use canonlog::{Level, Lookback};
/// use std::time::Duration;
///
/// let lookback = Lookback::new().capacity(200).keep_below(Level::Warning).slower_than(Duration::from_secs(2));
/// let _guard = canonlog::setup().lookback(lookback).init()?;
/// # Ok::<(), canonlog::SetupError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookback {
    pub(crate) capacity: usize,
    pub(crate) bytes: usize,
    pub(crate) max_age: Duration,
    pub(crate) flush_level: Level,
    below: Option<Level>,
    pub(crate) slower_than: Option<Duration>,
}

impl Default for Lookback {
    fn default() -> Self {
        Lookback {
            capacity: 128,
            bytes: 64 << 10,
            max_age: Duration::from_secs(3_600),
            flush_level: Level::Error,
            below: None,
            slower_than: None,
        }
    }
}

impl Lookback {
    /// Keeps up to 128 messages and 64 KiB of a request, for at most an hour, until a message at [`Level::Error`].
    pub fn new() -> Self {
        Lookback::default()
    }

    /// How many messages are kept, of each request. One more puts out the oldest, which is counted on the event that brings out
    /// the others: `canonlog_lookback_dropped`. The message that brings them out is none of them.
    #[must_use]
    pub fn capacity(self, messages: usize) -> Self {
        Lookback { capacity: messages, ..self }
    }

    /// How many bytes they may take, of each request.
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Lookback { bytes, ..self }
    }

    /// Messages that are older are not written any more, and count as dropped.
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        Lookback { max_age: age, ..self }
    }

    /// A message of this level or above brings out what is kept.
    #[must_use]
    pub fn flush_level(self, level: Level) -> Self {
        Lookback { flush_level: level, ..self }
    }

    /// Messages below this level are kept; others are written at once. Without it, all below [`flush_level`](Self::flush_level).
    #[must_use]
    pub fn keep_below(self, level: Level) -> Self {
        Lookback { below: Some(level), ..self }
    }

    /// A request or job that takes longer brings out what it has kept.
    #[must_use]
    pub fn slower_than(self, limit: impl Into<Option<Duration>>) -> Self {
        Lookback { slower_than: limit.into(), ..self }
    }

    /// Whether a message of this level is kept.
    #[inline]
    pub(crate) fn keeps(&self, level: Level) -> bool {
        level < self.flush_level && self.below.is_none_or(|below| level < below)
    }

    /// Whether what was made then is too old now.
    #[inline]
    pub(crate) fn is_too_old(&self, stamp: u64, now: u64) -> bool {
        u128::from(clock::between(stamp, now)) > self.max_age.as_nanos()
    }
}
