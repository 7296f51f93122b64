//! Time within a unit, whatever the clocks do.

use std::time::{Duration, SystemTime};

use canonlog::{Context, Kind, OwnedEvent, Value, begin, testing};

fn duration(event: &OwnedEvent, name: &str) -> Option<Duration> {
    match event.view().get(name) {
        Some(Value::Duration(time)) => Some(time),
        _ => None,
    }
}

#[test]
fn a_clock_that_goes_back_between_begin_and_end_gives_zero() {
    let capture = testing::capture();
    let earlier = testing::hold_clock();
    // The other thread's clock goes on: what it begins lies in this thread's future.
    let cx = {
        let pipeline = capture.pipeline();
        let scope = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            pipeline.begin(Kind::Request)
        });
        scope.join().expect("no panic")
    };
    cx.enter(|| {
        let context = Context::current();
        let section = std::thread::spawn(move || context.time_in("app", "section"));
        drop(section.join().expect("no panic"));
    });
    cx.finish();
    let event = capture.one();
    assert_eq!(duration(&event, "resp_time"), Some(Duration::ZERO));
    assert_eq!(duration(&event, "app_section_time"), Some(Duration::ZERO));
    drop(earlier);
}

#[test]
fn a_step_forward_is_measured_and_a_held_clock_measures_nothing() {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    begin(Kind::Request).enter(|| {
        let held = Context::time("held");
        drop(held);
        let stepped = Context::time("stepped");
        clock.advance(Duration::from_secs(86_400));
        drop(stepped);
    });
    let event = capture.one();
    assert_eq!(duration(&event, "app_held_time"), Some(Duration::ZERO));
    let day = duration(&event, "app_stepped_time").expect("it was measured");
    assert!(day.abs_diff(Duration::from_secs(86_400)) < Duration::from_millis(1), "{day:?}");
    assert_eq!(duration(&event, "resp_time"), Some(day));
}

#[test]
fn the_time_of_an_event_is_when_it_ended_and_those_of_a_thread_never_go_back() {
    let capture = testing::capture();
    // The date is that of a reading at most a second old, carried on by the clock that never goes back.
    let slack = Duration::from_millis(50);
    let before = SystemTime::now() - slack;
    for _ in 0..100 {
        begin(Kind::Request).finish();
    }
    let after = SystemTime::now() + slack;
    let times: Vec<SystemTime> = capture.events().iter().map(|event| event.view().time()).collect();
    assert_eq!(times.len(), 100);
    assert!(times.is_sorted(), "{times:?}");
    assert!(times.iter().all(|time| (before..=after).contains(time)), "{before:?} {times:?} {after:?}");
}
