//! E6: many requests on one connection; and the sum over many connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use canonlog::{Context, OwnedEvent};
use canonlog_tests::client::{Client, PATIENCE};
use canonlog_tests::server::{Server, value};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;
use tower_http::catch_panic::CatchPanicLayer;

use crate::gate::Gate;
use crate::{assert_answered, assert_cut_off};

/// Answers with the number in the path.
fn numbered() -> Router {
    Router::new().fallback(|request: Request| async move {
        let number = request.uri().path().trim_start_matches('/').to_owned();
        Context::set("number", number.as_str());
        tokio::task::yield_now().await;
        number
    })
}

/// Runs a client's work, within bounds.
fn bounded(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("all is done in time") });
}

/// An HTTP/2 connection, and the task that drives it.
async fn connect(addr: SocketAddr) -> (http2::SendRequest<Body>, JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(addr).await.expect("the server listens");
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

#[track_caller]
fn assert_each_once(events: &[OwnedEvent], count: usize) {
    let number = |event| {
        let number = value(event, "app_number");
        assert_eq!(value(event, "req_path"), format!("/{number}"), "no mixing");
        number.parse().expect("a number")
    };
    let mut numbers: Vec<usize> = events.iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..count));
}

#[test]
fn requests_that_share_a_connection_have_one_event_each() {
    let server = Server::of(numbered());
    let mut client = server.connect();
    for n in 0..50 {
        assert_eq!(client.get(&format!("/{n}")).text(), n.to_string());
    }
    server.events(50);
    assert_each_once(&server.stop(), 50);
}

#[test]
fn pipelined_requests_have_one_event_each() {
    let server = Server::of(numbered());
    let mut client = server.connect();
    let requests: Vec<String> = (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    client.send(requests.concat());
    for n in 0..20 {
        assert_eq!(client.reply().text(), n.to_string());
    }
    server.events(20);
    assert_each_once(&server.stop(), 20);
}

#[test]
fn multiplexed_requests_have_one_event_each() {
    const STREAMS: usize = 64;
    let server = Server::of(numbered());
    let addr = server.addr;
    bounded(async {
        let (sender, _) = connect(addr).await;
        let requests = (0..STREAMS).map(|n| {
            let mut sender = sender.clone();
            let request = Request::get(format!("http://a/{n}")).body(Body::empty()).expect("a request");
            async move {
                let response = sender.send_request(request).await.expect("an answer");
                assert_eq!(response.status(), 200);
                let body = axum::body::to_bytes(Body::new(response.into_body()), 99).await.expect("a body");
                assert_eq!(body, n.to_string());
            }
        });
        futures_util::future::join_all(requests).await;
    });
    server.events(STREAMS);
    assert_each_once(&server.stop(), STREAMS);
}

#[test]
fn a_stream_that_is_reset_is_cut_off_and_its_neighbour_is_not() {
    let gate = Gate::new();
    let at = gate.clone();
    let router = Router::new().route("/wait", get(move || async move { at.pass().await })).merge(numbered());
    let server = Server::of(router);
    let addr = server.addr;
    let work = async {
        let (sender, _) = connect(addr).await;
        let ask = |path: &str| {
            let request = Request::get(format!("http://a{path}")).body(Body::empty()).expect("a request");
            sender.clone().send_request(request)
        };
        let stuck = tokio::spawn(ask("/wait"));
        gate.wait().await;
        stuck.abort();
        assert_eq!(ask("/0").await.expect("an answer").status(), 200);
    };
    bounded(work);
    server.events(2);
    let mut events = server.stop();
    events.sort_by_key(|event| value(event, "req_path"));
    assert_eq!(events.len(), 2);
    assert_answered(&events[0], "200");
    assert_cut_off(&events[1], "499");
}

#[test]
fn there_are_as_many_events_as_requests_whatever_clients_and_handlers_do() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 40;
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let server = Server::start(move |layer| {
        let handler = move |request: Request| async move {
            counter.fetch_add(1, Ordering::Relaxed);
            match request.uri().path() {
                "/panic" => panic!("as asked"),
                "/late" => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => {}
            }
            "answered"
        };
        Router::new().fallback(handler).layer(layer).layer(CatchPanicLayer::new())
    });
    let addr = server.addr;
    let client = |seed: usize| {
        for n in 0..REQUESTS {
            let mut client = Client::connect(addr);
            match (seed + n) % 4 {
                0 => assert_eq!(client.get("/").status, 200),
                1 => assert_eq!(client.get("/panic").status, 500),
                2 => assert_eq!(client.get("/late").status, 200),
                _ => {
                    client.send_get("/late");
                    client.hang_up();
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..CLIENTS {
            scope.spawn(move || client(seed));
        }
    });
    let events = server.stop();
    assert_eq!(events.len(), reached.load(Ordering::Relaxed));
    assert!(events.len() >= CLIENTS * REQUESTS * 3 / 4, "{}", events.len());
}
