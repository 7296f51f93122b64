//! A namespace of the application's own.

use super::write::{set_named, with_text};
use super::{Context, OwnedValue, TimeGuard};
use crate::event::is_reserved;
use crate::record::keys::Suffix;
use crate::record::{Name, current};
use crate::value::ToValue;

/// A namespace of a record; made by [`Context::namespace`].
///
/// The framework's own namespaces are refused: a field meant for `req` is written as `app_<key>`, and counted.
///
/// ```
/// use canonlog::{Context, Kind, OwnedValue, begin};
///
/// begin(Kind::Request).enter(|| {
///     let shop = Context::current().namespace("shop");
///     shop.set("tenant", 17_u8); // shop_tenant="17"
///     shop.add("calls", 1); // shop_calls="1"
///     assert_eq!(shop.get("tenant"), Some(OwnedValue::U64(17)));
///
///     Context::current().namespace("req").set("tenant", 18); // app_tenant="18"
///     assert!(Context::get("tenant").is_some());
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Namespace {
    context: Context,
    namespace: &'static str,
    refused: bool,
}

impl Namespace {
    pub(super) fn new(context: Context, namespace: &'static str) -> Self {
        Namespace { context, namespace, refused: is_reserved(namespace) }
    }

    fn name(&self) -> &'static str {
        if self.refused {
            current::write(self.context.handle, |body, _| body.count_renamed());
            return "app";
        }
        self.namespace
    }

    /// Sets `<namespace>_<key>`.
    ///
    /// ```
    /// canonlog::Context::current().namespace("shop").set("tenant", 17);
    /// ```
    pub fn set(&self, key: &'static str, value: impl ToValue) {
        self.context.set_in(self.name(), key, value);
    }

    /// Sets `<namespace>_<key>` for a key made at run time.
    ///
    /// ```
    /// for (header, value) in [("x-tenant", "17"), ("x-plan", "business")] {
    ///     canonlog::Context::current().namespace("shop").set_dynamic(header, value); // shop_x_tenant="17" shop_x_plan="business"
    /// }
    /// ```
    pub fn set_dynamic(&self, key: &str, value: impl ToValue) {
        let namespace = self.name();
        let name = Name::new(namespace, key, Suffix::None);
        with_text(value.to_value(), |value, whole| {
            current::write(self.context.handle, |body, writer| set_named(body, &name, value, whole, writer));
        });
    }

    /// Adds to `<namespace>_<key>`.
    ///
    /// ```
    /// canonlog::Context::current().namespace("shop").add("points", 3);
    /// ```
    pub fn add(&self, key: &'static str, value: impl ToValue) {
        self.context.add_in(self.name(), key, value);
    }

    /// Reads `<namespace>_<key>`.
    ///
    /// ```
    /// use canonlog::{Context, Kind, OwnedValue, begin};
    ///
    /// begin(Kind::Request).enter(|| {
    ///     let shop = Context::current().namespace("shop");
    ///     shop.set("tenant", 17);
    ///     assert_eq!(shop.get("tenant"), Some(OwnedValue::I64(17)));
    /// });
    /// ```
    pub fn get(&self, key: &str) -> Option<OwnedValue> {
        self.context.get_in(if self.refused { "app" } else { self.namespace }, key)
    }

    /// Times a section into `<namespace>_<key>_time`.
    ///
    /// ```
    /// let _section = canonlog::Context::current().namespace("shop").time("render"); // shop_render_time="0.004"
    /// ```
    pub fn time(&self, key: &'static str) -> TimeGuard {
        self.context.time_in(self.name(), key)
    }
}
