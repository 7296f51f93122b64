//! What several tests need: one unit, and a look at its event.

use canonlog::{Kind, OwnedEvent, Value, testing};

/// Runs a future as one request; its output, and the request's event.
pub async fn request<F: Future>(future: F) -> (F::Output, OwnedEvent) {
    let capture = testing::capture();
    let scope = capture.pipeline().begin(Kind::Request);
    let output = scope.context().scope(future).await;
    scope.finish();
    (output, capture.one())
}

/// Runs a function as one request; the request's event.
pub fn request_sync(run: impl FnOnce()) -> OwnedEvent {
    let capture = testing::capture();
    let scope = capture.pipeline().begin(Kind::Request);
    scope.enter(run);
    scope.finish();
    capture.one()
}

/// A field that is a whole number.
pub fn integer(event: &OwnedEvent, name: &str) -> u64 {
    match event.view().get(name) {
        Some(Value::U64(value)) => value,
        other => panic!("`{name}` is {other:?} in {event:?}"),
    }
}

/// A field that is a length of time, in seconds.
pub fn seconds(event: &OwnedEvent, name: &str) -> f64 {
    match event.view().get(name) {
        Some(Value::Duration(value)) => value.as_secs_f64(),
        other => panic!("`{name}` is {other:?} in {event:?}"),
    }
}

/// A field as text; empty if it is not there.
pub fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map(|value| value.to_string()).unwrap_or_default()
}
