//! What an event says about its request, and the id that goes in and out.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, Version};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use canonlog::tower::{ClientIp, RequestLayer};
use canonlog::{Combined, Context, Format, OwnedEvent, Value, testing};
use canonlog_tests::client::Reply;
use canonlog_tests::server::{Server, field, value};
use futures_util::FutureExt as _;
use tower::{Layer as _, ServiceExt as _, service_fn};

fn anything() -> Router {
    Router::new().fallback(|| async { "anything" })
}

/// Sends a request with these header lines; returns the answer and the one event.
fn ask(router: Router, target: &str, headers: impl AsRef<[u8]>) -> (Reply, OwnedEvent) {
    let server = Server::of(router);
    let mut client = server.connect();
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n").into_bytes();
    request.extend_from_slice(headers.as_ref());
    request.extend_from_slice(b"\r\n");
    client.send(request);
    (client.reply(), server.only_event())
}

fn path_of(target: &str) -> String {
    value(&ask(anything(), target, "").1, "req_path")
}

#[test]
fn the_access_log_has_the_version_of_the_request() {
    let lines = |version: Version| {
        let capture = testing::capture();
        let ok = service_fn(|_: Request| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let request = Request::get("/page").version(version).body(Body::empty()).expect("a request");
        let answered = RequestLayer::new().layer(ok).oneshot(request).now_or_never();
        assert!(answered.is_some_and(|answer| answer.is_ok()));
        let mut line = Vec::new();
        Combined::new().format(&capture.one().view(), &mut line);
        String::from_utf8(line).expect("text")
    };
    for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
        let line = lines(version);
        assert!(line.contains(&format!("\"GET /page {version:?}\" 200 0 ")), "{line}");
    }
}

#[test]
fn a_path_is_decoded_and_has_no_query() {
    assert_eq!(path_of("/missing%20sp/?q=1"), "/missing sp/");
    assert_eq!(path_of("/%E2%82%AC"), "/€");
    assert_eq!(path_of("/%22%0Aapp_x=1"), "/\"\napp_x=1");
}

#[test]
fn a_path_that_is_not_utf8_is_replaced_and_never_an_error() {
    assert_eq!(path_of("/%ff/%E2%82"), "/\u{fffd}/\u{fffd}");
    assert_eq!(path_of("/100%/%zz"), "/100%/%zz");
}

#[test]
fn the_referrer_is_the_real_header() {
    let (_, event) = ask(anything(), "/", "Referer: http://a/b\r\nReferrer: http://wrong\r\nUser-Agent: ua/1\r\n");
    assert_eq!(value(&event, "req_referrer"), "http://a/b");
    assert_eq!(value(&event, "req_user_agent"), "ua/1");
}

#[test]
fn what_the_client_did_not_send_is_null() {
    let (_, event) = ask(anything(), "/", "");
    for name in ["req_referrer", "req_user_agent", "resp_view"] {
        assert_eq!(event.view().get(name), Some(Value::Null), "{name}");
    }
    let (_, event) = ask(anything(), "/", "Referer:\r\n");
    assert_eq!(event.view().get("req_referrer"), Some(Value::Str("")), "empty is not absent");
}

#[test]
fn headers_of_any_bytes_are_text() {
    let (_, event) = ask(anything(), "/", b"User-Agent: caf\xe9 \"x\" caf\xc3\xa9\t\\\r\n");
    assert_eq!(value(&event, "req_user_agent"), "caf\u{fffd} \"x\" café\t\\");
}

#[test]
fn the_client_is_who_connected_and_not_who_it_says() {
    let (_, event) = ask(anything(), "/", "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n");
    assert_eq!(value(&event, "req_client_ip"), "127.0.0.1");
}

#[test]
fn a_proxy_that_is_trusted_can_say_who_the_client_is() {
    let server = Server::start(|layer| {
        anything().layer(layer).layer(Extension(ClientIp(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)))))
    });
    server.get("/");
    assert_eq!(value(&server.only_event(), "req_client_ip"), "203.0.113.9");
}

#[test]
fn the_route_is_its_template() {
    let router = || Router::new().route("/carts/{id}", get(|| async {}));
    assert_eq!(value(&ask(router(), "/carts/7", "").1, "req_route"), "/carts/{id}");
    assert_eq!(field(&ask(router(), "/nowhere", "").1, "req_route"), None);
}

#[test]
fn fields_stand_in_canonical_order() {
    let handler = || async { Context::set("custom", 1) };
    let (_, event) = ask(Router::new().route("/", get(handler)), "/", "");
    let names: Vec<&str> = event.view().fields().map(|(name, _)| name).collect();
    let rank =
        |name: &str| names.iter().position(|field| *field == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
    for pair in
        ["req_id", "req_method", "req_path", "req_referrer", "req_user_agent", "app_custom", "resp_view"].windows(2)
    {
        assert!(rank(pair[0]) < rank(pair[1]), "{names:?}");
    }
    assert!(rank("resp_view") < rank("resp_time") && rank("resp_time") < rank("resp_status"), "{names:?}");
}

// ---- the id ----

fn is_uuid_v4(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
        && id.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9' | b'a'..=b'f'))
}

#[test]
fn an_id_from_outside_is_used_and_sent_back() {
    let longest = "x".repeat(128);
    for id in ["a", "trace-1234/ab:\"c\\", longest.as_str()] {
        let (reply, event) = ask(anything(), "/", format!("X-Request-Id: {id}\r\n"));
        assert_eq!(value(&event, "req_id"), id);
        assert_eq!(reply.header("x-request-id"), Some(id));
    }
}

#[test]
fn an_id_that_is_no_id_is_replaced_by_a_fresh_one() {
    let too_long = "x".repeat(129);
    for headers in [
        String::new(),
        "X-Request-Id:\r\n".to_owned(),
        "X-Request-Id: two words\r\n".to_owned(),
        "X-Request-Id: tab\there\r\n".to_owned(),
        "X-Request-Id: caf\u{e9}\r\n".to_owned(),
        "X-Request-Id: a\r\nX-Request-Id: b\r\n".to_owned(),
        "X-Request-Id: a\r\nX-Request-Id: a\r\n".to_owned(),
        format!("X-Request-Id: {too_long}\r\n"),
    ] {
        let (reply, event) = ask(anything(), "/", &headers);
        let id = value(&event, "req_id");
        assert!(is_uuid_v4(&id), "{id} for {headers:?}");
        assert_eq!(reply.header("x-request-id"), Some(id.as_str()));
    }
}

#[test]
fn every_request_has_an_id_of_its_own() {
    let server = Server::of(anything());
    let mut client = server.connect();
    let sent: HashSet<String> =
        (0..20).filter_map(|_| client.get("/").header("x-request-id").map(str::to_owned)).collect();
    assert_eq!(sent.len(), 20);
    server.events(20);
    let written: HashSet<String> = server.stop().iter().map(|event| value(event, "req_id")).collect();
    assert_eq!(written, sent);
}

#[test]
fn answers_that_no_handler_gave_carry_the_id_too() {
    let (reply, event) = ask(Router::new().route("/", get(|| async {})), "/nowhere", "");
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("x-request-id"), Some(value(&event, "req_id").as_str()));
}

#[test]
fn a_handler_that_sets_the_header_is_left_alone() {
    let own = Router::new().fallback(|| async { ([("x-request-id", "mine")], "") });
    let (reply, event) = ask(own, "/", "");
    assert_eq!(reply.header("x-request-id"), Some("mine"));
    assert_ne!(value(&event, "req_id"), "mine");
}

#[test]
fn the_id_can_travel_in_another_header() {
    let name = HeaderName::from_static("x-correlation-id");
    let server = Server::start(|layer: RequestLayer| anything().layer(layer.request_id_header(name)));
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: no\r\nX-Correlation-Id: yes\r\n\r\n");
    let reply = client.reply();
    assert_eq!((reply.header("x-correlation-id"), reply.header("x-request-id")), (Some("yes"), None));
    assert_eq!(value(&server.only_event(), "req_id"), "yes");
}

#[test]
fn the_handler_sees_the_id_that_is_written() {
    let router = Router::new().fallback(|_: Request| async { Context::current().request_id().unwrap_or_default() });
    let (reply, event) = ask(router, "/", "");
    assert_eq!(reply.text(), value(&event, "req_id"));
}
