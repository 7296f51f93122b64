//! Who may touch the copy of a stack: one word between the one who asks for it and the signal handler that makes it.
//!
//! ```text
//!            request               begin             end             take
//! idle ──────────────▶ requested ────────▶ copying ───────▶ done ────────▶ idle
//!  ▲                      │ cancel
//!  └──────────────────────┘
//! ```
//!
//! The word carries the number of the request. A handler that comes late, for a request that was given up, finds another number
//! or none, and touches nothing. The asker touches the copy only when it is idle or done, the handler only while it copies.

use crate::sys::word::Word;

const STATE: u64 = 0b11;
const IDLE: u64 = 0;
const REQUESTED: u64 = 1;
const COPYING: u64 = 2;
const DONE: u64 = 3;

const fn word(request: u64, state: u64) -> u64 {
    request << 2 | state
}

/// Whether the asker may touch the copy, and what goes with it: none is being made, also for a request that was given up.
pub(super) fn is_free(at: &impl Word) -> bool {
    matches!(at.load() & STATE, IDLE | DONE)
}

/// Asks: from now on the handler may begin. False if it is at the copy for a request that was given up.
pub(super) fn request(at: &impl Word, request: u64) -> bool {
    let now = at.load();
    is_free(at) && at.exchange(now, word(request, REQUESTED)).is_ok()
}

/// The handler begins to copy; false if nobody waits for this request any more.
pub(super) fn begin(at: &impl Word, request: u64) -> bool {
    at.exchange(word(request, REQUESTED), word(request, COPYING)).is_ok()
}

/// The handler has copied.
pub(super) fn end(at: &impl Word, request: u64) {
    at.store(word(request, DONE));
}

/// Whether the copy is there.
pub(super) fn is_done(at: &impl Word, request: u64) -> bool {
    at.load() == word(request, DONE)
}

/// Gives a request up; true if the copy is there all the same.
pub(super) fn cancel(at: &impl Word, request: u64) -> bool {
    let _ = at.exchange(word(request, REQUESTED), word(request, IDLE));
    is_done(at, request)
}

#[cfg(test)]
mod models {
    use super::*;
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64;
    use loom::thread;

    struct Shared {
        at: AtomicU64,
        /// What the asker tells.
        question: UnsafeCell<u64>,
        copy: UnsafeCell<u64>,
    }

    impl Shared {
        fn new() -> Arc<Shared> {
            Arc::new(Shared { at: AtomicU64::new(0), question: UnsafeCell::new(0), copy: UnsafeCell::new(0) })
        }

        fn handle(shared: &Arc<Self>, number: u64) -> thread::JoinHandle<bool> {
            let shared = Arc::clone(shared);
            thread::spawn(move || {
                let begun = begin(&shared.at, number);
                if begun {
                    // loom fails where two touch one of them at once.
                    shared.question.with(|_| ());
                    shared.copy.with_mut(|_| ());
                    end(&shared.at, number);
                }
                begun
            })
        }

        /// Waits not at all: the unlucky case.
        fn ask(&self, number: u64) -> Option<bool> {
            if !is_free(&self.at) {
                return None;
            }
            self.question.with_mut(|_| ());
            assert!(request(&self.at, number), "nobody else asks");
            Some(is_done(&self.at, number) || cancel(&self.at, number))
        }

        fn take(&self) {
            self.copy.with(|_| ());
        }
    }

    #[test]
    fn the_copy_is_never_read_while_it_is_made() {
        loom::model(|| {
            let shared = Shared::new();
            let handler = Shared::handle(&shared, 1);
            if shared.ask(1) == Some(true) {
                shared.take();
            }
            handler.join().expect("no panic");
        });
    }

    #[test]
    fn a_handler_that_comes_late_touches_nothing_of_the_next_request() {
        loom::model(|| {
            let shared = Shared::new();
            let late = Shared::handle(&shared, 1);
            let first = shared.ask(1);
            if first == Some(true) {
                shared.take();
            }
            let second = shared.ask(2);
            assert_ne!(second, Some(true), "nobody has answered it");
            let begun = late.join().expect("no panic");
            assert!(begun || first == Some(false), "an answer needs a handler");
        });
    }

    #[test]
    fn two_signals_of_one_request_copy_once() {
        loom::model(|| {
            let shared = Shared::new();
            assert!(is_free(&shared.at) && request(&shared.at, 1));
            let (one, two) = (Shared::handle(&shared, 1), Shared::handle(&shared, 1));
            let copied = [one, two].map(|handler| handler.join().expect("no panic"));
            assert!(copied[0] ^ copied[1]);
            shared.take();
        });
    }
}
