//! How a unit ends: its status and level, by a panic, cancelled, cut off.

use std::panic::{AssertUnwindSafe, catch_unwind};

use canonlog::testing::Capture;
use canonlog::{Context, EventType, Kind, Level, OwnedValue, Value, begin, testing};

use super::*;

fn assert_panicked(capture: &Capture, message: &str) {
    let event = capture.one();
    let event = event.view();
    assert_eq!(event.level(), Level::Error);
    assert_eq!(event.get("exc_type"), Some(Value::Str("panic")));
    assert_eq!(event.get("exc_msg"), Some(Value::Str(message)));
    assert_eq!(event.get("exc_panic"), Some(Value::Bool(true)));
    let place = event.get("exc_loc").map(|place| place.to_string()).unwrap_or_default();
    assert!(place.starts_with("tests/tests/context/ends.rs:"), "{place}");
    assert_eq!(event.get("resp_status"), Some(Value::U64(500)));
}

#[test]
fn a_panic_ends_the_unit_as_one_error_event_and_goes_on_unchanged() {
    let capture = testing::capture();
    let what = String::from("stock");
    let panic = catch_unwind(|| begin(Kind::Request).enter(|| panic!("no {what}")));
    let payload = panic.expect_err("the panic goes on");
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("no stock"));
    assert_panicked(&capture, "no stock");
}

#[test]
fn a_panic_that_was_caught_before_the_scope_ended_is_still_the_units() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    assert!(catch_unwind(AssertUnwindSafe(|| scope.enter(|| panic!("in a poll")))).is_err());
    scope.finish();
    assert_panicked(&capture, "in a poll");
}

#[test]
fn a_cancelled_unit_says_so_and_keeps_a_status_that_was_sent() {
    for (sent, expected) in [(None, 499), (Some(200_u16), 200)] {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        if let Some(status) = sent {
            scope.context().set_in("resp", "status", status);
        }
        scope.cancelled();
        scope.finish();
        let event = capture.one();
        assert_eq!(event.view().get("req_cancelled"), Some(Value::Bool(true)));
        assert_eq!(event.view().get("resp_status"), Some(Value::U64(expected)));
    }
}

#[test]
fn a_cancelled_job_has_no_client_and_no_status() {
    let capture = testing::capture();
    let scope = begin(Kind::Job);
    scope.cancelled();
    scope.finish();
    let event = capture.one();
    assert_eq!((event.view().kind(), event.view().level()), (EventType::Job, Level::Info));
    for name in ["req_cancelled", "resp_status"] {
        assert_eq!(event.view().get(name), None, "{name}");
    }
}

#[test]
fn levels_follow_the_status_and_failures() {
    for (status, level) in [(200_u16, Level::Info), (404, Level::Warning), (500, Level::Error)] {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        scope.context().set_in("resp", "status", status);
        scope.finish();
        assert_eq!(capture.one().view().level(), level, "{status}");
    }
    let capture = testing::capture();
    let scope = begin(Kind::Job);
    scope.failed();
    scope.finish();
    assert_eq!(capture.one().view().level(), Level::Error);
}

#[test]
fn a_future_cut_off_at_any_await_leaves_one_event() {
    async fn step(n: u64) {
        let mut waited = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
            false => std::task::Poll::Pending,
            true => std::task::Poll::Ready(()),
        })
        .await;
        Context::set("reached", n);
    }
    let capture = testing::capture();
    let cuts = testing::cut_at_every_await(|| {
        let scope = begin(Kind::Request);
        let future = scope.context().scope(async {
            step(1).await;
            step(2).await;
            step(3).await;
        });
        async move {
            future.await;
            scope.finish();
        }
    });
    assert_eq!(cuts, 3);
    // Those that were cut off, and the one that came to its end.
    let reached: Vec<_> = capture.events().iter().map(|event| app(event, "reached")).collect();
    let step = |n| Some(OwnedValue::U64(n));
    assert_eq!(reached, [None, step(1), step(2), step(3)]);
}

#[test]
fn a_status_is_one_whatever_integer_it_is() {
    for (status, level) in [(500, Level::Error), (404, Level::Warning), (200, Level::Info)] {
        for moved in [false, true] {
            let capture = testing::capture();
            let scope = begin(Kind::Request);
            if moved {
                scope.context().set_in("resp", "status", "unknown so far");
            }
            scope.context().set_in("resp", "status", status);
            scope.finish();
            assert_eq!(capture.one().view().level(), level, "{status}");
        }
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().set_in("resp", "status", 200);
    scope.panicked();
    scope.finish();
    assert_eq!(capture.one().view().get("resp_status"), Some(Value::I64(200)));
}

#[test]
fn a_status_written_by_another_thread_is_the_status() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.enter(|| beside(|| cx.set_in("resp", "status", 200_u16)));
    scope.cancelled();
    scope.finish();
    assert_eq!(capture.one().view().get("resp_status"), Some(Value::U64(200)));

    // What the record's own thread says later, wins, and the level is that status's.
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.enter(|| {
        beside(|| cx.set_in("resp", "status", 500_u16));
        cx.set_in("resp", "status", 200_u16);
    });
    scope.finish();
    let event = capture.one();
    assert_eq!((event.view().get("resp_status"), event.view().level()), (Some(Value::U64(200)), Level::Info));
}
