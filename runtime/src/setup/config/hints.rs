//! What a mistake is told with: what was expected, and what may have been meant.

use super::build::Checked;
use super::check::{Key, Kind, LEVELS, names_of};
use super::error::{ConfigError, list};
use super::measure;
#[cfg(feature = "config")]
use super::print;
use super::schema::{EMITTER, FORMATS, LIMITS, LOOKBACK, OUTPUTS, QUEUE, REDACT, ROOT, WAYS};
use super::tree::{Node, Table};
#[cfg(feature = "config")]
use crate::redact::REDACTED;

impl Kind {
    /// What may stand there, in words.
    pub(super) fn expected(self) -> String {
        match self {
            Kind::Bool => list(&["true", "false"]),
            Kind::Level => list(&LEVELS),
            Kind::Duration => "a length of time, such as `30s` or `100ms`".to_owned(),
            Kind::DurationOrOff => "a length of time, such as `30s` or `100ms`, or `false`".to_owned(),
            Kind::Size => "a number of bytes, such as `64KiB`".to_owned(),
            Kind::Count(least, u64::MAX) => format!("a whole number of at least {least}"),
            Kind::Count(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Text => "a text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::OneOf(names) => list(names),
            Kind::ListOf(kind) | Kind::SomeOf(kind) => format!("a list, each of it {}", kind.expected()),
            Kind::Checked(what, _) => what.to_owned(),
            Kind::Table(keys) => format!("a table with {}", list(&keys.iter().map(|key| key.name).collect::<Vec<_>>())),
            Kind::Named(_) => "tables under names of your own".to_owned(),
            Kind::Fields => "a table of texts, numbers and booleans".to_owned(),
            Kind::Choice(_, variants, _) | Kind::Output(variants, _) => list(&names_of(variants)),
            Kind::Either(first, second) => format!("{}; or {}", first.expected(), second.expected()),
        }
    }

    /// Words that may stand there.
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Kind::Bool => vec!["true", "false"],
            Kind::Level => LEVELS.to_vec(),
            Kind::OneOf(names) => names.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// What is told of a value that is not of this kind. `loose`: it comes from where all values are texts.
pub(super) fn unfitting(kind: Kind, node: &Node, path: &str, loose: bool) -> ConfigError {
    let text = node.as_text();
    let got = match text {
        // It looks as if it were right: it is the quotes that are wrong.
        Some(text) if !loose && matches!(kind, Kind::Bool | Kind::Count(..)) => format!("\"{text}\""),
        _ => node.shown(),
    };
    let is_no_time = || measure::duration(&node.shown()).is_some_and(|time| time.is_zero());
    let expected = match kind {
        Kind::DurationOrOff if is_no_time() => "more than no time, or `false` for none".to_owned(),
        Kind::Path if text.is_some_and(is_for_a_shell) => {
            "the path itself; nobody replaces `~` and variables in it".to_owned()
        }
        Kind::Text if text == Some("") => "a text of at least one character".to_owned(),
        Kind::Named(_) => format!("{}, such as `[{path}.main]`", kind.expected()),
        kind => kind.expected(),
    };
    let error = ConfigError::expected(path, node.place, &got, expected);
    if matches!(kind, Kind::Bool) { error } else { error.near(&kind.names()) }
}

/// Whether a path has what a shell would replace.
pub(super) fn is_for_a_shell(path: &str) -> bool {
    path == "~" || path.starts_with("~/") || path.starts_with('$')
}

fn has(keys: &[Key], name: &str) -> bool {
    keys.iter().any(|key| key.name == name)
}

/// Where a key would be known that is not in the table at this path.
pub(super) fn elsewhere(path: &str, key: &str) -> Option<String> {
    let of_variants = |what: &str, variants: &[super::check::Variant]| {
        let names: Vec<&str> = variants.iter().filter(|one| has(one.keys, key)).map(|one| one.name).collect();
        (!names.is_empty()).then(|| format!("it is a key of the {what} {}", list(&names)))
    };
    let top = || {
        let is_there = !path.is_empty() && has(ROOT, key);
        is_there.then(|| format!("`{key}` belongs to the top of the file, before the first `[table]`"))
    };
    let of_table = |keys: &[Key], table: &str| has(keys, key).then(|| format!("it is a key of `{table}`"));
    let formats = || of_variants("format", FORMATS);
    let emitters = || of_table(EMITTER, "emitters.NAME");
    let first = if path.ends_with("format") {
        formats()
    } else if path.starts_with("outputs") {
        emitters()
    } else {
        None
    };
    first
        .or_else(top)
        .or_else(emitters)
        .or_else(|| of_table(LIMITS, "limits"))
        .or_else(|| of_table(REDACT, "redact"))
        .or_else(|| of_table(LOOKBACK, "lookback"))
        .or_else(formats)
        .or_else(|| of_variants("output", OUTPUTS))
        .or_else(|| of_table(WAYS, "output"))
        .or_else(|| of_table(QUEUE, "queue"))
}

/// What is said of an output, and changes nothing.
pub(super) fn without_effect(output: &str, said: &Table, path: &str) -> Option<ConfigError> {
    let wrong = |key: &str, message: &str| {
        let node = said.get(key)?;
        Some(ConfigError::wrong(&format!("{path}.{key}"), node.place, message))
    };
    let is_direct = said.get("direct").is_some_and(|direct| direct.as_bool() != Some(false));
    let rotates = said.truth("daily") == Some(true) || said.get("max_size").is_some();
    if is_direct {
        wrong("queue", "it has no effect next to `direct`; remove one of them")
    } else if output == "file" && !rotates {
        wrong("keep", "it has no effect without `daily = true` or `max_size`, which make old files")
    } else {
        None
    }
}

/// What an address is as an output, where it stands in place of a path.
pub(super) fn address(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (rest, text) = (rest.escape_debug(), text.escape_debug());
    match scheme {
        "tcp" => Some(format!("{{ type = \"tcp\", server = \"{rest}\" }}")),
        "udp" => Some(format!("{{ type = \"syslog\", server = \"{text}\" }}")),
        "syslog" => Some(format!("{{ type = \"syslog\", server = \"udp://{rest}\" }}")),
        "unix" => Some(format!("{{ type = \"unix\", path = \"{rest}\" }}")),
        "file" => Some(format!("\"{rest}\"")),
        _ => None,
    }
}

/// What may have been meant by a line that is no TOML.
#[cfg(feature = "config")]
pub(super) fn no_toml(line: &str, message: &str) -> String {
    use super::error::cut;
    let line = line.trim();
    let is_key = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    let value_of = |text: &str| text.split('#').next().unwrap_or_default().trim().to_owned();
    let is_bare =
        |text: &str| text.contains(char::is_alphabetic) && !text.contains(['"', '\'', '[', ']', '{', '}', '\\', ',']);
    let shown = cut(line);
    let message = message.replace('\n', ", ");
    if message.starts_with("duplicate key") {
        let key = line.split('=').next().unwrap_or_default().trim_matches(['[', ']', ' ']);
        return format!("`{}` is given twice; remove one of them", cut(key));
    }
    if let Some(public) = before_a_secret(line) {
        return format!("`{} = {REDACTED}` is no TOML: {message}", cut(public));
    }
    if let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value_of(value)))
        && is_key(key)
        && is_bare(&value)
    {
        return format!(
            "`{shown}` is no TOML: a text stands in quotes; write `{}`",
            cut(&format!("{key} = \"{value}\""))
        );
    }
    if let Some((key, value)) = line.split_once(':').map(|(key, value)| (key.trim(), value_of(value)))
        && is_key(key)
        && !line.contains('=')
    {
        let value =
            if is_bare(&value) && !matches!(value.as_str(), "true" | "false") { format!("\"{value}\"") } else { value };
        let meant = if value.is_empty() { format!("[{key}]") } else { format!("{key} = {value}") };
        return format!("`{shown}` is no TOML; write `{}`", cut(&meant));
    }
    if message.starts_with("missing escaped value") {
        return format!("`{shown}` is no TOML: a backslash is written `\\\\`, or as it is between single quotes");
    }
    if line.is_empty() { format!("this is no TOML: {message}") } else { format!("`{shown}` is no TOML: {message}") }
}

/// What stands on a line before the value of the first key whose values are nobody's to see.
#[cfg(feature = "config")]
fn before_a_secret(line: &str) -> Option<&str> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    line.match_indices(['=', ':']).find_map(|(at, _)| {
        let before = line[..at].trim_end();
        let key = before.trim_end_matches(['"', '\'']);
        let name = &key[key.trim_end_matches(is_name).len()..];
        print::hides(name).then_some(before)
    })
}
