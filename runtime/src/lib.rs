//! One canonical event per request: what it did, where it failed and, if it never came back, where it is stuck.
#![allow(dead_code)] // while the core lands

#[doc(hidden)]
pub mod __private;
mod clock;
mod context;
mod counters;
pub mod db;
mod emitter;
mod event;
mod fields;
mod format;
mod id;
mod instrumenter;
#[cfg(any(feature = "tower", feature = "sqlx", feature = "minijinja"))]
mod integrations;
mod level;
mod macros;
mod monitor;
mod output;
mod pipeline;
mod record;
mod registry;
mod scratch;
mod setup;
mod stats;
mod sys;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod trace;
mod value;

pub use canonlog_macros::{Fields, instrument_request, on_error, operation, register_instrumenter};
pub use context::{Context, Namespace, OwnedValue, Scoped, TimeGuard};
#[cfg(any(test, feature = "test-util"))]
pub use emitter::EmitterSet;
pub use emitter::{Emitter, EmitterError};
pub use event::{Event, EventFields, EventType, OwnedEvent};
pub use fields::Fields;
pub use format::{Combined, Format, Json, Logfmt, Pretty, push_escaped};
pub use instrumenter::{
    Expectation, Instrumenter, InstrumenterError, InstrumenterSetupError, Registration, template_error,
};
#[cfg(feature = "minijinja")]
pub use integrations::minijinja;
#[cfg(feature = "sqlx")]
pub use integrations::sqlx;
#[cfg(feature = "tower")]
pub use integrations::tower;
pub use level::{Level, ParseLevelError};
pub use monitor::saturation;
pub use output::{Background, Batch, File, LossReason, Memory, Output, Overflow, Stderr, Stdout, WriteError, Writer};
pub use pipeline::{Kind, Pipeline, Scope, Unit, begin};
pub use setup::{Guard, Limits, Setup, SetupError, setup};
pub use stats::{OutputStats, Stats, stats};
pub use value::{DebugValue, DisplayValue, ToValue, Value, debug, display};
