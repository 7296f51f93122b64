//! A configuration as data of any format: a section of a program's own file, a value that it has made.
//!
//! ```text
//! YAML, JSON, a map in memory ─▶ Deserializer ─▶ Table ─check─▶ Config ─▶ Serializer ─▶ YAML, JSON ...
//! ```

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::error::{ConfigError, ConfigErrors};
use super::tree::{Node, Place, Table, What};
use super::{Config, print};
use crate::redact::REDACTED;

impl Config {
    /// Takes the configuration from data of any format: a value of `serde_json`, the section of a YAML file.
    ///
    /// The keys are those of the file. `null` says nothing. Emitters write in the order of the data: a map that sorts its keys sorts them.
    ///
    /// A struct of the program's own can have a field of the type `Config`, too, as
    /// it implements `Deserialize`; then the mistakes are one error, of whoever reads it.
    ///
    /// ```
    /// use canonlog::Config;
    /// use serde_json::json;
    ///
    /// let config = Config::from_value(json!({
    ///     "timeout": "30s",
    ///     "emitters": { "errors": { "level": "error", "output": "stderr" } },
    /// }))?;
    /// let setup = canonlog::setup().config(config);
    ///
    /// let mistakes = Config::from_value(json!({ "emitters": { "slow": { "format": "jsno" } } })).expect_err("no such format");
    /// assert_eq!(mistakes.all()[0].path(), "emitters.slow.format");
    /// assert_eq!(mistakes.all()[0].nearest(), Some("json"));
    /// # Ok::<(), canonlog::ConfigErrors>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All that is wrong with it; or that it cannot be read.
    pub fn from_value<'de>(data: impl Deserializer<'de>) -> Result<Self, ConfigErrors> {
        match Data::deserialize(data) {
            Ok(Data(data)) => Config::from_data(data),
            Err(error) => {
                let message = format!("it cannot be read: {}", error.to_string().replace('\n', ", "));
                let errors = vec![ConfigError::wrong("", Place::Program, message)];
                Err(ConfigErrors { source: None, errors })
            }
        }
    }

    fn from_data(data: Option<Node>) -> Result<Self, ConfigErrors> {
        let wrong = |error| Err(ConfigErrors { source: None, errors: vec![error] });
        match data {
            None => Ok(Config::new()),
            Some(Node { what: What::Table(table), .. }) => Config::from_table(&table, None),
            Some(other) => {
                let message = format!("the configuration is `{}`; expected a table", other.shown().escape_debug());
                wrong(ConfigError::wrong("", Place::Program, message))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(data: D) -> Result<Self, D::Error> {
        Config::from_data(Data::deserialize(data)?.0).map_err(de::Error::custom)
    }
}

/// The keys as in the file, values masked that look like secrets.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Shown(&self.said, false).serialize(to)
    }
}

/// What is shown, and whether it is inside a choice.
struct Shown<'c, T>(&'c T, bool);

impl Serialize for Shown<'_, Table> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.keys().count()))?;
        let inside = self.1 || self.0.get("type").is_some();
        for (key, node) in self.0.iter() {
            if print::is_secret(key, node, inside) {
                map.serialize_entry(key, REDACTED)?;
            } else {
                map.serialize_entry(key, &Shown(node, inside))?;
            }
        }
        map.end()
    }
}

impl Serialize for Shown<'_, Node> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0.what {
            What::Text(text) | What::Date(text) => to.serialize_str(text),
            What::Integer(number) => to.serialize_i64(*number),
            What::Float(number) => to.serialize_f64(*number),
            What::Bool(value) => to.serialize_bool(*value),
            What::List(all) => to.collect_seq(all.iter().map(|node| Shown(node, self.1))),
            What::Table(table) => Shown(table, self.1).serialize(to),
        }
    }
}

/// Any data; nothing where there is a `null`.
struct Data(Option<Node>);

impl Data {
    fn of<E>(what: What) -> Result<Data, E> {
        Ok(Data(Some(what.into())))
    }

    /// A number that is too great for any key.
    fn great<E>(number: impl ToString) -> Result<Data, E> {
        Data::of(What::Date(number.to_string()))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(data: D) -> Result<Self, D::Error> {
        data.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a boolean, a list or a table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Data::of(What::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Data::of(What::Integer(number))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Data, E> {
        i64::try_from(number).map_or_else(|_| Data::great(number), |number| Data::of(What::Integer(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        i64::try_from(number).map_or_else(|_| Data::great(number), |number| Data::of(What::Integer(number)))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Data, E> {
        i64::try_from(number).map_or_else(|_| Data::great(number), |number| Data::of(What::Integer(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
        Data::of(What::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Data::of(What::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data(None))
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, data: D) -> Result<Data, D::Error> {
        Data::deserialize(data)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, data: D) -> Result<Data, D::Error> {
        Data::deserialize(data)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut data: A) -> Result<Data, A::Error> {
        let mut all = Vec::new();
        while let Some(Data(node)) = data.next_element()? {
            // In a list it stands for something; no key takes it.
            all.push(node.unwrap_or_else(|| What::Date("null".to_owned()).into()));
        }
        Data::of(What::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut data: A) -> Result<Data, A::Error> {
        let mut table = Table::default();
        while let Some(Data(key)) = data.next_key()? {
            let key = key.as_ref().map_or_else(|| "null".to_owned(), Node::shown);
            if table.get(&key).is_some() {
                return Err(de::Error::custom(format_args!("`{}` is given twice", key.escape_debug())));
            }
            if let Data(Some(node)) = data.next_value()? {
                table.set(&key, node);
            }
        }
        Data::of(What::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(data: serde_json::Value) -> String {
        Config::from_value(data).expect_err("something is wrong with it").to_string()
    }

    #[test]
    fn data_says_the_same_as_a_file() {
        let file = "timeout = '30s'\nstacks = 3\ncpu_time = false\n[emitters.a]\nfilter = ['app_a', 'app_b == 1']\n\
                    [fields]\nshard = 7\nload = 0.5\n";
        let file = Config::parse(file).expect("it is right");
        let data = json!({
            "timeout": "30s", "stacks": 3, "cpu_time": false, "poll_limit": null,
            "emitters": { "a": { "filter": ["app_a", "app_b == 1"] } },
            "fields": { "shard": 7, "load": 0.5 },
        });
        assert_eq!(Config::from_value(&data).as_ref(), Ok(&file));
        assert_eq!(Config::from_value(json!(null)), Config::parse(""));
        let again = serde_json::to_value(&file).expect("it is data");
        assert_eq!(Config::from_value(again), Ok(file));
    }

    #[test]
    fn mistakes_in_data_are_named_with_their_paths_and_the_nearest() {
        let text = r#"{
            "emitters": { "a": { "fromat": "json" } },
            "stacks": 18446744073709551615,
            "redact": { "keys": [null] }
        }"#;
        assert_eq!(
            Config::from_value(&mut serde_json::Deserializer::from_str(text)).expect_err("three times").to_string(),
            "`emitters.a.fromat` is no key of the configuration; expected `level`, `types`, `filter`, `format`, `output`; \
             the nearest is `format`\n\
             `stacks` is `18446744073709551615`; expected a whole number from 0 to 1000000\n\
             `redact.keys[0]` is `null`; expected a pattern of keys, such as `*card*`"
        );
        assert_eq!(told(json!(["timeout"])), "the configuration is `a list`; expected a table");
        let twice = "{\"timeout\": \"1s\", \"timeout\": \"2s\"}";
        let error = Config::from_value(&mut serde_json::Deserializer::from_str(twice)).expect_err("which?").to_string();
        assert!(error.starts_with("it cannot be read: `timeout` is given twice"), "{error}");
    }

    #[test]
    fn a_struct_of_the_programs_may_have_a_configuration_as_a_section() {
        let section = |text: &str| serde_json::from_str::<std::collections::BTreeMap<String, Config>>(text);
        let own = section("{ \"logging\": { \"level\": \"error\" } }").expect("it is right");
        assert_eq!(own["logging"], Config::parse("level = 'error'").expect("it is right"));
        let error = section("{ \"logging\": { \"level\": \"eror\" } }").expect_err("no such level").to_string();
        assert!(
            error.starts_with("`level` is `eror`; expected `debug`, ") && error.contains("the nearest is `error`"),
            "{error}"
        );
    }

    #[test]
    fn secrets_are_masked_in_data_too() {
        let config = Config::parse("[fields]\nregion = 'eu'\napi_key = 'abc'").expect("it is right");
        let data = serde_json::to_value(&config).expect("it is data");
        assert_eq!(data, json!({ "fields": { "region": "eu", "api_key": "[redacted]" } }));
    }
}
