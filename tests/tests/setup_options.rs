//! What the set-up says of all requests, and what a layer says against it. The set-up is the process's: one test.

use std::convert::Infallible;
use std::time::Duration;

use canonlog::tower::RequestLayer;
use canonlog::{Kind, Memory, begin};
use canonlog_tests::logfmt;
use http::{Request, Response};
use http_body_util::Empty;
use tower::{Layer, ServiceExt, service_fn};

const LIMIT: Duration = Duration::from_millis(200);

/// One request to a service that takes twice the limit.
async fn ask(layer: RequestLayer, path: &'static str) {
    let service = layer.layer(service_fn(|_: Request<Empty<&[u8]>>| async {
        tokio::time::sleep(LIMIT * 2).await;
        Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new()))
    }));
    let request = Request::get(path).body(Empty::new()).expect("a request");
    let response = service.oneshot(request).await.expect("it cannot fail");
    assert_eq!(response.status(), 200);
}

#[test]
fn a_layer_that_says_none_has_no_limit_and_no_event_has_a_cpu_time_that_is_not_measured() {
    let memory = Memory::new();
    let setup = canonlog::setup().timeout(LIMIT).cpu_time(false).output(memory.clone());
    let guard = setup.init().expect("the only set-up");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let off = RequestLayer::new().timeout(None);
        let longer = RequestLayer::new().timeout(LIMIT * 100);
        tokio::join!(ask(RequestLayer::new(), "/default"), ask(off, "/off"), ask(longer, "/longer"));
    });
    begin(Kind::Job).finish();
    assert!(guard.flush());

    let events: Vec<_> =
        memory.lines().iter().map(|line| logfmt::parse(line).expect("a line of the grammar")).collect();
    let field = |event: &[(String, String)], name: &str| {
        event.iter().find_map(|(known, value)| (known == name).then(|| value.clone()))
    };
    let of = |path: &str| -> Vec<String> {
        let of_path = events.iter().filter(|event| field(event, "req_path").as_deref() == Some(path));
        of_path.map(|event| field(event, "event_type").expect("first in each")).collect()
    };
    assert_eq!(of("/default"), ["timeout", "late_response"], "the limit of the set-up");
    assert_eq!(of("/off"), ["request"]);
    assert_eq!(of("/longer"), ["request"]);
    assert_eq!(events.len(), 5);
    for event in &events {
        assert!(!event.iter().any(|(name, _)| name.ends_with("_cpu_time")), "{event:?}");
    }
    assert!(field(&events[4], "job_time").is_some(), "{events:?}");
}
