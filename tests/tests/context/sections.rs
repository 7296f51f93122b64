//! Timed sections: nested, of several threads, cut off.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use canonlog::testing::HeldClock;
use canonlog::{Context, Kind, OwnedEvent, OwnedValue, Value, begin, testing};

use super::*;

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
