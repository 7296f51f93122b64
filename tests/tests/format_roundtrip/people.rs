//! The lines made for people give every value back too, to readers that share no code with their writers.

use std::collections::BTreeSet;

use canonlog::{Conversion, EventType, Level, OwnedEvent, Talisker, Template, TextLine, Value};
use canonlog_tests::logfmt;
use proptest::prelude::*;

use crate::{Field, event, field, fields, find, line, text};

/// A message with these fields, a logger and a text.
fn message(fields: &[(String, Field)], name: &str, text: &str) -> OwnedEvent {
    let mut event = event(EventType::Log, fields);
    event.set("log_name", name);
    event.set("log_msg", text);
    event
}

/// A JSON string's text from between its quotes.
fn unescaped(text: &str) -> Result<String, TestCaseError> {
    serde_json::from_str(&format!("\"{text}\"")).map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))
}

/// Where a text ends whose first character stands behind a quote.
fn end_of_quoted(text: &str) -> Result<usize, TestCaseError> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.ok_or_else(|| TestCaseError::fail(format!("no end of the quotes in {text:?}")))
}

/// A text at the beginning, with or without quotes, and what follows; whether it had quotes.
fn take<'a>(rest: &'a str, ends: &[&str]) -> Result<(String, bool, &'a str), TestCaseError> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let end = end_of_quoted(quoted)?;
        return Ok((unescaped(&quoted[..end])?, true, &quoted[end + 1..]));
    }
    let mut at = 0;
    while at < rest.len() && !ends.iter().any(|end| rest[at..].starts_with(end)) {
        let escape = rest[at..].starts_with('\\');
        at += if escape { 2 } else { rest[at..].chars().next().map_or(1, char::len_utf8) };
    }
    // Outside quotes a quote stands for itself.
    Ok((unescaped(&rest[..at].replace('"', "\\\""))?, false, &rest[at..]))
}

/// A line of talisker's grammar.
struct Line {
    time: String,
    level: String,
    logger: String,
    message: String,
    tags: Vec<logfmt::Token>,
}

fn talisker(line: &str) -> Result<Line, TestCaseError> {
    let (time, rest) = line.split_at(24);
    let (level, rest) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(' ')).expect("a level");
    let (logger, quoted, rest) = take(rest, &[" "])?;
    let logger = if logger == "-" && !quoted { String::new() } else { logger };
    let (message, quoted, rest) = take(rest.strip_prefix(' ').expect("a message"), &[])?;
    prop_assert!(quoted, "{line:?}");
    let tags = match rest.strip_prefix(' ') {
        Some(tags) => logfmt::tokens(tags).map_err(TestCaseError::fail)?,
        None => Vec::new(),
    };
    Ok(Line { time: time.to_owned(), level: level.to_owned(), logger, message, tags })
}

/// The name that a field is shown by in a message; no other can have it here.
fn shown(full: &str) -> &str {
    full.strip_prefix("app_").unwrap_or(full)
}

/// Fields, a text and an error's lines, of a line without a time.
struct Parts {
    items: Vec<Item>,
    text: String,
    error: Vec<String>,
}

const TRACE: &str = r"\nTRACE ";

type Item = (String, String, bool);

/// Items up to a text that ends them: key, value, and whether that had quotes; a value alone has no key.
fn items<'a>(line: &'a str, end: &str) -> Result<(Vec<Item>, &'a str), TestCaseError> {
    let mut items = Vec::new();
    let mut rest = line;
    loop {
        let (first, first_quoted, after) = take(rest, &["=", ":", end])?;
        rest = after;
        if let Some(after) = rest.strip_prefix('=') {
            let (value, quoted, after) = take(after, &[":", end])?;
            items.push((first, value, quoted));
            rest = after;
        } else {
            items.push((String::new(), first, first_quoted));
        }
        if rest.is_empty() || rest.starts_with(end) {
            return Ok((items, rest.strip_prefix(end).unwrap_or(rest)));
        }
        rest = rest.strip_prefix(':').ok_or_else(|| TestCaseError::fail(format!("{rest:?} in {line:?}")))?;
    }
}

fn shell(line: &str) -> Result<Parts, TestCaseError> {
    let (items, rest) = items(line, "|")?;
    let (text, _, mut rest) = take(rest, &[TRACE])?;
    let mut error = Vec::new();
    while let Some(after) = rest.strip_prefix(TRACE) {
        // A quote at the beginning is one as elsewhere here.
        let (text, _, left) =
            take(&format!("x{after}"), &[TRACE]).map(|(text, quoted, rest)| (text, quoted, rest.len()))?;
        let (text, after) = (text[1..].to_owned(), &after[after.len() - left..]);
        error.push(text);
        rest = after;
    }
    prop_assert_eq!(rest, "", "{}", line);
    Ok(Parts { items, text, error })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn taliskers_line_gives_every_value_back(fields in fields(), name in text(), message_text in text()) {
        let event = message(&fields, &name, &message_text);
        let line = line(&Talisker::new().exact_durations(), &event);
        let read = talisker(&line)?;
        prop_assert_eq!(read.time, "2026-11-20 22:46:01.123Z");
        prop_assert_eq!(read.level, "WARNING");
        prop_assert_eq!(read.logger, name);
        prop_assert_eq!(read.message, message_text);
        let there: Vec<_> = fields.iter().filter(|(_, field)| !matches!(field, Field::Null)).collect();
        prop_assert_eq!(read.tags.len(), there.len(), "{}", line);
        for (full, field) in there {
            let tag = read.tags.iter().find(|tag| tag.key == shown(full)).expect("a tag");
            prop_assert!(field.is_read_from(&tag.value), "{tag:?} for {field:?}");
            let looks_like = tag.value.parse::<f64>().is_ok() || ["-", "true", "false", "null"].contains(&&*tag.value);
            prop_assert!(!matches!(field, Field::Text(_)) || tag.quoted || !looks_like, "{tag:?}");
        }
    }

    #[test]
    fn fields_before_a_text_give_every_value_back(fields in fields(), name in text(), message_text in text()) {
        let event = message(&fields, &name, &message_text);
        let line = line(&TextLine::shell(), &event);
        let read = shell(&line)?;
        prop_assert_eq!(&read.text, &message_text, "{}", line);
        prop_assert_eq!(read.error, Vec::<String>::new());
        let mut items = read.items.into_iter();
        prop_assert_eq!(items.next(), Some((String::new(), "WARNING".to_owned(), false)));
        let (_, read_name, quoted) = items.next().expect("a name");
        prop_assert_eq!(read_name, name.clone());
        prop_assert!(quoted || name != "-");
        let items: Vec<_> = items.collect();
        prop_assert_eq!(items.len(), fields.len());
        prop_assert!(items.is_sorted_by(|(a, ..), (b, ..)| a < b), "{items:?}");
        for (key, value, quoted) in items {
            let (full, _) = fields.iter().find(|(full, _)| shown(full) == key).expect("a field");
            let field = find(&fields, full);
            prop_assert_eq!(&value, &field.value().to_string());
            prop_assert!(quoted || value != "-" || matches!(field, Field::Null), "{key}={value}");
        }
    }

    #[test]
    fn an_error_is_told_from_a_text_that_looks_like_one(message_text in text(), told in text()) {
        let mut event = message(&[], "shop", &message_text);
        event.set("exc_type", "shop::Error");
        event.set("exc_msg", told.as_str());
        event.set("exc_trace", "a.rs:1:f > b.rs:2:g");
        let line = line(&TextLine::shell(), &event);
        let read = shell(&line)?;
        prop_assert_eq!(read.text, message_text, "{}", line);
        let between = if told.is_empty() { "" } else { ": " };
        let expected = format!("shop::Error{between}{told}\n  a.rs:1:f\n  b.rs:2:g");
        prop_assert_eq!(read.error.join("\n"), expected);
    }

    #[test]
    fn no_two_fields_are_shown_by_one_name(names in prop::collection::btree_set("(app_|shop_|app_shop_|)(level|name|time|n|trailer|request_id|errno)_{0,2}", 1..12)) {
        let mut owned = OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::UNIX_EPOCH);
        names.iter().enumerate().for_each(|(at, name)| owned.set(name, at));
        owned.set("req_id", "x");
        let count = owned.view().fields().count();
        let tags = talisker(&line(&Talisker::new(), &owned))?.tags;
        prop_assert_eq!(tags.len(), count);
        let values: BTreeSet<&str> = tags.iter().map(|tag| tag.value.as_str()).collect();
        prop_assert_eq!(values.len(), count);
        let items = shell(&line(&TextLine::shell(), &owned))?.items;
        let keys: BTreeSet<&str> = items.iter().map(|(key, ..)| key.as_str()).collect();
        // The level has no key.
        prop_assert_eq!(keys.len(), count + 1, "{:?}", items);
        prop_assert!(!keys.contains("level") && !keys.contains("time") && !keys.contains("name"));
    }

    #[test]
    fn a_table_converts_as_the_line_does(fields in prop::collection::btree_map("[a-z]{1,3}", field(), 0..6)) {
        let given = || fields.iter().map(|(key, field)| (key.as_str(), field.value()));
        let converted = Conversion::new().convert(given()).expect("nothing is required");
        let (read, _) = items(&converted, "\0")?;
        for ((key, field), (read_key, value, _)) in fields.iter().zip(&read) {
            prop_assert_eq!((key, &field.value().to_string()), (read_key, value));
        }
        prop_assert_eq!(read.len(), fields.len().max(1));
    }

    #[test]
    fn places_in_quotes_give_texts_back(one in text(), two in text(), width in 0_usize..40) {
        let mut owned = event(EventType::Status, &[]);
        owned.set("app_one", one.as_str());
        owned.set("app_two", two.as_str());
        let template = Template::new(&format!("\"{{one}}\" \"{{app_two:>{width}}}\"")).expect("a template");
        let line = line(&template, &owned);
        let (read, _, rest) = take(&line, &[])?;
        prop_assert_eq!(read, one);
        let (read, _, rest) = take(&rest[1..], &[])?;
        prop_assert_eq!(read.trim_start_matches(' '), two.trim_start_matches(' '));
        prop_assert!(read.ends_with(&two), "{read:?}");
        prop_assert_eq!(rest, "");
    }

    #[test]
    fn no_text_is_a_template_that_panics(template in text()) {
        if let Ok(template) = Template::new(&template) {
            let owned = event(EventType::Status, &[]);
            prop_assert!(!line(&template, &owned).contains(['\n', '\r']));
        }
    }
}

#[test]
fn other_events_tell_what_they_are_about() {
    let mut owned = event(EventType::Request, &[]);
    owned.set("req_method", "GET");
    owned.set("req_path", "/a b");
    owned.set("req_referrer", Value::Null);
    let read = talisker(&line(&Talisker::new(), &owned)).expect("a line of the grammar");
    assert_eq!((read.logger.as_str(), read.message.as_str()), ("canonlog.request", "GET /a b"));
    let tags: Vec<_> = read.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(tags, [("method", "GET"), ("path", "/a b")]);
    assert_eq!(
        line(&TextLine::shell(), &owned),
        "WARNING:canonlog.request:req_method=GET:req_path=/a b:req_referrer=-|GET /a b"
    );
}
