//! TOML as a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::hints;
use super::tree::{Node, Place, Table, What};

/// Reads a text.
///
/// # Errors
///
/// What is no TOML: the first of each line, as what follows comes of it.
pub(super) fn read(text: &str) -> Result<Table, Vec<ConfigError>> {
    let lines = Lines { ends: text.match_indices('\n').map(|(at, _)| at).collect() };
    let (table, errors) = DeTable::parse_recoverable(text);
    let wrong = |error: &toml::de::Error| {
        let place = error.span().map_or(Place::Program, |span| lines.of(span.start));
        let number = if let Place::Line(number) = place { number } else { 0 };
        let line = number.checked_sub(1).and_then(|at| text.lines().nth(at)).unwrap_or_default();
        ConfigError::wrong("", place, hints::no_toml(line, error.message()))
    };
    let mut errors: Vec<ConfigError> = errors.iter().map(wrong).collect();
    errors.dedup_by_key(|error| error.line());
    if errors.is_empty() { Ok(lines.table(table.get_ref())) } else { Err(errors) }
}

/// Where lines end.
struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    fn of(&self, at: usize) -> Place {
        Place::Line(1 + self.ends.partition_point(|end| *end < at))
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let pairs = table.iter().map(|(key, value)| {
            let node = self.node(value);
            // A table's line is that of its name.
            let place = if node.as_table().is_some() { self.of(key.span().start) } else { node.place };
            (key.get_ref().to_string(), Node { place, ..node })
        });
        pairs.collect()
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let what = match value.get_ref() {
            DeValue::String(text) => What::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => What::Integer(number),
                // It is too great for any key.
                Err(_) => What::Date(number.as_str().to_owned()),
            },
            DeValue::Float(number) => {
                number.as_str().parse().map_or_else(|_| What::Date(number.as_str().to_owned()), What::Float)
            }
            DeValue::Boolean(value) => What::Bool(*value),
            DeValue::Datetime(date) => What::Date(date.to_string()),
            DeValue::Array(all) => What::List(all.iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => What::Table(self.table(table)),
        };
        Node { what, place: self.of(value.span().start) }
    }
}
