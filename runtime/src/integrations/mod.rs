//! What ties canonlog to other crates: one module, behind one feature, for each of them.
//!
//! They use nothing but the public interface, so that anybody can write another.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "minijinja")]
pub mod minijinja;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "sqlx")]
pub mod sqlx;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
