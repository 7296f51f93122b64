//! The cheap, copyable handle to a record, and the functions that write the record the current thread is inside.
//!
//! ```text
//! Context::set("cart", 7)          the record this thread is inside
//! cx.set_in("req", "method", m)    a record by its handle, from any thread
//! cx.enter(|| ..)  cx.scope(fut)   carry it to a thread or a task
//! ```

mod by_handle;
mod namespace;
mod owned_value;
mod queries;
mod read;
mod scoped;
mod section;
mod write;

use self::write::{outside, set_named, with_key, with_text};
use crate::fields::Fields;
use crate::record::keys::Suffix;
use crate::record::{Handle, Name, current};
use crate::value::ToValue;

pub use self::namespace::Namespace;
pub use self::owned_value::OwnedValue;
pub use self::scoped::Scoped;
pub use self::section::TimeGuard;
pub(crate) use self::write::{add_by, set_by, set_here};

/// The cheap, copyable handle to a record: 16 bytes, no reference count.
///
/// The functions without a handle ([`Context::set`], [`add`](Context::add), [`get`](Context::get), [`time`](Context::time))
/// mean the record that the current thread is inside; they work anywhere in a request, across `.await` and `join!`. To
/// carry a record into another task or thread, take [`Context::current`] along.
///
/// Outside a record, and after it has ended, nothing is written, and that is counted ([`stats`](crate::stats)).
///
/// ```
/// use canonlog::{Context, Kind, begin};
///
/// let scope = begin(Kind::Request);
/// let cx = scope.context();
/// cx.enter(|| {
///     Context::set("cart_total", 19.99);
///     let _section = Context::time("render");
/// });
/// std::thread::spawn(move || cx.enter(|| Context::set("worker", true)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    handle: Handle,
}

impl Context {
    /// Sets `app_<key>` in the current record. A key set again keeps its first position.
    ///
    /// Keys are lower-case words joined by `_`; anything else is changed to that, and counted.
    ///
    /// ```
    /// canonlog::Context::set("cart_total", 19.99);
    /// ```
    #[inline(always)]
    pub fn set(key: &'static str, value: impl ToValue) {
        set_here("app", key, value.to_value());
    }

    /// As [`set`](Context::set), for a key made at run time; such a key is never kept beyond its record.
    ///
    /// ```
    /// for (name, value) in [("colour", "red"), ("size", "M")] {
    ///     canonlog::Context::set_dynamic(name, value);
    /// }
    /// ```
    pub fn set_dynamic(key: &str, value: impl ToValue) {
        let name = Name::new("app", key, Suffix::None);
        with_text(value.to_value(), |value, whole| {
            current::write_here(|body, writer| set_named(body, &name, value, whole, writer));
        });
    }

    /// Sets every field that a struct has ([`Fields`]), each as [`set`](Context::set) does.
    ///
    /// ```
    /// #[derive(canonlog::Fields)]
    /// struct Cart {
    ///     cart_id: u64,
    ///     cart_total: f64,
    /// }
    ///
    /// canonlog::Context::record(&Cart { cart_id: 7, cart_total: 19.99 });
    /// ```
    pub fn record(fields: &(impl Fields + ?Sized)) {
        fields.record(&mut |key, value| set_here("app", key, value));
    }

    /// Adds a number or a duration to `app_<key>`, which begins at nothing.
    ///
    /// ```
    /// canonlog::Context::add("items", 3);
    /// ```
    #[inline]
    pub fn add(key: &'static str, value: impl ToValue) {
        let value = value.to_value();
        with_key("app", key, |by| {
            let handle = Context::current().handle;
            current::write_here(|body, writer| handle.add(by, value, body, writer));
        });
    }

    /// Reads `app_<key>` of the current record.
    ///
    /// ```
    /// use canonlog::{Context, Kind, OwnedValue, begin};
    ///
    /// let scope = begin(Kind::Job);
    /// scope.context().enter(|| {
    ///     Context::set("step", 3_u8);
    ///     assert_eq!(Context::get("step"), Some(OwnedValue::U64(3)));
    /// });
    /// ```
    pub fn get(key: &str) -> Option<OwnedValue> {
        Context::current().get_in("app", key)
    }

    /// Times a section, until the guard is dropped, into `app_<key>_time`.
    ///
    /// Sections of one key add up. One within another of the same key, or beside it, counts once. A section that ends by
    /// an error, a panic or a cancellation counts too.
    ///
    /// ```
    /// let _section = canonlog::Context::time("render");
    /// ```
    #[inline(always)]
    pub fn time(key: &'static str) -> TimeGuard {
        if current::is_outside() {
            outside();
            return TimeGuard { section: None };
        }
        section::time_here(key)
    }

    /// The record that the current thread is inside; [`Context::none`] outside.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// assert_eq!(Context::current(), Context::none());
    /// let scope = begin(Kind::Request);
    /// scope.enter(|| assert_eq!(Context::current(), scope.context()));
    /// ```
    #[inline]
    pub fn current() -> Context {
        Context { handle: current::handle().unwrap_or(Handle::NONE) }
    }

    /// The handle of no record.
    pub const fn none() -> Context {
        Context { handle: Handle::NONE }
    }

    /// Whether the record is still running.
    ///
    /// ```
    /// use canonlog::{Context, Kind, begin};
    ///
    /// let scope = begin(Kind::Request);
    /// let cx = scope.context();
    /// assert!(cx.is_active());
    /// scope.finish();
    /// assert!(!cx.is_active() && !Context::none().is_active());
    /// ```
    pub fn is_active(&self) -> bool {
        self.handle.is_live()
    }

    pub(crate) fn from_handle(handle: Handle) -> Context {
        Context { handle }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    /// A namespace of your own in this record.
    ///
    /// ```
    /// use canonlog::Context;
    ///
    /// Context::current().namespace("shop").set("tenant", 17); // shop_tenant="17"
    /// ```
    pub fn namespace(&self, namespace: &'static str) -> Namespace {
        Namespace::new(*self, namespace)
    }

    /// Runs `f` inside this record, on this thread.
    ///
    /// ```
    /// use canonlog::Context;
    ///
    /// let cx = Context::current();
    /// std::thread::spawn(move || cx.enter(|| Context::set("worker", 1)));
    /// ```
    #[inline]
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _inside = current::enter(self.handle);
        f()
    }

    /// A future that is polled inside this record, and dropped inside it.
    ///
    /// ```no_run
    /// use canonlog::Context;
    ///
    /// # fn spawn(_: impl Future) {}
    /// spawn(Context::current().scope(async { Context::set("in_task", true) }));
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped::new(*self, future)
    }
}
