//! The end of a place that no emitter leads to any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::sink::{Sink, SinkStats};
use crate::internal::guarded;
use crate::output::Output;

/// As long the queue may take to be written; then what is left is counted as lost.
const DRAIN: Duration = Duration::from_secs(2);
/// As long the output stays for events that were on their way when the emitter went: a thread needs microseconds, unless it is put
/// aside in the middle.
const LINGER: Duration = Duration::from_secs(1);

/// Sinks that no emitter leads to any more.
#[derive(Default)]
pub(crate) struct Departed(Mutex<Counts>);

#[derive(Default)]
pub(crate) struct Counts {
    /// Those that some thread may still be at.
    leaving: Vec<Arc<Sink>>,
    /// What became of the events of the others, an entry for each name.
    gone: Vec<SinkStats>,
}

impl Departed {
    pub(super) fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add<'a>(&self, sinks: impl Iterator<Item = &'a Arc<Sink>>) {
        self.lock().leaving.extend(sinks.cloned());
    }

    /// Those that some thread may still be at.
    pub(super) fn leaving(&self) -> Vec<Arc<Sink>> {
        self.fold();
        self.lock().leaving.clone()
    }

    /// The same without waiting for anybody.
    pub(super) fn try_leaving(&self) -> Vec<Arc<Sink>> {
        self.0.try_lock().map(|counts| counts.leaving.clone()).unwrap_or_default()
    }

    /// Both at once: none is in both, and none in neither.
    pub(super) fn stats(&self) -> Vec<SinkStats> {
        let counts = self.lock();
        counts.leaving.iter().map(|sink| sink.stats()).chain(counts.gone.iter().cloned()).collect()
    }

    /// Keeps only the counts of those that nobody can reach any more.
    pub(super) fn fold(&self) {
        let mut counts = self.lock();
        // Only this list has it: no thread keeps a list with it, and its end has come.
        let (gone, leaving) =
            std::mem::take(&mut counts.leaving).into_iter().partition(|sink| Arc::strong_count(sink) == 1);
        counts.leaving = leaving;
        let gone: Vec<Arc<Sink>> = gone;
        gone.iter().for_each(|sink| merge(&mut counts.gone, sink.stats()));
        drop(counts);
        // With one that was written to directly goes its output, which is a user's.
        let _ = guarded(move || drop(gone));
    }
}

/// Adds to what is known of the output of this name.
pub(super) fn merge(all: &mut Vec<SinkStats>, stats: SinkStats) {
    match all.iter_mut().find(|known| known.output == stats.output) {
        Some(known) => known.add(&stats),
        None => all.push(stats),
    }
}

/// Ends a sink that no emitter leads to any more, on a thread of its own: nobody waits for a slow output.
pub(super) fn end(sink: Arc<Sink>, output: Arc<dyn Output>, departed: &Arc<Departed>) {
    sink.leave();
    let departed = Arc::clone(departed);
    let thread = std::thread::Builder::new().name("canonlog-leaving".to_owned());
    // Without a thread its queue ends all the same; only what a stuck output does not take stays uncounted until the shutdown.
    let _ = thread.spawn(move || {
        sink.finish(Instant::now() + DRAIN);
        let until = Instant::now() + LINGER;
        // This one, that of the counts, and those of threads that have kept a list with it.
        while Arc::strong_count(&sink) > 2 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(sink);
        departed.fold();
        let _ = guarded(move || drop(output));
    });
}
