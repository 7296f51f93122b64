//! Plugins that add fields to the events that end a unit of work.
//!
//! They are collected at link time, sorted once (`order`, then `after` and `before`, ties by name), set up once, and called
//! in that order for every event that ends a unit.

use std::error::Error;

use crate::pipeline::Unit;

/// The error of an instrumenter: anything.
pub type InstrumenterError = Box<dyn Error + Send + Sync>;

/// A plugin that adds fields to the events that end a unit of work (request, job, timeout).
///
/// Register one with `#[register_instrumenter]`.
pub trait Instrumenter: Send + Sync + 'static {
    /// Called once, when the process sets canonlog up.
    ///
    /// # Errors
    ///
    /// An error stops `init()`, which reports it with the instrumenter's name.
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
#[derive(Clone, Copy)]
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
