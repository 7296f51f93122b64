//! Carts: what is in one, and how it becomes an order.

use axum::Json;
use axum::extract::{Path, State};
use canonlog::sqlx::SqlitePool;
use canonlog::{Context, Fields, instrument_request, operation};
use serde::{Deserialize, Serialize};

use crate::catalogue::{Product, find};
use crate::error::ShopError;
use crate::recommendations::recommend;
use crate::store::{Shop, price};

#[derive(Serialize)]
pub(crate) struct Line {
    product: i64,
    quantity: i64,
    #[serde(skip)]
    cents: i64,
}

#[instrument_request(fields(cart_id = id))]
pub(crate) async fn show(State(shop): State<Shop>, Path(id): Path<i64>) -> Result<Json<Vec<Line>>, ShopError> {
    Ok(Json(lines(&shop.db, id).await?))
}

#[derive(Deserialize)]
pub(crate) struct Item {
    product: i64,
    quantity: i64,
}

#[instrument_request(fields(cart_id = id))]
pub(crate) async fn add(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Json(item): Json<Item>,
) -> Result<Json<Vec<Line>>, ShopError> {
    let product = find(&shop.db, item.product).await?;
    let insert = sqlx::query("insert into cart_items values (?1, ?2, ?3)").bind(id).bind(product.id);
    insert.bind(item.quantity).execute(&shop.db).await?;
    Ok(Json(lines(&shop.db, id).await?))
}

// ANCHOR: fields
#[derive(Deserialize, Fields)]
pub(crate) struct Payment {
    #[canonlog(redact)]
    card: String,
    #[serde(default)]
    #[canonlog(rename = "gift_wrapped")]
    gift: bool,
}
// ANCHOR_END: fields

#[derive(Serialize)]
pub(crate) struct Receipt {
    order: i64,
    total: f64,
    also: Vec<Product>,
}

// ANCHOR: checkout
#[instrument_request(fields(cart_id = id))]
pub(crate) async fn checkout(
    State(shop): State<Shop>,
    Path(id): Path<i64>,
    Json(payment): Json<Payment>,
) -> Result<Json<Receipt>, ShopError> {
    Context::record(&payment); // app_card="[redacted]" app_gift_wrapped="false"
    let lines = lines(&shop.db, id).await?; // a failing `?`: exc_type, exc_msg, and exc_loc, its line
    let cents = total(&lines).ok_or(ShopError::EmptyCart(id))?;
    Context::set("cart_total", price(cents)); // app_cart_total="49.0", from anywhere in the request

    pay(&payment).await?;
    let order = place(&shop.db, id, cents).await?;
    let also = recommend(&shop, lines[0].product, false).await; // its failure is a partial_failure event, not a 500

    let _section = Context::time("render"); // app_render_time, summed by key
    Ok(Json(Receipt { order, total: price(cents), also }))
}

#[operation(tags(provider = "acme"))]
async fn pay(payment: &Payment) -> Result<(), ShopError> {
    match payment.card.as_str() {
        "declined" => Err(ShopError::CardDeclined),
        _ => Ok(()),
    }
}
// ANCHOR_END: checkout

/// Makes the cart an order.
#[operation(name = "order")]
async fn place(db: &SqlitePool, cart: i64, cents: i64) -> Result<i64, ShopError> {
    let mut tx = db.begin().await?;
    let insert = sqlx::query_as("insert into orders (cart, cents) values (?1, ?2) returning id").bind(cart).bind(cents);
    let (order,): (i64,) = insert.fetch_one(&mut *tx).await?;
    let copy = "insert into order_items select ?1, product, quantity from cart_items where cart = ?2";
    sqlx::query(copy).bind(order).bind(cart).execute(&mut *tx).await?;
    sqlx::query("delete from cart_items where cart = ?1").bind(cart).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(order)
}

/// What a cart costs; nothing if it is empty.
fn total(lines: &[Line]) -> Option<i64> {
    lines.iter().map(|line| line.quantity * line.cents).reduce(|sum, cents| sum + cents)
}

async fn lines(db: &SqlitePool, cart: i64) -> Result<Vec<Line>, ShopError> {
    let query = "select product, sum(quantity), cents from cart_items join products on products.id = product
                 where cart = ?1 group by product order by product";
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(query).bind(cart).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(product, quantity, cents)| Line { product, quantity, cents }).collect())
}
