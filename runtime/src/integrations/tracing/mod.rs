//! Between canonlog and [`tracing`](tracing_core): its events as messages, its spans as sections, and canonlog's events as its own.
//!
//! ```text
//! tracing::info!(..) ──▶ layer() ──▶ Relay ──▶ the emitters of the request ──▶ Dispatched ──▶ the subscriber of the program
//!                          ▲                                                                     │
//!                          └──────────── what came from there is not handed back ────────────────┘
//! ```
//!
//! Neither hands the other what it has from it, so nothing goes round: an event knows where it was made, also when it was kept for a while.

mod dispatched;
mod layer;
mod names;
mod visit;

pub use self::dispatched::Dispatched;
pub use self::layer::{Layer, layer};
