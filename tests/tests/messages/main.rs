//! Messages: what a program says while it works, as `log` events that know their request.

mod bridges;
mod loggers;
mod passing;
mod returned;

use canonlog::{OwnedEvent, testing::Capture};

/// A field of an event, as logfmt writes it without its quotes.
fn text(event: &OwnedEvent, name: &str) -> Option<String> {
    event.view().get(name).map(|value| value.to_string())
}

/// The names of an event's fields, in their order.
fn names(event: &OwnedEvent) -> Vec<String> {
    event.view().fields().map(|(name, _)| name.to_owned()).collect()
}

/// The texts of all messages, in their order.
fn texts(capture: &Capture) -> Vec<String> {
    capture.events().iter().filter_map(|event| text(event, "log_msg")).collect()
}
