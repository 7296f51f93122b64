//! How one field becomes an item of a conversion.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

pub(super) type ValueFn = Arc<dyn Fn(Value<'_>) -> String + Send + Sync>;
pub(super) type ItemFn = Arc<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// What becomes of a key and its value.
#[derive(Clone)]
pub(super) enum Item {
    Pair,
    Value,
    Nothing,
    Made(ItemFn),
}

/// How one field becomes an item of a [`Conversion`](crate::Conversion).
///
/// ```
/// use canonlog::{Conversion, Converter, Value};
///
/// let table = Conversion::new()
///     .with(Converter::new("cart").required().value_only())
///     .with(Converter::new("total").value(|total| format!("{total} EUR")))
///     .with(Converter::new("secret").hidden());
/// let fields = [("total", Value::U64(5)), ("secret", Value::Str("x")), ("cart", Value::U64(7)), ("b", Value::Bool(true))];
/// assert_eq!(table.convert(fields)?, "7:total=5 EUR:b=true");
/// # Ok::<(), canonlog::MissingFields>(())
/// ```
#[derive(Clone)]
pub struct Converter {
    pub(super) key: String,
    pub(super) required: bool,
    pub(super) value: Option<ValueFn>,
    pub(super) item: Item,
}

impl Converter {
    /// Of a field: `key=value`.
    pub fn new(key: impl Into<String>) -> Self {
        Converter { key: key.into(), required: false, value: None, item: Item::Pair }
    }

    /// The field whose converter this is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The field has to be there: [`Conversion::convert`](crate::Conversion::convert) fails without it, and a line shows `-` for it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Shows the value alone.
    #[must_use]
    pub fn value_only(mut self) -> Self {
        self.item = Item::Value;
        self
    }

    /// Shows nothing of the field.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.item = Item::Nothing;
        self
    }

    /// Whether it shows nothing of the field.
    pub(crate) fn hides(&self) -> bool {
        matches!(self.item, Item::Nothing)
    }

    /// Makes the value's text.
    #[must_use]
    pub fn value(mut self, make: impl Fn(Value<'_>) -> String + Send + Sync + 'static) -> Self {
        self.value = Some(Arc::new(make));
        self
    }

    /// Makes the item of the key and the value's text; `None` leaves it out.
    ///
    /// The item stands as it is made, but for what would end the line: it has no quotes where it holds a separator.
    ///
    /// ```
    /// use canonlog::{Conversion, Converter, Value};
    ///
    /// let known = |key: &str, value: &str| (value != "-").then(|| format!("<{key}>{value}"));
    /// let table = Conversion::new().separator(" ").rest(Converter::new("").item(known));
    /// assert_eq!(table.convert([("b", Value::U64(2)), ("a", Value::Null)])?, "<b>2");
    /// # Ok::<(), canonlog::MissingFields>(())
    /// ```
    #[must_use]
    pub fn item(mut self, make: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.item = Item::Made(Arc::new(make));
        self
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = match self.item {
            Item::Pair => "key=value",
            Item::Value => "value",
            Item::Nothing => "nothing",
            Item::Made(_) => "a function",
        };
        let mut shown = f.debug_struct("Converter");
        shown.field("key", &self.key).field("required", &self.required).field("item", &item);
        shown.field("value", &if self.value.is_some() { "a function" } else { "as it is" }).finish()
    }
}
