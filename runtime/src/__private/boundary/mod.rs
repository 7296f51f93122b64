//! The boundary of a record, and operations inside it.
//!
//! ```text
//! begin ──▶ a record of its own: no other is current, or it is a job
//!       ──▶ the view of the current record: it has none yet
//!       ──▶ an operation of the current record
//! ```

mod future;
mod running;
mod stored;
mod unit;
mod wrap;

pub use self::future::Boundary;
pub use self::running::{OperationGuard, call, operation};
pub use self::unit::Unit;
pub use self::wrap::{Init, Once, Start, boundary, boxed, never, start};
