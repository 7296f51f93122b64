//! A unit that ends, as instrumenters see it.

use std::fmt;
use std::time::Duration;

use crate::clock;
use crate::context::Context;
use crate::event::{Content, EventType, Stored, is_reserved, order};
use crate::record::keys::{self, KeyId, NOT_INTERNED, Suffix};
use crate::record::snapshot::Facts;
use crate::record::{Kind, Name};
use crate::scratch;
use crate::value::{ToValue, Value};

/// How a unit ended, beside what its record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) failed: bool,
    pub(crate) panicked: bool,
    pub(crate) cancelled: bool,
}

/// A unit that ends, as an [`Instrumenter`](crate::Instrumenter) sees it: it reads the fields so far, and adds its own.
///
/// ```
/// use canonlog::{Instrumenter, InstrumenterError, Unit};
///
/// struct Slow;
///
/// impl Instrumenter for Slow {
///     fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
///         if unit.elapsed().as_secs() >= 1 {
///             unit.set("slow", true); // app_slow="true"
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Unit<'a> {
    pub(crate) content: &'a mut Content,
    pub(crate) facts: &'a mut Facts,
    pub(crate) outcome: Outcome,
}

impl fmt::Debug for Unit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("event", &self.content.view()).finish_non_exhaustive()
    }
}

impl Unit<'_> {
    /// `request`, `job`, `timeout` or `late_response`; of an event within a unit, `partial_failure`.
    pub fn event_type(&self) -> EventType {
        self.content.kind
    }

    /// Whether the unit is a request or a job.
    pub fn kind(&self) -> Kind {
        self.facts.kind
    }

    /// The unit's handle. Writes through it come too late for this event.
    pub fn context(&self) -> Context {
        Context::from_handle(self.facts.handle)
    }

    /// The time from the unit's beginning to its end, or to now if it still runs.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(clock::between(self.facts.started, self.facts.taken))
    }

    /// The CPU time that threads used inside the unit; `None` where it is not measured, and of a unit that times
    /// out with a thread inside: that is counted when it leaves.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn is_busy(unit: &Unit<'_>) -> bool {
    ///     unit.cpu_time().is_some_and(|time| time > unit.elapsed() / 2)
    /// }
    /// ```
    pub fn cpu_time(&self) -> Option<Duration> {
        self.facts.cpu.map(Duration::from_nanos)
    }

    /// The unit's time limit, if it has one.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn was_close(unit: &Unit<'_>) -> bool {
    ///     unit.time_limit().is_some_and(|limit| unit.elapsed() > limit / 4 * 3)
    /// }
    /// ```
    pub fn time_limit(&self) -> Option<Duration> {
        self.facts.limit
    }

    /// Whether it failed: by an error that reached its boundary, a panic, or a status of 500 and above.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn explain(unit: &mut Unit<'_>) {
    ///     if unit.is_failed() {
    ///         unit.set("runbook", "https://wiki/checkout");
    ///     }
    /// }
    /// ```
    pub fn is_failed(&self) -> bool {
        self.outcome.failed
            || self.outcome.panicked
            || self.facts.error
            || self.facts.status.is_some_and(|status| status >= 500)
    }

    /// A field by its full name: `resp_status`.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn is_slow_page(unit: &Unit<'_>) -> bool {
    ///     unit.elapsed().as_secs() >= 1 && unit.get("req_method").is_some()
    /// }
    /// ```
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.content.view().get(name)
    }

    /// Whether one of the framework's own fields is there.
    #[inline]
    pub(crate) fn has(&self, id: KeyId) -> bool {
        self.content.has_known(id)
    }

    /// Sets one of the framework's own fields, which has a place of its own in the order.
    #[inline]
    pub(crate) fn set_known(&mut self, id: KeyId, value: Stored) {
        self.content.set_known(id, value);
    }

    /// The same, of a length of time in nanoseconds.
    #[inline(always)]
    pub(crate) fn set_nanos(&mut self, id: KeyId, nanos: u64) {
        self.content.set_nanos(id, nanos);
    }

    /// Sets several of the framework's own fields, which stand one behind the other: counts, or nanoseconds
    /// ([`head::NANOS`](crate::event::head)).
    #[inline]
    pub(crate) fn set_numbers<const N: usize>(&mut self, kinds: [(KeyId, u64); N], values: [u64; N]) {
        self.content.set_numbers(kinds, values);
    }

    /// Sets `app_<key>`.
    pub fn set(&mut self, key: &'static str, value: impl ToValue) {
        self.put("app", key, value.to_value());
    }

    /// Sets `<namespace>_<key>`.
    ///
    /// The framework's own namespaces are for instrumenters that own one; what the framework itself set can be changed.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn add_release(unit: &mut Unit<'_>) {
    ///     unit.set_in("shop", "release", env!("CARGO_PKG_VERSION")); // shop_release="0.1.0"
    /// }
    /// ```
    pub fn set_in(&mut self, namespace: &'static str, key: &'static str, value: impl ToValue) {
        self.put(namespace, key, value.to_value());
    }

    /// Takes a field away.
    ///
    /// ```
    /// # use canonlog::Unit;
    /// fn forget_the_client(unit: &mut Unit<'_>) {
    ///     unit.remove("req_client_ip");
    /// }
    /// ```
    pub fn remove(&mut self, name: &str) {
        self.content.retain(|field| field != name);
    }

    /// Executions by text: hash, how many, nanoseconds.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.facts.query_texts.counts().iter().map(|query| (query.hash, query.count, query.nanos))
    }

    /// What is known of the unit, and its event.
    pub(crate) fn parts(&mut self) -> (&Facts, &mut Content) {
        (self.facts, self.content)
    }

    /// All executions, and their nanoseconds together.
    pub(crate) fn query_totals(&self) -> (u64, u64) {
        (self.facts.queries, self.facts.query_nanos)
    }

    /// Executions of texts beyond those that are told apart.
    pub(crate) fn untracked_queries(&self) -> u64 {
        self.facts.untracked
    }

    #[inline]
    fn put(&mut self, namespace: &'static str, key: &'static str, value: Value<'_>) {
        let text;
        let value = match value {
            Value::Display(value) => {
                let (made, whole) = scratch::display_checked(value);
                self.facts.value_errors += u64::from(!whole);
                text = made;
                Value::Str(&text)
            }
            value => value,
        };
        let id = keys::find(namespace, key, Suffix::None);
        if id == NOT_INTERNED {
            let name = Name::new(namespace, key, Suffix::None);
            self.facts.renamed += u64::from(name.is_renamed());
            let name = name.as_str();
            self.content.set_text(name, order(name), is_reserved(namespace), value);
            return;
        }
        self.facts.renamed += u64::from(id.is_renamed());
        self.content.set_key(id, value);
    }
}
