//! Ids from outside.

use canonlog::{Context, Kind, Value, begin, testing};

use super::*;

#[test]
fn ids_from_outside_are_taken_over_and_come_first() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().set_in("req", "method", "GET");
    assert!(scope.context().set_request_id("abc-123"));
    scope.finish();
    assert_eq!(capture.one().view().fields().next(), Some(("req_id", Value::Str("abc-123"))));
}

#[test]
fn an_id_given_to_a_job_is_its_job_id() {
    let capture = testing::capture();
    let scope = begin(Kind::Job);
    let cx = scope.context();
    cx.enter(|| Context::set("rows", 1));
    assert!(cx.set_request_id("mine"));
    assert_eq!(cx.request_id().as_deref(), Some("mine"));
    scope.finish();
    let event = capture.one();
    assert_eq!(event.view().fields().next(), Some(("job_id", Value::Str("mine"))));
    assert_eq!(event.view().get("req_id"), None);
}

#[test]
fn an_id_given_by_another_thread_is_the_id() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.enter(|| {
        beside(|| assert!(cx.set_request_id("from-beside")));
        assert_eq!(cx.request_id().as_deref(), Some("from-beside"));
    });
    scope.finish();
    assert_eq!(capture.one().view().get("req_id"), Some(Value::Str("from-beside")));
}
