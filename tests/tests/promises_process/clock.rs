//! Steps of the date while requests run.

use std::time::{SystemTime, UNIX_EPOCH};

use canonlog_tests::logfmt;

use super::{command, run};

#[test]
fn steps_of_the_date_change_no_duration_and_end_no_request() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let ended = run(&mut command(env!("CARGO_BIN_EXE_clock_steps")));
    assert_eq!((ended.code(), ended.err.as_str()), (Some(0), ""));
    // A limit of 30 s, and steps of days: nothing timed out.
    let lines = ended.of("request");
    assert_eq!((lines.len(), ended.out.lines().count()), (9, 9), "{}", ended.out);
    for line in &lines {
        for name in ["resp_time", "app_section_time"] {
            let seconds: f64 = logfmt::field(line, name).expect("it is there").parse().expect("a number");
            assert!((0.0..5.0).contains(&seconds), "{name} in {line}");
        }
    }
    let day = |name: &str| {
        let line = lines.iter().find(|line| line.contains(&format!("app_name=\"{name}\""))).expect("an event");
        logfmt::field(line, "event_time").expect("a date")[..10].to_owned()
    };
    // Dates as `date` prints them, of this test's beginning and of what may come after midnight.
    let date = |ahead: i64| {
        [0, 30].map(|later| {
            let seconds = i64::try_from(before).expect("a date") + ahead + later;
            civil(seconds.div_euclid(86_400))
        })
    };
    for (name, ahead) in
        [("before", 0), ("a_day_ahead", 86_400), ("a_day_behind", -86_400), ("before_1970", -4_000_000_000)]
    {
        assert!(date(ahead).contains(&day(name)), "{name}: {} is none of {:?}", day(name), date(ahead));
    }
    // The last day that 64 bits of nanoseconds reach.
    assert_eq!(day("far_ahead"), "2262-04-11");
}

/// The date of a day since 1970, counted year by year.
fn civil(mut days: i64) -> String {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| if leap(year) { 366 } else { 365 };
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += length(year);
    }
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for in_month in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < in_month {
            break;
        }
        days -= in_month;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}
