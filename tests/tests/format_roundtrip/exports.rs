//! What other systems read holds every value.

use canonlog::{Combined, EventType, Format, Gelf, Json, Logfmt, Otlp, Pretty, Talisker, TextLine};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{Field, event, fields, line, nanos_as_seconds, same_float, text};

fn object(line: &str) -> Result<Map<String, Value>, TestCaseError> {
    serde_json::from_str(line).map_err(|error| TestCaseError::fail(format!("{error}: {line}")))
}

/// Whether Graylog takes a text for none.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control())
}

/// Whether GELF's value, a text or a number, stands for the field's.
fn is_gelf(field: &Field, read: Option<&Value>) -> bool {
    match (field, read) {
        (Field::Null, read) => read.is_none(),
        (Field::Bool(value), Some(read)) => read.as_str() == Some(&value.to_string()),
        (Field::F64(value), Some(read)) if !value.is_finite() => {
            read.as_str().is_some_and(|text| same_float(text.parse().ok(), *value))
        }
        (Field::U64(value), Some(read)) if i64::try_from(*value).is_err() => read.as_str() == Some(&value.to_string()),
        (_, Some(read)) => field.is_read_from_json(read),
        _ => false,
    }
}

/// Whether a value of OTLP stands for the field's.
fn is_otlp(field: &Field, read: &Value) -> bool {
    let Some(read) = read.as_object() else { return false };
    let Some((kind, value)) = read.iter().next() else { return false };
    let text = value.as_str().unwrap_or_default();
    read.len() == 1
        && match (field, kind.as_str()) {
            (Field::Text(expected), "stringValue") => text == expected,
            (Field::Bool(expected), "boolValue") => value.as_bool() == Some(*expected),
            (Field::I64(expected), "intValue") => text.parse() == Ok(*expected),
            (Field::U64(expected), "intValue") => text.parse() == Ok(*expected),
            (Field::U64(expected), "stringValue") => i64::try_from(*expected).is_err() && text.parse() == Ok(*expected),
            (Field::F64(expected), "doubleValue") if expected.is_finite() => same_float(value.as_f64(), *expected),
            (Field::F64(expected), "stringValue") => {
                let names = [("NaN", f64::NAN), ("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)];
                names.iter().any(|(name, number)| text == *name && same_float(Some(*number), *expected))
            }
            (Field::Nanos(expected), "doubleValue") => value.as_f64() == nanos_as_seconds(*expected),
            _ => false,
        }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gelf_gives_every_value_back(fields in fields(), host in text(), message in text()) {
        let mut event = event(EventType::Log, &fields);
        event.set("log_msg", message.as_str());
        let line = line(&Gelf::new().host(&host), &event);
        let read = object(&line)?;
        prop_assert_eq!(&read["version"], "1.1");
        prop_assert_eq!(read["host"].as_str(), Some(if is_blank(&host) { "-" } else { &host }));
        let blank = is_blank(&message);
        prop_assert_eq!(read["short_message"].as_str(), Some(if blank { "log" } else { &message }));
        let text = (blank && !message.is_empty()).then_some(message.as_str());
        prop_assert_eq!(read.get("_log_msg").and_then(Value::as_str), text);
        prop_assert_eq!(read["timestamp"].as_f64(), Some(1_795_214_761.123));
        prop_assert_eq!(&read["level"], 4);
        let there = fields.iter().filter(|(_, field)| !matches!(field, Field::Null)).count();
        prop_assert_eq!(read.len(), 6 + there + usize::from(text.is_some()));
        for (name, field) in &fields {
            let read = read.get(&format!("_{name}"));
            prop_assert!(is_gelf(field, read), "{name}: {read:?} for {field:?}");
        }
        let allowed = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        prop_assert!(read.keys().all(|name| allowed(name) && name != "_id"));
    }

    #[test]
    fn no_name_makes_an_object_unreadable(names in prop::collection::vec("[ab/:@.]{1,3}|id_{0,2}", 0..8)) {
        let mut event = event(EventType::Log, &[]);
        names.iter().enumerate().for_each(|(at, name)| event.set(name, at));
        let fields = event.view().fields().count();
        let line = line(&Gelf::new().host("h"), &event);
        prop_assert_eq!(object(&line)?.len(), 6 + fields, "{}", line);
        prop_assert!(!line.contains("\"_id\""));
    }

    #[test]
    fn opentelemetry_gives_every_value_back(fields in fields(), service in text(), name in text(), message in text()) {
        let mut event = event(EventType::Log, &fields);
        event.set("log_name", name.as_str());
        event.set("log_msg", message.as_str());
        let whole = object(&line(&Otlp::new().service(&service), &event))?;
        let logs = &whole["resourceLogs"][0];
        prop_assert_eq!(&logs["resource"]["attributes"][0]["key"], "service.name");
        prop_assert_eq!(logs["resource"]["attributes"][0]["value"]["stringValue"].as_str(), Some(service.as_str()));
        let scope = &logs["scopeLogs"][0];
        prop_assert_eq!(scope["scope"]["name"].as_str(), Some(name.as_str()));
        let record = &scope["logRecords"][0];
        prop_assert_eq!(&record["timeUnixNano"], "1795214761123000000");
        prop_assert_eq!(&record["severityNumber"], 13);
        prop_assert_eq!(record["body"]["stringValue"].as_str(), Some(message.as_str()));
        let attributes = record["attributes"].as_array().expect("a list");
        let there = || fields.iter().filter(|(_, field)| !matches!(field, Field::Null));
        prop_assert_eq!(attributes.len(), there().count());
        for (name, field) in there() {
            let read = attributes.iter().find(|one| one["key"] == name.as_str()).expect("an attribute");
            prop_assert!(is_otlp(field, &read["value"]), "{name}: {} for {field:?}", read["value"]);
        }
    }
}

#[test]
fn no_attribute_is_there_twice() {
    let mut owned = event(EventType::Request, &[]);
    for name in ["req_method", "http.request.method", "url.path", "code.line.number", "log_loc"] {
        owned.set(name, "a.rs:7");
    }
    let read = object(&line(&Otlp::new().record_only(), &owned)).expect("an object");
    let mut keys: Vec<_> =
        read["attributes"].as_array().expect("a list").iter().map(|one| one["key"].as_str()).collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), count), (6, 6), "{keys:?}");
}

#[test]
fn an_event_as_long_as_any_has_a_line_that_a_queue_takes_in_every_format() {
    // 64 KiB with their escapes, of which a record keeps 8 KiB a value.
    let text = "\"\n\\é".repeat(1_000);
    for kind in [EventType::Request, EventType::Log] {
        let mut owned = event(kind, &[]);
        for name in ["req_path", "exc_type", "exc_msg", "exc_trace", "log_msg", "app_a", "app_b", "app_c"] {
            owned.set(name, &text);
        }
        let formats: [&dyn Format; 8] = [
            &Logfmt::new(),
            &Json::new(),
            &Pretty::new().color(true),
            &Combined::new(),
            &Talisker::new(),
            &TextLine::new(),
            &Gelf::new(),
            &Otlp::new().service("shop"),
        ];
        for format in formats {
            let line = line(format, &owned);
            assert!(line.len() < 128 * 1024, "{} bytes of {}…", line.len(), line.get(..80).unwrap_or(&line));
        }
    }
}
