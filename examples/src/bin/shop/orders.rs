//! What was ordered.

use axum::Json;
use axum::extract::State;
use canonlog::{Context, instrument_request};
use serde::Serialize;

use crate::error::ShopError;
use crate::store::{Shop, price};

#[derive(Serialize)]
pub(crate) struct Order {
    id: i64,
    total: f64,
    products: Vec<String>,
}

// ANCHOR: n_plus_one
/// One query for the orders, and one more for each: `db_dup_queries` gives it away.
#[instrument_request]
pub(crate) async fn list(State(shop): State<Shop>) -> Result<Json<Vec<Order>>, ShopError> {
    let query = sqlx::query_as("select id, cents from orders order by id");
    let rows: Vec<(i64, i64)> = query.fetch_all(&shop.db).await?;
    let mut orders = Vec::with_capacity(rows.len());
    for (id, cents) in rows {
        let query =
            "select name from products join order_items on products.id = product where order_id = ?1 order by name";
        let names: Vec<(String,)> = sqlx::query_as(query).bind(id).fetch_all(&shop.db).await?;
        orders.push(Order { id, total: price(cents), products: names.into_iter().map(|(name,)| name).collect() });
    }
    Context::set("orders", orders.len());
    Ok(Json(orders))
}
// ANCHOR_END: n_plus_one
