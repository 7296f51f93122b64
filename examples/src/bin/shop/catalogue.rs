//! What is for sale.

use axum::Json;
use axum::extract::{Path, Query, State};
use canonlog::sqlx::SqlitePool;
use canonlog::{Context, instrument_request};
use serde::{Deserialize, Serialize};

use crate::error::ShopError;
use crate::recommendations::recommend;
use crate::store::{Shop, price};

#[derive(Serialize)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) price: f64,
}

pub(crate) type Row = (i64, String, i64);

impl From<Row> for Product {
    fn from((id, name, cents): Row) -> Self {
        Product { id, name, price: price(cents) }
    }
}

// ANCHOR: list
#[instrument_request]
pub(crate) async fn list(State(shop): State<Shop>) -> Result<Json<Vec<Product>>, ShopError> {
    let query = sqlx::query_as("select id, name, cents from products order by id");
    let rows: Vec<Row> = query.fetch_all(&shop.db).await?;
    Context::set("products", rows.len());
    Ok(Json(rows.into_iter().map(Product::from).collect()))
}
// ANCHOR_END: list

#[derive(Deserialize)]
pub(crate) struct Wish {
    /// `?fail=1`: the recommendation engine fails this time.
    #[serde(default)]
    fail: u8,
}

#[derive(Serialize)]
pub(crate) struct Page {
    product: Product,
    also: Vec<Product>,
}

// ANCHOR: show
#[instrument_request(fields(product_id = id))]
pub(crate) async fn show(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page>, ShopError> {
    let product = find(&shop.db, id).await?;
    let also = recommend(&shop, product.id, wish.fail != 0).await; // empty if that fails; the page is shown all the same
    Ok(Json(Page { product, also }))
}
// ANCHOR_END: show

pub(crate) async fn find(db: &SqlitePool, id: i64) -> Result<Product, ShopError> {
    let query = sqlx::query_as("select id, name, cents from products where id = ?1").bind(id);
    let row: Option<Row> = query.fetch_optional(db).await?;
    row.map(Product::from).ok_or(ShopError::NoSuchProduct(id))
}
