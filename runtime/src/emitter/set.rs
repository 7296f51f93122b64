//! Emitters apart from those of the process.

use std::io;
use std::time::Duration;

use super::{Emitter, EmitterError, Emitters};
use crate::clock;
use crate::event::Event;
use crate::output::LossReason;

/// Emitters apart from those of the process: for tests of outputs, formats and filters.
///
/// ```
/// use canonlog::{Emitter, EmitterSet, EventType, Level, Memory, OwnedEvent};
/// use std::time::{Duration, SystemTime};
///
/// let memory = Memory::new();
/// let set = EmitterSet::start([Emitter::new("test").output(memory.clone())])?;
/// set.emit(&OwnedEvent::new(EventType::Log, Level::Info, SystemTime::now()).view());
/// assert!(set.flush(Duration::from_secs(5)));
/// assert_eq!((memory.len(), set.written(), set.lost()), (1, 1, 0));
/// # Ok::<(), canonlog::EmitterError>(())
/// ```
#[derive(Debug)]
pub struct EmitterSet(Emitters);

impl EmitterSet {
    /// Starts them.
    ///
    /// # Errors
    ///
    /// Emitters that contradict each other, or a thread that cannot be started.
    pub fn start(emitters: impl IntoIterator<Item = Emitter>) -> Result<Self, EmitterError> {
        Emitters::start(emitters.into_iter().collect()).map(EmitterSet)
    }

    /// Hands an event to every emitter that takes it.
    pub fn emit(&self, event: &Event<'_>) {
        self.0.emit(event, clock::now());
    }

    /// Waits until every event so far is written or counted as lost; false if that takes longer than `limit`.
    pub fn flush(&self, limit: Duration) -> bool {
        self.0.flush(limit)
    }

    /// Opens files again.
    ///
    /// # Errors
    ///
    /// The first that there is.
    pub fn reopen(&self) -> io::Result<()> {
        self.0.reopen()
    }

    /// Writes what there is, for at most `limit`; how many events were lost, in all.
    pub fn shutdown(&self, limit: Duration) -> u64 {
        self.0.shutdown(limit)
    }

    /// Events written, by all outputs.
    pub fn written(&self) -> u64 {
        self.0.stats().iter().map(|sink| sink.written).sum()
    }

    /// Events lost, by all outputs.
    pub fn lost(&self) -> u64 {
        LossReason::ALL.into_iter().map(|reason| self.lost_by(reason)).sum()
    }

    /// Events lost for one reason, by all outputs.
    pub fn lost_by(&self, reason: LossReason) -> u64 {
        self.0.stats().iter().map(|sink| sink.lost[reason as usize]).sum()
    }
}
