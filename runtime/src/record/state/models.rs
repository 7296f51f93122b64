//! Every order of the threads that open, enter, close and end a record.

use super::*;
use std::sync::atomic::AtomicU64;

use loom::sync::Arc;
use loom::sync::atomic::AtomicU64 as Modelled;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use loom::sync::{Condvar, Mutex};
use loom::thread;

fn wait(_tries: u32) {
    thread::yield_now();
}

#[test]
fn exactly_one_of_finish_and_close_reports_an_open_record() {
    loom::model(|| {
        let word = Arc::new(Modelled::new(0));
        let of = open(&*word, false);
        let monitor = {
            let word = Arc::clone(&word);
            thread::spawn(move || {
                let won = close(&*word, of, wait);
                if won {
                    timed_out(&*word);
                }
                won
            })
        };
        let finished = finish(&*word, of, wait).expect("only one finishes");
        let returned = end(&*word);
        let closed = monitor.join().expect("no panic");
        assert_eq!(closed, finished == Finish::Late);
        assert!(returned);
    });
}

#[test]
fn of_its_end_its_drop_and_the_monitor_each_record_has_one_event_or_a_timeout_and_a_late_one() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let word = Arc::new(Modelled::new(0));
        let [in_time, timeouts, late] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        // Instead of trying again and again, which the model would do for ever.
        let copied = Arc::new((Mutex::new(false), Condvar::new()));
        let of = open(&*word, false);
        let monitor = {
            let (word, timeouts, copied) = (Arc::clone(&word), Arc::clone(&timeouts), Arc::clone(&copied));
            thread::spawn(move || {
                if close(&*word, of, wait) {
                    timeouts.fetch_add(1, SeqCst);
                    assert_eq!(phase_of(&*word, of), Phase::Closing, "nobody ends it while it is copied");
                    timed_out(&*word);
                    *copied.0.lock().expect("no panic") = true;
                    copied.1.notify_all();
                }
            })
        };
        let ender = || {
            let (word, in_time, late) = (Arc::clone(&word), Arc::clone(&in_time), Arc::clone(&late));
            let copied = Arc::clone(&copied);
            move || {
                let wait = |_tries| {
                    let mut done = copied.0.lock().expect("no panic");
                    while !*done {
                        done = copied.1.wait(done).expect("no panic");
                    }
                };
                let count = match finish(&*word, of, wait) {
                    Some(Finish::InTime) => in_time,
                    Some(Finish::Late) => late,
                    None => return false,
                };
                count.fetch_add(1, SeqCst);
                end(&*word)
            }
        };
        let dropped = thread::spawn(ender());
        let returned = ender()();
        assert!(returned ^ dropped.join().expect("no panic"), "the slot goes back once");
        // It serves another by now, which a monitor that comes late leaves alone.
        let next = open(&*word, false);
        monitor.join().expect("no panic");
        assert_eq!(phase_of(&*word, next), Phase::Open);
        let told = [in_time, timeouts, late].map(|count| count.load(SeqCst));
        assert!(matches!(told, [1, 0, 0] | [0, 1, 1]), "{told:?}");
    });
}

#[test]
fn two_finishers_end_a_record_once() {
    loom::model(|| {
        let word = Arc::new(Modelled::new(0));
        let of = open(&*word, false);
        let other = {
            let word = Arc::clone(&word);
            thread::spawn(move || finish(&*word, of, wait).is_some_and(|_| end(&*word)))
        };
        let mine = finish(&*word, of, wait).is_some_and(|_| end(&*word));
        assert!(mine ^ other.join().expect("no panic"));
    });
}

#[test]
fn an_ended_slot_is_returned_once_and_only_when_nobody_is_inside() {
    // Three threads in every order would take hours; two switches at unfortunate moments find what there is.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let word = Arc::new(Modelled::new(0));
        let inside = Arc::new(AtomicUsize::new(0));
        let returned = Arc::new(AtomicUsize::new(0));
        let of = open(&*word, false);
        let give_back = |inside: &AtomicUsize, returned: &AtomicUsize| {
            assert_eq!(inside.load(SeqCst), 0, "a slot went back with somebody inside");
            returned.fetch_add(1, SeqCst);
        };
        let claimer = {
            let (word, inside, returned) = (Arc::clone(&word), Arc::clone(&inside), Arc::clone(&returned));
            thread::spawn(move || {
                if claim(&*word, of).is_ok() {
                    inside.fetch_add(1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                    if unclaim(&*word) {
                        give_back(&inside, &returned);
                    }
                }
            })
        };
        let joiner = {
            let (word, inside, returned) = (Arc::clone(&word), Arc::clone(&inside), Arc::clone(&returned));
            thread::spawn(move || {
                if join(&*word, of) {
                    inside.fetch_add(1, SeqCst);
                    inside.fetch_sub(1, SeqCst);
                    if unjoin(&*word) {
                        give_back(&inside, &returned);
                    }
                }
            })
        };
        assert_eq!(finish(&*word, of, wait), Some(Finish::InTime));
        if end(&*word) {
            give_back(&inside, &returned);
        }
        claimer.join().expect("no panic");
        joiner.join().expect("no panic");
        assert_eq!(returned.load(SeqCst), 1);
        assert_eq!(claim(&*word, of), Err(Refused::Gone));
    });
}

#[test]
fn only_one_thread_has_the_side_lock_and_none_after_the_end() {
    loom::model(|| {
        let word = Arc::new(Modelled::new(0));
        let holders = Arc::new(AtomicUsize::new(0));
        let of = open(&*word, true);
        let writer = {
            let (word, holders) = (Arc::clone(&word), Arc::clone(&holders));
            thread::spawn(move || {
                if lock(&*word, of, wait) {
                    assert_eq!(holders.fetch_add(1, SeqCst), 0);
                    holders.fetch_sub(1, SeqCst);
                    return unlock(&*word);
                }
                false
            })
        };
        if lock(&*word, of, wait) {
            assert_eq!(holders.fetch_add(1, SeqCst), 0);
            holders.fetch_sub(1, SeqCst);
            assert!(!unlock(&*word), "the claim is still on");
        }
        assert!(finish(&*word, of, wait).is_some());
        let ended = end(&*word);
        assert!(!ended, "the claim is still on");
        let mine = unclaim(&*word);
        assert!(mine ^ writer.join().expect("no panic"));
        assert!(!lock(&*word, of, wait));
    });
}

#[test]
fn what_was_written_under_the_lock_is_in_the_event_and_what_comes_later_is_refused() {
    for times_out in [false, true] {
        loom::model(move || {
            let word = Arc::new(Modelled::new(0));
            let log = Arc::new(Modelled::new(0));
            let of = open(&*word, false);
            let writer = {
                let (word, log) = (Arc::clone(&word), Arc::clone(&log));
                thread::spawn(move || {
                    if !lock(&*word, of, wait) {
                        return false;
                    }
                    // As whoever has the lock does: not while a monitor copies.
                    let writes = phase_of(&*word, of) != Phase::Closing;
                    if writes {
                        log.store(1, Relaxed);
                    }
                    let _ = unlock(&*word);
                    writes
                })
            };
            if times_out {
                assert!(close(&*word, of, wait));
                let told = log.load(Relaxed);
                let wrote = writer.join().expect("no panic");
                assert_eq!(told == 1, wrote);
                return timed_out(&*word);
            }
            assert_eq!(finish(&*word, of, wait), Some(Finish::InTime));
            let told = log.load(Relaxed);
            let _ = end(&*word);
            assert_eq!(told == 1, writer.join().expect("no panic"));
        });
    }
}

#[test]
fn a_second_generation_refuses_the_first_ones_handles() {
    let word = AtomicU64::new(0);
    let first = open(&word, false);
    assert_eq!(finish(&word, first, back_off), Some(Finish::InTime));
    assert!(end(&word));
    let second = open(&word, false);
    assert_ne!(first, second);
    assert_eq!(claim(&word, first), Err(Refused::Gone));
    assert!(!join(&word, first) && !lock(&word, first, back_off) && !close(&word, first, back_off));
    assert_eq!(finish(&word, first, back_off), None);
    assert_eq!(claim(&word, second), Ok(()));
    assert_eq!(claim(&word, second), Err(Refused::Busy));
}
