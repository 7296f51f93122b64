//! What the environment asks for.

use std::ffi::OsString;

use super::error::SetupError;
use crate::level::Level;

/// The formats by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormatName {
    Logfmt,
    Json,
    Pretty,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OutputName {
    Stdout,
    Stderr,
    File(OsString),
}

/// What the environment asks for; nothing where a variable is absent or empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) level: Option<Level>,
    pub(super) format: Option<FormatName>,
    pub(super) output: Option<OutputName>,
}

const LEVELS: [&str; 6] = ["debug", "info", "notice", "warning", "error", "critical"];
const FORMATS: [&str; 3] = ["logfmt", "json", "pretty"];

impl Environment {
    /// Reads the variables through `var`.
    pub(super) fn read(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, SetupError> {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let level = set("CANONLOG_LEVEL").map(|got| {
            let got = got.to_string_lossy();
            got.parse().map_err(|_| unknown("CANONLOG_LEVEL", &got, &LEVELS, ""))
        });
        let format = set("CANONLOG_FORMAT").map(|got| {
            let got = got.to_string_lossy();
            Ok(match got.trim().to_ascii_lowercase().as_str() {
                "logfmt" => FormatName::Logfmt,
                "json" => FormatName::Json,
                "pretty" => FormatName::Pretty,
                _ => return Err(unknown("CANONLOG_FORMAT", &got, &FORMATS, "")),
            })
        });
        let output = set("CANONLOG_OUTPUT").map(|got| {
            let text = got.to_string_lossy();
            Ok(match &*text {
                "stdout" | "-" => OutputName::Stdout,
                "stderr" => OutputName::Stderr,
                // A word is more likely a misspelt stream than a file's name.
                _ if !text.contains(['/', '.', '\\']) => {
                    let file = format!(", or a path (`./{}` for a file of this name)", cut(&text));
                    return Err(unknown("CANONLOG_OUTPUT", &text, &["stdout", "stderr"], &file));
                }
                _ => OutputName::File(got),
            })
        });
        Ok(Environment { level: level.transpose()?, format: format.transpose()?, output: output.transpose()? })
    }
}

fn cut(got: &str) -> String {
    got.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn unknown(variable: &'static str, got: &str, allowed: &[&'static str], more: &str) -> SetupError {
    let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
    let got = cut(got);
    let close = |name: &&&'static str| distance(&got.to_ascii_lowercase(), name) <= name.len().div_ceil(2);
    let nearest = allowed.iter().filter(close).min_by_key(|name| distance(&got.to_ascii_lowercase(), name)).copied();
    SetupError::Environment { variable, got, allowed: names.join(", ") + more, nearest }
}

/// How many characters must be inserted, removed or replaced to make one text the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Environment, String> {
        let var = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        Environment::read(var).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_asks_for_nothing() {
        assert_eq!(read(&[]), Ok(Environment::default()));
        assert_eq!(read(&[("CANONLOG_LEVEL", ""), ("CANONLOG_OUTPUT", "")]), Ok(Environment::default()));
    }

    #[test]
    fn known_values_are_understood() {
        let all = [("CANONLOG_LEVEL", "Warn"), ("CANONLOG_FORMAT", "JSON"), ("CANONLOG_OUTPUT", "./events.log")];
        let want = Environment {
            level: Some(Level::Warning),
            format: Some(FormatName::Json),
            output: Some(OutputName::File("./events.log".into())),
        };
        assert_eq!(read(&all), Ok(want));
    }

    #[test]
    fn an_unknown_value_is_named_with_its_variable_the_allowed_ones_and_the_nearest() {
        let error = read(&[("CANONLOG_FORMAT", "jsno")]).expect_err("no such format");
        assert_eq!(error, "`CANONLOG_FORMAT` is `jsno`; expected `logfmt`, `json`, `pretty`; the nearest is `json`");
        let error = read(&[("CANONLOG_OUTPUT", "stdot")]).expect_err("no such stream");
        assert_eq!(
            error,
            "`CANONLOG_OUTPUT` is `stdot`; expected `stdout`, `stderr`, or a path (`./stdot` for a file of this name); \
             the nearest is `stdout`"
        );
        let error = read(&[("CANONLOG_LEVEL", "xyzzy-plugh")]).expect_err("no such level");
        assert!(error.starts_with("`CANONLOG_LEVEL` is `xyzzy-plugh`; expected `debug`, "), "{error}");
        assert!(!error.contains("nearest"), "{error}");
    }

    #[test]
    fn the_distance_counts_single_changes() {
        for (one, other, want) in [("json", "json", 0), ("jsn", "json", 1), ("", "abc", 3), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), want, "{one} {other}");
        }
    }
}
