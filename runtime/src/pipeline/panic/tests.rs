use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::event::OwnedEvent;
use crate::value::Value;
use crate::{Context, Kind, begin, testing};

const SOON: std::time::Duration = std::time::Duration::from_secs(20);

fn text(event: &OwnedEvent, name: &str) -> String {
    event.view().get(name).map(|value| value.to_string()).unwrap_or_default()
}

#[test]
fn a_panic_of_a_job_that_leaves_its_request_is_told_by_both() {
    let capture = testing::capture();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        begin(Kind::Request).enter(|| begin(Kind::Job).enter(|| panic!("of the job")))
    }));
    for event in capture.wait_for(2, SOON) {
        assert_eq!(text(&event, "exc_msg"), "of the job", "{}", event.view().kind());
        assert!(text(&event, "exc_loc").contains("panic/tests.rs:"), "{}", event.view().kind());
    }
}

#[test]
fn a_panic_from_before_the_record_is_not_taken_for_one_that_the_hook_did_not_see() {
    let capture = testing::capture();
    let _ = catch_unwind(|| panic!("long ago"));
    let _ = catch_unwind(AssertUnwindSafe(|| begin(Kind::Request).enter(|| resume_unwind(Box::new("now")))));
    let event = capture.wait_for(1, SOON).remove(0);
    assert_eq!((text(&event, "exc_msg").as_str(), text(&event, "exc_loc").as_str()), ("", ""));
}

#[test]
fn a_panic_that_was_caught_gives_way_to_a_newer_one_that_is_resumed() {
    let capture = testing::capture();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        begin(Kind::Request).enter(|| {
            let _ = catch_unwind(|| panic!("caught"));
            let cx = Context::current();
            let other = std::thread::spawn(move || cx.enter(|| -> u8 { panic!("of the other thread") })).join();
            resume_unwind(other.expect_err("it panics"))
        })
    }));
    let event = capture.wait_for(1, SOON).remove(0);
    assert_eq!(text(&event, "exc_msg"), "of the other thread");
    let _ = catch_unwind(AssertUnwindSafe(|| {
        begin(Kind::Request).enter(|| {
            let cx = Context::current();
            let _ = std::thread::spawn(move || cx.enter(|| panic!("of the other thread"))).join();
            panic!("its own")
        })
    }));
    let event = capture.wait_for(2, SOON).remove(1);
    assert_eq!(text(&event, "exc_msg"), "its own");
}

#[test]
fn a_display_that_panics_is_no_panic_of_the_request() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("of the display")
        }
    }
    let capture = testing::capture();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        begin(Kind::Request).enter(|| {
            let _ = catch_unwind(|| panic!("of the request"));
            Context::set("broken", crate::display(Broken));
            resume_unwind(Box::new("of the request"))
        })
    }));
    let event = capture.wait_for(1, SOON).remove(0);
    assert_eq!(event.view().get("exc_msg"), Some(Value::Str("of the request")));
}
