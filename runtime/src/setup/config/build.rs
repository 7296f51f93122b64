//! A configuration as what it means: emitters and settings.

use std::path::Path;
use std::time::Duration;

use super::error::ConfigError;
use super::measure;
use super::tree::{Node, Place, Table, What};
use super::{formats, offers, outputs};
use crate::emitter::Emitter;
use crate::features::Feature;
use crate::level::{Level, LevelFilter};
use crate::lookback::Lookback;
use crate::monitor::status::{SHORTEST, Status};
use crate::pipeline::Settings;
use crate::record::log::Limits;
use crate::redact::Redaction;

/// A table that was checked: what it lacks is what holds without a word.
pub(super) trait Checked {
    fn text(&self, key: &str) -> Option<&str>;
    fn truth(&self, key: &str) -> Option<bool>;
    fn count(&self, key: &str) -> Option<usize>;
    fn time(&self, key: &str) -> Option<Duration>;
    fn size(&self, key: &str) -> Option<u64>;
}

impl Checked for Table {
    fn text(&self, key: &str) -> Option<&str> {
        self.at(key)?.as_text()
    }

    fn truth(&self, key: &str) -> Option<bool> {
        self.at(key)?.as_bool()
    }

    fn count(&self, key: &str) -> Option<usize> {
        usize::try_from(self.at(key)?.as_count()?).ok()
    }

    fn time(&self, key: &str) -> Option<Duration> {
        measure::duration(self.text(key)?)
    }

    fn size(&self, key: &str) -> Option<u64> {
        measure::size(self.text(key)?)
    }
}

pub(super) fn bytes(table: &Table, key: &str) -> Option<usize> {
    Some(usize::try_from(table.size(key)?).unwrap_or(usize::MAX))
}

/// What the pipeline decides about its records.
pub(super) fn settings(all: &Table) -> Settings {
    let usual = Settings::default();
    let limits = Limits {
        record: bytes(all, "limits.record").unwrap_or(usual.limits.record),
        value: bytes(all, "limits.value").unwrap_or(usual.limits.value),
        fields: all.count("limits.fields").unwrap_or(usual.limits.fields),
    };
    Settings {
        lookback: lookback(all),
        cpu_time: all.truth("cpu_time").unwrap_or(usual.cpu_time),
        limits,
        event_limit: bytes(all, "limits.event").unwrap_or(usual.event_limit),
        timeout: all.time("timeout"),
        poll_limit: all.time("poll_limit"),
        stacks: all.count("stacks").map_or(usual.stacks, |count| u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

/// What canonlog was built without.
pub(super) fn lacks(all: &Table, errors: &mut Vec<ConfigError>) {
    let stacks = all.get("stacks").filter(|_| !cfg!(feature = "stacks") && all.count("stacks") > Some(0));
    if let Some(node) = stacks {
        errors.push(ConfigError::wrong("stacks", node.place, "it needs canonlog's feature `stacks`"));
    }
}

/// Whether quiet messages are kept, and how.
fn lookback(all: &Table) -> Option<Lookback> {
    let table = all.table("lookback").filter(|table| table.truth("enabled") == Some(true))?;
    let level = |key: &str| table.text(key).and_then(|text| text.parse::<Level>().ok());
    let mut lookback = Lookback::new().slower_than(table.time("slower_than"));
    if let Some(capacity) = table.count("capacity") {
        lookback = lookback.capacity(capacity);
    }
    if let Some(bytes) = bytes(table, "bytes") {
        lookback = lookback.bytes(bytes);
    }
    if let Some(age) = table.time("max_age") {
        lookback = lookback.max_age(age);
    }
    if let Some(level) = level("flush_level") {
        lookback = lookback.flush_level(level);
    }
    if let Some(level) = level("keep_below") {
        lookback = lookback.keep_below(level);
    }
    Some(lookback)
}

/// What is never recorded.
pub(super) fn redaction(all: &Table) -> Redaction {
    let texts = |key: &str| all.at(key).map(Node::texts).unwrap_or_default();
    let redaction = if all.truth("redact.usual") == Some(false) { Redaction::none() } else { Redaction::default() };
    redaction
        .keys(texts("redact.keys"))
        .except(texts("redact.except"))
        .query_strings(all.truth("redact.query_strings").unwrap_or_default())
        .sql_literals(all.truth("redact.sql_literals").unwrap_or_default())
}

/// The status events of a configuration; what is wrong with them goes to `errors`.
pub(super) fn statuses(all: &Table, errors: &mut Vec<ConfigError>) -> Vec<Status> {
    let mut made = Vec::new();
    let mut add = |path: String, node: &Node, name: Option<&str>| {
        let Some(period) = node.as_text().and_then(measure::duration) else { return };
        if period < SHORTEST {
            errors.push(ConfigError::expected(&path, node.place, &node.shown(), "a length of time of at least `1ms`"));
        }
        let status = Status::every(period);
        made.push(name.into_iter().fold(status, Status::name));
    };
    if let Some(node) = all.get("status") {
        add("status".to_owned(), node, None);
    }
    for (name, node) in all.table("statuses").into_iter().flat_map(Table::iter) {
        if let Some(node) = node.as_table().and_then(|status| status.get("every")) {
            add(format!("statuses.{name}.every"), node, Some(name));
        }
    }
    made
}

/// The features of a configuration.
pub(super) fn features(all: &Table) -> Vec<Feature> {
    let named = all.get("features").map(Node::texts).unwrap_or_default().into_iter().map(|name| match name {
        "process" => Feature::process(),
        "thread" => Feature::thread(),
        "peer" => Feature::peer(),
        _ => Feature::revision(None),
    });
    let service = all.text("service").map(|name| Feature::global("service").field("service", name));
    let fields = all.table("fields").filter(|fields| !fields.is_empty()).map(|fields| {
        fields.iter().fold(Feature::global("fields"), |feature, (key, node)| match &node.what {
            What::Integer(number) => feature.field(key, *number),
            What::Float(number) => feature.field(key, *number),
            What::Bool(value) => feature.field(key, *value),
            _ => feature.field(key, node.shown()),
        })
    });
    named.chain(service).chain(fields).collect()
}

/// The emitters of a configuration that are meant, in its order, with paths that begin at `folder`; what is wrong with them goes to
/// `errors`.
pub(super) fn emitters(
    all: &Table,
    folder: &Path,
    is_meant: impl Fn(&str) -> bool,
    errors: &mut Vec<ConfigError>,
) -> Vec<Emitter> {
    let mut made = Vec::new();
    // Who writes to which file, and how it is rotated.
    let mut files: Vec<(&str, &str, [Option<&Node>; 3])> = Vec::new();
    for (name, node) in all.table("emitters").into_iter().flat_map(Table::iter).filter(|(name, _)| is_meant(name)) {
        let Some(table) = node.as_table() else { continue };
        if let Some((said, (path, rotation))) =
            table.get("output").and_then(|said| Some((said, outputs::file_of(said, all)?)))
        {
            if let Some((first, ..)) = files.iter().find(|(_, known, other)| *known == path && *other != rotation) {
                let (first, path) = (first.escape_debug(), path.escape_debug());
                let message = format!(
                    "`{first}` writes to `{path}` too, and rotates it in another way; let one of `[outputs]` say how, for both"
                );
                errors.push(ConfigError::wrong(&format!("emitters.{name}.output"), said.place, message));
                continue;
            }
            files.push((name, path, rotation));
        }
        let mut emitter = Emitter::new(name).level(level(table.get("level")));
        if let Some(node) = table.get("types") {
            emitter = emitter.only(formats::types(node));
        }
        for condition in table.get("filter").map(Node::texts).unwrap_or_default() {
            // It was checked.
            if let Some(filter) = offers::filter_of(condition).or_else(|| condition.parse().ok()) {
                emitter = emitter.matching(filter);
            }
        }
        if let Some(format_of) = table.get("format") {
            emitter = match formats::format(emitter, format_of) {
                Ok(whole) => whole,
                Err(message) => {
                    errors.push(ConfigError::wrong(&format!("emitters.{name}.format"), format_of.place, message));
                    continue;
                }
            };
        }
        if let Some(output_of) = table.get("output") {
            match outputs::output(emitter, output_of, all, folder) {
                Ok(whole) => made.push(whole),
                Err(error) => {
                    errors.push(ConfigError::wrong(
                        &format!("emitters.{name}.output"),
                        output_of.place,
                        error.to_string(),
                    ));
                }
            }
        } else {
            made.push(emitter);
        }
    }
    made
}

/// The debug log of a configuration, if it has one.
pub(super) fn debug_log(all: &Table, folder: &Path, errors: &mut Vec<ConfigError>) -> Option<Emitter> {
    let made = Emitter::debug_log(folder.join(all.text("debug_log")?));
    made.map_err(|error| {
        let place = all.get("debug_log").map_or(Place::Program, |node| node.place);
        errors.push(ConfigError::wrong("debug_log", place, error.to_string()));
    })
    .ok()
}

/// A level that was checked.
pub(super) fn level(node: Option<&Node>) -> LevelFilter {
    node.and_then(Node::as_text).and_then(|text| text.parse().ok()).unwrap_or(LevelFilter::Debug)
}

/// The keys of what the program offers.
pub(super) fn without_type(said: &Table) -> Table {
    said.iter().filter(|(key, _)| !matches!(*key, "type")).map(|(key, node)| (key.to_owned(), node.clone())).collect()
}

/// The name of what was chosen, and what is said of it.
pub(super) fn chosen(node: &Node) -> (&str, Table) {
    match node.as_table() {
        Some(table) => (table.text("type").unwrap_or_default(), table.clone()),
        None => (node.as_text().unwrap_or_default(), Table::default()),
    }
}
