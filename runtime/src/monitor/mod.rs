//! Functions from the records in flight to events, called on a timer by threads of their own.

#[cfg(feature = "tower")]
pub(crate) mod enforce;
mod limit;
pub(crate) mod polls;
pub mod saturation;
pub(crate) mod status;
pub(crate) mod timeout;
