//! E2: the service's code panics.

use std::convert::Infallible;
use std::fmt;
use std::future::Ready;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use canonlog::{Context, Level, OwnedEvent};
use canonlog_tests::server::{Server, value};
use futures_util::stream;
use tower_http::catch_panic::CatchPanicLayer;

use crate::assert_answered;

const MESSAGE: &str = "the cart is \"empty\"\n";

async fn panics() -> &'static str {
    Context::set("before", 1);
    panic!("{MESSAGE}")
}

async fn panics_later() -> &'static str {
    tokio::task::yield_now().await;
    panics().await
}

#[track_caller]
fn assert_panicked(event: &OwnedEvent) {
    assert_answered(event, "500");
    assert_eq!(event.view().level(), Level::Error);
    assert_eq!(value(event, "app_before"), "1");
    assert_eq!(value(event, "exc_panic"), "true");
    assert_eq!(value(event, "exc_msg"), MESSAGE);
}

#[test]
fn a_handler_that_panics_has_one_event_and_unwinds_as_before() {
    for path in ["/now", "/later"] {
        let server = Server::of(Router::new().route("/now", get(panics)).route("/later", get(panics_later)));
        let mut client = server.connect();
        client.send_get(path);
        // The task of the connection died of the panic.
        assert!(client.is_closed());
        assert_panicked(&server.only_event());
    }
}

#[test]
fn a_panic_that_a_layer_outside_catches_has_one_event() {
    let server =
        Server::start(|layer| Router::new().route("/", get(panics)).layer(layer).layer(CatchPanicLayer::new()));
    assert_eq!(server.get("/").status, 500);
    assert_panicked(&server.only_event());
}

#[test]
fn a_panic_that_a_layer_within_catches_has_one_event() {
    let server =
        Server::start(|layer| Router::new().route("/", get(panics)).layer(CatchPanicLayer::new()).layer(layer));
    assert_eq!(server.get("/").status, 500);
    let event = server.only_event();
    assert_answered(&event, "500");
    assert_eq!(value(&event, "app_before"), "1");
    // It did not leave the request, which tells of it all the same, as its answer is a failure.
    assert_eq!((value(&event, "exc_type"), value(&event, "exc_msg")), ("panic".into(), MESSAGE.into()));
    assert_eq!((value(&event, "exc_handled"), value(&event, "exc_panics_caught")), ("true".into(), "1".into()));
    assert_eq!(event.view().get("exc_panic"), None);
}

#[test]
fn a_panic_before_there_is_a_future_has_one_event() {
    let server = Server::start(|layer| {
        let service = tower::service_fn(|_: Request| -> Ready<Result<Response, Infallible>> {
            Context::set("before", 1);
            panic!("{MESSAGE}")
        });
        Router::new().fallback_service(tower::Layer::layer(&layer, service))
    });
    let mut client = server.connect();
    client.send_get("/");
    assert!(client.is_closed());
    assert_panicked(&server.only_event());
}

#[test]
fn a_body_that_panics_has_one_event_with_the_status_that_was_sent() {
    let body = || async {
        Body::from_stream(stream::unfold(0, |sent| async move {
            tokio::task::yield_now().await;
            assert!(sent == 0, "the stream broke");
            Some((Ok::<_, Infallible>(Bytes::from_static(b"first")), 1))
        }))
    };
    let server = Server::of(Router::new().route("/", get(body)));
    let mut client = server.connect();
    client.send_get("/");
    assert!(client.try_reply(true).is_err(), "the client sees that something is missing");

    let event = server.only_event();
    assert_answered(&event, "200");
    assert_eq!(value(&event, "exc_msg"), "the stream broke");
    assert_eq!(event.view().level(), Level::Error);
}

#[test]
fn a_display_that_panics_while_the_handler_unwinds_does_not_abort() {
    struct Hostile;
    impl fmt::Display for Hostile {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("in Display")
        }
    }
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            Context::set("hostile", canonlog::display(Hostile));
        }
    }
    let handler = || async {
        let _on_drop = OnDrop;
        panics().await
    };
    let server = Server::of(Router::new().route("/", get(handler)));
    let mut client = server.connect();
    client.send_get("/");
    assert!(client.is_closed());
    assert_panicked(&server.only_event());
}
