//! For the accountant. Nobody made the table for refunds yet, which is how a 500 looks.

use axum::Json;
use axum::extract::State;
use canonlog::instrument_request;

use crate::error::ShopError;
use crate::store::{Shop, price};

#[instrument_request]
pub(crate) async fn refunds(State(shop): State<Shop>) -> Result<Json<f64>, ShopError> {
    let (cents,): (i64,) = sqlx::query_as("select coalesce(sum(cents), 0) from refunds").fetch_one(&shop.db).await?;
    Ok(Json(price(cents)))
}
