//! Writes that come too late.

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
