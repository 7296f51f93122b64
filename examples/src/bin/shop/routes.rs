//! Which request goes where.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use canonlog::tower::RequestLayer;

use crate::store::Shop;
use crate::{cart, catalogue, delivery, orders, reports, tour};

/// After this, a request that is still running is reported by a `timeout` event; it may go on.
const LIMIT: Duration = Duration::from_secs(1);

// ANCHOR: layer
pub(crate) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(tour::index))
        .route("/products", get(catalogue::list))
        .route("/products/{id}", get(catalogue::show))
        .route("/products/{id}/delivery", get(delivery::estimate))
        .route("/carts/{id}", get(cart::show).post(cart::add))
        .route("/carts/{id}/checkout", post(cart::checkout))
        .route("/orders", get(orders::list))
        .route("/reports/refunds", get(reports::refunds))
        .with_state(shop)
        .layer(RequestLayer::new().timeout(LIMIT)) // last, so that it sees what all the others answer
}
// ANCHOR_END: layer
