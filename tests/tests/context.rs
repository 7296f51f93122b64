//! What the context records, from wherever it is used.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use canonlog::testing::{self, Capture, HeldClock};
use canonlog::{Context, EventType, Kind, Level, OwnedEvent, OwnedValue, Value, begin, debug, display};

fn names(event: &OwnedEvent) -> Vec<String> {
    event.view().fields().map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("app_")).collect()
}

fn app(event: &OwnedEvent, key: &str) -> Option<OwnedValue> {
    event.view().get(&format!("app_{key}")).map(OwnedValue::from)
}

fn text(text: &str) -> Option<OwnedValue> {
    Some(OwnedValue::Text(text.to_owned()))
}

fn recorded(record: impl FnOnce()) -> OwnedEvent {
    let capture = testing::capture();
    begin(Kind::Request).enter(record);
    capture.one()
}

fn assert_seconds(event: &OwnedEvent, key: &str, want: f64) {
    match app(event, key) {
        Some(OwnedValue::Duration(time)) => assert!((time.as_secs_f64() - want).abs() < 1e-3, "{key}: {time:?}"),
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn every_kind_of_value_is_recorded_as_what_it_is() {
    let event = recorded(|| {
        Context::set("int", -7);
        Context::set("uint", u64::MAX);
        Context::set("float", 19.99);
        Context::set("bool", true);
        Context::set("text", "sixteen bytes or more of text");
        Context::set("none", None::<u8>);
        Context::set("duration", Duration::from_micros(1_500));
        Context::set("display", display(std::net::Ipv4Addr::LOCALHOST));
        Context::set("debug", debug([1, 2]));
        Context::set("empty", "");
    });
    let expected = [
        ("int", Value::I64(-7)),
        ("uint", Value::U64(u64::MAX)),
        ("float", Value::F64(19.99)),
        ("bool", Value::Bool(true)),
        ("text", Value::Str("sixteen bytes or more of text")),
        ("none", Value::Null),
        ("duration", Value::Duration(Duration::from_micros(1_500))),
        ("display", Value::Str("127.0.0.1")),
        ("debug", Value::Str("[1, 2]")),
        ("empty", Value::Str("")),
    ];
    for (key, value) in expected {
        assert_eq!(event.view().get(&format!("app_{key}")), Some(value), "{key}");
    }
    assert_eq!(names(&event).len(), expected.len());
}

#[test]
fn overwriting_keeps_the_first_position_and_the_last_value() {
    let event = recorded(|| {
        Context::set("a", 1);
        Context::set("b", "x");
        Context::set("a", 2);
        Context::set("b", "a longer text than before");
        Context::set("c", 3);
        Context::set("a", "now a text");
        Context::set("b", 4);
        Context::set("b", 5);
    });
    assert_eq!(names(&event), ["app_a", "app_b", "app_c"]);
    assert_eq!(app(&event, "a"), text("now a text"));
    assert_eq!(app(&event, "b"), Some(OwnedValue::I64(5)));
}

#[test]
fn get_reads_what_was_set_last() {
    recorded(|| {
        assert_eq!(Context::get("a"), None);
        Context::set("a", 1);
        assert_eq!(Context::get("a"), Some(OwnedValue::I64(1)));
        Context::set("a", "text");
        assert_eq!(Context::get("a"), text("text"));
        Context::set_dynamic("b", 2_u8);
        assert_eq!(Context::get("b"), Some(OwnedValue::U64(2)));
    });
}

#[test]
fn numbers_add_up_and_text_is_no_number() {
    let event = recorded(|| {
        Context::add("n", 1);
        Context::add("n", 2);
        Context::add("f", 0.5);
        Context::add("f", 0.25);
        Context::add("d", Duration::from_millis(2));
        Context::add("d", Duration::from_millis(3));
        Context::set("t", "text");
        Context::add("t", 1);
        Context::add("u", 3_u8);
        Context::add("u", -5);
    });
    assert_eq!(app(&event, "n"), Some(OwnedValue::I64(3)));
    assert_eq!(app(&event, "f"), Some(OwnedValue::F64(0.75)));
    assert_eq!(app(&event, "d"), Some(OwnedValue::Duration(Duration::from_millis(5))));
    assert_eq!(app(&event, "t"), text("text"));
    assert_eq!(app(&event, "u"), Some(OwnedValue::I64(-2)));
    assert_eq!(event.view().get("canonlog_value_errors"), Some(Value::U64(1)));
}

#[test]
fn sections_of_one_key_add_up_at_full_precision() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    begin(Kind::Request).enter(|| {
        for _ in 0..50 {
            let _section = Context::time("foo");
            clock.advance(Duration::from_micros(300));
        }
    });
    assert_seconds(&capture.one(), "foo_time", 0.015);
}

#[test]
fn a_section_within_or_beside_another_of_its_key_counts_once() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let second = Duration::from_secs(1);
    begin(Kind::Request).enter(|| {
        let outer = Context::time("foo");
        clock.advance(second);
        {
            let _inner = Context::time("foo");
            clock.advance(second);
        }
        // As the branches of a `join!`: from the first beginning to the last end.
        let other = Context::time("foo");
        drop(outer);
        clock.advance(second);
        drop(other);
        clock.advance(second);
        drop(Context::time("foo"));
    });
    assert_seconds(&capture.one(), "foo_time", 3.0);
}

#[test]
fn a_section_that_ends_by_an_error_a_panic_or_a_cancellation_counts() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    scope.context().enter(|| {
        let failing = || -> Result<(), std::num::ParseIntError> {
            let _section = Context::time("foo");
            clock.advance(Duration::from_secs(1));
            "x".parse::<u8>()?;
            Ok(())
        };
        assert!(failing().is_err());
        let panicking = catch_unwind(AssertUnwindSafe(|| {
            let _section = Context::time("foo");
            clock.advance(Duration::from_secs(1));
            panic!("expected by this test");
        }));
        assert!(panicking.is_err());
    });
    let mut cancelled = Box::pin(scope.context().scope(async {
        let _section = Context::time("foo");
        std::future::pending::<()>().await;
    }));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(cancelled.as_mut().poll(&mut task).is_pending());
    clock.advance(Duration::from_secs(1));
    drop(cancelled);
    scope.finish();
    assert_seconds(&capture.one(), "foo_time", 3.0);
}

#[test]
fn a_section_that_ends_on_another_thread_counts_once() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    scope.enter(|| {
        let section = Context::time("foo");
        clock.advance(PIECE);
        beside_at(&clock, |_| drop(section));
    });
    clock.advance(PIECE);
    scope.finish();
    let event = capture.one();
    // It stopped with the guard, not with the request.
    assert_time(&event, "foo_time", PIECE);
    let Some(Value::Duration(whole)) = event.view().get("resp_time") else { panic!("a request has a time") };
    assert!(whole > PIECE + PIECE / 2, "{whole:?}");
}

#[test]
fn a_running_section_shows_in_the_timeout() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set_timeout(Duration::from_secs(10));
        let _section = Context::time("foo");
        clock.advance(Duration::from_secs(4));
        assert_eq!(capture.tick_timeouts(Duration::from_secs(6)), 1);
    });
    let event = capture.events().remove(0);
    assert_eq!(event.view().kind(), EventType::Timeout);
    assert_seconds(&event, "foo_time", 10.0);
    assert_eq!(event.view().get("timeout_limit").map(|limit| limit.to_string()).as_deref(), Some("10.000"));
}

#[test]
fn exactly_one_of_request_and_timeout_and_a_late_end_is_a_late_response() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.set_in("req", "method", "GET");
    scope.enter(|| {
        Context::set("before", 1);
        Context::set("both", "early");
        Context::set_timeout(Duration::from_secs(100));
        assert_eq!(capture.tick_timeouts(Duration::from_secs(100)), 1);
        assert_eq!(capture.tick_timeouts(Duration::from_secs(200)), 0);
        Context::set("after", 2);
        Context::set("both", "late");
    });
    cx.set_in("resp", "status", 200_u16);
    scope.finish();
    let events = capture.events();
    let kinds: Vec<EventType> = events.iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Timeout, EventType::LateResponse]);
    assert_eq!(names(&events[0]), ["app_before", "app_both"]);
    assert_eq!(app(&events[0], "both"), text("early"));
    assert_eq!(names(&events[1]), ["app_after", "app_both"]);
    assert_eq!(app(&events[1], "both"), text("late"));
    for name in ["req_id", "req_method"] {
        assert!(events[0].view().get(name).is_some(), "{name}");
        assert_eq!(events[0].view().get(name), events[1].view().get(name), "{name}");
    }
    assert_eq!(events[1].view().get("resp_status"), Some(Value::U64(200)));
    assert_eq!(events[1].view().get("resp_view"), None, "the timeout has named it");
    assert_eq!(events[1].view().level(), Level::Warning);
}

#[test]
fn a_unit_that_ends_in_time_never_times_out() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(Duration::from_secs(100)));
    scope.finish();
    assert_eq!(capture.tick_timeouts(Duration::from_secs(1_000)), 0);
    assert_eq!(capture.one().view().kind(), EventType::Request);
}

#[test]
fn the_latest_time_limit_wins_and_off_is_off() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set_timeout(Duration::from_secs(100));
        Context::set_timeout(None);
    });
    assert_eq!(capture.tick_timeouts(Duration::from_secs(1_000_000)), 0);
    scope.finish();
    assert_eq!(capture.one().view().kind(), EventType::Request);
}

#[test]
fn the_monitors_own_thread_reports_a_unit_while_it_is_stuck() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set_timeout(Duration::from_millis(60));
        let events = capture.wait_for(1, Duration::from_secs(5));
        assert_eq!(events[0].view().kind(), EventType::Timeout);
        let Some(Value::Duration(time)) = events[0].view().get("resp_time") else { panic!("the time is measured") };
        assert!(time >= Duration::from_millis(50), "{time:?}");
    });
    scope.finish();
    assert_eq!(capture.events()[1].view().kind(), EventType::LateResponse);
}

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

fn assert_panicked(capture: &Capture, message: &str) {
    let event = capture.one();
    let event = event.view();
    assert_eq!(event.level(), Level::Error);
    assert_eq!(event.get("exc_type"), Some(Value::Str("panic")));
    assert_eq!(event.get("exc_msg"), Some(Value::Str(message)));
    assert_eq!(event.get("exc_panic"), Some(Value::Bool(true)));
    let place = event.get("exc_loc").map(|place| place.to_string()).unwrap_or_default();
    assert!(place.starts_with("tests/tests/context.rs:"), "{place}");
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
fn a_display_that_panics_costs_its_value_only() {
    struct Bad;
    impl std::fmt::Display for Bad {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            panic!("expected by this test");
        }
    }
    let event = recorded(|| {
        Context::set("bad", display(Bad));
        Context::set("good", 1);
    });
    assert_eq!(app(&event, "good"), Some(OwnedValue::I64(1)));
    assert_eq!(app(&event, "bad"), text("half"));
    assert_eq!(event.view().get("canonlog_value_errors"), Some(Value::U64(1)));
    assert_eq!(event.view().level(), Level::Info);
}

#[test]
fn a_display_that_records_does_not_disturb_the_record() {
    struct Recording;
    impl std::fmt::Display for Recording {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Context::set("inner", 1);
            begin(Kind::Job).finish();
            f.write_str("outer")
        }
    }
    let capture = testing::capture();
    begin(Kind::Request).enter(|| Context::set("outer", display(Recording)));
    let events = capture.events();
    assert_eq!(names(&events[1]), ["app_inner", "app_outer"]);
}

#[test]
fn a_value_over_its_limit_is_cut_at_a_character_and_counted() {
    let event = recorded(|| Context::set("long", "é".repeat(10_000)));
    let Some(OwnedValue::Text(text)) = app(&event, "long") else { panic!("a text was recorded") };
    assert!(text.len() <= 8 * 1024 && text.len() > 8 * 1024 - 8, "{}", text.len());
    assert!(text.ends_with("é…"));
    assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(1)));
}

#[test]
fn a_record_holds_its_limits_and_the_event_says_what_was_left_out() {
    let event = recorded(|| {
        for at in 0..500 {
            Context::set_dynamic(&format!("key_{at}"), "x".repeat(2_000));
        }
    });
    assert!(names(&event).len() <= 128);
    let size: usize = event.view().fields().map(|(name, value)| name.len() + value.to_string().len()).sum();
    assert!(size <= 64 * 1024, "{size}");
    assert!(matches!(event.view().get("canonlog_truncated"), Some(Value::U64(n)) if n >= 372));
    assert!(event.view().get("req_id").is_some());
}

#[test]
fn overwriting_for_ever_does_not_fill_a_record() {
    let event = recorded(|| {
        Context::set("first", 1);
        let _section = Context::time("whole");
        for at in 0..5_000 {
            Context::set("text", format!("a text that is not like the one before {at}"));
            Context::set_dynamic("made at run time", format!("another {at}"));
        }
        Context::set("last", 2);
    });
    assert_eq!(names(&event), ["app_first", "app_whole_time", "app_text", "app_made_at_run_time", "app_last"]);
    assert_eq!(app(&event, "text"), text("a text that is not like the one before 4999"));
    assert_eq!(app(&event, "made_at_run_time"), text("another 4999"));
    assert_eq!(event.view().get("canonlog_truncated"), None);
}

#[test]
fn keys_are_cleaned_and_the_frameworks_namespaces_are_refused() {
    let event = recorded(|| {
        Context::set("Cart Total", 1);
        Context::current().namespace("shop").set("tenant", 17);
        Context::current().namespace("req").set("method", "forged");
    });
    assert_eq!(app(&event, "cart_total"), Some(OwnedValue::I64(1)));
    assert_eq!(event.view().get("shop_tenant"), Some(Value::I64(17)));
    assert_eq!(event.view().get("req_method"), None);
    assert_eq!(app(&event, "method"), text("forged"));
    assert_eq!(event.view().get("canonlog_renamed_keys"), Some(Value::U64(2)));
}

#[test]
fn ids_from_outside_are_taken_over_and_come_first() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().set_in("req", "method", "GET");
    assert!(scope.context().set_request_id("abc-123"));
    scope.finish();
    assert_eq!(capture.one().view().fields().next(), Some(("req_id", Value::Str("abc-123"))));
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

/// Runs on another thread, to its end.
fn beside(run: impl FnOnce() + Send) {
    std::thread::scope(|threads| threads.spawn(run).join().expect("the thread ends"));
}

fn time_out(cx: Context, capture: &Capture) {
    cx.limit(Some(Duration::from_secs(100)));
    assert_eq!(capture.tick_timeouts(Duration::from_secs(101)), 1);
}

#[test]
fn what_was_recorded_before_a_timeout_can_be_read_after_a_late_write() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    assert!(cx.set_request_id("abc"));
    cx.set_in("req", "method", "GET");
    cx.enter(|| Context::set("tenant", "acme"));
    cx.enter(|| Context::set_dynamic("made at run time", "too"));
    time_out(cx, &capture);
    cx.set_in("app", "late", 1);
    assert_eq!(cx.request_id().as_deref(), Some("abc"));
    assert_eq!(cx.get_in("app", "tenant"), text("acme"));
    assert_eq!(cx.get_in("app", "made_at_run_time"), text("too"));
    assert_eq!(cx.get_in("req", "method"), text("GET"));
    scope.finish();
    let events = capture.events();
    assert_eq!(names(&events[1]), ["app_late"], "it was told by the timeout");
}

#[test]
fn a_unit_cancelled_after_its_timeout_keeps_the_status_that_was_sent_before() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.set_in("resp", "status", 200_u16);
    time_out(cx, &capture);
    cx.set_in("app", "late", 1);
    scope.cancelled();
    scope.finish();
    let events = capture.events();
    assert_eq!(events[0].view().get("resp_status"), Some(Value::U64(200)));
    assert_eq!(events[1].view().get("req_cancelled"), Some(Value::Bool(true)));
    assert_eq!(events[1].view().get("resp_status"), None);
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
fn an_id_given_to_a_job_is_its_job_id() {
    let capture = testing::capture();
    let scope = begin(Kind::Job);
    let cx = scope.context();
    cx.enter(|| Context::set("rows", 1));
    assert!(cx.set_request_id("mine"));
    assert_eq!(cx.request_id().as_deref(), Some("mine"));
    scope.finish();
    let event = capture.one();
    assert_eq!(event.view().fields().next(), Some(("job_id", Value::Str("mine"))));
    assert_eq!(event.view().get("req_id"), None);
}

#[test]
fn an_id_given_by_another_thread_is_the_id() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.enter(|| {
        beside(|| assert!(cx.set_request_id("from-beside")));
        assert_eq!(cx.request_id().as_deref(), Some("from-beside"));
    });
    scope.finish();
    assert_eq!(capture.one().view().get("req_id"), Some(Value::Str("from-beside")));
}

#[test]
fn a_late_response_repeats_no_query_of_the_timeouts() {
    for on_another_thread in [false, true] {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let cx = scope.context();
        let query = || cx.enter(|| canonlog::db::record_query("select 1", Duration::from_millis(1)));
        cx.enter(|| if on_another_thread { beside(query) } else { query() });
        time_out(cx, &capture);
        if on_another_thread {
            cx.set_in("resp", "status", 200_u16);
        }
        scope.finish();
        let events = capture.events();
        assert_eq!(events[0].view().get("db_queries"), Some(Value::U64(1)));
        assert_eq!(events[1].view().kind(), EventType::LateResponse);
        assert_eq!(events[1].view().get("db_queries"), None, "{:?}", events[1]);
    }
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

fn assert_time(event: &OwnedEvent, key: &str, want: Duration) {
    let Some(OwnedValue::Duration(time)) = app(event, key) else { panic!("{key} is timed: {event:?}") };
    // Ticks of the clock are no whole nanoseconds.
    assert!(time.abs_diff(want) < Duration::from_micros(1), "{key}: {time:?}, not {want:?}");
}

const PIECE: Duration = Duration::from_millis(30);

fn section(key: &'static str, clock: &HeldClock) {
    let _section = Context::time(key);
    clock.advance(PIECE);
}

/// What the record of a request says whose thread holds its clock.
fn timed(record: impl FnOnce(&HeldClock)) -> OwnedEvent {
    let clock = testing::hold_clock();
    recorded(|| record(&clock))
}

/// Runs on another thread, at the time that it is here.
fn beside_at(clock: &HeldClock, run: impl FnOnce(&HeldClock) + Send) {
    let now = clock.now();
    beside(move || run(&now.hold()));
}

#[test]
fn a_section_that_another_thread_ends_does_not_disturb_the_ones_after_it() {
    let event = timed(|clock| {
        let first = Context::time("k");
        clock.advance(PIECE);
        beside_at(clock, |_| drop(first));
        clock.advance(PIECE);
        section("k", clock);
        section("k", clock);
    });
    assert_time(&event, "k_time", PIECE * 3);
}

#[test]
fn a_section_that_began_beside_the_request_can_end_in_it() {
    let event = timed(|clock| {
        let cx = Context::current();
        let mut first = None;
        beside_at(clock, |_| first = Some(cx.enter(|| Context::time("k"))));
        clock.advance(PIECE);
        {
            let _within = Context::time("k");
            drop(first);
            clock.advance(PIECE);
        }
        clock.advance(PIECE);
        section("k", clock);
        beside_at(clock, |clock| cx.enter(|| section("k", clock)));
        clock.advance(PIECE);
    });
    assert_time(&event, "k_time", PIECE * 4);
}

#[test]
fn sections_of_two_threads_at_once_count_once() {
    let event = timed(|clock| {
        let cx = Context::current();
        let mut inner = None;
        let outer = Context::time("k");
        beside_at(clock, |_| inner = Some(cx.enter(|| Context::time("k"))));
        clock.advance(PIECE);
        drop(outer);
        clock.advance(PIECE);
        beside_at(clock, |_| drop(inner));
        clock.advance(PIECE);
        section("k", clock);
    });
    assert_time(&event, "k_time", PIECE * 3);
}

#[test]
fn adding_and_setting_from_two_threads_go_by_their_order() {
    let event = recorded(|| {
        let cx = Context::current();
        let set = |key, n: u64| beside(|| cx.enter(|| Context::set(key, n)));
        let add = |key, n: u64| beside(|| cx.enter(|| Context::add(key, n)));
        set("set_then_added", 100);
        Context::add("set_then_added", 1_u64);
        add("added_then_set", 5);
        Context::set("added_then_set", 100_u64);
        add("added_again", 5);
        Context::set("added_again", 100_u64);
        add("added_again", 1);
        Context::add("both", 5_u64);
        set("both", 100);
        Context::add("both", 1_u64);
        add("both", 1);
        Context::add("sum", 1_u64);
        add("sum", 10);
        Context::add("sum", 100_u64);
        add("sum", 1_000);
    });
    for (key, want) in
        [("set_then_added", 101), ("added_then_set", 100), ("added_again", 101), ("both", 102), ("sum", 1_111)]
    {
        assert_eq!(app(&event, key), Some(OwnedValue::U64(want)), "{key}");
    }
}

#[test]
fn a_log_that_is_written_anew_forgets_no_order() {
    let event = recorded(|| {
        let cx = Context::current();
        for at in 0..40 {
            Context::set("early", format!("{at:0>40}"));
        }
        beside(|| cx.enter(|| Context::set("k", "old, from beside")));
        Context::set("k", "new");
        beside(|| cx.enter(|| Context::set("newer", "of no matter")));
        Context::set("newest", "of no matter");
        beside(|| cx.enter(|| Context::set("newest", "from beside")));
        for at in 0..5_000 {
            Context::set("text", format!("{at:0>40}"));
        }
        assert_eq!(Context::get("k"), text("new"));
        assert_eq!(Context::get("newest"), text("from beside"));
    });
    assert_eq!(app(&event, "k"), text("new"));
    assert_eq!(app(&event, "newest"), text("from beside"));
    assert_eq!(app(&event, "text"), text(&format!("{:0>40}", 4_999)));
    assert_eq!(event.view().get("canonlog_truncated"), None);
}

#[test]
fn a_value_that_is_too_long_for_itself_and_for_the_record_is_cut_and_counted_once() {
    for len in [8, 20] {
        let event = recorded(|| {
            for key in ["a", "b", "c", "d", "e", "f", "g"] {
                Context::set(key, "x".repeat(8 * 1024));
            }
            Context::set("last", "y".repeat(len * 1024));
        });
        let Some(OwnedValue::Text(text)) = app(&event, "last") else { panic!("its beginning was recorded") };
        assert!(text.len() > 1_024 && text.ends_with("y…"), "{}", text.len());
        assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(1)));
    }
}

#[test]
fn what_another_thread_writes_while_a_timeout_is_taken_is_in_one_of_the_two_events() {
    for _ in 0..300 {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let cx = scope.context();
        cx.limit(Some(Duration::from_secs(100)));
        let start = std::sync::Barrier::new(2);
        let started = &start;
        cx.enter(|| {
            std::thread::scope(|threads| {
                threads.spawn(move || {
                    cx.enter(|| {
                        started.wait();
                        for at in 0..40 {
                            Context::set_dynamic(&format!("key_{at}"), at);
                        }
                    });
                });
                started.wait();
                assert_eq!(capture.tick_timeouts(Duration::from_secs(101)), 1);
            });
        });
        scope.finish();
        let events = capture.events();
        for at in 0..40 {
            let name = format!("key_{at}");
            assert!(events.iter().any(|event| app(event, &name).is_some()), "{name}: {events:?}");
        }
    }
}
