//! More than one thread in a request.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use canonlog::{Context, Kind, begin, instrument_request, operation, testing};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::*;

#[operation]
fn blocks(until: &AtomicBool) {
    while !until.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(1)); // @blocks
    }
}

#[instrument_request]
fn handles(until: &AtomicBool) {
    Context::set("step", 1);
    Context::set_timeout(LIMIT);
    blocks(until); // @handles
}

#[test]
fn a_function_that_is_not_async_is_named_while_it_runs() {
    let capture = testing::capture();
    let (pipeline, done) = (capture.pipeline(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let request = pipeline.begin(Kind::Request);
            request.enter(|| handles(&done));
        });
        while capture.tick_timeouts(LIMIT) == 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        done.store(true, Ordering::Relaxed);
    });
    let event = &capture.wait_for(1, Duration::from_secs(10))[0];
    // Found in the first moment, it may not have come to the line yet.
    assert!(text(event, "timeout_cause_loc").contains("tests/frames/threads.rs:"), "{event:?}");
}

#[instrument_request]
async fn spawns(tasks: &mut Vec<BoxFuture<'static, u8>>) {
    let cx = Context::current();
    tasks.push(cx.scope(middle(9)).boxed());
    tasks.push(cx.scope(unannotated(9)).boxed());
    poll_on_another_thread(&mut tasks[0]);
    other().await; // @spawns
}

/// While this thread is inside the record.
fn poll_on_another_thread(task: &mut BoxFuture<'static, u8>) {
    thread::scope(|scope| {
        let polled = scope.spawn(|| assert!(poll(task.as_mut()).is_pending()));
        polled.join().expect("no panic");
    });
}

#[test]
fn the_tasks_of_a_request_are_seen_too_wherever_they_are_polled() {
    let capture = testing::capture();
    let (mut tasks, spawned) = (Vec::new(), at("spawns", "spawns"));
    {
        let mut request = pin!(limited(spawns(&mut tasks)));
        assert!(poll(request.as_mut()).is_pending());
        assert_eq!(capture.tick_timeouts(LIMIT), 1);
        let event = &capture.wait_for(1, Duration::from_secs(10))[0];
        let causes = text(event, "timeout_cause_loc");
        assert!(causes == all(&[leaf_line(), other_line()]) || causes == all(&[other_line(), leaf_line()]), "{causes}");
        assert!([spawned, at("middle", "middle")].contains(&text(event, "timeout_loc")), "{event:?}");
    }
    assert_eq!(tasks.len(), 2);
}

#[test]
fn a_task_is_seen_that_goes_on_where_nobody_else_is_inside() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(LIMIT));
    let mut task = scope.context().scope(unannotated(9)).boxed();
    // First beside the claim, then with it.
    scope.enter(|| poll_on_another_thread(&mut task));
    assert!(poll(task.as_mut()).is_pending());
    assert_eq!(capture.tick_timeouts(LIMIT), 1);
    let event = &capture.wait_for(1, Duration::from_secs(10))[0];
    assert_eq!(text(event, "timeout_cause_loc"), leaf_line());
    drop(task);
    drop(scope);
    assert_eq!(capture.wait_for(2, Duration::from_secs(10)).len(), 2);
}
