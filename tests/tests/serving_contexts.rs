//! A context goes where it is carried, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use canonlog::Context;
use canonlog_tests::client::{Client, PATIENCE};
use canonlog_tests::server::{Server, field, value};
use tokio::sync::Notify;

/// Records `mark` on the way through a task, a blocking task and a thread; others record without a context meanwhile.
async fn hop(Path(mark): Path<String>) -> String {
    let cx = Context::current();
    let with = |key: &'static str, mark: &String| {
        let mark = mark.clone();
        move || Context::set(key, mark)
    };
    Context::set("handler", mark.as_str());
    let in_task = with("task", &mark);
    let task = tokio::spawn(cx.scope(async move {
        tokio::task::yield_now().await;
        in_task();
    }));
    let in_blocking = with("blocking", &mark);
    let blocking = tokio::task::spawn_blocking(move || cx.enter(in_blocking));
    let in_thread = with("thread", &mark);
    let (done, thread) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        cx.enter(in_thread);
        let _ = done.send(());
    });
    // A task and a thread that nobody gave a context: what they set belongs to nobody.
    let stray = tokio::spawn(async { Context::set("stray", "task") });
    let stray_blocking = tokio::task::spawn_blocking(|| Context::set("stray", "blocking"));
    task.await.expect("the task ends");
    blocking.await.expect("the blocking task ends");
    thread.await.expect("the thread ends");
    stray.await.expect("the stray task ends");
    stray_blocking.await.expect("the stray blocking task ends");
    Context::set("after", mark.as_str());
    mark
}

#[test]
fn no_value_of_one_of_64_requests_lands_in_another() {
    const WAYS: usize = 64;
    const ROUNDS: usize = 3;
    let server = Server::of(Router::new().route("/{mark}", get(hop)));
    let addr = server.addr;
    std::thread::scope(|scope| {
        for way in 0..WAYS {
            scope.spawn(move || {
                let mut client = Client::connect(addr);
                for round in 0..ROUNDS {
                    let mark = format!("m{way}r{round}");
                    assert_eq!(client.get(&format!("/{mark}")).text(), mark);
                }
            });
        }
    });
    server.events(WAYS * ROUNDS);
    let events = server.stop();
    assert_eq!(events.len(), WAYS * ROUNDS);
    for event in &events {
        let mark = value(event, "req_path").trim_start_matches('/').to_owned();
        for name in ["app_handler", "app_task", "app_blocking", "app_thread", "app_after"] {
            assert_eq!(value(event, name), mark, "{name}");
        }
        assert_eq!(field(event, "app_stray"), None, "{event:#?}");
    }
}

#[test]
fn join_and_select_within_a_request_stay_in_it() {
    let handler = || async {
        let one = async {
            tokio::task::yield_now().await;
            Context::set("one", 1);
        };
        let two = async {
            tokio::task::yield_now().await;
            Context::set("two", 2);
        };
        tokio::join!(one, two);
        tokio::select! {
            () = std::future::pending() => {}
            () = tokio::task::yield_now() => Context::set("three", 3),
        }
    };
    let server = Server::of(Router::new().route("/", get(handler)));
    assert_eq!(server.get("/").status, 200);
    let event = server.only_event();
    for (name, number) in [("app_one", "1"), ("app_two", "2"), ("app_three", "3")] {
        assert_eq!(value(&event, name), number);
    }
}

#[test]
fn what_a_task_records_after_the_event_goes_nowhere() {
    let go = Arc::new(Notify::new());
    let gone = Arc::new(Notify::new());
    let (wait, done) = (Arc::clone(&go), Arc::clone(&gone));
    let handler = move || async move {
        Context::set("early", 1);
        tokio::spawn(Context::current().scope(async move {
            wait.notified().await;
            Context::set("late", 1);
            let _timer = Context::time("late");
            Context::add("late", 1);
            done.notify_one();
        }));
    };
    let server = Server::of(Router::new().route("/", get(handler)).route("/next", get(|| async {})));
    assert_eq!(server.get("/").status, 200);
    server.events(1);
    go.notify_one();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, gone.notified()).await.expect("the late task runs") });
    assert_eq!(server.get("/next").status, 200, "nothing panicked");
    server.events(2);
    let events = server.stop();
    assert_eq!(events.len(), 2);
    assert_eq!(value(&events[0], "app_early"), "1");
    for event in &events {
        assert_eq!((field(event, "app_late"), field(event, "app_late_time")), (None, None), "{event:#?}");
    }
}

#[test]
fn a_runtime_that_is_dropped_leaves_an_event_for_each_request_in_flight() {
    const REQUESTS: usize = 5;
    let reached = Arc::new(tokio::sync::Semaphore::new(0));
    let here = Arc::clone(&reached);
    let handler = move || async move {
        Context::set("stage", "waiting");
        here.add_permits(1);
        std::future::pending::<()>().await;
    };
    let server = Server::of(Router::new().route("/", get(handler)));
    let clients: Vec<Client> = (0..REQUESTS)
        .map(|_| {
            let mut client = server.connect();
            client.send_get("/");
            client
        })
        .collect();
    let all = u32::try_from(REQUESTS).expect("a few");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let all = tokio::time::timeout(PATIENCE, reached.acquire_many(all)).await;
        all.expect("all are reached in time").expect("never closed").forget();
    });
    let began = std::time::Instant::now();
    let events = server.stop();
    assert!(began.elapsed() < Duration::from_secs(30));
    drop(clients);
    assert_eq!(events.len(), REQUESTS);
    for event in &events {
        assert_eq!(value(event, "req_cancelled"), "true");
        assert_eq!(value(event, "resp_status"), "499");
        assert_eq!(value(event, "app_stage"), "waiting");
    }
}
