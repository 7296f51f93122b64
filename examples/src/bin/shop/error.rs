//! What can go wrong, and what the client is told.

use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

// ANCHOR: error
/// What can go wrong. Its `Display` is the event's `exc_msg`.
#[derive(Debug)]
pub(crate) enum ShopError {
    NoSuchProduct(i64),
    EmptyCart(i64),
    CardDeclined,
    Recommendations,
    Database(sqlx::Error),
}

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShopError::NoSuchProduct(id) => write!(f, "there is no product {id}"),
            ShopError::EmptyCart(id) => write!(f, "cart {id} is empty"),
            ShopError::CardDeclined => f.write_str("the card was declined"),
            ShopError::Recommendations => f.write_str("the recommendation engine is out of ideas"),
            ShopError::Database(error) => error.fmt(f),
        }
    }
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        match self {
            ShopError::NoSuchProduct(_) => (StatusCode::NOT_FOUND, self.to_string()),
            ShopError::EmptyCart(_) => (StatusCode::CONFLICT, self.to_string()),
            ShopError::CardDeclined => (StatusCode::PAYMENT_REQUIRED, self.to_string()),
            // The event says what happened; the client has no use for it.
            ShopError::Recommendations | ShopError::Database(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong".to_owned())
            }
        }
        .into_response()
    }
}
// ANCHOR_END: error

impl std::error::Error for ShopError {}

impl From<sqlx::Error> for ShopError {
    fn from(error: sqlx::Error) -> Self {
        ShopError::Database(error)
    }
}
