//! Where annotated functions stand.

pub use crate::trace::site::{Fun, name_of};
