//! What goes well with a product: nice to have, and no reason to fail.

use std::sync::atomic::Ordering;

use canonlog::on_error;

use crate::catalogue::{Product, Row};
use crate::error::ShopError;
use crate::store::Shop;

// ANCHOR: on_error
/// A failure here is a `partial_failure` event, and the page goes without.
#[on_error(return = Vec::new())]
pub(crate) async fn recommend(shop: &Shop, product: i64, fail: bool) -> Vec<Product> {
    ask_the_engine(shop, fail)?;
    let query = sqlx::query_as("select id, name, cents from products where id <> ?1 order by abs(id - ?1), id limit 2");
    let rows: Vec<Row> = query.bind(product).fetch_all(&shop.db).await?;
    rows.into_iter().map(Product::from).collect()
}
// ANCHOR_END: on_error

/// The engine fails every third time, and when it is told to.
fn ask_the_engine(shop: &Shop, fail: bool) -> Result<(), ShopError> {
    let asked = shop.recommendations.fetch_add(1, Ordering::Relaxed) + 1;
    if fail || asked.is_multiple_of(3) { Err(ShopError::Recommendations) } else { Ok(()) }
}
