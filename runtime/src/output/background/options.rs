//! How much an output's queue holds, and what happens when it is full.

use std::time::Duration;

/// What happens to an event that finds the queue full.
///
/// ```
/// use canonlog::{Background, Overflow};
/// use std::time::Duration;
///
/// let patient = Background::new().overflow(Overflow::Block(Duration::from_millis(5)));
/// assert_ne!(patient, Background::new());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// It is dropped and counted; nobody waits.
    Drop,
    /// Its thread waits for room, at most this long; then it is dropped and counted.
    Block(Duration),
}

/// The queue before an output, and the thread that empties it.
///
/// Threads fill chunks (at most 64 events and 128 KiB each) that they borrow; the writer takes full ones at once, others
/// within the [period](Background::period), and 5 ms after the first event that ends a time of quiet. By default the queue holds 8,192 events and 16 MiB, whichever is reached first, and drops what does
/// not fit.
///
/// ```
/// use canonlog::{Background, Emitter, Overflow, Stdout};
/// use std::time::Duration;
///
/// let queue = Background::new().events(1_024).bytes(4 << 20).overflow(Overflow::Block(Duration::from_millis(5)));
/// let emitter = Emitter::new("events").output(Stdout::new()).background(queue);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background {
    events: usize,
    bytes: usize,
    period: Duration,
    overflow: Overflow,
}

/// Most events and bytes in one chunk.
const CHUNK_EVENTS: usize = 64;
const CHUNK_BYTES: usize = 128 * 1024;

/// A queue is made whole at the start, of no more than this.
const MOST_CHUNKS: usize = 65_536;

impl Default for Background {
    fn default() -> Self {
        Background {
            events: 128 * CHUNK_EVENTS,
            bytes: 128 * CHUNK_BYTES,
            period: Duration::from_millis(100),
            overflow: Overflow::Drop,
        }
    }
}

impl Background {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most this many events; at least 1, and no more than 4,194,304.
    #[must_use]
    pub fn events(self, events: usize) -> Self {
        Background { events: events.max(1), ..self }
    }

    /// At most this many bytes; at least 1 KiB, and no more than 8 GiB. A line longer than the smaller of this and 128 KiB does not fit at all.
    #[must_use]
    pub fn bytes(self, bytes: usize) -> Self {
        Background { bytes: bytes.max(1024), ..self }
    }

    /// The longest time between two passes of the writer while there is something to write: 100 ms by default, at least 1 ms.
    ///
    /// The first event after so long a time of quiet is written after 5 ms. While more come, the pauses double up to this time: then
    /// the writer has more to write at once. Where nothing comes, it sleeps.
    #[must_use]
    pub fn period(self, period: Duration) -> Self {
        Background { period: period.max(Duration::from_millis(1)), ..self }
    }

    /// What happens to an event that finds the queue full.
    #[must_use]
    pub fn overflow(self, overflow: Overflow) -> Self {
        Background { overflow, ..self }
    }

    pub(super) fn chunk_events(&self) -> usize {
        self.events.min(CHUNK_EVENTS)
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        self.bytes.min(CHUNK_BYTES)
    }

    pub(super) fn chunks(&self) -> usize {
        (self.events / self.chunk_events()).min(self.bytes / self.chunk_bytes()).clamp(1, MOST_CHUNKS)
    }

    pub(super) fn writes_every(&self) -> Duration {
        self.period
    }

    pub(super) fn patience(&self) -> Option<Duration> {
        match self.overflow {
            Overflow::Drop => None,
            Overflow::Block(limit) => Some(limit),
        }
    }
}
