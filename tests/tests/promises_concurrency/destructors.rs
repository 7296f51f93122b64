//! Destructors of thread-local values, which run when canonlog's own may be gone already.

use std::cell::RefCell;

use canonlog::{Context, EventType, Kind, Pipeline, Value, begin, display, testing};

/// Uses canonlog when its thread ends.
struct AtTheEnd {
    name: &'static str,
    request: Context,
    pipeline: Pipeline,
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        Context::set("outside", 1);
        self.request.enter(|| {
            Context::add("ends", 1);
            Context::set("shown", display(self.name));
            let _section = Context::time("end");
        });
        let scope = self.pipeline.begin(Kind::Job);
        scope.enter(|| Context::set("of", self.name));
        scope.finish();
        assert!(!Context::current().is_active());
    }
}

thread_local! {
    static BEFORE: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    static AFTER: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

#[test]
fn they_record_and_emit_in_either_order() {
    let capture = testing::capture();
    let pipeline = capture.pipeline();
    let scope = begin(Kind::Request);
    let request = scope.context();
    let thread = std::thread::spawn(move || {
        // Destructors run in the order in which their values were first used, or in reverse: one is before canonlog's, one after.
        BEFORE.with(|value| *value.borrow_mut() = Some(AtTheEnd { name: "before", request, pipeline }));
        request.enter(|| Context::add("ends", 1));
        pipeline.begin(Kind::Request).finish();
        AFTER.with(|value| *value.borrow_mut() = Some(AtTheEnd { name: "after", request, pipeline }));
    });
    thread.join().expect("no panic, no abort");
    scope.finish();
    let events = capture.events();
    let mut jobs: Vec<String> = events
        .iter()
        .filter(|event| event.view().kind() == EventType::Job)
        .map(|event| event.view().get("app_of").map(|value| value.to_string()).unwrap_or_default())
        .collect();
    jobs.sort_unstable();
    assert_eq!(jobs, ["after", "before"]);
    let request = events.last().expect("the request ended last").view();
    assert_eq!(request.get("app_ends").map(|value| value.to_string()).as_deref(), Some("3"));
    assert!(matches!(request.get("app_shown"), Some(Value::Str("before" | "after"))));
    assert!(request.get("app_end_time").is_some());
}

#[test]
fn a_record_that_a_thread_local_value_owns_ends_with_its_thread() {
    thread_local! {
        static OWNER: RefCell<Option<canonlog::Scope>> = const { RefCell::new(None) };
    }
    let capture = testing::capture();
    let pipeline = capture.pipeline();
    let thread = std::thread::spawn(move || {
        let scope = pipeline.begin(Kind::Request);
        scope.enter(|| Context::set("owned", 1));
        OWNER.with(|owner| *owner.borrow_mut() = Some(scope));
    });
    thread.join().expect("no panic, no abort");
    assert_eq!(capture.one().view().get("app_owned"), Some(Value::I64(1)));
}
