//! How long an event is once it is written, for the limit on its size.

use super::escape;
use crate::event::Event;
use crate::value::Value;

pub(crate) use super::escape::{escaped_len, escaped_prefix};

/// What type, time and level take at most, with the braces of JSON.
const HEAD: usize =
    r#"{"event_type":"partial_failure","event_time":"2026-11-20T22:46:01.123Z","event_level":"critical"}"#.len();
/// What JSON, the longer of the formats, puts around a name and a text: `,"":""`.
const AROUND: usize = 6;
/// The longest number: a float of 24 bytes, or a duration of 20 digits, a point and 9 decimals.
const NUMBER: usize = 30;

/// The most bytes that a field takes in logfmt or JSON.
#[inline]
pub(crate) fn field_len(name: &str, value: Value<'_>) -> usize {
    let value = match value {
        Value::Str(text) => escape::escaped_len(text),
        Value::Display(value) => escape::escaped_len(&crate::scratch::display(value)),
        Value::Null | Value::Bool(_) => 5,
        Value::I64(_) | Value::U64(_) | Value::F64(_) | Value::Duration(_) => NUMBER,
    };
    AROUND + name.len() + value
}

/// The most bytes that an event takes in logfmt or JSON.
pub(crate) fn event_len(event: &Event<'_>) -> usize {
    HEAD + event.fields().map(|(name, value)| field_len(name, value)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, OwnedEvent};
    use crate::format::{Format, Json, Logfmt};
    use crate::level::Level;
    use proptest::prelude::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn no_number_is_longer_than_counted() {
        let longest = [
            Value::Null,
            Value::Bool(false),
            Value::I64(i64::MIN),
            Value::U64(u64::MAX),
            Value::F64(-f64::MIN_POSITIVE),
            Value::F64(f64::MIN),
            Value::F64(-1.234_567_890_123_456_7e-305),
            Value::Duration(Duration::from_nanos(u64::MAX)),
            Value::Duration(Duration::MAX),
        ];
        for value in longest {
            let mut event = OwnedEvent::new(EventType::PartialFailure, Level::Critical, SystemTime::UNIX_EPOCH);
            event.set("app_a", value);
            assert_within(&event);
        }
    }

    fn assert_within(event: &OwnedEvent) {
        let most = event_len(&event.view());
        let formats: [&dyn Format; 3] = [&Json::new(), &Logfmt::new(), &Logfmt::new().exact_durations()];
        for format in formats {
            let mut line = Vec::new();
            format.format(&event.view(), &mut line);
            assert!(line.len() <= most, "{} > {most}: {}", line.len(), String::from_utf8_lossy(&line));
        }
    }

    proptest! {
        #[test]
        fn no_event_is_longer_than_counted(texts in prop::collection::vec(any::<String>(), 0..8)) {
            let mut event = OwnedEvent::new(EventType::PartialFailure, Level::Critical, SystemTime::UNIX_EPOCH);
            for (at, text) in texts.iter().enumerate() {
                event.set(&format!("app_k{at}"), text);
            }
            assert_within(&event);
        }
    }
}
