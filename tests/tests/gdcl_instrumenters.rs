//! `#[register_instrumenter]` at run time: on a struct and on an `impl`, in the declared order, once for each unit that ends.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use canonlog::{
    Context, EventType, Instrumenter, InstrumenterError, Kind, OwnedEvent, Unit, Value, begin, register_instrumenter,
    testing,
};
use canonlog_tests::server::{Server, field, value};
use canonlog_tests::unit::{integer, request_sync};

canonlog::expect_instrumenters!["on_struct", "on_impl", "first_of_all", "between"];

static SETUPS: AtomicUsize = AtomicUsize::new(0);

/// Appends its name to `app_called`.
fn called(unit: &mut Unit<'_>, name: &str) -> Result<(), InstrumenterError> {
    let before = unit.get("app_called").map(|value| format!("{value} ")).unwrap_or_default();
    unit.set("called", format!("{before}{name}"));
    Ok(())
}

fn set_up() -> Result<(), InstrumenterError> {
    SETUPS.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[register_instrumenter]
struct OnStruct;

impl Instrumenter for OnStruct {
    fn setup(&self) -> Result<(), InstrumenterError> {
        set_up()
    }

    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        called(unit, "struct")
    }
}

/// Made by `Default`, and keeps what it has counted.
#[derive(Default)]
struct OnImpl {
    calls: AtomicU64,
}

#[register_instrumenter(after = "on_struct")]
impl Instrumenter for OnImpl {
    fn setup(&self) -> Result<(), InstrumenterError> {
        set_up()
    }

    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        unit.set_in("counted", "calls", calls);
        called(unit, "impl")
    }
}

#[register_instrumenter(name = "first_of_all", order = -1)]
struct First;

impl Instrumenter for First {
    fn setup(&self) -> Result<(), InstrumenterError> {
        set_up()
    }

    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        // Before the built-in ones, which come from 100 on.
        unit.set("saw_saturation", unit.get("rt_w_count").is_some());
        called(unit, "first")
    }
}

#[register_instrumenter(after = ["on_struct", "saturation"], before = "on_impl")]
struct Between;

impl Instrumenter for Between {
    fn setup(&self) -> Result<(), InstrumenterError> {
        set_up()
    }

    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        called(unit, "between")
    }
}

const IN_ORDER: &str = "first struct between impl";

fn assert_called_once(event: &OwnedEvent) {
    assert_eq!(event.view().get("app_called"), Some(Value::Str(IN_ORDER)), "{event:?}");
    assert_eq!(event.view().get("canonlog_instrumenter_errors"), None, "{event:?}");
}

#[test]
fn those_on_structs_and_impls_are_called_in_the_declared_order() {
    let event = request_sync(|| {});
    assert_called_once(&event);
    assert_eq!(event.view().get("app_saw_saturation"), Some(Value::Bool(false)));
    assert!(event.view().get("rt_w_count").is_some());
}

#[test]
fn one_instance_lives_as_long_as_the_process() {
    let calls = |event: &OwnedEvent| integer(event, "counted_calls");
    let (first, second) = (request_sync(|| {}), request_sync(|| {}));
    assert!(calls(&second) > calls(&first));
}

#[test]
fn setup_runs_once_for_each_whichever_thread_ends_the_first_unit() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| request_sync(|| {}));
        }
    });
    assert_eq!(SETUPS.load(Ordering::Relaxed), 4);
}

#[test]
fn call_comes_once_for_a_request_a_job_and_a_timeout() {
    let capture = testing::capture();
    begin(Kind::Request).finish();
    begin(Kind::Job).finish();
    let stuck = begin(Kind::Request);
    stuck.enter(|| Context::set_timeout(Duration::from_secs(3_000)));
    assert_eq!(capture.tick_timeouts(Duration::from_secs(4_000)), 1);
    let events = capture.events();
    let kinds: Vec<EventType> = events.iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Request, EventType::Job, EventType::Timeout]);
    events.iter().for_each(assert_called_once);
    drop(stuck);
}

#[test]
fn a_panic_is_still_a_unit_that_ends() {
    let capture = testing::capture();
    let panicked = std::panic::catch_unwind(|| {
        let scope = begin(Kind::Request);
        scope.enter(|| panic!("on purpose"));
    });
    assert!(panicked.is_err());
    assert_called_once(&capture.one());
}

#[test]
fn the_late_response_of_a_unit_whose_timeout_was_seen_is_not_seen_again() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set("early", 1);
        Context::set_timeout(Duration::from_secs(3_000));
    });
    assert_eq!(capture.tick_timeouts(Duration::from_secs(4_000)), 1);
    scope.enter(|| Context::set("late", 1));
    scope.finish();
    let events = capture.events();
    assert_eq!(events.len(), 2);
    assert_called_once(&events[0]);
    let late = events[1].view();
    assert_eq!(late.kind(), EventType::LateResponse);
    assert_eq!(late.get("app_late"), Some(Value::I64(1)));
    assert_eq!((late.get("app_called"), late.get("counted_calls")), (None, None), "{late:?}");
}

#[test]
fn a_partial_failure_ends_no_unit() {
    #[canonlog::on_error(return = 0)]
    fn fails() -> u32 {
        "x".parse()?
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    assert_eq!(scope.enter(fails), 0);
    scope.finish();
    let events = capture.events();
    assert_eq!(events[0].view().kind(), EventType::PartialFailure);
    assert_eq!(events[0].view().get("app_called"), None);
    assert_called_once(&events[1]);
}

#[test]
fn its_field_is_in_the_event_of_a_served_request_also_of_one_that_no_handler_saw() {
    let server = Server::of(Router::new().route("/", get(|| async { "here" })));
    assert_eq!(server.get("/").text(), "here");
    assert_eq!(server.get("/nowhere").status, 404);
    server.events(2);
    for event in server.stop() {
        assert_eq!(value(&event, "app_called"), IN_ORDER);
        assert_eq!(field(&event, "canonlog_instrumenter_errors"), None);
    }
}
