//! The word that says whether a log is being written anew: odd while it is, and another one each time.
//!
//! ```text
//! claiming thread          odd ── SeqCst ── side log there? ── no: move entries ── even
//!                                                └── yes, and not under the lock: even, nothing moved
//! first to write beside    side log there ── SeqCst ── wait until even
//! readers                  even ── copy ── the same as before? else copy again
//! ```
//!
//! Of the two in the first lines at least one sees the other: so no place in a main log changes while a side log, which knows
//! places in it, is written.

use std::sync::atomic::Ordering::{Acquire, SeqCst};

use crate::sys::word::Word;

/// Begins to write a log anew; false where it must not: its record has another log, and the lock is not held.
pub(crate) fn begin<W: Word>(layout: &W, beside: &W, locked: bool) -> bool {
    layout.store(layout.load() + 1);
    // For readers, too: no entry is seen moved before the odd number is.
    W::fence(SeqCst);
    let alone = locked || beside.load() == 0;
    if !alone {
        end(layout);
    }
    alone
}

/// The log is whole again.
pub(crate) fn end(layout: &impl Word) {
    layout.store(layout.load() + 1);
}

/// Says that the log has another beside it, and waits until nobody writes it anew without knowing that.
pub(crate) fn join<W: Word>(layout: &W, beside: &W, other: u64, mut wait: impl FnMut(u32)) {
    beside.store(other);
    W::fence(SeqCst);
    let mut tries = 0;
    while !is_whole(layout.load()) {
        tries += 1;
        wait(tries);
    }
}

/// Whether the log is not being written anew.
pub(crate) fn is_whole(layout: u64) -> bool {
    layout.is_multiple_of(2)
}

/// Whether what was read since the number was `before`, a whole log's, is worth anything.
#[inline(always)]
pub(crate) fn is_still<W: Word>(layout: &W, before: u64) -> bool {
    W::fence(Acquire);
    layout.load() == before
}

#[cfg(test)]
mod models {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64;
    use loom::sync::atomic::Ordering::{Relaxed, SeqCst};
    use loom::thread;

    fn wait(_tries: u32) {
        thread::yield_now();
    }

    /// A log of one entry, which stands at one of two places.
    #[derive(Default)]
    struct Log {
        layout: AtomicU64,
        beside: AtomicU64,
        place: AtomicU64,
        words: [AtomicU64; 2],
        writing_beside: AtomicU64,
    }

    impl Log {
        fn new() -> Arc<Log> {
            let log = Log::default();
            log.words[0].store(7, Relaxed);
            Arc::new(log)
        }

        fn move_entry(&self) {
            assert_eq!(self.writing_beside.load(SeqCst), 0, "places change while they are being noted");
            self.words[1].store(self.words[0].load(Relaxed), Relaxed);
            self.words[0].store(0, Relaxed);
            self.place.store(1, Relaxed);
        }
    }

    #[test]
    fn no_entry_is_moved_while_a_thread_writes_beside_the_log() {
        loom::model(|| {
            let log = Log::new();
            let beside = {
                let log = Arc::clone(&log);
                thread::spawn(move || {
                    join(&log.layout, &log.beside, 1, wait);
                    log.writing_beside.store(1, SeqCst);
                    let place = log.place.load(Relaxed) as usize;
                    assert_eq!(log.words[place].load(Relaxed), 7, "the entry stands where it is said to stand");
                    log.writing_beside.store(0, SeqCst);
                })
            };
            if begin(&log.layout, &log.beside, false) {
                log.move_entry();
                end(&log.layout);
            }
            assert!(is_whole(Word::load(&log.layout)));
            beside.join().expect("no panic");
            assert!(!begin(&log.layout, &log.beside, false), "from here on under the lock only");
            assert!(is_whole(Word::load(&log.layout)));
        });
    }

    #[test]
    fn a_reader_knows_whether_what_it_read_was_moved_meanwhile() {
        loom::model(|| {
            let log = Log::new();
            let reader = {
                let log = Arc::clone(&log);
                thread::spawn(move || {
                    let before = Word::load(&log.layout);
                    let place = log.place.load(Relaxed) as usize;
                    let word = log.words[place].load(Relaxed);
                    if is_whole(before) && is_still(&log.layout, before) {
                        assert_eq!(word, 7);
                    }
                })
            };
            assert!(begin(&log.layout, &log.beside, false));
            log.move_entry();
            end(&log.layout);
            reader.join().expect("no panic");
        });
    }
}
