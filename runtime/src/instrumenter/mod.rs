//! Plugins that add fields to the events that end a unit of work.
//!
//! ```text
//! #[register_instrumenter] ──▶ Registration ─┐
//! expect_instrumenters![..] ──▶ Expectation ─┴▶ order ──▶ setup, once each ──▶ call, in order, for each unit
//! ```
//!
//! They are collected at link time, sorted once (`order`, then `after` and `before`, ties by name), set up once, and called
//! in that order for every event that ends a unit. None of them can cost the response or the line.

mod database;
mod error;
mod order;
mod request;
mod runner;
pub(crate) mod saturation;

use std::error::Error;

use crate::unit::Unit;

pub use error::template_error;
pub use runner::InstrumenterSetupError;
pub(crate) use runner::Instrumenters;

/// The error of an instrumenter: anything.
///
/// ```
/// let error: canonlog::InstrumenterError = "no such region".into();
/// assert_eq!(error.to_string(), "no such region");
/// ```
pub type InstrumenterError = Box<dyn Error + Send + Sync>;

/// A plugin that adds fields to the events that end a unit of work (request, job, timeout).
///
/// Register one with `#[register_instrumenter]`. One that fails or panics costs neither the response nor the line: the event
/// says `canonlog_instrumenter_errors` with its name, and keeps the fields that it had set before.
///
/// ```
/// use canonlog::{Instrumenter, InstrumenterError, Unit};
///
/// struct Shop;
///
/// impl Instrumenter for Shop {
///     fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
///         unit.set("region", std::env::var("REGION")?); // app_region="eu-west"
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no instrumenter",
    label = "not a `canonlog::Instrumenter`",
    note = "implement `canonlog::Instrumenter` for `{Self}`"
)]
pub trait Instrumenter: Send + Sync + 'static {
    /// Called once in a process: by the first `init()` that comes to it, or else by the first unit that ends.
    ///
    /// # Errors
    ///
    /// An error stops `init()`, which reports it with the instrumenter's name. It is final: a later `init()` fails with the
    /// same error and calls nothing. So whatever may get better, a server that is not up yet, is for `call` to try again.
    fn setup(&self) -> Result<(), InstrumenterError> {
        Ok(())
    }

    /// Called once for each event that ends a unit; adds its fields.
    ///
    /// # Errors
    ///
    /// An error costs neither the response nor the line: it shows as `canonlog_instrumenter_errors`.
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError>;
}

/// One registered instrumenter; made by `#[register_instrumenter]`.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The name by which others refer to it, unique in the process.
    pub name: &'static str,
    /// Lower comes first. The built-in ones have 100 (request), 200 (error), 300 (database), 400 (saturation); users' have 1000.
    pub order: i32,
    /// Those that must come before it.
    pub after: &'static [&'static str],
    /// Those that must come after it.
    pub before: &'static [&'static str],
    /// `file:line` of the registration, for messages.
    pub location: &'static str,
    /// Makes it.
    pub make: fn() -> Box<dyn Instrumenter>,
}

inventory::collect!(Registration);

/// The instrumenters that a program counts on; made by [`expect_instrumenters!`](crate::expect_instrumenters).
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// Their names.
    pub names: &'static [&'static str],
    /// `file:line` of the expectation, for messages.
    pub location: &'static str,
}

inventory::collect!(Expectation);

/// Makes `init()` fail if one of these instrumenters is not registered.
///
/// A plugin registers itself when its crate is linked, and a crate that nothing names is not linked, without a word. Write
/// this beside `main` to hear about it at start-up.
///
/// ```
/// canonlog::expect_instrumenters!["request", "database"];
/// ```
#[macro_export]
macro_rules! expect_instrumenters {
    ($($name:literal),* $(,)?) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Expectation {
                names: &[$($name),*],
                location: ::core::concat!(::core::file!(), ":", ::core::line!()),
            }
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`expect_instrumenters!` takes the names of instrumenters\n\
             help: write them as texts, as in `expect_instrumenters![\"shop\"]`"
        );
    };
}
