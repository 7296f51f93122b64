//! Time limits, and what is recorded before and after them.

use std::time::Duration;

use canonlog::{Context, EventType, Kind, Level, Value, begin, testing};

use super::*;

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
