//! Time limits of requests: reported while the request is stuck, and kept if asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use canonlog::{Combined, Context, Emitter, EmitterSet, EventType, Level, Memory, OwnedEvent};
use canonlog_tests::server::{Server, field, seconds, value};
use tokio::sync::Semaphore;

const LIMIT: Duration = Duration::from_millis(300);

fn stuck_for(time: Duration) -> Router {
    let handler = move || async move {
        Context::set("before", 1);
        tokio::time::sleep(time).await;
        Context::set("after", 1);
        "done"
    };
    Router::new().route("/", get(handler))
}

fn kinds(events: &[OwnedEvent]) -> Vec<EventType> {
    events.iter().map(|event| event.view().kind()).collect()
}

#[test]
fn a_request_that_is_stuck_is_reported_once_before_its_limit_is_over() {
    let gate = Arc::new(Semaphore::new(0));
    let handler = {
        let gate = Arc::clone(&gate);
        move || async move {
            Context::set("before", 1);
            let _opened = gate.acquire().await;
            Context::set("after", 1);
            "done"
        }
    };
    let server = Server::start(|layer| Router::new().route("/", get(handler)).layer(layer.timeout(LIMIT)));
    let mut client = server.connect();
    let began = Instant::now();
    client.send_get("/");
    // While it is stuck: nobody has opened the gate.
    let timeout = server.events(1).remove(0);
    let seen = began.elapsed();
    gate.add_permits(1);
    assert_eq!(timeout.view().kind(), EventType::Timeout);
    assert_eq!(timeout.view().level(), Level::Error);
    assert_eq!(value(&timeout, "app_before"), "1");
    let time = seconds(&timeout, "resp_time");
    assert!((LIMIT.as_secs_f64() * 0.85..=seen.as_secs_f64()).contains(&time), "measured: {time} of {seen:?}");
    assert_eq!(field(&timeout, "resp_status"), None);

    assert_eq!(client.reply().text(), "done");
    server.events(2);
    let events = server.stop();
    assert_eq!(kinds(&events), [EventType::Timeout, EventType::LateResponse]);
    let late = &events[1];
    assert_eq!(late.view().level(), Level::Warning);
    assert_eq!((value(late, "req_id"), value(late, "req_path")), (value(&timeout, "req_id"), "/".to_owned()));
    assert_eq!((value(late, "app_after"), value(late, "resp_status")), ("1".to_owned(), "200".to_owned()));
    assert!(seconds(late, "resp_time") > time);
}

#[test]
fn a_request_within_its_limit_is_a_request() {
    let server = Server::start(|layer| stuck_for(Duration::ZERO).layer(layer.timeout(LIMIT)));
    assert_eq!(server.get("/").status, 200);
    std::thread::sleep(LIMIT * 2);
    assert_eq!(kinds(&server.stop()), [EventType::Request]);
}

#[test]
fn two_layers_around_one_service_report_one_timeout_also_if_the_inner_one_is_called_after_it() {
    async fn slowly(request: Request, next: Next) -> Response {
        tokio::time::sleep(LIMIT * 2).await;
        next.run(request).await
    }
    let server = Server::start(|layer| {
        let layer = layer.timeout(LIMIT);
        stuck_for(LIMIT * 2).layer(layer.clone()).layer(from_fn(slowly)).layer(layer)
    });
    assert_eq!(server.get("/").text(), "done");
    server.events(2);
    let events = server.stop();
    assert_eq!(kinds(&events), [EventType::Timeout, EventType::LateResponse]);
    assert_eq!(value(&events[0], "req_id"), value(&events[1], "req_id"));
    assert_eq!((value(&events[1], "app_after"), value(&events[1], "resp_status")), ("1".to_owned(), "200".to_owned()));
}

#[test]
fn without_a_limit_nothing_is_reported() {
    let server = Server::start(|layer| stuck_for(Duration::from_millis(400)).layer(layer.timeout(None).enforce(true)));
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.only_event().view().kind(), EventType::Request);
}

#[test]
fn a_stuck_request_whose_client_gives_up_is_a_timeout_and_a_late_response() {
    let server = Server::start(|layer| stuck_for(Duration::from_secs(60)).layer(layer.timeout(LIMIT)));
    let mut client = server.connect();
    client.send_get("/");
    server.events(1);
    client.hang_up();
    server.events(2);
    let events = server.stop();
    assert_eq!(kinds(&events), [EventType::Timeout, EventType::LateResponse]);
    assert_eq!(value(&events[1], "req_cancelled"), "true");
}

#[test]
fn an_access_log_has_one_line_of_a_request_that_timed_out_with_its_final_status() {
    let access = Memory::new();
    let emitters = EmitterSet::start([Emitter::new("access").format(Combined::new()).output(access.clone())]);
    let emitters = emitters.expect("one emitter");
    let router = Router::new().route("/stuck", get(|| async { std::future::pending::<()>().await }));
    let server = Server::start(|layer| router.layer(layer.timeout(LIMIT).enforce(true)));
    assert_eq!(server.get("/stuck").status, 504);
    server.events(2);
    assert_eq!(server.get("/nowhere").status, 404);
    server.events(3);
    server.stop().iter().for_each(|event| emitters.emit(&event.view()));
    assert!(emitters.flush(Duration::from_secs(10)));
    let lines = access.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains(r#""GET /stuck HTTP/1.1" 504 0 "#), "{lines:#?}");
    assert!(lines[1].contains(r#""GET /nowhere HTTP/1.1" 404 "#), "{lines:#?}");
}

#[test]
fn a_limit_that_is_kept_answers_504_and_drops_the_handler_inside_its_record() {
    struct OnDrop(Arc<AtomicBool>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            Context::set("dropped", true);
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let handler = move || async move {
        let _on_drop = OnDrop(flag);
        std::future::pending::<()>().await;
    };
    let router = Router::new().route("/", get(handler));
    let server = Server::start(|layer| router.layer(layer.timeout(LIMIT).enforce(true)));
    let mut client = server.connect();
    let began = Instant::now();
    let reply = client.get("/");
    let took = began.elapsed();
    assert!(took >= LIMIT && took < LIMIT * 100, "at the limit: {took:?}");
    assert_eq!((reply.status, reply.text().as_str()), (504, ""));
    assert!(dropped.load(Ordering::SeqCst));

    server.events(2);
    assert_eq!(client.get("/nowhere").status, 404, "the connection goes on");
    server.events(3);
    let events = server.stop();
    assert_eq!(kinds(&events), [EventType::Timeout, EventType::LateResponse, EventType::Request]);
    assert_eq!(value(&events[1], "resp_status"), "504");
    assert_eq!(value(&events[1], "app_dropped"), "true");
    assert_eq!(field(&events[1], "req_cancelled"), None);
    assert_eq!(reply.header("x-request-id"), Some(value(&events[1], "req_id").as_str()));
}

#[test]
fn a_limit_that_a_handler_sets_is_kept_too() {
    let handler = || async {
        Context::set_timeout(LIMIT);
        std::future::pending::<()>().await;
    };
    let server = Server::start(|layer| Router::new().route("/", get(handler)).layer(layer.enforce(true)));
    assert_eq!(server.get("/").status, 504);
    server.events(2);
    assert_eq!(kinds(&server.stop()), [EventType::Timeout, EventType::LateResponse]);
}

#[test]
fn a_handler_can_take_its_limit_back() {
    let handler = || async {
        Context::set_timeout(None);
        tokio::time::sleep(LIMIT * 2).await;
        "in its own time"
    };
    let router = Router::new().route("/", get(handler));
    let server = Server::start(|layer| router.layer(layer.timeout(LIMIT).enforce(true)));
    assert_eq!(server.get("/").text(), "in its own time");
    assert_eq!(server.only_event().view().kind(), EventType::Request);
}

#[test]
fn a_handler_that_answers_before_its_limit_is_left_alone_when_it_comes() {
    let handler = || async {
        axum::body::Body::from_stream(futures_util::stream::unfold(0, |sent| async move {
            tokio::time::sleep(LIMIT).await;
            (sent < 2).then_some((Ok::<_, std::convert::Infallible>("x"), sent + 1))
        }))
    };
    let server =
        Server::start(|layer| Router::new().route("/", get(handler)).layer(layer.timeout(LIMIT).enforce(true)));
    let reply = server.get("/");
    assert_eq!((reply.status, reply.text().as_str()), (200, "xx"));
    server.events(2);
    let events = server.stop();
    assert_eq!(kinds(&events), [EventType::Timeout, EventType::LateResponse], "a slow body is still a slow response");
    assert_eq!(value(&events[0], "resp_status"), "200");
}
