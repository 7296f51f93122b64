//! Instrumenters run in their order, once a unit, and can cost neither the response nor the line.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canonlog::__private::inventory;
use canonlog::{
    Context, EventType, Instrumenter, InstrumenterError, Kind, OwnedEvent, Registration, Unit, Value, begin,
    register_instrumenter, testing,
};
use canonlog_tests::unit::{request, request_sync};

canonlog::expect_instrumenters!["request", "error", "database", "saturation", "first", "second"];

static SETUPS: AtomicUsize = AtomicUsize::new(0);

/// Appends its name to `app_called`.
fn called(unit: &mut Unit<'_>, name: &str) {
    let before = unit.get("app_called").map(|value| format!("{value} ")).unwrap_or_default();
    unit.set("called", format!("{before}{name}"));
}

macro_rules! instrumenters {
    ($($type:ident $name:literal $order:literal after $after:tt before $before:tt |$unit:ident| $call:expr;)*) => {$(
        struct $type;

        impl Instrumenter for $type {
            fn setup(&self) -> Result<(), InstrumenterError> {
                SETUPS.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }

            fn call(&self, $unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
                called($unit, $name);
                $call
            }
        }

        inventory::submit! {
            Registration {
                name: $name,
                order: $order,
                after: &$after,
                before: &$before,
                location: concat!(file!(), ":", line!()),
                make: || Box::new($type),
            }
        }
    )*};
}

instrumenters! {
    Last "last" 9000 after [] before [] |_unit| Ok(());
    Panics "panics" 1000 after ["second"] before [] |unit| {
        unit.set("before_the_panic", true);
        let missing = unit.get("no_such_field").map(|value| value.to_string());
        unit.set("after_the_panic", missing.expect("an instrumenter that panics"));
        Ok(())
    };
    Second "second" 1000 after [] before [] |_unit| Ok(());
    Fails "fails" 1000 after ["second"] before ["panics"] |unit| {
        unit.set("before_the_error", true);
        Err("an instrumenter that fails".into())
    };
    First "first" 5000 after ["saturation"] before ["second"] |unit| {
        unit.set("saw_rt", unit.get("rt_w_count").is_some());
        Context::set("from_the_ambient_context", 1);
        Ok(())
    };
}

/// Ends a unit while it is being set up.
#[register_instrumenter(after = "last")]
struct Reentrant;

static FROM_SETUP: OnceLock<OwnedEvent> = OnceLock::new();

impl Instrumenter for Reentrant {
    fn setup(&self) -> Result<(), InstrumenterError> {
        FROM_SETUP.set(request_sync(|| {})).map_err(|_| "set up twice".into())
    }

    fn call(&self, _unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        Ok(())
    }
}

const IN_ORDER: &str = "first second fails panics last";

#[test]
fn all_are_called_in_order_once_a_unit_whatever_some_of_them_do() {
    for _ in 0..3 {
        let event = request_sync(|| {});
        assert_eq!(event.view().get("app_called"), Some(Value::Str(IN_ORDER)));
    }
}

#[test]
fn the_event_names_those_that_failed_and_keeps_what_they_had_set() {
    let event = request_sync(|| {});
    let event = event.view();
    assert_eq!(event.get("canonlog_instrumenter_errors"), Some(Value::Str("fails,panics")));
    assert_eq!(event.get("app_before_the_error"), Some(Value::Bool(true)));
    assert_eq!(event.get("app_before_the_panic"), Some(Value::Bool(true)));
    assert_eq!(event.get("app_after_the_panic"), None);
}

#[test]
fn jobs_and_timeouts_get_their_fields_too() {
    let capture = testing::capture();
    let scope = begin(Kind::Job);
    scope.enter(|| Context::set_timeout(Duration::from_secs(3_000)));
    assert_eq!(capture.tick_timeouts(Duration::from_secs(4_000)), 1);
    begin(Kind::Job).finish();
    let events = capture.events();
    let kinds: Vec<EventType> = events.iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Timeout, EventType::Job]);
    for event in events {
        assert_eq!(event.view().get("app_called"), Some(Value::Str(IN_ORDER)));
    }
}

#[test]
fn a_unit_that_ends_inside_a_setup_goes_without_that_instrumenter_and_says_so() {
    request_sync(|| {});
    let event = FROM_SETUP.get().expect("a unit has ended, so all are set up").view();
    assert_eq!(event.get("canonlog_instrumenter_errors"), Some(Value::Str("fails,panics,reentrant")));
    assert_eq!(event.get("app_called"), Some(Value::Str(IN_ORDER)));
}

#[test]
fn an_instrumenter_sees_what_those_before_it_have_set() {
    assert_eq!(request_sync(|| {}).view().get("app_saw_rt"), Some(Value::Bool(true)));
}

#[tokio::test]
async fn failures_leave_the_answer_alone() {
    let (answer, _) = request(async { "answer" }).await;
    assert_eq!(answer, "answer");
}

#[test]
fn setup_runs_exactly_once_for_each_without_init_too() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| request_sync(|| {}));
        }
    });
    assert_eq!(SETUPS.load(Ordering::Relaxed), 5);
}
