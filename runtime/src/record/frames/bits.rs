//! Which places are taken, and how often one was.
//!
//! ```text
//! taker   count up ─▶ fence ─▶ fill the place ─▶ set its bit          leaves: clears the bit
//! reader  count, bits ─▶ read the places ─▶ fence ─▶ count, bits: the same as before, or it reads again
//! ```

use std::sync::atomic::Ordering::{Acquire, Release};

use crate::sys::word::Word;

/// The bits of up to 64 places, and the count.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Bits<W> {
    used: W,
    taken: W,
}

fn free(used: u64) -> usize {
    (!used).trailing_zeros() as usize
}

impl<W: Word> Bits<W> {
    /// Takes a place, which `fill` makes ready; `None` where all are taken. For one thread at a time.
    #[inline]
    pub(super) fn take_alone(&self, fill: impl FnOnce(usize)) -> Option<usize> {
        let used = self.used.load();
        if used == u64::MAX {
            return None;
        }
        let at = free(used);
        self.taken.store(self.taken.load() + 1);
        W::fence(Release);
        fill(at);
        self.used.store(used | 1 << at);
        Some(at)
    }

    /// Gives places back. For one thread at a time.
    #[inline]
    pub(super) fn free_alone(&self, places: u64) {
        self.used.store(self.used.load() & !places);
    }

    /// Takes one of the first `count` places, for any thread. Until it is filled it must not look like one that is.
    pub(super) fn take(&self, count: usize) -> Option<usize> {
        loop {
            let used = self.used.load();
            let at = free(used);
            if at >= count {
                return None;
            }
            if self.used.exchange(used, used | 1 << at).is_ok() {
                self.fill();
                return Some(at);
            }
        }
    }

    /// Before a place is filled that any thread has taken.
    pub(super) fn fill(&self) {
        let mut taken = self.taken.load();
        while let Err(now) = self.taken.exchange(taken, taken + 1) {
            taken = now;
        }
        W::fence(Release);
    }

    /// Gives a place back, for any thread.
    pub(super) fn free(&self, at: usize) {
        let mut used = self.used.load();
        while let Err(now) = self.used.exchange(used, used & !(1 << at)) {
            used = now;
        }
    }

    /// The bits and the count.
    pub(super) fn look(&self) -> (u64, u64) {
        let taken = self.taken.load();
        (self.used.load(), taken)
    }

    /// Whether they are still what they were before something was read.
    pub(super) fn are(&self, before: (u64, u64)) -> bool {
        W::fence(Acquire);
        self.look() == before
    }
}

#[cfg(test)]
mod models {
    use std::sync::atomic::Ordering::Relaxed;

    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64 as Modelled;
    use loom::thread;

    use super::*;

    /// Places of two words each, as a frame's line and function: both of the same number, and the second, which says that there
    /// is something, written last.
    struct Places {
        bits: Bits<Modelled>,
        places: [[Modelled; 2]; 2],
    }

    impl Places {
        fn new() -> Arc<Places> {
            let zero = || Modelled::new(0);
            let bits = Bits { used: zero(), taken: zero() };
            Arc::new(Places { bits, places: [[zero(), zero()], [zero(), zero()]] })
        }

        fn write(&self, at: usize, value: u64) {
            self.places[at][0].store(value, Relaxed);
            self.places[at][1].store(value, Release);
        }

        /// What a reader finds that tries once.
        fn read(&self) -> Option<Vec<u64>> {
            let before = self.bits.look();
            let taken = self.places.iter().enumerate().filter(|(at, _)| before.0 & 1 << at != 0);
            let read = taken.map(|(_, [line, function])| (function.load(Acquire), line.load(Relaxed)));
            let read: Vec<_> = read.filter(|(function, _)| *function != 0).collect();
            self.bits.are(before).then(|| {
                assert!(read.iter().all(|(function, line)| function == line), "a place is read whole: {read:?}");
                read.into_iter().map(|(function, _)| function).collect()
            })
        }
    }

    /// A reader beside a thread that takes a place, leaves it, and takes it again.
    fn a_reader_beside(take: fn(&Places, u64) -> usize, leave: fn(&Places, usize)) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let places = Places::new();
            let (writer, reader) = (Arc::clone(&places), Arc::clone(&places));
            let writer = thread::spawn(move || {
                let at = take(&writer, 1);
                leave(&writer, at);
                assert_eq!(take(&writer, 2), at);
            });
            let reader = thread::spawn(move || {
                if let Some(read) = reader.read() {
                    assert!([vec![], vec![1], vec![2]].contains(&read), "{read:?}");
                }
            });
            writer.join().expect("no panic");
            reader.join().expect("no panic");
        });
    }

    #[test]
    fn a_reader_sees_what_one_thread_takes_and_leaves_whole_or_not_at_all() {
        let take = |places: &Places, value| places.bits.take_alone(|at| places.write(at, value)).expect("room");
        a_reader_beside(take, |places, at| places.bits.free_alone(1 << at));
    }

    #[test]
    fn a_reader_sees_what_any_thread_takes_and_leaves_whole_or_not_at_all() {
        let take = |places: &Places, value| {
            let at = places.bits.take(2).expect("room");
            places.write(at, value);
            at
        };
        a_reader_beside(take, |places, at| {
            places.places[at][1].store(0, Release);
            places.bits.free(at);
        });
    }

    #[test]
    fn no_two_threads_take_the_same_place() {
        loom::model(|| {
            let places = Places::new();
            let threads = [1, 2].map(|_| {
                let places = Arc::clone(&places);
                thread::spawn(move || places.bits.take(2).expect("room for two"))
            });
            let [one, other] = threads.map(|thread| thread.join().expect("no panic"));
            assert_ne!(one, other);
            assert_eq!(places.bits.take(2), None);
            places.bits.free(one);
            assert_eq!(places.bits.take(2), Some(one));
        });
    }
}
