//! Handlers that need nothing but themselves.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use canonlog::{Context, instrument_request, on_error, operation};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::sleep;

use crate::supply::{self, SupplyError};

/// What goes wrong here.
#[derive(Debug)]
pub(crate) struct MyError(&'static str);

impl fmt::Display for MyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MyError {}

impl IntoResponse for MyError {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

#[instrument_request]
pub(crate) async fn ok() -> &'static str {
    "ok"
}

#[instrument_request]
pub(crate) async fn custom() -> &'static str {
    Context::set("custom_event", 1);
    "custom"
}

/// Two sections of 0.2 s under one key, and a third that fails.
#[instrument_request]
pub(crate) async fn time() -> String {
    for _ in 0..2 {
        let _foo = Context::time("foo");
        sleep(Duration::from_millis(200)).await;
    }
    match failing_section().await {
        Ok(()) => "time".to_owned(),
        Err(error) => format!("time, {error}"),
    }
}

async fn failing_section() -> Result<(), MyError> {
    let _foo = Context::time("foo");
    sleep(Duration::from_millis(20)).await;
    boom()
}

#[instrument_request]
pub(crate) async fn boom_view() -> Result<&'static str, MyError> {
    boom()?;
    Ok("no boom")
}

#[operation]
fn boom() -> Result<(), MyError> {
    Err(MyError("Oh noes!"))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    amount: String,
}

/// An amount that is no number is found three files and a crate away.
#[instrument_request]
pub(crate) async fn reorder(Query(order): Query<Order>) -> Result<String, SupplyError> {
    let booked = supply::order(&order.amount).await?;
    Ok(booked.to_string())
}

#[instrument_request]
pub(crate) async fn panic() -> &'static str {
    panic!("Oh noes!")
}

#[instrument_request]
pub(crate) async fn partial() -> &'static str {
    recommend().await
}

#[on_error(return = "partial failure")]
async fn recommend() -> &'static str {
    boom()?;
    "recommended"
}

/// Any status that a final response can have.
#[instrument_request]
pub(crate) async fn status(Path(code): Path<u16>) -> Response {
    match StatusCode::from_u16(code) {
        Ok(status) if !status.is_informational() => (status, format!("{code}\n")).into_response(),
        _ => (StatusCode::BAD_REQUEST, "not the status of a final response\n").into_response(),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Pace {
    #[serde(default)]
    chunks: u64,
    #[serde(default)]
    ms: u64,
}

/// As many chunks as asked for, with a pause before each.
#[instrument_request]
pub(crate) async fn stream(Query(pace): Query<Pace>) -> Body {
    Body::from_stream(stream::unfold(0, move |sent| async move {
        if sent == pace.chunks {
            return None;
        }
        sleep(Duration::from_millis(pace.ms)).await;
        Some((Ok::<_, Infallible>(Bytes::from(format!("chunk {sent}\n"))), sent + 1))
    }))
}

/// The context goes along into a task, a blocking task and a thread.
#[instrument_request]
pub(crate) async fn spawn() -> &'static str {
    let cx = Context::current();
    let task = tokio::spawn(cx.scope(async { Context::set("from_task", true) }));
    let blocking = tokio::task::spawn_blocking(move || cx.enter(|| Context::set("from_blocking", true)));
    let (done, thread) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        cx.enter(|| Context::set("from_thread", true));
        let _ = done.send(());
    });
    let _ = tokio::join!(task, blocking, thread);
    "spawned"
}
