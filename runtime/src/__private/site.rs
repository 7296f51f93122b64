//! Where annotated functions stand.

pub(crate) use crate::trace::site::At;
pub use crate::trace::site::{Fun, name_of};
