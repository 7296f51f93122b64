//! A table as data, for whoever wants its values as a type of its own.

use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::tree::{Node, Table, What};

/// The values of a table.
///
/// # Errors
///
/// What the type says of them.
pub(super) fn read<T: DeserializeOwned>(table: &Table) -> Result<T, String> {
    T::deserialize(Data(&What::Table(table.clone()))).map_err(|error| error.to_string())
}

struct Data<'de>(&'de What);

impl<'de> IntoDeserializer<'de> for Data<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Data<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let of = |node: &'de Node| Data(&node.what);
        match self.0 {
            What::Text(text) | What::Date(text) => visitor.visit_borrowed_str(text),
            What::Integer(number) => visitor.visit_i64(*number),
            What::Float(number) => visitor.visit_f64(*number),
            What::Bool(value) => visitor.visit_bool(*value),
            What::List(all) => visitor.visit_seq(SeqDeserializer::new(all.iter().map(of))),
            What::Table(table) => {
                visitor.visit_map(MapDeserializer::new(table.iter().map(|(key, node)| (key, of(node)))))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            What::Table(table) if table.is_empty() => visitor.visit_unit(),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            What::Text(text) => {
                IntoDeserializer::<Error>::into_deserializer(text.as_str()).deserialize_enum(name, variants, visitor)
            }
            What::Table(table) => {
                let pairs = table.iter().map(|(key, node)| (key, Data(&node.what)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(pairs)))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
