//! When a product would arrive: only the supplier knows, and takes its time.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use canonlog::{instrument_request, operation};
use serde::{Deserialize, Serialize};

use crate::catalogue::find;
use crate::error::ShopError;
use crate::store::Shop;

#[derive(Deserialize)]
pub(crate) struct Patience {
    /// How long the supplier takes, in milliseconds.
    #[serde(default = "usual")]
    ms: u64,
}

fn usual() -> u64 {
    250
}

#[derive(Serialize)]
pub(crate) struct Delivery {
    product: i64,
    days: u64,
}

#[instrument_request(fields(product_id = id))]
pub(crate) async fn estimate(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Query(Patience { ms }): Query<Patience>,
) -> Result<Json<Delivery>, ShopError> {
    let product = find(&shop.db, id).await?;
    let days = ask_the_supplier(ms.min(10_000)).await;
    Ok(Json(Delivery { product: product.id, days }))
}

// ANCHOR: operation
/// Writes `app_supplier_time`, `app_supplier_count` and `app_supplier_region`.
#[operation(name = "supplier", tags(region = "assam"))]
async fn ask_the_supplier(ms: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(ms)).await; // where a slow one hangs
    3
}
// ANCHOR_END: operation
