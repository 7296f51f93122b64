//! One record that many threads write, at the same time and while it ends.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use canonlog::{Context, EventType, Kind, OwnedEvent, OwnedValue, Value, begin, db, testing};

use super::PATIENCE;

fn count(event: &OwnedEvent, name: &str) -> u64 {
    match event.view().get(name).map(OwnedValue::from) {
        Some(OwnedValue::U64(count)) => count,
        Some(OwnedValue::I64(count)) => u64::try_from(count).expect("no fewer than none"),
        None => 0,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_write_of_64_threads_at_once_is_in_the_event() {
    const THREADS: usize = 64;
    const TIMES: usize = 50;
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    // Once a thread has written beside another: a section that begins while that happens for the first time may count beside it.
    cx.enter(|| thread::scope(|threads| drop(threads.spawn(|| cx.enter(|| Context::set("beside", true))).join())));
    let start = Barrier::new(THREADS);
    thread::scope(|threads| {
        for n in 0..THREADS {
            let start = &start;
            threads.spawn(move || {
                start.wait();
                for _ in 0..TIMES {
                    // Half of them by a handle, each time anew; the others enter, and one at a time has the claim.
                    if n % 2 == 0 {
                        cx.add_in("app", "hits", 1_u64);
                    } else {
                        cx.enter(|| {
                            let _section = Context::time("work");
                            Context::add("hits", 1_u64);
                            db::record_query("select 1", Duration::from_micros(1));
                        });
                    }
                    cx.enter(|| Context::set_dynamic(&format!("thread{n}"), n as u64));
                }
            });
        }
    });
    scope.finish();
    let event = capture.one();
    assert_eq!(count(&event, "app_hits"), (THREADS * TIMES) as u64);
    assert_eq!(count(&event, "db_queries"), (THREADS * TIMES / 2) as u64);
    assert_eq!(count(&event, "db_dup_queries"), (THREADS * TIMES / 2) as u64);
    for n in 0..THREADS {
        assert_eq!(event.view().get(&format!("app_thread{n}")), Some(Value::U64(n as u64)), "{n}");
    }
    let [worked, took] = ["app_work_time", "resp_time"].map(|name| match event.view().get(name) {
        Some(Value::Duration(time)) => time,
        other => panic!("{name}: {other:?}"),
    });
    assert!(worked <= took, "sections beside each other count once: {worked:?} of {took:?}");
    let mut names: Vec<&str> = event.view().fields().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "each once: {names:?}");
    for name in ["canonlog_truncated", "canonlog_value_errors", "canonlog_renamed_keys", "canonlog_db_untracked"] {
        assert_eq!(count(&event, name), 0, "{name}");
    }
}

#[test]
fn what_others_write_while_a_record_ends_is_in_its_event_or_counted_and_never_in_the_next() {
    const WRITERS: usize = 3;
    const ROUNDS: u64 = 300;
    let capture = testing::capture();
    let pipeline = capture.pipeline();
    for round in 1..=ROUNDS {
        let scope = begin(Kind::Request);
        let cx = scope.context();
        let tried = AtomicU64::new(0);
        let start = Barrier::new(WRITERS + 2);
        thread::scope(|threads| {
            for writer in 0..WRITERS {
                let (tried, start) = (&tried, &start);
                threads.spawn(move || {
                    // What this thread has not told of before.
                    pipeline.begin(Kind::Job).finish();
                    start.wait();
                    let mut after = 0;
                    // A few more than fit: they are late.
                    while after < 3 {
                        after += u64::from(!cx.is_active());
                        tried.fetch_add(1, Ordering::Relaxed);
                        match writer {
                            0 => cx.enter(|| Context::add("hits", round)),
                            _ => cx.add_in("app", "hits", round),
                        }
                    }
                    // This thread's next event tells how many came too late.
                    let job = pipeline.begin(Kind::Job);
                    job.enter(|| Context::set("writer", writer));
                    job.finish();
                });
            }
            let start = &start;
            threads.spawn(move || {
                start.wait();
                (0..round * 7 % 2_000).for_each(|_| std::hint::spin_loop());
                scope.finish();
            });
            start.wait();
        });
        // Whoever begins next may have the slot.
        begin(Kind::Job).finish();
        let events = capture.events();
        let of_kind = |kind| events.iter().filter(move |event| event.view().kind() == kind);
        assert_eq!(of_kind(EventType::Request).count(), 1, "{events:?}");
        let sum: u64 = of_kind(EventType::Request).map(|event| count(event, "app_hits")).sum();
        assert_eq!(sum % round, 0, "a value of another round");
        assert!(of_kind(EventType::Job).all(|event| event.view().get("app_hits").is_none()), "{events:?}");
        let writers = of_kind(EventType::Job).filter(|event| event.view().get("app_writer").is_some());
        let late: u64 = writers.map(|event| count(event, "canonlog_late_writes")).sum();
        let (tried, told) = (tried.into_inner(), sum / round + late);
        // Of each writer's one may be under way at the very end.
        assert!(
            told <= tried && tried - told <= WRITERS as u64,
            "{tried} tried, {} in the event, {late} late",
            sum / round
        );
        capture.clear();
    }
}

#[test]
fn a_record_that_ends_on_another_thread_at_its_timeout_has_one_event_or_a_timeout_and_a_late_one() {
    const LIMIT: Duration = Duration::from_secs(10_000);
    let capture = testing::capture();
    let (mut in_time, mut late) = (0, 0);
    let until = Instant::now() + PATIENCE;
    let mut round: u32 = 0;
    while (in_time < 20 || late < 20) && Instant::now() < until {
        round += 1;
        let scope = begin(Kind::Request);
        let cx = scope.context();
        cx.limit(Some(LIMIT));
        let (start, ended) = (Barrier::new(3), AtomicBool::new(false));
        let reported = thread::scope(|threads| {
            let (start, ended) = (&start, &ended);
            threads.spawn(move || {
                start.wait();
                while !ended.load(Ordering::Acquire) {
                    cx.enter(|| Context::set("last", round));
                }
            });
            threads.spawn(move || {
                start.wait();
                // Once early, once late.
                (0..round % 64 * 500).for_each(|_| std::hint::spin_loop());
                // By its end, or its drop.
                if round.is_multiple_of(2) {
                    scope.finish()
                } else {
                    drop(scope)
                }
                ended.store(true, Ordering::Release);
            });
            start.wait();
            capture.tick_timeouts(LIMIT * 2)
        });
        let events = capture.events();
        let kinds: Vec<EventType> = events.iter().map(|event| event.view().kind()).collect();
        match reported {
            0 => assert_eq!(kinds, [EventType::Request]),
            _ => {
                let id = |event: &OwnedEvent| event.view().get("req_id").map(|id| id.to_string());
                assert_eq!(kinds, [EventType::Timeout, EventType::LateResponse]);
                assert_eq!(id(&events[0]), id(&events[1]));
            }
        }
        *if reported == 0 { &mut in_time } else { &mut late } += 1;
        capture.clear();
    }
    assert!(in_time > 0 && late > 0, "{in_time} ended in time, {late} late");
}

#[test]
fn a_log_that_is_written_anew_while_others_begin_to_write_and_read_loses_and_tears_nothing() {
    const LIMIT: Duration = Duration::from_secs(10_000);
    let capture = testing::capture();
    // Which write it was, again and again.
    let text = |n: usize| format!("{n:04}").repeat(60);
    let whole = |told: &str| told.len() == 240 && told.as_bytes().chunks(4).all(|part| part == &told.as_bytes()[..4]);
    for round in 0..200_usize {
        // After a timeout nothing is written anew: as much as fits.
        let times = if round % 2 == 1 { 60 } else { 200 };
        let scope = begin(Kind::Request);
        let cx = scope.context();
        cx.limit(Some(LIMIT));
        let (start, done) = (Barrier::new(3), AtomicBool::new(false));
        thread::scope(|threads| {
            let (start, done) = (&start, &done);
            threads.spawn(move || {
                cx.enter(|| {
                    start.wait();
                    for n in 0..times {
                        Context::set("anew", text(n));
                        Context::set_dynamic("anew_too", text(n));
                        Context::add("count", 1_u64);
                    }
                    done.store(true, Ordering::Release);
                });
            });
            threads.spawn(move || {
                start.wait();
                (0..round % 40 * 1_000).for_each(|_| std::hint::spin_loop());
                cx.enter(|| {
                    Context::set("beside", round);
                    (0..times).for_each(|_| Context::add("count", 1_u64));
                });
            });
            start.wait();
            if round % 2 == 1 {
                assert_eq!(capture.tick_timeouts(LIMIT * 2), 1);
            }
            while !done.load(Ordering::Acquire) {
                for value in [cx.get_in("app", "anew"), cx.get_in("app", "anew_too")].into_iter().flatten() {
                    assert!(matches!(&value, OwnedValue::Text(told) if whole(told)), "{value:?}");
                }
            }
        });
        scope.finish();
        let events = capture.events();
        assert_eq!(events.len(), 1 + round % 2);
        for event in &events {
            for name in ["app_anew", "app_anew_too"] {
                let told = event.view().get(name).map(|told| told.to_string());
                assert!(told.as_deref().is_none_or(whole), "{name}: {told:?}");
            }
            assert!(event.view().get("app_beside").is_none_or(|beside| beside == Value::U64(round as u64)));
        }
        if let [event] = &events[..] {
            assert_eq!(count(event, "app_count"), 2 * times as u64, "round {round}");
            for name in ["app_anew", "app_anew_too"] {
                assert_eq!(event.view().get(name).map(|told| told.to_string()), Some(text(times - 1)), "round {round}");
            }
            assert!(event.view().get("app_beside").is_some());
        }
        capture.clear();
    }
}
