//! What the context records, from wherever it is used.

use std::time::Duration;

use canonlog::testing::Capture;
use canonlog::{Context, Kind, OwnedEvent, OwnedValue, begin, testing};

mod elsewhere;
mod ends;
mod ids;
mod limits;
mod sections;
mod timeouts;
mod values;

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

/// Runs on another thread, to its end.
fn beside(run: impl FnOnce() + Send) {
    std::thread::scope(|threads| threads.spawn(run).join().expect("the thread ends"));
}

fn time_out(cx: Context, capture: &Capture) {
    cx.limit(Some(Duration::from_secs(100)));
    assert_eq!(capture.tick_timeouts(Duration::from_secs(101)), 1);
}
