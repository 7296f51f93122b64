//! What `#[emit]` calls.

pub use crate::message::{Emits, Said};

/// Says what a future gives.
pub async fn emitted_later<F: Future<Output: Emits>>(future: F, said: &'static Said) -> F::Output {
    let value = future.await;
    value.emit_as(said);
    value
}
