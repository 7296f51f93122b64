//! What expansions of the macros call. No part of the public interface: it changes without notice.

mod boundary;
mod emit;
mod exits;
mod fallback;
mod fields;
mod frames;
mod message;
mod probe;
mod request;
mod site;

pub use inventory;
pub use std::boxed::Box;
pub use std::convert::Infallible as Never;

pub use boundary::{Boundary, Init, Once, OperationGuard, Start, Unit, boundary, boxed, call, never, operation, start};
pub use emit::{Emits, Said, emitted_later};
pub use exits::{
    About, FallibleLeaving, Joins, Leaving, LeftAt, Mark, Place, Tap, ValueLeaving, about, left_at, mark, past, place,
};
pub use fallback::{
    Attempted, Branch, ErrorProbe, Exit, Fallible, FallibleOrNone, Recovered, Recovery, ResultExit, ShownErrorProbe,
    ShownResultExit, ValueExit, attempt, catch, catch_async, partial_failure, recovery,
};
pub use fields::{Key, REDACTED, check_key, keep, record, record_kept, set, timeout, timeout_off};
pub use frames::{Argument, Awaiting, FrameGuard, Here, Other, Together, awaiting, awaiting_at, frame, here, line};
pub use message::{Speaks, and, heard};
pub use probe::{Failure, Probe, ResultProbe, ShownResultProbe, ValueProbe, unprobed};
pub use request::{Head, RequestHead};
pub use site::{Fun, name_of};

pub use crate::instrumenter::{Expectation, Registration};
pub use crate::level::Level;
pub use crate::message::Logger;
pub use crate::value::ToValue;
