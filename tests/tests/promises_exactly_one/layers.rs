//! E4: layers within layers.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use canonlog::{Context, EventType, Kind, begin};
use canonlog_tests::server::{Server, value};
use tower::{ServiceBuilder, ServiceExt};

use crate::assert_answered;

#[test]
fn a_layer_applied_twice_gives_one_event() {
    let server =
        Server::start(|layer| Router::new().route("/get", get(|| async { "got" })).layer(layer.clone()).layer(layer));
    assert_eq!(server.get("/get").text(), "got");
    assert_answered(&server.only_event(), "200");
}

#[test]
fn nested_routers_with_a_layer_each_give_one_event() {
    let server = Server::start(|layer| {
        let inner = Router::new().route("/{id}", get(|| async { Context::set("inner", 1) })).layer(layer.clone());
        let middle = Router::new().nest("/carts", inner).layer(layer.clone());
        Router::new().nest("/shop", middle.clone()).nest_service("/service", middle).layer(layer)
    });
    for path in ["/shop/carts/7", "/service/carts/7"] {
        assert_eq!(server.get(path).status, 200);
    }
    server.events(2);
    let events = server.stop();
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_answered(event, "200");
        assert_eq!(value(event, "app_inner"), "1");
    }
    assert_eq!(value(&events[0], "req_path"), "/shop/carts/7");
    assert_eq!(value(&events[0], "req_route"), "/shop/carts/{id}");
}

#[test]
fn a_retry_within_the_request_joins_its_record() {
    let server = Server::start(|layer| {
        let attempts: Router =
            Router::new().route("/", get(|| async { Context::add("attempts", 1) })).layer(layer.clone());
        let retrying = move || async move {
            for _ in 0..3 {
                let _ = attempts.clone().oneshot(Request::new(Body::empty())).await;
            }
            "retried"
        };
        Router::new().route("/", get(retrying)).layer(layer)
    });
    assert_eq!(server.get("/").text(), "retried");
    assert_eq!(value(&server.only_event(), "app_attempts"), "3");
}

#[test]
fn an_inner_layer_adds_the_route_that_an_outer_one_could_not_know() {
    let server = Server::start(|layer| {
        let router: Router = Router::new().route("/carts/{id}", get(|| async {})).layer(layer.clone());
        Router::new().fallback_service(ServiceBuilder::new().layer(layer).service(router))
    });
    assert_eq!(server.get("/carts/7").status, 200);
    assert_eq!(value(&server.only_event(), "req_route"), "/carts/{id}");
}

#[test]
fn one_request_after_another_on_one_thread_does_not_join_it() {
    let server = Server::of(Router::new().route("/", get(|| async {})));
    let mut client = server.connect();
    for _ in 0..2 {
        assert_eq!(client.get("/").status, 200);
    }
    server.events(2);
    let events = server.stop();
    assert_ne!(value(&events[0], "req_id"), value(&events[1], "req_id"));
}

#[test]
fn a_job_that_calls_a_service_does_not_answer_for_its_request() {
    let server = Server::start(|layer| {
        let inner: Router = Router::new().route("/inner", get(|| async {})).layer(layer.clone());
        let handler = move || async move {
            let job = begin(Kind::Job);
            let request = Request::get("/inner").body(Body::empty()).expect("a request");
            let _ = job.context().scope(inner.oneshot(request)).await;
            job.finish();
        };
        Router::new().route("/", get(handler)).layer(layer)
    });
    assert_eq!(server.get("/").status, 200);
    server.events(3);
    let kinds: Vec<EventType> = server.stop().iter().map(|event| event.view().kind()).collect();
    assert_eq!(kinds, [EventType::Request, EventType::Job, EventType::Request]);
}
