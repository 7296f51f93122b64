use super::*;
use crate::event::OwnedEvent;
use crate::{inc, testing};

fn ticks(millis: u64) -> u64 {
    clock::ticks(Duration::from_millis(millis))
}

fn monitor(millis: u64) -> Monitor {
    let period = Duration::from_millis(millis);
    Monitor::new(Status::every(period), clock::now(), Totals::now())
}

fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map_or("none".to_owned(), |value| value.to_string())
}

/// The event of a report, as it goes out.
fn told(report: &Report) -> OwnedEvent {
    let capture = testing::capture();
    report.emit(clock::now());
    capture.one()
}

fn event(monitor: &mut Monitor) -> OwnedEvent {
    told(&monitor.report(clock::now(), Totals::now()))
}

#[test]
fn counters_are_told_with_their_means_since_the_last_time() {
    let mut one = monitor(5_000);
    for requests in [1, 5, 7] {
        inc::inc_by("status_requests", requests).inc("Status 2xx");
    }
    let first = event(&mut one);
    assert_eq!(first.view().kind(), EventType::Status);
    assert_eq!(text(&first, "app_status_requests"), "13");
    assert!(text(&first, "app_status_requests.avg").starts_with("4.333"));
    assert_eq!(text(&first, "app_status_2xx"), "3");
    let second = event(&mut one);
    assert_eq!(text(&second, "app_status_requests"), "0", "what was seen once stays");
    assert_eq!(text(&second, "app_status_requests.avg"), "0.0");
}

#[test]
fn several_who_tell_take_nothing_from_each_other() {
    let (mut one, mut other) = (monitor(5_000), monitor(60_000));
    inc::inc("status_shared");
    assert_eq!(text(&event(&mut one), "app_status_shared"), "1");
    inc::inc("status_shared");
    assert_eq!(text(&event(&mut one), "app_status_shared"), "1");
    assert_eq!(text(&event(&mut other), "app_status_shared"), "2");
    assert_eq!(text(&event(&mut other), "app_status_shared"), "0");
}

#[test]
fn messages_are_told_by_level_with_the_bytes_of_their_texts() {
    measures::count_messages();
    let mut one = monitor(5_000);
    // Critical ones: no other test here has any.
    measures::message(Level::Critical, 10);
    measures::message(Level::Critical, 32);
    let event = event(&mut one);
    assert_eq!(text(&event, "status_critical"), "2");
    assert_eq!(text(&event, "status_critical_size"), "42");
    for level in Level::ALL {
        assert!(event.view().get(&format!("status_{level}")).is_some(), "every level is there: {event:?}");
    }
}

#[test]
fn a_late_report_does_not_put_off_the_next() {
    let clock = testing::hold_clock();
    let mut one = monitor(100);
    let began = one.began;
    let mut told = Vec::new();
    // Each look is some milliseconds late, as if there was work to do.
    for late in 0..100 {
        clock.advance(one.wait(clock::now()) + Duration::from_millis(1 + late % 7));
        let report = one.tick(clock::now(), Totals::default).expect("it is time");
        told.push(clock::between(began, clock::now()) / 1_000_000);
        assert!(report.period <= Duration::from_millis(108), "{report:?}");
    }
    for (at, millis) in told.iter().enumerate() {
        let due = (at as u64 + 1) * 100;
        assert!((due..due + 9).contains(millis), "no drift: {millis} for {due}");
    }
}

#[test]
fn times_that_were_missed_are_made_up_for_by_one_event() {
    let mut one = monitor(1_000);
    let began = one.began;
    assert!(one.tick(began + ticks(999), Totals::default).is_none());
    let report = one.tick(began + ticks(5_400), Totals::default).expect("it is more than time");
    assert!(report.period.abs_diff(Duration::from_millis(5_400)) < Duration::from_millis(1));
    assert!(one.tick(began + ticks(5_900), Totals::default).is_none());
    assert!(one.tick(began + ticks(6_001), Totals::default).is_some());
}

#[test]
fn only_what_was_counted_breaks_the_quiet() {
    let before = Totals::default();
    assert!(Totals { written: 3, ..Totals::default() }.since(&before).is_quiet());
    let counted = Sum { sum: 0, times: 1 };
    let mut messages = [Sum::default(); 6];
    messages[0] = counted;
    for loud in [
        Totals { entered: 1, ..Totals::default() },
        Totals { dropped: 1, ..Totals::default() },
        Totals { messages, ..Totals::default() },
        Totals { counters: vec![(0, "requests", counted)], ..Totals::default() },
    ] {
        assert!(!loud.since(&before).is_quiet(), "{loud:?}");
    }
}

#[test]
fn canonlogs_own_troubles_are_told_too() {
    let mut totals = Totals::default();
    let report =
        |totals: &Totals| Report { name: Some("five".to_owned()), period: Duration::ZERO, totals: totals.clone() };
    let before = told(&report(&totals));
    assert_eq!(["late_writes", "truncated"].map(|name| text(&before, &format!("status_{name}"))), ["0", "none"]);
    totals.troubles = [3; counters::NAMED.len()];
    let event = told(&report(&totals));
    for (name, _) in counters::NAMED {
        assert_eq!(text(&event, &format!("status_{name}")), "3");
    }
    assert_eq!(text(&event, "status_name"), "five");
}

#[test]
fn another_configuration_tells_by_its_own_and_leaves_those_of_the_program_and_those_that_stay() {
    let _capture = testing::capture();
    let periods = || {
        let all = tellers::names_and_beginnings();
        all.into_iter().filter(|(name, _)| name.starts_with("configured ")).collect::<Vec<_>>()
    };
    let hour = |name: &str| Status::every(Duration::from_secs(3_600)).name(format!("configured {name}"));
    start(vec![hour("own")]);
    configure(vec![hour("one"), hour("two")]);
    let before = periods();
    assert_eq!(before.iter().map(|(name, _)| &name[11..]).collect::<Vec<_>>(), ["own", "one", "two"]);
    configure(vec![hour("three"), hour("two"), hour("own")]);
    let after = periods();
    let names: Vec<&str> = after.iter().map(|(name, _)| &name[11..]).collect();
    assert_eq!(names, ["own", "two", "three", "own"]);
    assert_eq!([&after[0], &after[1]], [&before[0], &before[2]], "they go on as ever");
    configure(Vec::new());
    assert_eq!(periods(), before[..1]);
}
