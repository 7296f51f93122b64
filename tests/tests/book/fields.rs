//! The fields of the reference: those that the code can write, in its order.

use std::collections::BTreeSet;
use std::time::SystemTime;

use canonlog::{EventType, Level, OwnedEvent};
use canonlog_tests::logfmt;

use super::*;

/// Names that the code holds but never writes into an event, and why.
const NEVER_WRITTEN: [(&str, &str); 2] =
    [("db_query", "the key of a record's queries"), ("canonlog_unknown_key", "stands for a number that no key has")];

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.ends_with('_')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The fields that the library can write: names in one text, and namespace and key in two.
fn written_fields() -> BTreeSet<String> {
    let mut fields: BTreeSet<String> = ["event_type", "event_time", "event_level"].map(str::to_owned).into();
    // Keys of the configuration are no fields.
    for (path, code) in sources().into_iter().filter(|(path, _)| !path.starts_with("setup/")) {
        // The order of fields names some that are for later.
        let code = match code.split_once("const KNOWN:") {
            Some((before, after)) if path == "event/order.rs" => {
                [before, after.split_once("\n];\n").map_or("", |(_, after)| after)].concat()
            }
            _ => code,
        };
        let literals = literals(&code);
        for (at, (between, text)) in literals.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| literals[before].1.as_str());
            match before.filter(|namespace| between.trim() == "," && NAMESPACES.contains(namespace)) {
                Some(namespace) if is_word(text) => {
                    fields.insert(format!("{namespace}_{text}"));
                }
                // The times of a unit go into the namespace of its kind.
                _ if between.ends_with("set_in(namespace, ") => {
                    fields.extend(["job", "resp"].map(|namespace| format!("{namespace}_{text}")));
                }
                _ => {
                    let namespace = text.split_once('_').map(|(namespace, _)| namespace);
                    if is_word(text) && namespace.is_some_and(|namespace| NAMESPACES.contains(&namespace)) {
                        fields.insert(text.clone());
                    }
                }
            }
        }
    }
    for (name, _) in NEVER_WRITTEN {
        assert!(fields.remove(name), "`{name}` is not in the code any more");
    }
    fields
}

/// The blocks of a page that are written in a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let inside = text.split("\n```").skip(1).step_by(2);
    inside.filter_map(|block| block.strip_prefix(language)?.split_once('\n')).map(|(_, block)| block).collect()
}

#[test]
fn the_reference_has_every_field_that_the_code_can_write_and_no_other() {
    let documented: BTreeSet<String> = documented_fields().into_keys().collect();
    assert_eq!(documented, written_fields());
}

#[test]
fn fields_of_one_namespace_stand_in_the_reference_in_the_order_of_an_event() {
    let reference = page("reference/fields.md");
    for namespace in ["req", "job", "exc", "resp", "cancel", "timeout", "db", "rt", "poll"] {
        let rows: Vec<String> =
            rows(&reference, &format!("## {namespace}")).iter().flat_map(|row| quoted(&row[0])).collect();
        assert!(!rows.is_empty(), "{namespace}");
        let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
        for name in rows.iter().rev() {
            event.set(name, 1);
        }
        let ordered: Vec<String> = event.view().fields().map(|(name, _)| name.to_owned()).collect();
        // Where the code gives no order, fields keep that of their first write, which is reversed here.
        let free: Vec<String> = rows.iter().rev().cloned().collect();
        assert!(ordered == rows || ordered == free, "{ordered:?} is not {rows:?}");
    }
}

#[test]
fn every_line_that_a_page_shows_is_in_the_grammar_and_has_only_known_fields() {
    let known = documented_fields();
    let mut lines = 0;
    for name in pages() {
        for line in blocks(&page(name), "text").iter().flat_map(|block| block.lines()) {
            if !line.starts_with("event_type=") {
                continue;
            }
            lines += 1;
            let fields = logfmt::parse(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut event = OwnedEvent::new(EventType::Request, Level::Info, SystemTime::UNIX_EPOCH);
            for (field, value) in &fields[3..] {
                let namespace = field.split('_').next().expect("a namespace");
                let ours = NAMESPACES.contains(&namespace);
                assert!(!ours || known.contains_key(field), "{name}: {field}");
                event.set(field, value.as_str());
            }
            let canonical: Vec<String> = event.view().fields().map(|(name, _)| name.to_owned()).collect();
            let shown: Vec<String> = fields[3..].iter().map(|(field, _)| field.clone()).collect();
            assert_eq!(shown, canonical, "{name}: the order of fields");
        }
    }
    assert!(lines > 5, "{lines} lines");
}
