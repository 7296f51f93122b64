//! What is ordered again: the second of three files that an error passes.

use std::fmt;
use std::num::ParseIntError;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use canonlog::operation;

use crate::ledger;

/// Why nothing was ordered.
#[derive(Debug)]
pub(crate) struct SupplyError(ParseIntError);

impl fmt::Display for SupplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was ordered: {}", self.0)
    }
}

impl std::error::Error for SupplyError {}

impl From<ParseIntError> for SupplyError {
    fn from(error: ParseIntError) -> Self {
        SupplyError(error)
    }
}

impl IntoResponse for SupplyError {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

#[operation]
pub(crate) async fn order(amount: &str) -> Result<u64, SupplyError> {
    tokio::task::yield_now().await;
    let booked = ledger::book(amount).await?;
    Ok(booked)
}
