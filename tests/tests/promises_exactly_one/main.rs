//! Exactly one event for each request that reached the service, however it ends.

mod connections;
mod cut_off;
mod gate;
mod kinds;
mod layers;
mod panics;
mod streams;

use canonlog::{EventType, OwnedEvent};
use canonlog_tests::server::{field, value};

#[track_caller]
fn assert_cut_off(event: &OwnedEvent, status: &str) {
    assert_eq!(event.view().kind(), EventType::Request);
    assert_eq!(field(event, "req_cancelled").as_deref(), Some("true"), "{event:#?}");
    assert_eq!(value(event, "resp_status"), status);
}

#[track_caller]
fn assert_answered(event: &OwnedEvent, status: &str) {
    assert_eq!(event.view().kind(), EventType::Request);
    assert_eq!(field(event, "req_cancelled"), None, "{event:#?}");
    assert_eq!(value(event, "resp_status"), status);
}
