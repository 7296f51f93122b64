//! E1: the client goes away, or somebody drops the future.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use canonlog::{Context, Level};
use canonlog_tests::server::{Server, field, value};
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

use crate::gate::Gate;
use crate::streams::streaming;
use crate::{assert_answered, assert_cut_off};

/// Records something, then waits at the gate.
fn waiting(gate: &Gate) -> Router {
    let gate = gate.clone();
    let handler = move || async move {
        Context::set("before", 1);
        gate.pass().await;
        Context::set("after", 1);
        "waited"
    };
    Router::new().route("/wait", get(handler))
}

fn limit() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(50))
}

#[test]
fn a_client_that_hangs_up_before_the_head_leaves_one_event_with_what_was_recorded() {
    let gate = Gate::new();
    let server = Server::of(waiting(&gate));
    let mut client = server.connect();
    client.send_get("/wait");
    gate.reached();
    client.hang_up();

    let event = server.only_event();
    assert_cut_off(&event, "499");
    assert_eq!(value(&event, "app_before"), "1");
    assert_eq!(field(&event, "app_after"), None);
    assert_eq!(event.view().level(), Level::Warning);
}

#[test]
fn what_a_cut_off_handler_records_while_it_is_dropped_is_in_its_event() {
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            Context::set("dropped", true);
        }
    }
    let gate = Gate::new();
    let at = gate.clone();
    let handler = move || async move {
        let _on_drop = OnDrop;
        at.pass().await;
    };
    let server = Server::of(Router::new().route("/wait", get(handler)));
    let mut client = server.connect();
    client.send_get("/wait");
    gate.reached();
    client.hang_up();

    assert_eq!(value(&server.only_event(), "app_dropped"), "true");
}

#[test]
fn a_client_that_hangs_up_within_the_body_leaves_the_status_that_was_sent() {
    let gate = Gate::new();
    let server = Server::of(streaming(&gate));
    let mut client = server.connect();
    client.send_get("/stream");
    let (status, _) = client.head().expect("a head");
    assert_eq!(status, 200);
    assert_eq!(client.chunk().expect("a chunk"), Some(b"first".to_vec()));
    gate.reached();
    client.hang_up();

    let event = server.only_event();
    assert_cut_off(&event, "200");
    assert_eq!(value(&event, "resp_size"), "5");
}

#[test]
fn a_timeout_layer_within_answers_for_the_handler() {
    let gate = Gate::new();
    let server = Server::start(|layer| waiting(&gate).layer(limit()).layer(layer));
    assert_eq!(server.get("/wait").status, 408);

    let event = server.only_event();
    assert_answered(&event, "408");
    assert_eq!(value(&event, "app_before"), "1");
}

#[test]
fn a_timeout_layer_outside_cuts_the_request_off() {
    let gate = Gate::new();
    let server = Server::start(|layer| waiting(&gate).layer(layer).layer(limit()));
    assert_eq!(server.get("/wait").status, 408);

    let event = server.only_event();
    assert_cut_off(&event, "499");
    assert_eq!(value(&event, "app_before"), "1");
}

#[test]
fn a_select_that_is_lost_cuts_the_request_off() {
    let server = Server::start(|layer| {
        let inner: Router = Router::new().route("/wait", get(std::future::pending::<()>)).layer(layer);
        Router::new().fallback(move |request: Request| async move {
            tokio::select! {
                biased;
                answer = inner.oneshot(request) => answer.into_response(),
                () = tokio::time::sleep(Duration::from_millis(20)) => "another won".into_response(),
            }
        })
    });
    assert_eq!(server.get("/wait").text(), "another won");
    assert_cut_off(&server.only_event(), "499");
}

#[test]
fn a_service_that_is_called_and_never_polled_has_its_event() {
    let server = Server::start(|layer| {
        let service = tower::service_fn(|_: Request| async { Ok::<_, std::convert::Infallible>("x".into_response()) });
        let inner = tower::Layer::layer(&layer, service);
        Router::new().fallback(move |request: Request| async move {
            let mut inner = inner;
            drop(tower::Service::call(&mut inner, request));
            "dropped"
        })
    });
    assert_eq!(server.get("/wait").text(), "dropped");
    assert_cut_off(&server.only_event(), "499");
}
