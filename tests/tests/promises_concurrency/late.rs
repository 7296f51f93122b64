//! Writes that come too late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use canonlog::{Context, Kind, Value, begin, testing};

#[test]
fn a_task_that_records_after_the_event_is_counted_and_changes_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let late = runtime.spawn(scope.context().scope(async move {
        wait.await.expect("told to");
        Context::set("late", 1);
        Context::add("late", 1);
        let section = Context::time("late");
        drop(section);
        Context::current().set_in("app", "late", 2);
    }));
    scope.enter(|| Context::set("in_time", 1));
    scope.finish();
    let before = canonlog::stats().count("late_writes");
    go.send(()).expect("it waits");
    runtime.block_on(late).expect("no panic");
    let counted = canonlog::stats().count("late_writes") - before;
    assert!(counted >= 3, "{counted}");
    // The slot may be another request's by now.
    begin(Kind::Request).finish();
    let events = capture.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].view().get("app_in_time"), Some(Value::I64(1)));
    for event in &events {
        assert!(event.view().fields().all(|(name, _)| !name.starts_with("app_late")), "{event:?}");
    }
}

#[test]
fn what_comes_too_late_on_a_thread_is_in_that_threads_next_event() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    scope.finish();
    cx.enter(|| {
        Context::set("late", 1);
        Context::set("late", 2);
    });
    capture.clear();
    begin(Kind::Request).finish();
    assert_eq!(capture.one().view().get("canonlog_late_writes"), Some(Value::U64(2)));
    capture.clear();
    begin(Kind::Request).finish();
    assert_eq!(capture.one().view().get("canonlog_late_writes"), None, "told once");
}

#[test]
fn a_write_under_way_when_another_thread_ends_the_record_is_in_the_event_or_counted() {
    let capture = testing::capture();
    let pipeline = capture.pipeline();
    for round in 0..60 {
        let scope = begin(Kind::Request);
        let (cx, [writes, ended]) = (scope.context(), [(); 2].map(|()| AtomicBool::new(false)));
        let written = thread::scope(|threads| {
            let writer = threads.spawn(|| {
                // What the thread that counted here before, of another test, has not told of.
                pipeline.begin(Kind::Job).finish();
                let mut written = 0_u64;
                cx.enter(|| {
                    while !ended.load(Ordering::Relaxed) {
                        // Where it has stood before, so that the log grows no longer.
                        Context::add("sum", 1_u64);
                        written += 1;
                        writes.store(true, Ordering::Relaxed);
                    }
                });
                // What the thread has written too late is told by its next event.
                pipeline.begin(Kind::Request).finish();
                written
            });
            while !writes.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            scope.finish();
            ended.store(true, Ordering::Relaxed);
            writer.join().expect("no panic")
        });
        let events = capture.events();
        let count = |at: usize, name: &str| match events[at].view().get(name) {
            Some(Value::U64(count)) => count,
            None => 0,
            other => panic!("{other:?}"),
        };
        assert_eq!(count(1, "app_sum") + count(2, "canonlog_late_writes"), written, "round {round}: {events:?}");
        capture.clear();
    }
}
