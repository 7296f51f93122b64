//! Handlers that are stuck for a while, a few functions deep.

use std::time::Duration;

use axum::extract::Query;
use canonlog::{instrument_request, operation};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Pause {
    #[serde(default)]
    ms: u64,
}

impl Pause {
    fn duration(&self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

/// At two awaits at once: the thread is free for others.
#[instrument_request]
pub(crate) async fn sleep(Query(pause): Query<Pause>) -> &'static str {
    tokio::select! {
        () = ask_all(pause.duration()) => "slept",
        () = std::future::pending() => "never",
    }
}

#[operation]
async fn ask_all(pause: Duration) {
    tokio::join!(wait_for_supplier(pause), look_into_store(pause));
}

#[operation]
async fn look_into_store(pause: Duration) {
    tokio::time::sleep(pause).await;
}

#[operation]
async fn wait_for_supplier(pause: Duration) {
    simulate_waiting(pause).await;
}

#[operation]
async fn simulate_waiting(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// In a call that blocks the thread, in a crate without annotations.
#[instrument_request]
pub(crate) async fn block(Query(pause): Query<Pause>) -> &'static str {
    call_legacy_system(pause.duration());
    "blocked"
}

#[operation]
fn call_legacy_system(pause: Duration) -> u64 {
    legacy::ask(pause)
}

/// In a loop that burns the thread, in a crate without annotations.
#[instrument_request]
pub(crate) async fn spin(Query(pause): Query<Pause>) -> &'static str {
    crunch_numbers(pause.duration());
    "spun"
}

#[operation]
fn crunch_numbers(pause: Duration) -> u64 {
    legacy::compute(pause)
}
