//! What `#[instrument_request]` records.

use std::error::Error;
use std::fmt;
use std::future::{pending, ready};
use std::num::ParseIntError;
use std::pin::Pin;
use std::time::Duration;

use canonlog::{Context, EventType, Kind, Level, Value, begin, instrument_request, testing};
use canonlog_tests::unit::text;
use futures_util::FutureExt as _;

/// The location that a line of this file has.
fn at(line: u32, function: &str) -> String {
    format!("tests/macros_request.rs:{line}:macros_request::{function}")
}

#[instrument_request]
fn checkout(id: u64) -> u64 {
    Context::set("cart_id", id);
    id
}

#[test]
fn a_function_outside_a_record_begins_one_and_is_its_view() {
    let capture = testing::capture();
    assert_eq!(checkout(7), 7);
    let event = capture.one();
    assert_eq!((event.view().kind(), event.view().level()), (EventType::Request, Level::Info));
    assert_eq!(text(&event, "resp_view"), "macros_request::checkout");
    assert_eq!(event.view().get("app_cart_id"), Some(Value::U64(7)));
    assert!(!Context::current().is_active());
}

#[test]
fn the_outermost_function_names_the_view_and_inner_ones_are_operations() {
    #[instrument_request(name = "outer_view")]
    fn outer() -> u64 {
        checkout(1) + checkout(2)
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().enter(outer);
    scope.finish();
    let event = capture.one();
    assert_eq!(text(&event, "resp_view"), "outer_view");
    assert_eq!(event.view().get("app_checkout_count"), Some(Value::U64(2)));
    assert!(matches!(event.view().get("app_checkout_time"), Some(Value::Duration(_))));
}

#[test]
fn a_method_is_named_with_its_type() {
    struct Shop;
    impl Shop {
        #[instrument_request]
        async fn open(&self) {}
    }
    let capture = testing::capture();
    Shop.open().now_or_never().expect("it does not wait");
    let view = text(&capture.one(), "resp_view");
    assert!(view.ends_with("::Shop::open"), "{view}");
}

#[instrument_request]
async fn parse(how: &str, number: &str) -> Result<u64, ParseIntError> {
    match how {
        "operand" => {
            let number: u64 = number.parse()?;
            Ok(number)
        }
        "return" => {
            return number.parse();
        }
        _ => number.parse(),
    }
}

#[test]
fn an_error_is_recorded_with_the_line_by_which_it_left() {
    let last = line!() - 5;
    for (how, line) in [("operand", last - 7), ("return", last - 3), ("tail", last - 1)] {
        let capture = testing::capture();
        assert!(parse(how, "many").now_or_never().expect("it does not wait").is_err());
        let event = capture.one();
        assert_eq!(event.view().level(), Level::Error);
        assert_eq!(text(&event, "exc_type"), "core::num::error::ParseIntError");
        assert_eq!(text(&event, "exc_msg"), "invalid digit found in string");
        assert_eq!(text(&event, "exc_loc"), at(line, "parse"), "{how}");
        assert_eq!(text(&event, "exc_cause_loc"), text(&event, "exc_loc"));
    }
}

#[test]
fn a_line_of_an_earlier_failure_is_not_taken_for_a_later_one() {
    macro_rules! hidden {
        ($value:expr) => {
            return $value
        };
    }
    #[instrument_request]
    fn fails(hide: bool) -> Result<(), ParseIntError> {
        if hide {
            hidden!("x".parse::<u8>().map(|_| ()));
        }
        "x".parse::<u8>()?;
        Ok(())
    }
    let capture = testing::capture();
    let line = line!() - 8;
    assert!(fails(false).is_err());
    assert!(fails(true).is_err());
    let lines: Vec<String> = capture.events().iter().map(|event| text(event, "exc_loc")).collect();
    assert!(lines[0].starts_with(&format!("tests/macros_request.rs:{}:", line + 4)), "{lines:?}");
    assert!(lines[1].starts_with(&format!("tests/macros_request.rs:{line}:")), "{lines:?}");
}

#[test]
fn an_error_without_a_text_has_its_type_and_place() {
    struct Silent;
    #[instrument_request]
    fn fails() -> Result<(), Silent> {
        Err(Silent)
    }
    let capture = testing::capture();
    assert!(fails().is_err());
    let event = capture.one();
    assert!(text(&event, "exc_type").ends_with("::Silent"));
    assert_eq!(event.view().get("exc_msg"), None);
    assert_ne!(text(&event, "exc_loc"), "");
}

#[test]
fn an_opaque_error_has_its_text() {
    #[instrument_request]
    async fn fails() -> Result<(), Box<dyn Error + Send + Sync>> {
        ready(()).await;
        Err("out of stock")?;
        Ok(())
    }
    let capture = testing::capture();
    assert!(fails().now_or_never().expect("it does not wait").is_err());
    let event = capture.one();
    assert_eq!(text(&event, "exc_msg"), "out of stock");
    assert_eq!(text(&event, "exc_type"), "&str", "the type that it had at its origin");
}

#[test]
fn a_display_that_panics_costs_neither_the_result_nor_the_event() {
    #[derive(Debug)]
    struct Bad;
    impl fmt::Display for Bad {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("not today")
        }
    }
    #[instrument_request]
    fn fails() -> Result<(), Bad> {
        Err(Bad)
    }
    let capture = testing::capture();
    assert!(fails().is_err());
    assert_ne!(text(&capture.one(), "exc_loc"), "");
}

#[test]
fn a_job_is_a_record_of_its_own_and_knows_its_parent() {
    #[instrument_request(kind = "job", name = "mail")]
    async fn mail(fail: bool) -> Result<(), String> {
        checkout(1);
        if fail { Err("no server".to_owned()) } else { Ok(()) }
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().set_request_id("parent-1");
    scope.context().enter(|| {
        assert!(mail(false).now_or_never().expect("it does not wait").is_ok());
        assert!(mail(true).now_or_never().expect("it does not wait").is_err());
        drop(mail(false));
    });
    scope.finish();
    let events = capture.events();
    assert_eq!(events.len(), 3, "{events:?}");
    for (event, outcome) in events.iter().zip(["ok", "error"]) {
        assert_eq!(event.view().kind(), EventType::Job);
        assert_eq!(text(event, "job_name"), "mail");
        assert_eq!(text(event, "job_parent"), "parent-1");
        assert_eq!(text(event, "job_outcome"), outcome);
        assert_eq!(event.view().get("app_checkout_count"), Some(Value::U64(1)));
        assert_eq!(event.view().get("resp_view"), None);
    }
    assert_eq!(events[2].view().kind(), EventType::Request);
}

#[test]
fn fields_are_evaluated_when_the_function_begins() {
    #[instrument_request(fields(length = items.len(), first = items[0].clone()))]
    async fn take(mut items: Vec<String>) -> usize {
        items.clear();
        items.len()
    }
    #[instrument_request(fields(length = items.len(), first = items[0].as_str()))]
    fn take_later(mut items: Vec<String>) -> impl Future<Output = usize> + use<> {
        items.clear();
        async move { items.len() }
    }
    let items = || vec!["a".to_owned(), "b".to_owned()];
    for run in [Box::pin(take(items())) as Pin<Box<dyn Future<Output = usize>>>, Box::pin(take_later(items()))] {
        let capture = testing::capture();
        assert_eq!(run.now_or_never(), Some(0));
        let event = capture.one();
        assert_eq!(event.view().get("app_length"), Some(Value::U64(2)));
        assert_eq!(text(&event, "app_first"), "a");
    }
}

#[test]
fn a_record_begins_at_the_first_poll_and_what_is_done_before_runs_outside() {
    #[instrument_request]
    fn load(id: u64) -> Pin<Box<dyn Future<Output = u64>>> {
        assert!(!Context::current().is_active());
        Box::pin(async move {
            assert!(Context::current().is_active());
            id
        })
    }
    let capture = testing::capture();
    let future = load(3);
    assert!(capture.events().is_empty());
    drop(load(4));
    assert!(capture.events().is_empty(), "a future that is never polled is no request");
    assert_eq!(future.now_or_never(), Some(3));
    assert_eq!(capture.events().len(), 1);
}

#[test]
fn a_future_that_is_dropped_is_cancelled_and_still_records() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            Context::set("late", true);
        }
    }
    #[instrument_request]
    async fn wait() {
        let _late = Late;
        pending::<()>().await;
    }
    let capture = testing::capture();
    assert!(wait().now_or_never().is_none());
    let event = capture.one();
    assert_eq!(event.view().get("req_cancelled"), Some(Value::Bool(true)));
    assert_eq!(event.view().get("app_late"), Some(Value::Bool(true)));
}

#[test]
fn a_panic_goes_on_and_is_recorded() {
    #[instrument_request]
    fn boom() {
        panic!("out of luck");
    }
    #[instrument_request]
    async fn boom_later() {
        ready(()).await;
        panic!("out of luck");
    }
    let lines = [line!() - 7, line!() - 2];
    let capture = testing::capture();
    let left = std::panic::catch_unwind(boom).expect_err("it panics");
    assert_eq!(left.downcast_ref::<&str>(), Some(&"out of luck"));
    let left = std::panic::catch_unwind(|| boom_later().now_or_never()).expect_err("it panics");
    assert_eq!(left.downcast_ref::<&str>(), Some(&"out of luck"));
    let events = capture.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for ((event, name), line) in events.iter().zip(["boom", "boom_later"]).zip(lines) {
        assert_eq!(event.view().level(), Level::Error);
        assert_eq!(event.view().get("exc_panic"), Some(Value::Bool(true)), "{event:?}");
        assert_eq!(text(event, "exc_type"), "panic");
        let loc = format!("tests/macros_request.rs:{line}:macros_request::a_panic_goes_on_and_is_recorded::{name}");
        assert_eq!((text(event, "exc_loc"), text(event, "exc_cause_loc")), (loc.clone(), loc));
        assert_eq!(text(event, "exc_panic_loc"), format!("tests/tests/macros_request.rs:{line}"));
        assert_eq!(event.view().get("req_cancelled"), None);
    }
}

#[test]
fn a_time_limit_is_counted_from_the_beginning() {
    #[instrument_request(timeout = "2s")]
    async fn wait() {
        pending::<()>().await;
    }
    #[instrument_request(timeout = "off")]
    async fn wait_for_ever() {
        Context::set("waiting", true);
        pending::<()>().await;
    }
    let capture = testing::capture();
    let (mut limited, mut unlimited) = (Box::pin(wait()), Box::pin(wait_for_ever()));
    assert!(limited.as_mut().now_or_never().is_none());
    assert!(unlimited.as_mut().now_or_never().is_none());
    assert_eq!(capture.tick_timeouts(Duration::from_secs(1)), 0);
    assert_eq!(capture.tick_timeouts(Duration::from_secs(3)), 1);
    let event = capture.one();
    assert_eq!(event.view().kind(), EventType::Timeout);
    assert_eq!(text(&event, "resp_view"), "macros_request::a_time_limit_is_counted_from_the_beginning::wait");
}

#[test]
fn a_request_that_no_layer_read_is_read_by_the_boundary() {
    #[instrument_request(request = req)]
    async fn serve(req: http::Request<String>) -> usize {
        req.into_body().len()
    }
    #[instrument_request(request = parts)]
    fn serve_parts(parts: &http::request::Parts) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        let length = parts.headers.len();
        Box::pin(async move { length })
    }
    let request = || {
        let builder = http::Request::builder().method("PUT").uri("/a%20b?q=1").header("referer", "https://x.example/");
        builder.header("user-agent", "curl/8").body("four".to_owned()).expect("a valid request")
    };
    let capture = testing::capture();
    assert_eq!(serve(request()).now_or_never(), Some(4));
    assert_eq!(serve_parts(&request().into_parts().0).now_or_never(), Some(2));
    for event in capture.events() {
        assert_eq!(text(&event, "req_method"), "PUT");
        assert_eq!(text(&event, "req_path"), "/a b");
        assert_eq!(text(&event, "req_referrer"), "https://x.example/");
        assert_eq!(text(&event, "req_user_agent"), "curl/8");
    }
}

#[test]
fn a_request_that_a_layer_read_is_left_alone() {
    #[instrument_request(request = req)]
    fn serve(req: &http::Request<()>) -> usize {
        req.headers().len()
    }
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().set_in("req", "method", "GET");
    scope.context().enter(|| serve(&http::Request::builder().method("PUT").body(()).expect("a valid request")));
    scope.finish();
    assert_eq!(text(&capture.one(), "req_method"), "GET");
}

#[test]
fn interleaved_requests_of_one_thread_do_not_mix() {
    #[instrument_request(fields(id = id))]
    async fn serve(id: u8) -> Result<(), String> {
        tokio::task::yield_now().await;
        Context::set("seen", id);
        if id == 1 {
            Err(format!("number {id}"))?;
        }
        tokio::task::yield_now().await;
        Ok(())
    }
    let capture = testing::capture();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { tokio::join!(serve(0), serve(1), serve(2)) }).1.expect_err("the second one fails");
    let events = capture.events();
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.view().get("app_id"), event.view().get("app_seen"));
        let failed = event.view().get("app_id") == Some(Value::U64(1));
        assert_eq!(text(&event, "exc_msg"), if failed { "number 1" } else { "" });
    }
}

#[test]
fn another_path_to_the_crate_serves_as_well() {
    mod vendored {
        pub(super) use canonlog;
    }
    #[instrument_request(crate = vendored::canonlog, fields(id = 1))]
    fn f() -> u8 {
        1
    }
    let capture = testing::capture();
    assert_eq!(f(), 1);
    assert_eq!(capture.one().view().get("app_id"), Some(Value::I64(1)));
}
