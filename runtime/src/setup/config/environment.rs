//! What the environment says.

use std::ffi::OsString;
use std::path::PathBuf;

use super::check::Checks;
use super::error::ConfigError;
use super::schema::{self, VARIABLES};
use super::tree::{Node, Place, Table, What};
use crate::clock;

/// Variables that begin so are canonlog's.
const PREFIX: &str = "CANONLOG_";
/// The file that the configuration stands in.
const FILE: &str = "CANONLOG_CONFIG";

/// What the environment says; nothing where a variable is absent or empty.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Environment {
    pub(super) said: Table,
    pub(super) file: Option<PathBuf>,
}

/// Reads the variables of the process. `outputs` are names that `CANONLOG_OUTPUT` may have.
pub(super) fn read(
    all: impl Iterator<Item = (OsString, OsString)>,
    outputs: Vec<&str>,
) -> (Environment, Vec<ConfigError>) {
    let mut environment = Environment::default();
    let mut checks = Checks { outputs, loose: true, ..Checks::default() };
    let mut ours: Vec<(String, OsString)> = all
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, value)| {
            let begin = name.get(..PREFIX.len()).unwrap_or_default();
            !value.is_empty() && begin.eq_ignore_ascii_case(PREFIX)
        })
        .collect();
    ours.sort();
    for (name, value) in ours {
        let text = value.to_string_lossy().into_owned();
        if let Some((variable, path)) = VARIABLES.iter().find(|(variable, _)| *variable == name) {
            let node = Node { what: What::Text(text), place: Place::Variable(variable) };
            let Some(key) = schema::key(path) else { continue };
            if let Some(node) = checks.check(key.kind, &node, variable) {
                environment.said.put(path, node);
            }
        } else if name == FILE {
            environment.file = Some(PathBuf::from(value));
        } else if name == clock::VARIABLE {
            // The clock itself has read it, or will: it may be asked before `init()`.
            if clock::chooses_tsc(&text).is_none() {
                let place = Place::Variable(clock::VARIABLE);
                checks.errors.push(ConfigError::one_of(clock::VARIABLE, place, &text, clock::CHOICES, ""));
            }
        } else {
            checks.errors.push(unknown(&name));
        }
    }
    (environment, checks.errors)
}

fn unknown(name: &str) -> ConfigError {
    let known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).chain([FILE, clock::VARIABLE]).collect();
    ConfigError::unknown_variable(name, &known, PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(pairs: &[(&str, &str)]) -> Result<Table, String> {
        let all = pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let (environment, errors) = read(all, Vec::new());
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        if told.is_empty() { Ok(environment.said) } else { Err(told.join("\n")) }
    }

    #[test]
    fn an_empty_environment_says_nothing() {
        assert_eq!(read_all(&[]), Ok(Table::default()));
        assert_eq!(read_all(&[("CANONLOG_LEVEL", ""), ("CANONLOG_OUTPUT", "")]), Ok(Table::default()));
        assert_eq!(read_all(&[("CANONLOG_LEVLE", ""), ("PATH", "/bin"), ("LEVEL", "x")]), Ok(Table::default()));
    }

    #[test]
    fn known_values_are_understood() {
        let said = read_all(&[
            ("CANONLOG_LEVEL", "Warn"),
            ("CANONLOG_FORMAT", "JSON"),
            ("CANONLOG_OUTPUT", "./events.log"),
            ("CANONLOG_CLOCK", "Instant"),
            ("CANONLOG_TIMEOUT", "30"),
            ("CANONLOG_POLL_LIMIT", "off"),
            ("CANONLOG_CPU_TIME", "no"),
            ("CANONLOG_STACKS", "10"),
            ("CANONLOG_REDACT", "iban, *card*"),
        ]);
        let said = said.expect("all known");
        let text = |path| said.at(path).and_then(Node::as_text);
        assert_eq!(
            (text("level"), text("format"), text("output")),
            (Some("warning"), Some("json"), Some("./events.log"))
        );
        assert_eq!((text("timeout"), said.at("poll_limit").and_then(Node::as_bool)), (Some("30s"), Some(false)));
        assert_eq!(said.at("stacks").and_then(Node::as_count), Some(10));
        assert_eq!(said.at("redact.keys").map(Node::texts), Some(vec!["iban", "*card*"]));
    }

    #[test]
    fn an_unknown_value_is_named_with_its_variable_the_allowed_ones_and_the_nearest() {
        let error = read_all(&[("CANONLOG_LEVEL", "wraning")]).expect_err("no such level");
        assert!(error.starts_with("`CANONLOG_LEVEL` is `wraning`; expected `debug`, "), "{error}");
        assert!(error.ends_with("; the nearest is `warning`"), "{error}");
        let error = read_all(&[("CANONLOG_OUTPUT", "stdot")]).expect_err("no such stream");
        assert!(error.contains(", or a path (`./stdot` for a file of this name); the nearest is `stdout`"), "{error}");
        let error = read_all(&[("CANONLOG_OUTPUT", "file")]).expect_err("which file?");
        assert_eq!(error, "`CANONLOG_OUTPUT`: `file` needs more: write the path itself, such as `./events.log`");
        let error = read_all(&[("CANONLOG_FORMAT", "template")]).expect_err("which one?");
        assert_eq!(
            error,
            "`CANONLOG_FORMAT`: `template` needs more, which a variable cannot say; write it in the file"
        );
        let error = read_all(&[("CANONLOG_CLOCK", "tcs")]).expect_err("no such clock");
        assert_eq!(error, "`CANONLOG_CLOCK` is `tcs`; expected `tsc`, `instant`; the nearest is `tsc`");
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest() {
        let error = read_all(&[("CANONLOG_LEVLE", "debug")]).expect_err("no such variable");
        assert!(
            error.starts_with("`CANONLOG_LEVLE` is no variable of canonlog; expected `CANONLOG_LEVEL`, "),
            "{error}"
        );
        assert!(error.ends_with("; the nearest is `CANONLOG_LEVEL`"), "{error}");
        for (name, near) in
            [("CANONLOG_LOG_LEVEL", "LEVEL"), ("canonlog_format", "FORMAT"), ("CANONLOG_QUERY", "QUERY_STRINGS")]
        {
            let error = read_all(&[(name, "debug")]).expect_err("no such variable");
            assert!(error.ends_with(&format!("; the nearest is `CANONLOG_{near}`")), "{error}");
        }
        // The prefix alone makes nothing near.
        let error = read_all(&[("CANONLOG_XXXXXXXXXXX", "1")]).expect_err("no such variable");
        assert!(!error.contains("nearest"), "{error}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_short() {
        let long = "x".repeat(1000);
        let error = read_all(&[("CANONLOG_LEVEL", &long), ("CANONLOG_STACKS", "many"), ("CANONLOG_NO", "1")])
            .expect_err("wrong");
        assert_eq!(error.lines().count(), 3, "{error}");
        assert!(error.lines().all(|line| line.len() < 500), "{error}");
    }
}
