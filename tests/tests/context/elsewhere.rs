//! Tasks, threads and records beside the one that a context is of.

use canonlog::{Context, EventType, Kind, OwnedValue, Value, begin, testing};

use super::*;

#[test]
fn a_context_goes_along_to_threads_and_tasks() {
    let capture = testing::capture();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let scope = begin(Kind::Request);
    let cx = scope.context();
    runtime.block_on(cx.scope(async move {
        Context::set("here", 1);
        let task = tokio::spawn(Context::current().scope(async { Context::set("task", 2) }));
        let blocking = tokio::task::spawn_blocking(move || cx.enter(|| Context::set("blocking", 3)));
        let thread = std::thread::spawn(move || cx.enter(|| Context::set("thread", 4)));
        task.await.expect("the task ends");
        blocking.await.expect("the call ends");
        thread.join().expect("the thread ends");
        tokio::join!(async { Context::set("left", 5) }, async { Context::set("right", 6) });
    }));
    scope.finish();
    let event = capture.one();
    for (key, value) in [("here", 1), ("task", 2), ("blocking", 3), ("thread", 4), ("left", 5), ("right", 6)] {
        assert_eq!(app(&event, key), Some(OwnedValue::I64(value)), "{key}");
    }
}

#[test]
fn a_thread_without_the_context_writes_nowhere_and_that_is_counted() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| std::thread::spawn(|| Context::set("leaked", 1)).join().expect("the thread ends"));
    scope.finish();
    assert_eq!(app(&capture.one(), "leaked"), None);
    capture.clear();
    Context::set("outside", 1);
    begin(Kind::Request).finish();
    assert_eq!(capture.one().view().get("canonlog_outside_writes"), Some(Value::U64(1)));
}

#[test]
fn a_write_after_the_end_is_late_and_never_lands_in_another_record() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let late = scope.context();
    scope.finish();
    let next = begin(Kind::Request);
    late.set_in("app", "late", 1);
    late.enter(|| Context::set("late", 2));
    next.finish();
    let events = capture.events();
    assert_eq!(events.len(), 2);
    assert_eq!(app(&events[1], "late"), None);
    assert_eq!(events[1].view().get("canonlog_late_writes"), Some(Value::U64(2)));
}

#[test]
fn writers_beside_the_request_are_all_heard() {
    const KEYS: [&str; 4] = ["w0", "w1", "w2", "w3"];
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    let beside = |write: fn()| std::thread::spawn(move || cx.enter(write)).join().expect("the thread ends");
    scope.enter(|| {
        std::thread::scope(|threads| {
            for key in KEYS {
                threads.spawn(move || {
                    cx.enter(|| {
                        for _ in 0..1_000 {
                            Context::add("sum", 1);
                            Context::add(key, 1);
                        }
                    });
                });
            }
            for _ in 0..1_000 {
                Context::add("sum", 1);
                Context::set("mine", "a text of the claiming thread");
            }
        });
        // The order between the two logs is kept: what was set last, wins.
        beside(|| Context::set("last", "thread"));
        Context::set("last", "request");
        Context::set("other", "request");
        beside(|| Context::set("other", "thread"));
        assert_eq!(Context::get("other"), text("thread"));
        assert_eq!(Context::get("last"), text("request"));
    });
    scope.finish();
    let event = capture.one();
    assert_eq!(app(&event, "sum"), Some(OwnedValue::I64(5_000)));
    for key in KEYS {
        assert_eq!(app(&event, key), Some(OwnedValue::I64(1_000)), "{key}");
    }
    assert_eq!(app(&event, "last"), text("request"));
    assert_eq!(app(&event, "other"), text("thread"));
}

#[test]
fn a_record_inside_another_is_its_own() {
    let capture = testing::capture();
    begin(Kind::Request).enter(|| {
        Context::set("outer", 1);
        begin(Kind::Job).enter(|| Context::set("inner", 2));
        Context::set("outer_again", 3);
    });
    let events = capture.events();
    assert_eq!(events[0].view().kind(), EventType::Job);
    assert_eq!(names(&events[0]), ["app_inner"]);
    assert_eq!(names(&events[1]), ["app_outer", "app_outer_again"]);
}
