//! Every key of the configuration: what it may hold, and what holds without it.

use super::check::{Checks, Key, Kind, Variant};
use super::offers::{self, Offer};
use super::outputs;
use super::tree::Node;
use crate::emitter::Filter;
use crate::format::Template;
use crate::output::{Facility, Tcp, UnixSocket};
use crate::redact;

pub(super) static ROOT: &[Key] = &[
    Key::new("level", Kind::Level, "debug"),
    Key::new("format", Kind::Choice(Offer::Format, FORMATS, &[]), "logfmt"),
    Key::new("output", Kind::Output(OUTPUTS, WAYS), "stdout"),
    Key::new("timeout", Kind::DurationOrOff, "false"),
    Key::new("poll_limit", Kind::DurationOrOff, "100ms"),
    Key::new("cpu_time", Kind::Bool, "true"),
    Key::new("stacks", Kind::Count(0, 1_000_000), "0"),
    Key::new("drain", Kind::Duration, "2s"),
    Key::new("debug_log", Kind::Path, ""),
    Key::new("message_fields", Kind::ListOf(&WHOLE_NAME), "[]"),
    Key::new("service", Kind::Text, ""),
    Key::new("features", Kind::ListOf(&Kind::OneOf(&FEATURES)), "[]"),
    Key::new("fields", Kind::Fields, ""),
    Key::new("status", Kind::DurationOrOff, "false"),
    Key::new("statuses", Kind::Named(&Kind::Table(STATUS)), ""),
    Key::new("lookback", Kind::Table(LOOKBACK), ""),
    Key::new("incremental", Kind::Bool, "false"),
    Key::new("limits", Kind::Table(LIMITS), ""),
    Key::new("redact", Kind::Table(REDACT), ""),
    Key::new("outputs", Kind::Named(&Kind::Choice(Offer::Output, OUTPUTS, WAYS)), ""),
    Key::new("emitters", Kind::Named(&Kind::Table(EMITTER)), ""),
];

pub(super) const FEATURES: [&str; 4] = ["process", "thread", "peer", "revision"];

static STATUS: &[Key] = &[Key::required("every", Kind::Duration)];

pub(super) static LOOKBACK: &[Key] = &[
    Key::new("enabled", Kind::Bool, "false"),
    Key::new("capacity", Kind::Count(1, 1_000_000), "128"),
    Key::new("bytes", Kind::Size, "64KiB"),
    Key::new("max_age", Kind::Duration, "1h"),
    Key::new("flush_level", Kind::OneOf(&LEVELS), "error"),
    Key::new("keep_below", Kind::OneOf(&LEVELS), ""),
    Key::new("slower_than", Kind::DurationOrOff, "false"),
];

const LEVELS: [&str; 6] = ["debug", "info", "notice", "warning", "error", "critical"];

pub(super) static LIMITS: &[Key] = &[
    Key::new("record", Kind::Size, "64KiB"),
    Key::new("value", Kind::Size, "8KiB"),
    Key::new("fields", Kind::Count(0, 32_767), "128"),
    Key::new("event", Kind::Size, "64KiB"),
];

const WHOLE_NAME: Kind = Kind::Checked("the whole name of a field, such as `req_method`", is_whole_name);

fn is_whole_name(text: &str) -> Result<(), String> {
    let is_whole = text.split_once('_').is_some_and(|(namespace, key)| !namespace.is_empty() && !key.is_empty());
    let shown = text.escape_debug();
    is_whole.then_some(()).ok_or_else(|| {
        format!("`{shown}` is no whole name of a field; expected one with its namespace, such as `req_{shown}` or `app_{shown}`")
    })
}

const PATTERN: Kind = Kind::Checked("a pattern of keys, such as `*card*`", is_pattern);

fn is_pattern(text: &str) -> Result<(), String> {
    let expected = "expected words of letters and digits joined by `_`, with `*` for any characters of a word";
    let text = text.escape_debug();
    redact::is_pattern(&text.to_string()).then_some(()).ok_or_else(|| format!("`{text}` is no pattern; {expected}"))
}

pub(super) static REDACT: &[Key] = &[
    Key::new("usual", Kind::Bool, "true"),
    Key::new("keys", Kind::ListOf(&PATTERN), "[]"),
    Key::new("except", Kind::ListOf(&PATTERN), "[]"),
    Key::new("query_strings", Kind::Bool, "false"),
    Key::new("sql_literals", Kind::Bool, "false"),
];

pub(super) static EMITTER: &[Key] = &[
    Key::new("level", Kind::Level, "debug"),
    Key::new("types", SOME_TYPES, ""),
    Key::new("filter", Kind::ListOf(&CONDITION), ""),
    Key::new("format", Kind::Choice(Offer::Format, FORMATS, &[]), "logfmt"),
    Key::new("output", Kind::Output(OUTPUTS, WAYS), "stdout"),
];

const SOME_TYPES: Kind = Kind::SomeOf(&Kind::OneOf(&TYPES));

const CONDITION: Kind = Kind::Checked("a condition, such as `resp_status >= 500`", is_condition);

fn is_condition(text: &str) -> Result<(), String> {
    if offers::filter_of(text).is_some() {
        return Ok(());
    }
    text.parse::<Filter>().and_then(|filter| filter.check()).map_err(|error| error.to_string())
}

pub(super) const TYPES: [&str; 9] =
    ["request", "job", "timeout", "partial_failure", "late_response", "lost", "dropped", "log", "status"];

pub(super) static FORMATS: &[Variant] = &[
    Variant { name: "logfmt", keys: &[Key::new("quote", Kind::OneOf(&["all", "needed"]), "all"), EXACT] },
    Variant { name: "json", keys: &[] },
    Variant { name: "pretty", keys: &[Key::new("color", Kind::Bool, "")] },
    Variant { name: "combined", keys: &[] },
    Variant { name: "talisker", keys: &[EXACT, Key::new("locations", Kind::Bool, "false")] },
    Variant { name: "line", keys: TEXT },
    Variant { name: "shell", keys: TEXT },
    Variant {
        name: "template",
        keys: &[
            Key::required(
                "template",
                Kind::Checked("a template, such as `{event_time:%T} {resp_status}`", is_template),
            ),
            Key::new("types", SOME_TYPES, ""),
        ],
    },
    Variant { name: "gelf", keys: &[Key::new("host", Kind::Text, "")] },
    Variant {
        name: "otlp",
        keys: &[
            Key::new("service", Kind::Text, ""),
            Key::new("resource", Kind::Fields, ""),
            Key::new("record_only", Kind::Bool, "false"),
        ],
    },
];

const EXACT: Key = Key::new("exact_durations", Kind::Bool, "false");

const TEXT: &[Key] = &[
    Key::new("separator", Kind::Text, "|"),
    Key::new("traceback_prefix", Kind::Text, "\\nTRACE "),
    Key::new("millis", Kind::Bool, "false"),
    Key::new("fields", Kind::ListOf(&FIELD), ""),
    Key::new("rest", SHOWN, "pair"),
    Key::new("between", Kind::Text, ":"),
    Key::new("aggregate", Kind::Checked("a text with `{items}`", has_items), ""),
    Key::new("unquoted", Kind::Bool, "false"),
];

const FIELD: Kind = Kind::Either(&Kind::Text, &Kind::Table(CONVERTER));

/// How a field is shown in a line.
pub(super) const CONVERTER: &[Key] =
    &[Key::required("key", Kind::Text), Key::new("show", SHOWN, "pair"), Key::new("required", Kind::Bool, "false")];

const SHOWN: Kind = Kind::Either(
    &Kind::OneOf(&["pair", "value", "hidden"]),
    &Kind::Checked("a text with `{value}`, such as `{key}: {value}`", has_value),
);

fn has_value(text: &str) -> Result<(), String> {
    let expected = "expected `pair`, `value`, `hidden`, or a text with `{value}` in it, such as `{key}: {value}`";
    if text.contains("{value}") {
        Ok(())
    } else {
        Err(format!("`{}` has no `{{value}}`; {expected}", text.escape_debug()))
    }
}

fn has_items(text: &str) -> Result<(), String> {
    let expected = "expected a text with `{items}` in it, such as `[{items}]`";
    if text.contains("{items}") {
        Ok(())
    } else {
        Err(format!("`{}` has no `{{items}}`; {expected}", text.escape_debug()))
    }
}

fn is_template(text: &str) -> Result<(), String> {
    Template::new(text).map(drop).map_err(|error| error.to_string())
}

pub(super) static OUTPUTS: &[Variant] = &[
    Variant { name: "stdout", keys: &[] },
    Variant { name: "stderr", keys: &[] },
    Variant {
        name: "file",
        keys: &[
            Key::required("path", Kind::Path),
            Key::new("daily", Kind::Bool, "false"),
            Key::new("max_size", Kind::Size, ""),
            Key::new("keep", Kind::Count(0, 100_000), "7"),
        ],
    },
    Variant { name: "null", keys: &[] },
    Variant { name: "tracing", keys: &[] },
    Variant { name: "tcp", keys: &[Key::required("server", SERVER), NULL, CONNECT, HOLD, FIRST, LONGEST] },
    Variant {
        name: "udp",
        keys: &[
            Key::required("server", SERVER),
            Key::new("chunked", Kind::Bool, "false"),
            CONNECT,
            HOLD,
            FIRST,
            LONGEST,
        ],
    },
    Variant { name: "unix", keys: &[Key::required("path", SOCKET), NULL, CONNECT, HOLD, FIRST, LONGEST] },
    Variant {
        name: "syslog",
        keys: &[
            Key::new("server", Kind::Checked("a server, such as `udp://localhost:514`", outputs::is_syslog), ""),
            Key::new("facility", Kind::Checked("a facility, such as `local0`", is_facility), "user"),
            Key::new("app_name", Kind::Text, ""),
            Key::new("hostname", Kind::Text, ""),
            Key::new("full_header", Kind::Bool, ""),
            Key::new("structured", Kind::Text, ""),
            Key::new("max_message", Kind::Size, "8KiB"),
            Key::new("framing", Kind::OneOf(&["octets", "newline"]), ""),
            CONNECT,
            HOLD,
            FIRST,
            LONGEST,
        ],
    },
    Variant {
        name: "journald",
        keys: &[Key::new("path", SOCKET, ""), Key::new("identifier", Kind::Text, ""), CONNECT, HOLD, FIRST, LONGEST],
    },
];

const SERVER: Kind = Kind::Checked("a server, such as `localhost:5170`", is_server);
const SOCKET: Kind = Kind::Checked("the path of a socket", is_socket);
const NULL: Key = Key::new("null_terminated", Kind::Bool, "false");
const CONNECT: Key = Key::new("connect_within", Kind::Duration, "5s");
const HOLD: Key = Key::new("wait_for_server", Kind::Duration, "1s");
const FIRST: Key = Key::new("first_pause", Kind::Duration, "100ms");
const LONGEST: Key = Key::new("longest_pause", Kind::Duration, "5s");

fn is_server(text: &str) -> Result<(), String> {
    Tcp::new(text).map(drop).map_err(|error| error.to_string())
}

fn is_socket(text: &str) -> Result<(), String> {
    UnixSocket::new(text).map(drop).map_err(|error| error.to_string())
}

fn is_facility(text: &str) -> Result<(), String> {
    text.parse::<Facility>().map(drop).map_err(|error| error.to_string())
}

/// How lines get to an output.
pub(super) static WAYS: &[Key] = &[
    Key::new("queue", Kind::Table(QUEUE), ""),
    Key::new("direct", Kind::Either(&Kind::Bool, &Kind::Duration), "false"),
];

pub(super) static QUEUE: &[Key] = &[
    Key::new("events", Kind::Count(1, 100_000_000), "8192"),
    Key::new("bytes", Kind::Size, "16MiB"),
    Key::new("period", Kind::Duration, "100ms"),
    Key::new("overflow", Kind::Either(&Kind::OneOf(&["drop"]), &Kind::Duration), "drop"),
];

/// Variables of the environment, and the keys that they set.
pub(super) const VARIABLES: [(&str, &str); 17] = [
    ("CANONLOG_LEVEL", "level"),
    ("CANONLOG_FORMAT", "format"),
    ("CANONLOG_OUTPUT", "output"),
    ("CANONLOG_TIMEOUT", "timeout"),
    ("CANONLOG_POLL_LIMIT", "poll_limit"),
    ("CANONLOG_CPU_TIME", "cpu_time"),
    ("CANONLOG_STACKS", "stacks"),
    ("CANONLOG_DRAIN", "drain"),
    ("CANONLOG_DEBUG_LOG", "debug_log"),
    ("CANONLOG_MESSAGE_FIELDS", "message_fields"),
    ("CANONLOG_SERVICE", "service"),
    ("CANONLOG_FEATURES", "features"),
    ("CANONLOG_STATUS", "status"),
    ("CANONLOG_LOOKBACK", "lookback.enabled"),
    ("CANONLOG_REDACT", "redact.keys"),
    ("CANONLOG_QUERY_STRINGS", "redact.query_strings"),
    ("CANONLOG_SQL_LITERALS", "redact.sql_literals"),
];

/// The key that a path leads to.
pub(super) fn key(path: &str) -> Option<&'static Key> {
    let mut keys = ROOT;
    let mut found = None;
    for name in path.split('.') {
        found = keys.iter().find(|key| key.name == name);
        keys = match found?.kind {
            Kind::Table(inner) => inner,
            _ => &[],
        };
    }
    found
}

/// What a key holds where nothing is said.
pub(super) fn usual(key: &Key) -> Option<Node> {
    let mut checks = Checks { loose: true, ..Checks::default() };
    if key.usual.is_empty() {
        return None;
    }
    checks.check(key.kind, &Node::text(key.usual.trim_matches(['[', ']'])), key.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;

    #[test]
    fn what_holds_without_a_word_is_what_the_key_may_hold() {
        fn look(keys: &[Key]) {
            for key in keys {
                match key.kind {
                    Kind::Table(inner) => look(inner),
                    _ if key.usual.is_empty() => {}
                    _ => assert!(usual(key).is_some(), "{}", key.name),
                }
            }
        }
        for keys in [ROOT, EMITTER, WAYS].into_iter().chain(FORMATS.iter().chain(OUTPUTS).map(|variant| variant.keys)) {
            look(keys);
        }
    }

    #[test]
    fn every_variable_sets_a_key() {
        assert!(VARIABLES.iter().all(|(_, path)| key(path).is_some()));
    }

    #[test]
    fn every_type_of_event_has_its_name() {
        let all: Vec<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(all, TYPES);
    }
}
