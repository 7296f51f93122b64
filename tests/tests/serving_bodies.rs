//! The record ends with the last byte of the body, and the body stays what it was.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use canonlog::testing::capture;
use canonlog::tower::{RecordedBody, RequestLayer};
use canonlog::{Level, OwnedEvent};
use canonlog_tests::server::{Server, field, value};
use futures_util::stream;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{Empty, Full, StreamBody};
use tower::{Layer, Service, service_fn};
use tower_http::services::ServeFile;

/// Calls a service that answers with `response`, and hands over what comes out of the layer.
fn answer<B: HttpBody + 'static>(method: Method, response: Response<B>) -> Response<RecordedBody<B>> {
    let mut response = Some(response);
    let service = service_fn(move |_: Request<()>| {
        let response = response.take().expect("called once");
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut request = Request::new(());
    *request.method_mut() = method;
    let future = pin!(RequestLayer::new().layer(service).call(request));
    let Poll::Ready(Ok(response)) = future.poll(&mut TaskContext::from_waker(Waker::noop())) else {
        panic!("a response that is ready")
    };
    response
}

/// Asks a body that is always ready for its next frame.
fn frame<B: HttpBody + Unpin>(body: &mut B) -> Option<Result<Frame<B::Data>, B::Error>> {
    match std::pin::Pin::new(body).poll_frame(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(frame) => frame,
        Poll::Pending => panic!("a frame that is ready"),
    }
}

#[track_caller]
fn only(events: Vec<OwnedEvent>) -> OwnedEvent {
    let [event] = <[OwnedEvent; 1]>::try_from(events).expect("one event");
    assert_eq!(field(&event, "req_cancelled"), None, "{event:#?}");
    event
}

fn data(text: &'static str) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[test]
fn a_body_that_says_it_is_at_its_end_ends_the_record_with_that_frame() {
    let captured = capture();
    let mut body = answer(Method::GET, Response::new(Full::new(Bytes::from_static(b"whole")))).into_body();
    assert!(captured.events().is_empty());
    assert!(frame(&mut body).is_some());
    // Nobody polls again, nor drops it: hyper does not when the length was known.
    assert_eq!(value(&only(captured.events()), "resp_size"), "5");
    assert!(frame(&mut body).is_none());
    drop(body);
    only(captured.events());
}

#[test]
fn a_body_ends_at_none() {
    let captured = capture();
    let mut body =
        answer(Method::GET, Response::new(StreamBody::new(stream::iter([data("a"), data("bc")])))).into_body();
    for _ in 0..2 {
        assert!(frame(&mut body).is_some());
        assert!(captured.events().is_empty());
    }
    assert!(frame(&mut body).is_none());
    let event = only(captured.events());
    assert_eq!(value(&event, "resp_size"), "3");
    assert!(field(&event, "resp_ttfb").is_some());
}

#[test]
fn a_body_ends_at_its_trailers() {
    let captured = capture();
    let frames = stream::iter([data("a"), Ok(Frame::trailers(HeaderMap::new()))]);
    let mut body = answer(Method::GET, Response::new(StreamBody::new(frames))).into_body();
    assert!(frame(&mut body).is_some());
    assert!(captured.events().is_empty());
    assert!(frame(&mut body).is_some());
    assert_eq!(value(&only(captured.events()), "resp_size"), "1");
}

#[test]
fn a_body_ends_with_as_many_bytes_as_were_announced() {
    let captured = capture();
    let frames = stream::iter([data("ab"), data("cd"), data("never sent")]);
    let response = Response::builder().header("content-length", "4").body(StreamBody::new(frames)).expect("a response");
    let mut body = answer(Method::GET, response).into_body();
    assert!(frame(&mut body).is_some());
    assert!(captured.events().is_empty());
    assert!(frame(&mut body).is_some());
    assert_eq!(value(&only(captured.events()), "resp_size"), "4");
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    let full = || Full::new(Bytes::from_static(b"never sent"));
    for (method, status) in [
        (Method::HEAD, StatusCode::OK),
        (Method::GET, StatusCode::SWITCHING_PROTOCOLS),
        (Method::GET, StatusCode::NO_CONTENT),
        (Method::GET, StatusCode::NOT_MODIFIED),
        (Method::CONNECT, StatusCode::OK),
    ] {
        let captured = capture();
        let response = Response::builder().status(status).body(full()).expect("a response");
        let response = answer(method, response);
        let event = only(captured.events());
        assert_eq!(value(&event, "resp_status"), status.as_str());
        assert_eq!(value(&event, "resp_size"), "0");
        drop(response);
        only(captured.events());
    }
    let captured = capture();
    let response = answer(Method::GET, Response::new(Empty::<Bytes>::new()));
    assert_eq!(value(&only(captured.events()), "resp_size"), "0");
    drop(response);
}

#[test]
fn a_body_that_is_dropped_before_its_end_was_cut_off() {
    let captured = capture();
    let mut body =
        answer(Method::GET, Response::new(StreamBody::new(stream::iter([data("a"), data("b")])))).into_body();
    assert!(frame(&mut body).is_some());
    drop(body);
    let [event] = <[OwnedEvent; 1]>::try_from(captured.events()).expect("one event");
    assert_eq!(value(&event, "req_cancelled"), "true");
    assert_eq!((value(&event, "resp_status"), value(&event, "resp_size")), ("200".to_owned(), "1".to_owned()));
}

#[test]
fn the_end_and_the_size_of_a_body_are_forwarded() {
    /// Says what nobody else says.
    struct Odd;
    impl HttpBody for Odd {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }
        fn is_end_stream(&self) -> bool {
            false
        }
        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::new();
            hint.set_lower(3);
            hint.set_upper(7);
            hint
        }
    }
    let _captured = capture();
    let body = answer(Method::GET, Response::new(Odd)).into_body();
    assert!(!body.is_end_stream());
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (3, Some(7)));
    let body = answer(Method::GET, Response::new(Full::new(Bytes::from_static(b"whole")))).into_body();
    assert_eq!(body.size_hint().exact(), Some(5));
    assert!(answer(Method::GET, Response::new(Empty::<Bytes>::new())).into_body().is_end_stream());
}

#[test]
fn a_service_that_fails_has_one_event_with_the_error() {
    let captured = capture();
    let service = service_fn(|_: Request<()>| async {
        Err::<Response<Empty<Bytes>>, _>(std::io::Error::other("no connection left"))
    });
    let future = pin!(RequestLayer::new().layer(service).call(Request::new(())));
    assert!(matches!(future.poll(&mut TaskContext::from_waker(Waker::noop())), Poll::Ready(Err(_))));
    let event = only(captured.events());
    assert_eq!(value(&event, "exc_type"), "std::io::error::Error");
    assert_eq!(value(&event, "exc_msg"), "no connection left");
    assert_eq!(field(&event, "resp_status"), None);
    assert_eq!(event.view().level(), Level::Error);
}

// ---- over a socket, where the server decides when it has enough ----

#[test]
fn a_stream_with_a_length_is_whole_although_the_server_never_asks_for_its_end() {
    let body = || async {
        let chunks = Body::from_stream(stream::iter([Ok::<_, Infallible>("abc"), Ok("def")]));
        ([("content-length", "6")], chunks)
    };
    let server = Server::of(Router::new().route("/", get(body)));
    assert_eq!(server.get("/").text(), "abcdef");
    let event = only(vec![server.only_event()]);
    assert_eq!(value(&event, "resp_size"), "6");
}

#[test]
fn a_file_that_is_served_beside_the_handlers_has_its_event() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hello.txt");
    std::fs::write(&path, "hello from a file\n".repeat(10_000)).expect("a file");
    let server = Server::of(Router::new().route_service("/hello.txt", ServeFile::new(&path)));
    let mut client = server.connect();
    assert_eq!(client.get("/hello.txt").body.len(), 180_000);
    client.send("GET /hello.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-4\r\n\r\n");
    assert_eq!(client.reply().text(), "hello");

    server.events(2);
    let events = server.stop();
    let sizes: Vec<String> = events.iter().map(|event| value(event, "resp_size")).collect();
    assert_eq!(sizes, ["180000", "5"]);
    for event in events {
        assert_eq!(field(&event, "req_cancelled"), None);
        assert_eq!(value(&event, "req_path"), "/hello.txt");
    }
}

#[test]
fn the_time_of_a_response_covers_its_body() {
    let body = || async {
        Body::from_stream(stream::unfold(0, |sent| async move {
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
            (sent < 3).then_some((Ok::<_, Infallible>("x"), sent + 1))
        }))
    };
    let server = Server::of(Router::new().route("/", get(body)));
    assert_eq!(server.get("/").text(), "xxx");
    let event = server.only_event();
    let (first, last) =
        (canonlog_tests::server::seconds(&event, "resp_ttfb"), canonlog_tests::server::seconds(&event, "resp_time"));
    assert!(first >= 0.04 && first < last, "{first} {last}");
    assert!(last >= 0.16, "{last}");
}
