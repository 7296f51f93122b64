//! Messages: what a program says while it works, as `log` events that know their request.
//!
//! ```text
//! info!(LOG, cart = 7; "..")  LOG.field("cart", 7).info("..")  log::info!  tracing::info!
//!        └───────────────┬──────────────────┴──────────────────────┘
//!   wanted? ▸ logger's level ▸ the values are taken ▸ logger's filter ▸ pass ──▶ the emitters of the request
//! ```
//!
//! A message that nobody wants costs a look at a static, and no value of it is computed. What goes wrong while one is made (a text
//! that cannot be filled, a `Display` that panics) never reaches the caller: the message goes out with what there is, and the trouble
//! is counted.

mod builder;
mod carried;
mod emits;
mod logger;
mod macros;
mod pass;
mod relay;
mod taking;
mod template;
mod text;

use crate::counters::measures;
use crate::emitter;
use crate::event::EventType;
use crate::level::Level;

pub use self::builder::Message;
#[doc(hidden)]
pub use self::carried::AndBy;
pub use self::carried::{And, Carried, Error, Lazy, Many, MessageValue, Nothing, Stack, lazy};
pub use self::emits::Emits;
#[doc(hidden)]
pub use self::emits::Said;
pub use self::logger::{Logger, logger};
pub(crate) use self::pass::pass;
pub use self::relay::Relay;
pub use self::taking::Taking;
pub use self::template::{Style, Template, brace, dollar, percent};
pub use self::text::Text;

/// Whether a message of this level would go anywhere: one load.
#[inline(always)]
pub(crate) fn wanted(level: Level) -> bool {
    emitter::wanted(EventType::Log, level)
}

/// Whether it would go anywhere, or is counted at least.
#[doc(hidden)]
#[inline(always)]
pub fn heard(level: Level) -> bool {
    wanted(level) || measures::counts_messages()
}
