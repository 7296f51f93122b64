//! More records at once than there are slots: each unit still has its one event, with what the framework knows. In a program of
//! its own, as the limit is the process's.

use std::convert::Infallible;
use std::future::{Pending, Ready, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use canonlog::tower::RequestLayer;
use canonlog::{
    Context, EventType, Kind, Level, OwnedEvent, OwnedValue, Scope, Value, begin, instrument_request, operation,
    testing,
};
use canonlog_tests::unit::text;
use http::{Request, Response};
use tower::{Layer, Service};

/// One test at a time, with all slots taken.
fn with_all_slots_taken(test: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    testing::limit_records(1_024);
    let capture = testing::capture();
    let mut taken: Vec<Scope> = Vec::new();
    let before = canonlog::stats().count("without_slot");
    while canonlog::stats().count("without_slot") == before {
        taken.push(begin(Kind::Job));
    }
    assert!((1..=1_025).contains(&taken.len()), "{}", taken.len());
    drop(capture);
    test();
}

fn assert_without_slot(event: &OwnedEvent) {
    assert_eq!(event.view().get("canonlog_without_slot"), Some(Value::U64(1)), "{event:?}");
}

#[operation]
fn search() {
    Context::set("found", 3);
}

#[instrument_request]
async fn cart(known: bool) -> Result<u16, std::fmt::Error> {
    search();
    Context::set("cart_id", 7);
    assert_eq!(Context::current().request_id().as_deref(), Some("from-the-proxy"));
    if known { Ok(200) } else { Ok(404) }
}

#[derive(Clone)]
struct Shop;

impl Service<Request<bool>> for Shop {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<bool>) -> Self::Future {
        let mut task = Task::from_waker(Waker::noop());
        let Poll::Ready(Ok(status)) = std::pin::pin!(cart(*request.body())).poll(&mut task) else {
            panic!("it never waits")
        };
        ready(Ok(Response::builder().status(status).body(String::new()).expect("a response")))
    }
}

fn request(known: bool) -> Request<bool> {
    let request = Request::get("/carts/7").header("x-request-id", "from-the-proxy").header("user-agent", "curl");
    request.body(known).expect("a request")
}

#[test]
fn a_request_through_the_layer_keeps_its_id_and_all_that_layer_and_boundary_know() {
    with_all_slots_taken(|| {
        for (known, status, level) in [(true, 200, Level::Info), (false, 404, Level::Warning)] {
            let capture = testing::capture();
            let mut task = Task::from_waker(Waker::noop());
            let mut service = RequestLayer::new().layer(Shop);
            let Poll::Ready(Ok(response)) = std::pin::pin!(service.call(request(known))).poll(&mut task) else {
                panic!("it never waits")
            };
            assert_eq!(response.headers()["x-request-id"], "from-the-proxy");
            drop(response);
            let event = capture.one();
            assert_without_slot(&event);
            assert_eq!((event.view().kind(), event.view().level()), (EventType::Request, level));
            for (name, want) in [
                ("req_id", "from-the-proxy"),
                ("req_method", "GET"),
                ("req_path", "/carts/7"),
                ("req_user_agent", "curl"),
                ("resp_view", "without_slot::cart"),
                ("resp_status", &status.to_string()),
                ("resp_size", "0"),
            ] {
                assert_eq!(text(&event, name), want, "{name}: {event:?}");
            }
            assert!(event.view().get("resp_time").is_some());
            assert_eq!(event.view().get("app_cart_id"), None, "a user's field has no place");
        }
    });
}

#[derive(Clone)]
struct Stuck;

impl Service<Request<bool>> for Stuck {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pending<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<bool>) -> Self::Future {
        pending()
    }
}

#[test]
fn a_client_that_goes_away_is_told_of() {
    with_all_slots_taken(|| {
        let capture = testing::capture();
        let mut task = Task::from_waker(Waker::noop());
        let mut service = RequestLayer::new().layer(Stuck);
        let mut waiting = Box::pin(service.call(request(true)));
        assert!(waiting.as_mut().poll(&mut task).is_pending());
        drop(waiting);
        let event = capture.one();
        assert_without_slot(&event);
        assert_eq!(text(&event, "req_cancelled"), "true");
        assert_eq!(text(&event, "resp_status"), "499");
    });
}

#[instrument_request]
async fn fails(panics: bool) -> Result<(), std::num::ParseIntError> {
    std::future::ready(()).await;
    assert!(!panics, "on purpose");
    "x".parse::<u8>()?;
    Ok(())
}

#[test]
fn errors_and_panics_at_a_boundary_are_told_of() {
    with_all_slots_taken(|| {
        let capture = testing::capture();
        let mut task = Task::from_waker(Waker::noop());
        assert!(std::pin::pin!(fails(false)).poll(&mut task).is_ready());
        let event = capture.one();
        assert_without_slot(&event);
        assert_eq!(event.view().level(), Level::Error);
        assert_eq!(text(&event, "resp_view"), "without_slot::fails");
        assert_eq!(text(&event, "exc_type"), "core::num::error::ParseIntError");

        capture.clear();
        let panics = catch_unwind(AssertUnwindSafe(|| std::pin::pin!(fails(true)).poll(&mut task).is_ready()));
        assert!(panics.is_err());
        let event = capture.wait_for(1, Duration::from_secs(20)).remove(0);
        assert_without_slot(&event);
        for (name, want) in [("exc_type", "panic"), ("exc_msg", "on purpose"), ("resp_status", "500")] {
            assert_eq!(text(&event, name), want, "{name}: {event:?}");
        }
    });
}

#[instrument_request(kind = "job")]
fn clean_up() {
    Context::set("rows", 12);
}

#[test]
fn a_job_says_what_it_was() {
    with_all_slots_taken(|| {
        let capture = testing::capture();
        clean_up();
        let event = capture.one();
        assert_without_slot(&event);
        assert_eq!(event.view().kind(), EventType::Job);
        assert_eq!(
            (text(&event, "job_name").as_str(), text(&event, "job_outcome").as_str()),
            ("without_slot::clean_up", "ok")
        );
        assert_eq!(text(&event, "job_id").len(), 36);
    });
}

#[test]
fn its_context_can_be_asked_and_carried_and_ends_with_it() {
    with_all_slots_taken(|| {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let cx = scope.context();
        assert!(cx.is_active() && cx.elapsed().is_some());
        scope.enter(|| assert_eq!(Context::current(), cx));
        std::thread::scope(|threads| {
            threads.spawn(|| cx.set_in("req", "method", "GET"));
        });
        cx.add_in("resp", "size", 5_u64);
        cx.add_in("resp", "size", 6_u64);
        assert_eq!(cx.get_in("resp", "size"), Some(OwnedValue::U64(11)));
        cx.set_in("req", "path", "/".repeat(100_000));
        scope.finish();
        assert!(!cx.is_active());
        cx.set_in("req", "method", "late");
        let event = capture.one();
        assert_eq!(text(&event, "req_method"), "GET");
        assert_eq!(text(&event, "resp_size"), "11");
        assert!(text(&event, "req_path").ends_with("/…"));
        assert_eq!(text(&event, "canonlog_truncated"), "1");
    });
    let capture = testing::capture();
    begin(Kind::Request).enter(|| Context::set("n", 1));
    let event = capture.one();
    assert_eq!(event.view().get("app_n"), Some(Value::I64(1)), "there are slots again");
    assert_eq!(event.view().get("canonlog_without_slot"), None);
}
