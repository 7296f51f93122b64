//! One pipeline a process, and one for each test.

use std::sync::Barrier;

use canonlog::{Context, Kind, SetupError, begin, testing};

use super::lines;

#[test]
fn a_second_set_up_is_an_error_value_from_every_thread_and_changes_nothing() {
    let (guard, memory) = lines();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let error = canonlog::setup().init().expect_err("the process has one");
                assert!(matches!(error, SetupError::Again), "{error}");
                assert!(!error.to_string().is_empty());
            });
        }
    });
    let scope = begin(Kind::Job);
    scope.enter(|| Context::set("after_the_second", true));
    scope.finish();
    assert!(guard.flush());
    let lines = memory.lines();
    assert_eq!(lines.iter().filter(|line| line.contains("app_after_the_second")).count(), 1);
}

#[test]
fn two_tests_at_once_see_their_own_events_only() {
    const EACH: usize = 200;
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let together = &together;
            scope.spawn(move || {
                let capture = testing::capture();
                together.wait();
                for _ in 0..EACH {
                    let scope = begin(Kind::Request);
                    scope.enter(|| Context::set("thread", thread));
                    scope.finish();
                }
                together.wait();
                let events = capture.events();
                assert_eq!(events.len(), EACH);
                for event in events {
                    let seen = event.view().get("app_thread").map(|value| value.to_string());
                    assert_eq!(seen, Some(thread.to_string()));
                }
            });
        }
    });
}

#[test]
fn a_capture_inside_another_is_its_own() {
    let outer = testing::capture();
    {
        let inner = testing::capture();
        begin(Kind::Job).finish();
        inner.one();
    }
    begin(Kind::Request).finish();
    assert_eq!(outer.one().view().kind(), canonlog::EventType::Request);
}
