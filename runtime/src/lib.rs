//! One canonical event per request: what it did, where it failed and, if it never came back, where it is stuck.
//!
//! ```
//! use canonlog::{Context, instrument_request, on_error, operation};
//!
//! #[instrument_request] // one event for each call, whatever becomes of it
//! fn checkout(items: &str) -> Result<u32, std::num::ParseIntError> {
//!     let items: u32 = items.parse()?; // where it fails: exc_type, exc_msg, exc_loc
//!     Context::set("items", items); // app_items="3"
//!     let price = price(items);
//!     Ok(price - discount("none"))
//! }
//!
//! #[operation] // app_price_count, app_price_time; and a place that a timeout can name
//! fn price(items: u32) -> u32 {
//!     Context::set("currency", "EUR"); // from anywhere within the request, without a handle
//!     items * 1_999
//! }
//!
//! #[on_error(return = 0)] // where it fails: a partial_failure event, and 0
//! fn discount(percent: &str) -> u32 {
//!     percent.parse()?
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _guard = canonlog::setup().init()?; // logfmt on standard output
//!     assert_eq!(checkout("3")?, 5_997);
//!     assert!(checkout("three").is_err());
//!     Ok(())
//! }
//! ```
//!
//! writes three lines, which are broken here: of the discount that failed, of the request that went on without it, and of the one that failed.
//!
//! ```text
//! event_type="partial_failure" event_time="2026-11-21T16:11:45.206Z" event_level="warning"
//!     req_id="8cc0be6e-35d6-481e-bde4-486e5d32925d" exc_type="core::num::error::ParseIntError"
//!     exc_msg="invalid digit found in string" exc_loc="src/main.rs:19:shop::discount"
//!     exc_cause_loc="src/main.rs:19:shop::discount"
//! event_type="request" event_time="2026-11-21T16:11:45.206Z" event_level="info" req_id="8cc0be6e-35d6-481e-bde4-486e5d32925d"
//!     app_items="3" app_price_count="1" app_price_time="0.000" app_currency="EUR" resp_view="shop::checkout" resp_time="0.023"
//!     resp_cpu_time="0.000" rt_w_count="1" rt_w_active="0" rt_backlog="0"
//! event_type="request" event_time="2026-11-21T16:11:45.206Z" event_level="error" req_id="1164ec1a-eb9b-4861-8689-041cd00b2f5d"
//!     exc_type="core::num::error::ParseIntError" exc_msg="invalid digit found in string" exc_loc="src/main.rs:5:shop::checkout"
//!     exc_cause_loc="src/main.rs:5:shop::checkout" resp_view="shop::checkout" resp_time="0.000" resp_cpu_time="0.000"
//!     rt_w_count="1" rt_w_active="0" rt_backlog="0"
//! ```
//!
//! In a server a layer begins the records: with `tower::RequestLayer` (features `tower`, `axum`) there is an event for each request, also for those
//! that no handler saw, that panicked, or whose client went away. What is past its time limit is told of while it hangs, with the lines that
//! it waits in.
//!
//! ```text
//! begin ──▶ record ◀── Context ◀── your code, #[instrument_request], #[operation], adapters
//!             │  ▲
//!             │  └── monitor: reports what is past its time limit
//!             ▼
//!           event ◀── instrumenters ──▶ emitters: level ▸ filter ▸ format ▸ output
//! ```
//!
//! # Where things are
//!
//! | to | see |
//! |---|---|
//! | add fields and timings from anywhere in a request | [`Context`], [`set!`], [`derive(Fields)`](macro@Fields) |
//! | say what a unit of work is | [`instrument_request`], [`operation`], [`on_error`], [`begin`] |
//! | say what happens, with the id of the request | [`message`](mod@message), [`info!`], [`Logger`] |
//! | serve HTTP | `tower::RequestLayer` (features `tower`, `axum`) |
//! | count database queries | [`db`], `sqlx::wrap` (feature `sqlx`) |
//! | add fields to every event | [`Instrumenter`], [`register_instrumenter`] |
//! | choose formats and outputs | [`setup()`], [`Emitter`], [`Background`] |
//! | count, and be told every so often | [`inc`], [`Status`] |
//! | add fields to events of every kind | [`features`], [`Feature`] |
//! | learn what was lost | [`stats()`] |
//! | test all that | `testing` (feature `test-util`) |
//!
//! # If you use `tracing`
//!
//! | with `tracing` | with canonlog |
//! |---|---|
//! | `#[instrument]` on a handler: a span | [`instrument_request`]: one event when it ends, however it ends |
//! | `#[instrument]` on what it calls | [`operation`]: counted and timed in that event |
//! | `Span::current().record("total", ..)`, of a field declared with the span | [`Context::set`]`("total", ..)`, of any field |
//! | `error!(..)` beside a `?` | nothing: the event has the line of the `?`, and those that it passed |
//! | `info!(total, "paid")` | it can stay: a layer (feature `tracing`) makes it a message that has the id of its request |
//! | a subscriber, its layers and filters | [`setup()`]: emitters of a level, a filter, a format and an output |
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
    ParseFacilityError, Rotation, Stderr, Stdout, Syslog, Tcp, Udp, UnixSocket, WriteError, Writer,
};
pub use pipeline::{Kind, LiveEmitters, Pipeline, Scope, begin, emitters, flush_lookback};
pub use redact::{Redaction, Secret};
#[cfg(feature = "config")]
pub use setup::offers;
pub use setup::{Config, ConfigError, ConfigErrors, Guard, Limits, Setup, SetupError, quick_setup, setup};
pub use stats::{OutputStats, Stats, stats};
pub use unit::Unit;
pub use value::{DebugValue, DisplayValue, ToValue, Value, debug, display};
