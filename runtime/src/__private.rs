//! What expansions of canonlog's macros call. Not for people, and free to change in any release.

pub use inventory;

pub use crate::instrumenter::{Expectation, Registration};
