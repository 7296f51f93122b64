//! E3: whatever is asked.

use std::io::Read;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use canonlog::OwnedEvent;
use canonlog_tests::client::Reply;
use canonlog_tests::server::{Server, value};
use hyper_util::rt::TokioIo;
use tower_http::limit::RequestBodyLimitLayer;

use crate::assert_answered;

fn kinds() -> Router {
    Router::new()
        .route("/get", get(|| async { "got" }))
        .route("/any", any(|| async { "any" }))
        .route("/json", post(|_: Json<u8>| async { "json" }))
        .route("/limited", post(|body: Bytes| async move { body }).layer(DefaultBodyLimit::max(8)))
        .route("/none", get(|| async { StatusCode::NO_CONTENT }))
        .route("/unmodified", get(|| async { StatusCode::NOT_MODIFIED }))
        .route("/empty", get(|| async {}))
}

/// Sends a request as it is written, and returns the answer and the one event.
fn ask(router: Router, request: &str) -> (Reply, OwnedEvent) {
    let server = Server::of(router);
    let mut client = server.connect();
    client.send(request);
    let reply = client.reply();
    (reply, server.only_event())
}

#[test]
fn each_kind_of_request_has_one_event_with_the_status_as_sent() {
    for (request, status) in [
        ("GET /get HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("DELETE /get HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\nx", 400),
        ("POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1", 415),
        ("POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n256", 422),
        ("POST /limited HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789", 413),
        ("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 204),
        ("GET /unmodified HTTP/1.1\r\nHost: a\r\n\r\n", 304),
        ("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("OPTIONS /any HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("BREW /any HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET http://a/get HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /get HTTP/1.0\r\n\r\n", 200),
        ("POST /limited HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200),
    ] {
        let (reply, event) = ask(kinds(), request);
        assert_eq!(reply.status, status, "{request}");
        assert_answered(&event, &status.to_string());
        assert_eq!(value(&event, "req_method"), request.split(' ').next().expect("a method"));
        assert_eq!(value(&event, "resp_size"), reply.body.len().to_string(), "{request}");
    }
}

#[test]
fn the_answer_to_head_ends_with_its_head() {
    let server = Server::of(kinds());
    let mut client = server.connect();
    client.send("HEAD /get HTTP/1.1\r\nHost: a\r\n\r\n");
    let reply = client.reply_without_body();
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("3")));

    let event = server.only_event();
    assert_answered(&event, "200");
    assert_eq!(value(&event, "resp_size"), "0");
}

#[test]
fn a_tunnel_that_is_refused_has_one_event() {
    let (reply, event) = ask(kinds(), "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    assert!(reply.status >= 400, "{reply:?}");
    assert_answered(&event, &reply.status.to_string());
    assert_eq!(value(&event, "req_path"), "example.com:443");
}

/// Answers with `status`, and echoes what comes after the switch.
fn switching(status: StatusCode) -> Router {
    Router::new().fallback(move |mut request: Request| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let upgraded = upgrade.await.expect("an upgrade");
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut read, &mut write).await;
        });
        let mut response = status.into_response();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("echo"));
        }
        response
    })
}

#[test]
fn an_upgrade_ends_with_its_head_and_leaves_the_connection_alone() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n", StatusCode::SWITCHING_PROTOCOLS),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", StatusCode::OK),
    ] {
        let server = Server::of(switching(status));
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.head().expect("a head").0, status.as_u16());
        // The event is there while the other protocol goes on.
        assert_answered(&server.events(1)[0], status.as_str());
        client.send("ping");
        let mut pong = [0; 4];
        client.read_exact(&mut pong).expect("the echo");
        assert_eq!(&pong, b"ping");
        client.hang_up();
        assert_eq!(server.stop().len(), 1);
    }
}

#[test]
fn a_client_that_waits_for_continue_has_one_event() {
    let server = Server::of(kinds());
    let mut client = server.connect();
    client.send("POST /limited HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.head().expect("an interim head").0, 100);
    client.send("abc");
    assert_eq!(client.reply().text(), "abc");
    assert_answered(&server.only_event(), "200");
}

#[test]
fn a_body_that_a_layer_refuses_has_one_event() {
    let server = Server::start(|layer| kinds().layer(RequestBodyLimitLayer::new(8)).layer(layer));
    let mut client = server.connect();
    client.send("POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n");
    assert_eq!(client.reply().status, 413);
    assert_answered(&server.only_event(), "413");
}

#[test]
fn a_client_that_stops_within_its_own_body_has_one_event() {
    let server = Server::of(kinds());
    let mut client = server.connect();
    client.send("POST /limited HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
    client.hang_up();
    assert_eq!(value(&server.only_event(), "req_path"), "/limited");
}

#[test]
fn what_is_no_http_has_no_event() {
    let server = Server::of(kinds());
    let mut client = server.connect();
    client.send("GET /get HTTP/1.1\r\nHost a\r\n\r\n");
    assert_eq!(client.reply().status, 400);
    let events = server.stop();
    assert!(events.is_empty(), "the service never saw it: {events:#?}");
}
