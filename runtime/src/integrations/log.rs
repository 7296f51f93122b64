//! Messages of the crate [`log`](::log): each becomes an event of the request in which it was logged.
//!
//! ```text
//! log::info!(cart = 7; "..") ──▶ Bridge ──▶ Relay ──▶ the emitters of the request
//! ```

use std::time::Duration;

use ::log::kv::{Error, Key, Value as KvValue, VisitSource, VisitValue};
use ::log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::emitter::wanted;
use crate::event::EventType;
use crate::inside::is_inside;
use crate::message::{Relay, Taking, heard};
use crate::pipeline;
use crate::value::{ToValue, Value, display};

/// Makes canonlog the logger of `log`, for everything but its traces; [`Bridge`] leaves more open.
///
/// `log_name` is the target, and key-values become fields of their types.
///
/// ```
/// canonlog::log::install()?;
/// log::info!(cart = 7, user = "ann"; "checked out {} items", 3);
/// # Ok::<(), log::SetLoggerError>(())
/// ```
///
/// # Errors
///
/// `log` has a logger already.
pub fn install() -> Result<(), SetLoggerError> {
    Bridge::new().install()
}

/// A logger of `log` that hands every record on, as a message.
///
/// ```
/// use canonlog::{Value, testing};
/// use log::{Level, Log, Record};
///
/// let capture = testing::capture();
/// let key_values = [("cart", 7)];
/// let record =
///     Record::builder().level(Level::Warn).target("shop").args(format_args!("full")).key_values(&key_values).build();
/// canonlog::log::Bridge::new().log(&record);
///
/// let event = capture.one();
/// assert_eq!(event.view().level(), canonlog::Level::Warning);
/// assert_eq!(event.view().get("app_cart"), Some(Value::I64(7)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bridge {
    max_level: LevelFilter,
}

impl Default for Bridge {
    fn default() -> Self {
        Bridge { max_level: LevelFilter::Debug }
    }
}

impl Bridge {
    /// One for everything but traces.
    pub fn new() -> Self {
        Bridge::default()
    }

    /// One for records up to this level. Traces become debug messages, as canonlog has no lower level.
    ///
    /// ```no_run
    /// canonlog::log::Bridge::new().max_level(log::LevelFilter::Trace).install()?;
    /// # Ok::<(), log::SetLoggerError>(())
    /// ```
    #[must_use]
    pub fn max_level(self, max_level: LevelFilter) -> Self {
        Bridge { max_level }
    }

    /// Makes it the logger of `log`.
    ///
    /// # Errors
    ///
    /// `log` has one already.
    pub fn install(self) -> Result<(), SetLoggerError> {
        ::log::set_boxed_logger(Box::new(self))?;
        ::log::set_max_level(self.max_level);
        Ok(())
    }
}

impl Log for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.max_level && wanted(EventType::Log, metadata.level().into())
    }

    fn log(&self, record: &Record<'_>) {
        // One that nobody wants may be counted still.
        if record.level() > self.max_level || !heard(record.level().into()) {
            return;
        }
        let mut relay = Relay::new(record.level().into(), record.target());
        if let (Some(file), Some(line)) = (record.file(), record.line()) {
            relay = relay.place(file, line);
        }
        relay.pass(*record.args(), |into| {
            // A source that fails has handed over what it could.
            let _ = record.key_values().visit(&mut Pairs(into));
        });
    }

    /// Waits a second at most.
    fn flush(&self) {
        if !is_inside() {
            for parts in pipeline::in_use() {
                parts.emitters.flush(Duration::from_secs(1));
            }
        }
    }
}

/// Hands over pair by pair.
struct Pairs<'p, 't, 'd>(&'p mut Taking<'t, 'd>);

impl<'kvs> VisitSource<'kvs> for Pairs<'_, '_, '_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: KvValue<'kvs>) -> Result<(), Error> {
        value.visit(Pair { key: &key, into: self.0 })
    }
}

/// Hands over a value in its own type.
struct Pair<'p, 'k, 't, 'd> {
    key: &'p Key<'k>,
    into: &'p mut Taking<'t, 'd>,
}

impl Pair<'_, '_, '_, '_> {
    fn take(&mut self, value: impl ToValue) -> Result<(), Error> {
        match self.key.to_static_str() {
            Some(key) => self.into.field(key, value),
            None => self.into.field_dynamic(self.key.as_str(), value),
        }
        Ok(())
    }
}

impl<'v> VisitValue<'v> for Pair<'_, '_, '_, '_> {
    fn visit_any(&mut self, value: KvValue<'_>) -> Result<(), Error> {
        self.take(display(value))
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.take(Value::Null)
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        self.take(value)
    }

    fn visit_char(&mut self, value: char) -> Result<(), Error> {
        self.take(value)
    }
}
