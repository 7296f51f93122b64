//! What `#[operation]` records.

use std::future::pending;
use std::time::Duration;

use canonlog::{Context, Kind, OwnedEvent, Value, begin, operation, testing};
use futures_util::FutureExt as _;

/// The event of a record in which `f` ran.
fn recorded<R>(f: impl FnOnce() -> R) -> OwnedEvent {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    let _value = scope.context().enter(f);
    scope.finish();
    capture.one()
}

#[test]
fn calls_are_counted_and_their_times_add_up() {
    #[operation]
    fn load(clock: &testing::HeldClock) {
        clock.advance(Duration::from_millis(200));
    }
    let clock = testing::hold_clock();
    let event = recorded(|| {
        load(&clock);
        load(&clock);
    });
    assert_eq!(event.view().get("app_load_count"), Some(Value::U64(2)));
    let time = event.view().get("app_load_time").map(|time| time.to_string());
    assert_eq!(time.as_deref(), Some("0.400"));
}

#[test]
fn a_function_that_calls_itself_is_timed_once() {
    #[operation]
    fn load(depth: u8, clock: &testing::HeldClock) {
        clock.advance(Duration::from_millis(100));
        if depth > 0 {
            load(depth - 1, clock);
        }
    }
    let clock = testing::hold_clock();
    let event = recorded(|| load(2, &clock));
    assert_eq!(event.view().get("app_load_count"), Some(Value::U64(3)));
    assert_eq!(event.view().get("app_load_time").map(|time| time.to_string()).as_deref(), Some("0.300"));
}

#[test]
fn a_call_that_fails_panics_or_is_dropped_counts_too() {
    #[operation(name = "step")]
    fn fails() -> Result<(), std::num::ParseIntError> {
        "x".parse::<u8>()?;
        Ok(())
    }
    #[operation(name = "step")]
    fn panics() {
        panic!("out of luck");
    }
    #[operation(name = "step")]
    async fn waits() {
        pending::<()>().await;
    }
    let event = recorded(|| {
        assert!(fails().is_err());
        assert!(std::panic::catch_unwind(panics).is_err());
        assert!(waits().now_or_never().is_none());
    });
    assert_eq!(event.view().get("app_step_count"), Some(Value::U64(3)));
    assert!(matches!(event.view().get("app_step_time"), Some(Value::Duration(_))));
}

#[test]
fn the_time_includes_what_a_future_waits() {
    #[operation]
    async fn load() {
        tokio::task::yield_now().await;
    }
    let clock = testing::hold_clock();
    let event = recorded(|| {
        let mut load = Box::pin(load());
        assert!(load.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_millis(300));
        assert!(load.as_mut().now_or_never().is_some());
    });
    assert_eq!(event.view().get("app_load_time").map(|time| time.to_string()).as_deref(), Some("0.300"));
}

#[test]
fn a_returned_future_is_timed_from_its_first_poll() {
    #[operation(fields(id = id))]
    fn load(id: u8, clock: &testing::HeldClock) -> impl Future<Output = u8> + '_ {
        clock.advance(Duration::from_millis(100));
        async move {
            clock.advance(Duration::from_millis(300));
            id
        }
    }
    let clock = testing::hold_clock();
    let event = recorded(|| assert_eq!(load(3, &clock).now_or_never(), Some(3)));
    assert_eq!(event.view().get("app_load_time").map(|time| time.to_string()).as_deref(), Some("0.300"));
    assert_eq!(event.view().get("app_id"), Some(Value::U64(3)));
}

#[test]
fn fields_and_tags_are_recorded_under_their_names() {
    #[operation(name = "cart", fields(cart_id = id), tags(table = "carts"))]
    fn load(id: u64) -> u64 {
        id
    }
    let event = recorded(|| load(7));
    assert_eq!(event.view().get("app_cart_id"), Some(Value::U64(7)));
    assert_eq!(event.view().get("app_cart_table"), Some(Value::Str("carts")));
}

#[test]
fn an_operation_that_ends_in_another_record_belongs_to_its_own() {
    #[operation]
    async fn load() {
        tokio::task::yield_now().await;
    }
    let capture = testing::capture();
    let (first, second) = (begin(Kind::Request), begin(Kind::Request));
    let mut load = Box::pin(load());
    assert!(first.context().enter(|| load.as_mut().now_or_never()).is_none());
    assert!(second.context().enter(|| load.as_mut().now_or_never()).is_some());
    second.finish();
    first.finish();
    let events = capture.events();
    assert_eq!(events[0].view().get("app_load_count"), None);
    assert_eq!(events[0].view().get("app_load_time"), None);
    assert_eq!(events[1].view().get("app_load_count"), Some(Value::U64(1)));
}

#[test]
fn outside_a_record_it_does_nothing() {
    #[operation]
    fn load() -> u8 {
        7
    }
    let capture = testing::capture();
    assert_eq!(load(), 7);
    assert!(capture.events().is_empty());
    assert!(!Context::current().is_active());
}
