//! Events, values and counts for whatever takes [`serde::Serialize`].
//!
//! An event is a flat map in canonical order, as [`Json`](crate::Json) writes it, but with its time as nanoseconds since 1970:
//! a serializer owns how times look.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::event::{Event, OwnedEvent};
use crate::stats::{OutputStats, Stats};
use crate::value::Value;

/// Numbers as numbers, durations as seconds, nothing as unit.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I64(value) => serializer.serialize_i64(*value),
            Value::U64(value) => serializer.serialize_u64(*value),
            Value::F64(value) => serializer.serialize_f64(*value),
            Value::Duration(value) => serializer.serialize_f64(value.as_secs_f64()),
            Value::Str(value) => serializer.serialize_str(value),
            Value::Display(value) => serializer.collect_str(value),
        }
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields().len() + 3))?;
        map.serialize_entry("event_type", self.kind().as_str())?;
        map.serialize_entry("event_time", &self.unix_nanos())?;
        map.serialize_entry("event_level", self.level().as_str())?;
        for (name, value) in self.fields() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl Serialize for OwnedEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view().serialize(serializer)
    }
}

/// `{"name": .., "written": .., "lost": {"queue_full": .., ..}}`
impl Serialize for OutputStats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Lost<'a>(&'a OutputStats);
        impl Serialize for Lost<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.lost_by_reason().map(|(reason, count)| (reason.as_str(), count)))
            }
        }
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("name", self.name())?;
        map.serialize_entry("written", &self.written())?;
        map.serialize_entry("lost", &Lost(self))?;
        map.end()
    }
}

/// `{"outputs": [..], "late_writes": .., ..}`
impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("outputs", self.outputs())?;
        for (name, count) in self.counts() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::{EventType, Level};

    #[test]
    fn an_event_is_a_flat_map_with_numbers_as_numbers() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_500);
        let mut event = OwnedEvent::new(EventType::Request, Level::Info, time);
        event.set("resp_time", Duration::from_millis(1_500));
        event.set("req_path", "/cart \"x\"");
        event.set("app_total", 19.99);
        event.set("app_none", None::<u8>);
        let json = serde_json::to_string(&event).expect("JSON");
        let expected = r#"{"event_type":"request","event_time":1500,"event_level":"info","req_path":"/cart \"x\"","app_total":19.99,"app_none":null,"resp_time":1.5}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn the_counts_name_every_output() {
        let json = serde_json::to_value(crate::stats()).expect("JSON");
        assert!(json["outputs"].is_array() && json["late_writes"].is_u64(), "{json}");
    }
}
