//! What an event has told of a log, where another thread had the claim when the record ended.
//!
//! ```text
//! the thread with the claim   looks: it is open ─▶ writes ───────────────▶ leaves
//! the one that ends it              ends ─▶ sum, copy, sum: the same ─▶ leaves      the last to leave: is it still the same?
//! ```
//!
//! A write that was under way when the record ended may be in neither. The writer pays nothing for that to be found out, nor does
//! anybody where the thread that ends a record is the one that has its claim, or nobody has.

use std::sync::atomic::Ordering::Relaxed;

use crate::counters::{self, Count};
use crate::record::slot::Body;
use crate::sys::word::Word;

/// A sum over the log as it was told; 0 for none.
#[repr(transparent)]
#[derive(Debug)]
pub(crate) struct Told<W>(W);

impl<W: Word> Told<W> {
    /// The event has told all that this sum is of. For the thread that ends the record.
    pub(crate) fn keep(&self, sum: u64) {
        self.0.store(sum.max(1));
    }

    /// Whether something was written that was not told. For the last one to leave.
    #[inline]
    pub(crate) fn is_past(&self, sum: impl FnOnce() -> u64) -> bool {
        let told = self.0.load();
        if told == 0 {
            return false;
        }
        self.0.store(0);
        sum().max(1) != told
    }
}

impl Body {
    /// A sum over all that a thread with the claim may write.
    pub(super) fn sum(&self) -> u64 {
        let words = self.extent_read().words();
        let log = (0..words).map(|at| self.word(at).load(Relaxed));
        let counts = [&self.extent, &self.queries, &self.query_nanos, &self.truncated, &self.value_errors];
        let counts = counts.map(|count| count.load(Relaxed));
        counts
            .into_iter()
            .chain(log)
            .fold(0, |sum, word| (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29))
    }

    /// Counts a write that came too late to be told, and was not refused. For the last one to leave a record that has ended.
    pub(super) fn count_untold(&self) {
        if self.told.is_past(|| self.sum()) {
            counters::add(Count::LateWrites, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU64 as Modelled, AtomicUsize};
    use loom::thread;

    use super::Told;
    use crate::record::state;

    #[test]
    fn a_write_under_way_when_another_thread_ends_the_record_is_told_or_counted() {
        loom::model(|| {
            let word = Arc::new(Modelled::new(0));
            let (log, told) = (Arc::new(Modelled::new(0)), Arc::new(Told(Modelled::new(0))));
            let late = Arc::new(AtomicUsize::new(0));
            let of = state::open(&*word, true);
            let returns = |log: &Modelled, told: &Told<Modelled>, late: &AtomicUsize| {
                if told.is_past(|| log.load(Relaxed) + 1) {
                    late.fetch_add(1, Relaxed);
                }
            };
            let writer = {
                let (word, log, told, late) =
                    (Arc::clone(&word), Arc::clone(&log), Arc::clone(&told), Arc::clone(&late));
                thread::spawn(move || {
                    let writes = state::is_open(word.load(Relaxed), state::open_word(of));
                    if writes {
                        log.store(1, Relaxed);
                    }
                    if state::unclaim(&*word) {
                        returns(&log, &told, &late);
                    }
                    writes
                })
            };
            assert!(state::finish(&*word, of, |_| thread::yield_now()).is_some());
            let copied = log.load(Relaxed);
            told.keep(copied + 1);
            if state::end(&*word) {
                returns(&log, &told, &late);
            }
            let wrote = writer.join().expect("no panic");
            assert_eq!(usize::from(wrote), copied as usize + late.load(Relaxed));
        });
    }

    #[test]
    fn what_nobody_watched_is_nothing_late() {
        let told = Told(AtomicU64::new(0));
        assert!(!told.is_past(|| unreachable!("no sum was kept")));
        told.keep(7);
        assert!(!told.is_past(|| 7));
        told.keep(7);
        assert!(told.is_past(|| 8));
        assert!(!told.is_past(|| 9), "once");
    }
}
