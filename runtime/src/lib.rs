//! One canonical event per request: what it did, where it failed and, if it never came back, where it is stuck.
//!
//! ```text
//! begin ──▶ record ◀── Context ◀── your code, #[instrument_request], #[operation], adapters
//!             │  ▲
//!             │  └── monitor: reports what is past its time limit
//!             ▼
//!           event ◀── instrumenters ──▶ emitters: level ▸ filter ▸ format ▸ output
//! ```
//!
//! ```
//! use canonlog::{Context, instrument_request, on_error};
//!
//! #[instrument_request]
//! fn checkout(items: &str) -> Result<u32, std::num::ParseIntError> {
//!     let items: u32 = items.parse()?; // a failure: exc_type, exc_msg, exc_loc
//!     Context::set("items", items); // app_items="3"
//!     let _section = Context::time("pay"); // app_pay_time="0.000"
//!     Ok(discount("none").max(items))
//! }
//!
//! #[on_error(return = 0)] // a failure: a partial_failure event, and 0
//! fn discount(percent: &str) -> u32 {
//!     percent.parse()?
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = canonlog::setup().init()?; // logfmt on standard output
//!     assert_eq!(checkout("3")?, 3);
//!     Ok(())
//! }
//! ```
//!
//! | to | see |
//! |---|---|
//! | add fields and timings from anywhere in a request | [`Context`], [`set!`], [`derive(Fields)`](macro@Fields) |
//! | say what a unit of work is | [`instrument_request`], [`operation`], [`on_error`], [`begin`] |
//! | serve HTTP | `tower::RequestLayer` (features `tower`, `axum`) |
//! | count database queries | [`db`], `sqlx::wrap` (feature `sqlx`) |
//! | add fields to every event | [`Instrumenter`], [`register_instrumenter`] |
//! | choose formats and outputs | [`setup()`], [`Emitter`], [`Background`] |
//! | count, and be told every so often | [`inc`], [`Status`] |
//! | add fields to events of every kind | [`features`], [`Feature`] |
//! | learn what was lost | [`stats()`] |
//! | test all that | `testing` (feature `test-util`) |
//!
//! The book in the repository has a guide, and the reference of every field, argument, option and limit.

// Shows which feature an item needs, where the documentation is made for all of them.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod clock;
mod context;
mod counters;
pub mod db;
mod emitter;
mod event;
pub mod features;
mod fields;
mod format;
mod id;
mod inc;
mod inside;
mod instrumenter;
#[cfg(any(
    feature = "log",
    feature = "minijinja",
    feature = "serde",
    feature = "sqlx",
    feature = "tower",
    feature = "tracing"
))]
mod integrations;
mod internal;
mod interval;
mod level;
mod lookback;
mod macros;
pub mod message;
mod monitor;
mod nearest;
mod output;
mod pipeline;
mod record;
mod redact;
mod registry;
mod scratch;
mod setup;
mod stats;
mod sys;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod trace;
mod unit;
mod value;

pub use canonlog_macros::{Fields, emit, instrument_request, on_error, operation, register_instrumenter};
pub use context::{Context, Namespace, OwnedValue, Scoped, TimeGuard};
#[cfg(any(test, feature = "test-util"))]
pub use emitter::EmitterSet;
pub use emitter::{Emitter, EmitterError, Filter, FilterError, filter, wanted};
pub use event::{Event, EventFields, EventType, OwnedEvent};
pub use features::{Collision, Feature, FeatureFields};
pub use fields::Fields;
pub use format::{
    Combined, Conversion, Converter, Format, Gelf, Json, Logfmt, MissingFields, Otlp, Pretty, Talisker, Template,
    TemplateError, TextLine, push_escaped,
};
pub use inc::{Inc, inc, inc_by};
pub use instrumenter::{
    Expectation, Instrumenter, InstrumenterError, InstrumenterSetupError, Registration, template_error,
};
#[cfg(feature = "log")]
pub use integrations::log;
#[cfg(feature = "minijinja")]
pub use integrations::minijinja;
#[cfg(feature = "sqlx")]
pub use integrations::sqlx;
#[cfg(feature = "tower")]
pub use integrations::tower;
#[cfg(feature = "tracing")]
pub use integrations::tracing;
pub use interval::{Interval, ParseIntervalError};
pub use level::{Level, LevelFilter, ParseLevelError};
pub use lookback::Lookback;
pub use message::{Logger, Message, lazy, logger};
pub use monitor::saturation;
pub use monitor::status::Status;
pub use output::{
    AddressError, Background, Batch, Facility, File, Framing, Journald, LossReason, Memory, Null, Output, Overflow,
    ParseFacilityError, Rotation, Stderr, Stdout, Syslog, Tcp, UnixSocket, WriteError, Writer,
};
pub use pipeline::{Kind, LiveEmitters, Pipeline, Scope, begin, emitters, flush_lookback};
pub use redact::{Redaction, Secret};
pub use setup::{Config, ConfigError, ConfigErrors, Guard, Limits, Setup, SetupError, quick_setup, setup};
pub use stats::{OutputStats, Stats, stats};
pub use unit::Unit;
pub use value::{DebugValue, DisplayValue, ToValue, Value, debug, display};
