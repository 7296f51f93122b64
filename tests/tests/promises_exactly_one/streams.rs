//! E5: streamed bodies.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use canonlog::Context;
use canonlog_tests::server::{Server, field, seconds, value};
use futures_util::stream;

use crate::assert_answered;
use crate::gate::Gate;

/// Sends one chunk, waits at the gate, sends another, and ends.
fn two_chunks(gate: Gate) -> Body {
    Body::from_stream(stream::unfold((0, gate), |(sent, gate)| async move {
        match sent {
            0 => Some((Ok::<_, Infallible>(Bytes::from_static(b"first")), (1, gate))),
            1 => {
                gate.pass().await;
                Context::set("second", 1);
                Some((Ok(Bytes::from_static(b" second")), (2, gate)))
            }
            _ => None,
        }
    }))
}

pub(crate) fn streaming(gate: &Gate) -> Router {
    let gate = gate.clone();
    Router::new().route("/stream", get(move || async move { two_chunks(gate) }))
}

#[test]
fn a_stream_has_its_event_when_it_ends_and_not_before() {
    let gate = Gate::new();
    let server = Server::of(streaming(&gate));
    let mut client = server.connect();
    client.send_get("/stream");
    client.head().expect("a head");
    assert_eq!(client.chunk().expect("a chunk"), Some(b"first".to_vec()));
    gate.reached();
    std::thread::sleep(Duration::from_millis(50));
    let early = server.events_now();
    assert!(early.is_empty(), "the stream has not ended: {early:#?}");
    gate.open();
    assert_eq!(client.chunk().expect("a chunk"), Some(b" second".to_vec()));
    assert_eq!(client.chunk().expect("the end"), None);

    let event = server.only_event();
    assert_answered(&event, "200");
    assert_eq!(value(&event, "resp_size"), "12");
    assert_eq!(value(&event, "app_second"), "1", "the body is polled inside the record");
    let (first, last) = (seconds(&event, "resp_ttfb"), seconds(&event, "resp_time"));
    assert!(first + 0.05 <= last, "{first} {last}");
}

#[test]
fn server_sent_events_are_one_request() {
    let events =
        || async { Sse::new(stream::iter((0..3).map(|n| Ok::<_, Infallible>(Event::default().data(n.to_string()))))) };
    let server = Server::of(Router::new().route("/", get(events)));
    let reply = server.get("/");
    assert_eq!(reply.text(), "data: 0\n\ndata: 1\n\ndata: 2\n\n");

    let event = server.only_event();
    assert_answered(&event, "200");
    assert_eq!(value(&event, "resp_size"), reply.body.len().to_string());
    assert!(field(&event, "resp_ttfb").is_some());
}

#[test]
fn a_body_that_fails_half_way_has_one_event_with_the_error() {
    let body = || async { Body::from_stream(stream::iter([Ok("first"), Err(io::Error::other("the disk is gone"))])) };
    let server = Server::of(Router::new().route("/", get(body)));
    let mut client = server.connect();
    client.send_get("/");
    assert!(client.try_reply(true).is_err(), "the client sees that something is missing");

    let event = server.only_event();
    assert_answered(&event, "200");
    assert_eq!(value(&event, "exc_msg"), "the disk is gone");
}
