//! Events of every kind of unit, against the reference.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use canonlog::tower::RequestLayer;
use canonlog::{
    Context, Format, Instrumenter, InstrumenterError, Json, Kind, Unit, begin, instrument_request, on_error, operation,
    register_instrumenter, testing,
};
use tower::ServiceExt as _;

use super::*;

#[register_instrumenter]
struct Faulty;

impl Instrumenter for Faulty {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        match unit.get("app_faulty") {
            Some(_) => Err("as the test asks".into()),
            None => Ok(()),
        }
    }
}

#[on_error(return = 0)]
fn fallback(number: &str) -> u8 {
    number.parse()?
}

#[operation]
fn parse(number: &str) -> Result<u8, std::num::ParseIntError> {
    number.parse()
}

#[instrument_request]
async fn fails() -> Result<&'static str, String> {
    Context::set("faulty", true);
    Context::set("Not A Key", "x".repeat(10_000));
    canonlog::template_error("cart.html", 12);
    canonlog::db::record_query("select 1", Duration::from_millis(1));
    Err(format!("{} and {:?}", fallback("x"), parse("y")))
}

#[instrument_request(kind = "job", name = "mails")]
fn job() -> Result<(), std::fmt::Error> {
    panic!("as the test asks")
}

async fn stream() -> Body {
    let chunks = ["one", "two"].map(Ok::<_, std::convert::Infallible>);
    Body::from_stream(futures_util::stream::iter(chunks))
}

/// The type that a value has in a JSON event, as the reference names it.
fn fits(value: &serde_json::Value, documented: &str) -> bool {
    match documented {
        "text" => value.is_string() || value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "duration" => value.is_f64(),
        _ => false,
    }
}

#[tokio::test]
async fn the_events_of_every_kind_of_unit_are_in_the_reference() {
    let capture = testing::capture();

    let app = Router::new().route("/fails/{id}", get(fails)).route("/stream", get(stream)).layer(RequestLayer::new());
    for path in ["/fails/7", "/missing", "/stream"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("an answer");
        axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    }
    drop(app.clone().oneshot(Request::get("/stream").body(Body::empty()).expect("a request")));

    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(Duration::from_secs(30)));
    let late = scope.context();
    assert_eq!(capture.tick_timeouts(Duration::from_secs(31)), 1);
    scope.cancelled();
    scope.enter(|| std::panic::catch_unwind(job)).expect_err("it panics");
    scope.finish();
    late.set_in("app", "late", true);
    Context::set("outside", true);
    begin(Kind::Request).finish();

    let known = documented_fields();
    let mut seen = BTreeSet::new();
    for event in capture.events() {
        let mut line = Vec::new();
        Json::new().format(&event.view(), &mut line);
        let object: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&line).expect("an object");
        for (name, value) in object.iter().filter(|(name, _)| !name.starts_with("app_")) {
            let documented = known.get(name).unwrap_or_else(|| panic!("`{name}` is not in the reference: {object:?}"));
            assert!(fits(value, documented), "`{name}` is {value}, and not {documented}");
            seen.insert(name.clone());
        }
    }
    for name in [
        "req_route",
        "job_parent",
        "job_outcome",
        "exc_template",
        "exc_panic",
        "resp_ttfb",
        "timeout_limit",
        "db_queries",
        "rt_w_count",
        "canonlog_instrumenter_errors",
        "canonlog_truncated",
        "canonlog_renamed_keys",
        "canonlog_outside_writes",
        "canonlog_late_writes",
    ] {
        assert!(seen.contains(name), "no event has `{name}`: {seen:?}");
    }
}
