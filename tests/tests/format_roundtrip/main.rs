//! Whatever an event holds, its line is one line that gives every value back.

mod exports;
mod people;

use std::time::{Duration, SystemTime};

use canonlog::{
    Combined, EventType, Format, Gelf, Json, Level, Logfmt, Otlp, OwnedEvent, Pretty, Talisker, Template, TextLine,
    Value,
};
use canonlog_tests::logfmt;
use proptest::prelude::*;

/// A field's value that can be made at random and compared.
#[derive(Clone, Debug)]
enum Field {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Nanos(u64),
    Text(String),
}

impl Field {
    fn value(&self) -> Value<'_> {
        match self {
            Field::Null => Value::Null,
            Field::Bool(value) => Value::Bool(*value),
            Field::I64(value) => Value::I64(*value),
            Field::U64(value) => Value::U64(*value),
            Field::F64(value) => Value::F64(*value),
            Field::Nanos(value) => Value::Duration(Duration::from_nanos(*value)),
            Field::Text(value) => Value::Str(value),
        }
    }

    /// Whether a text in a line stands for this value, exactly.
    fn is_read_from(&self, text: &str) -> bool {
        match self {
            Field::Null => text == "-",
            Field::Bool(value) => text.parse() == Ok(*value),
            Field::I64(value) => text.parse() == Ok(*value),
            Field::U64(value) => text.parse() == Ok(*value),
            Field::F64(value) => same_float(text.parse().ok(), *value) && text != "0" && !text.is_empty(),
            Field::Nanos(value) => nanos(text) == Some(*value),
            Field::Text(value) => text == value,
        }
    }

    /// Whether a JSON value stands for this value, exactly.
    fn is_read_from_json(&self, json: &serde_json::Value) -> bool {
        match self {
            Field::Null => json.is_null(),
            Field::Bool(value) => json.as_bool() == Some(*value),
            Field::I64(value) => json.as_i64() == Some(*value),
            Field::U64(value) => json.as_u64() == Some(*value),
            Field::F64(value) if value.is_finite() => json.is_f64() && same_float(json.as_f64(), *value),
            Field::F64(_) => json.is_null(),
            Field::Nanos(value) => json.is_f64() && json.as_f64() == nanos_as_seconds(*value),
            Field::Text(value) => json.as_str() == Some(value),
        }
    }
}

fn same_float(read: Option<f64>, written: f64) -> bool {
    read.is_some_and(|read| read.to_bits() == written.to_bits() || read.is_nan() && written.is_nan())
}

/// The nanoseconds of an exact number of seconds.
fn nanos(text: &str) -> Option<u64> {
    let (seconds, decimals) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(format!("{decimals:0<9}").parse().ok()?)
}

/// The float nearest to a number of nanoseconds in seconds, by way of its decimal text.
fn nanos_as_seconds(nanos: u64) -> Option<f64> {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000).parse().ok()
}

/// Texts of all kinds, with the characters that matter more often than chance would have them.
fn text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(vec![
        "\"",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "\u{9b}",
        "\u{a0}",
        "\u{61c}",
        "\u{200e}",
        "\u{2028}",
        "\u{2029}",
        "\u{202e}",
        "\u{2066}",
        "\u{feff}",
        "\u{fffd}",
        "\u{1f600}",
        "=",
        " ",
        "\" req_id=\"x",
        "\\u0041",
        "${jndi:ldap://x}",
        "%n",
        "{}",
        ",",
        "}",
        "é",
        "-",
        "null",
        "true",
        "5",
        "1e9",
        "NaN",
        "word",
    ])
    .prop_map(str::to_owned);
    let piece = prop_oneof![3 => hostile, 2 => any::<String>(), 2 => "[ -~]{0,40}"];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        Just(Field::Null),
        any::<bool>().prop_map(Field::Bool),
        any::<i64>().prop_map(Field::I64),
        (-2000_i64..2000).prop_map(Field::I64),
        any::<u64>().prop_map(Field::U64),
        (0_u64..2000).prop_map(Field::U64),
        any::<u64>().prop_map(|bits| Field::F64(f64::from_bits(bits))),
        (-1e6..1e6).prop_map(Field::F64),
        any::<u64>().prop_map(Field::Nanos),
        (0_u64..100_000_000_000).prop_map(Field::Nanos),
        text().prop_map(Field::Text),
        text().prop_map(Field::Text),
    ]
}

fn fields() -> impl Strategy<Value = Vec<(String, Field)>> {
    let namespace = prop::sample::select(vec!["req", "app", "exc", "resp", "db", "shop", "canonlog"]);
    let field = (namespace, 1_usize..70, field());
    prop::collection::vec(field, 0..16).prop_map(|fields| {
        let name = |at, namespace, len| format!("{namespace}_{}{at}", "k".repeat(len));
        fields.into_iter().enumerate().map(|(at, (space, len, field))| (name(at, space, len), field)).collect()
    })
}

fn event(kind: EventType, fields: &[(String, Field)]) -> OwnedEvent {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_214_761_123);
    let mut event = OwnedEvent::new(kind, Level::Warning, time);
    for (name, field) in fields {
        event.set(name, field.value());
    }
    event
}

fn line(format: &dyn Format, event: &OwnedEvent) -> String {
    let mut line = Vec::new();
    format.format(&event.view(), &mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

const HEAD: [(&str, &str); 3] =
    [("event_type", "request"), ("event_time", "2026-11-20T22:46:01.123Z"), ("event_level", "warning")];

/// The names in the order of the event.
fn names(event: &OwnedEvent) -> Vec<String> {
    let names = event.view().fields().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    HEAD.iter().map(|(name, _)| (*name).to_owned()).chain(names).collect()
}

fn find<'a>(fields: &'a [(String, Field)], name: &str) -> &'a Field {
    &fields.iter().find(|(known, _)| known == name).expect("a field that was set").1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logfmt_gives_every_value_back(fields in fields()) {
        let event = event(EventType::Request, &fields);
        let line = line(&Logfmt::new().exact_durations(), &event);
        let read = logfmt::parse(&line).map_err(TestCaseError::fail)?;
        let read_names = read.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        prop_assert_eq!(read_names, names(&event));
        for ((name, value), (expected_name, expected)) in read.iter().zip(HEAD) {
            prop_assert_eq!((name.as_str(), value.as_str()), (expected_name, expected));
        }
        for (name, value) in &read[3..] {
            prop_assert!(find(&fields, name).is_read_from(value), "{name}={value:?}");
        }
    }

    #[test]
    fn no_name_makes_a_line_unreadable(names in prop::collection::vec(text(), 0..6)) {
        let mut event = event(EventType::Request, &[]);
        for name in &names {
            event.set(name, 1);
        }
        let fields = event.view().fields().count();
        let read = logfmt::parse(&line(&Logfmt::new(), &event)).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read.len(), 3 + fields);
        let json: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line(&Json::new(), &event)).expect("an object");
        prop_assert_eq!(json.len(), 3 + fields);
    }

    #[test]
    fn a_value_displays_as_logfmt_writes_it(field in field()) {
        let event = event(EventType::Request, &[("app_a".to_owned(), field.clone())]);
        let written = logfmt::field(&line(&Logfmt::new(), &event), "app_a").map_err(TestCaseError::fail)?;
        prop_assert_eq!(written, field.value().to_string());
    }

    #[test]
    fn logfmt_with_few_quotes_gives_every_value_and_its_kind_back(fields in fields()) {
        let event = event(EventType::Request, &fields);
        let line = line(&Logfmt::new().quote_needed().exact_durations(), &event);
        let read = logfmt::tokens(&line).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read.iter().map(|token| token.key.clone()).collect::<Vec<_>>(), names(&event));
        for token in &read[3..] {
            let field = find(&fields, &token.key);
            prop_assert!(field.is_read_from(&token.value), "{token:?}");
            let is_text = matches!(field, Field::Text(_));
            prop_assert!(is_text || !token.quoted, "{token:?}");
            if is_text && !token.quoted {
                let looks_like = token.value.parse::<f64>().is_ok() || ["-", "true", "null"].contains(&&*token.value);
                prop_assert!(!looks_like, "{token:?}");
            }
        }
    }

    #[test]
    fn json_gives_every_value_back(fields in fields()) {
        let event = event(EventType::Request, &fields);
        let line = line(&Json::new(), &event);
        let read: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line).map_err(|error| TestCaseError::fail(format!("{error}: {line}")))?;
        prop_assert_eq!(read.len(), names(&event).len());
        for (name, expected) in HEAD {
            prop_assert_eq!(read[name].as_str(), Some(expected));
        }
        for (name, field) in &fields {
            prop_assert!(field.is_read_from_json(&read[name]), "{name}: {} for {field:?}", read[name]);
        }
        // The order of the text, which the map above has lost.
        let places = names(&event).iter().map(|name| line.find(&format!("\"{name}\":"))).collect::<Vec<_>>();
        prop_assert!(places.iter().all(Option::is_some));
    }

    #[test]
    fn logfmt_and_json_say_the_same(fields in fields()) {
        let event = event(EventType::Request, &fields);
        let logfmt = logfmt::parse(&line(&Logfmt::new().exact_durations(), &event)).map_err(TestCaseError::fail)?;
        let json: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line(&Json::new(), &event)).expect("an object");
        for (name, text) in logfmt {
            let same = match &json[&name] {
                serde_json::Value::String(json) => *json == text,
                serde_json::Value::Null => ["-", "NaN", "inf", "-inf"].contains(&&*text),
                json if json.is_f64() => json.as_f64() == text.parse().ok(),
                json => format!("{json}") == text,
            };
            prop_assert!(same, "{name}: {text:?} in logfmt, {} in JSON", json[&name]);
        }
    }

    #[test]
    fn no_format_writes_a_character_that_acts(fields in fields()) {
        let kinds = [EventType::Request, EventType::Timeout, EventType::LateResponse, EventType::Log];
        let template = Template::new("{req_path} {*}").expect("a template");
        let formats: [&dyn Format; 12] = [
            &Logfmt::new(),
            &Logfmt::new().quote_needed(),
            &Logfmt::new().exact_durations(),
            &Json::new(),
            &Pretty::new().color(false),
            &Combined::new(),
            &Talisker::new(),
            &TextLine::new(),
            &TextLine::shell(),
            &template,
            &Gelf::new(),
            &Otlp::new().service("shop"),
        ];
        let mut texts = fields;
        for name in ["req_method", "req_path", "req_referrer", "req_user_agent", "req_client_ip", "job_name", "log_msg", "log_name"] {
            if let Some((_, field)) = texts.iter().find(|(_, field)| matches!(field, Field::Text(_))) {
                let field = field.clone();
                texts.retain(|(known, _)| known != name);
                texts.push((name.to_owned(), field));
            }
        }
        for kind in kinds {
            let event = event(kind, &texts);
            for format in formats {
                let line = line(format, &event);
                prop_assert!(!line.contains(logfmt::must_be_escaped), "{line:?}");
            }
        }
    }

    #[test]
    fn the_access_log_has_its_fields_whatever_they_hold(
        method in text(), path in text(), ip in text(), referrer in text(), agent in text(), status in 100_u64..600,
    ) {
        let mut owned = event(EventType::Request, &[]);
        for (name, value) in [
            ("req_method", &method), ("req_path", &path), ("req_client_ip", &ip), ("req_referrer", &referrer),
            ("req_user_agent", &agent),
        ] {
            owned.set(name, value);
        }
        owned.set("resp_status", status);
        let line = line(&Combined::new(), &owned);
        let (head, quoted) = line.split_once("] \"").expect("a time");
        prop_assert_eq!(head.split(' ').count(), 5);
        let parts = split_quoted(quoted);
        prop_assert_eq!(parts.len(), 5, "{}", line);
        prop_assert_eq!(line.matches('"').count(), 6, "no quote in a text: {}", line);
        prop_assert_eq!(parts[0].split(' ').count(), 3);
        prop_assert_eq!(parts[1], format!(" {status} - "));
        let unescaped = |text: &str| serde_json::from_str::<String>(&format!("\"{text}\"")).expect("JSON's escapes");
        prop_assert_eq!(unescaped(parts[2]), referrer);
        prop_assert_eq!(unescaped(parts[4]), agent);
    }
}

/// The parts of a text between quotes that have no backslash before them.
fn split_quoted(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    parts
}

#[test]
fn durations_are_rounded_in_logfmt_and_exact_in_json() {
    let fields = [("resp_time".to_owned(), Field::Nanos(16_500_000))];
    let event = event(EventType::Request, &fields);
    assert!(line(&Logfmt::new(), &event).ends_with(r#" resp_time="0.017""#));
    assert!(line(&Logfmt::new().exact_durations(), &event).ends_with(r#" resp_time="0.0165""#));
    assert!(line(&Json::new(), &event).ends_with(r#","resp_time":0.0165}"#));
}

#[test]
fn a_colored_line_holds_no_command_but_its_own_colours() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{7}";
    let event = event(EventType::Request, &[("app_a".to_owned(), Field::Text(hostile.to_owned()))]);
    let line = line(&Pretty::new().color(true), &event);
    for command in line.split('\u{1b}').skip(1) {
        let (code, _) = command.split_once('m').expect("a colour");
        assert!(code.trim_start_matches('[').chars().all(|c| c.is_ascii_digit() || c == ';'), "{command:?}");
    }
    assert!(!line.contains(['\u{9b}', '\u{7}']));
}
