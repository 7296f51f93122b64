//! What the environment asks for.

use std::ffi::OsString;

use super::error::SetupError;
use crate::clock;
use crate::level::LevelFilter;
use crate::nearest::{cut, nearest};

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
    pub(super) level: Option<LevelFilter>,
    pub(super) format: Option<FormatName>,
    pub(super) output: Option<OutputName>,
}

const LEVELS: [&str; 7] = ["debug", "info", "notice", "warning", "error", "critical", "disabled"];
const FORMATS: [&str; 3] = ["logfmt", "json", "pretty"];

/// Variables that begin so are canonlog's.
const PREFIX: &str = "CANONLOG_";
const VARIABLES: [&str; 4] = ["CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT", clock::VARIABLE];

impl Environment {
    /// Reads the variables of the process.
    pub(super) fn read(all: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, SetupError> {
        let ours = all.filter(|(name, value)| !value.is_empty() && name.to_string_lossy().starts_with(PREFIX));
        let ours: Vec<(OsString, OsString)> = ours.collect();
        if let Some((name, _)) = ours.iter().find(|(name, _)| VARIABLES.iter().all(|known| name != known)) {
            return Err(unknown_variable(&name.to_string_lossy()));
        }
        let set = |name: &str| ours.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        // The clock itself has read it, or will: it may be asked before `init()`.
        if let Some(got) = set(clock::VARIABLE)
            && clock::chooses_tsc(&got.to_string_lossy()).is_none()
        {
            return Err(unknown(clock::VARIABLE, &got.to_string_lossy(), clock::CHOICES, ""));
        }
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

fn unknown(variable: &'static str, got: &str, allowed: &[&'static str], more: &str) -> SetupError {
    let got = cut(got);
    SetupError::Environment { variable, allowed: list(allowed) + more, nearest: nearest(&got, allowed), got }
}

fn unknown_variable(got: &str) -> SetupError {
    let got = cut(got);
    // The prefix is alike in all of them.
    let ends = VARIABLES.map(|name| &name[PREFIX.len()..]);
    let near = nearest(got.get(PREFIX.len()..).unwrap_or_default(), &ends);
    let nearest = near.and_then(|near| VARIABLES.into_iter().find(|name| name.ends_with(near)));
    SetupError::Variable { got, allowed: list(&VARIABLES), nearest }
}

fn list(allowed: &[&str]) -> String {
    allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Environment, String> {
        let all = pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Environment::read(all).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_asks_for_nothing() {
        assert_eq!(read(&[]), Ok(Environment::default()));
        assert_eq!(read(&[("CANONLOG_LEVEL", ""), ("CANONLOG_OUTPUT", "")]), Ok(Environment::default()));
        assert_eq!(read(&[("CANONLOG_LEVLE", ""), ("PATH", "/bin"), ("LEVEL", "x")]), Ok(Environment::default()));
    }

    #[test]
    fn known_values_are_understood() {
        let all = [
            ("CANONLOG_LEVEL", "Warn"),
            ("CANONLOG_FORMAT", "JSON"),
            ("CANONLOG_OUTPUT", "./events.log"),
            ("CANONLOG_CLOCK", "Instant"),
        ];
        let want = Environment {
            level: Some(LevelFilter::Warning),
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
    fn an_unknown_clock_is_an_error_too() {
        let error = read(&[("CANONLOG_CLOCK", "foo")]).expect_err("no such clock");
        assert!(error.starts_with("`CANONLOG_CLOCK` is `foo`; expected "), "{error}");
        assert!(error.ends_with("`instant`"), "{error}");
        let error = read(&[("CANONLOG_CLOCK", "instnat")]).expect_err("no such clock");
        assert!(error.ends_with("; the nearest is `instant`"), "{error}");
    }

    #[test]
    fn an_unknown_variable_is_named_with_those_that_there_are_and_the_nearest() {
        let error = read(&[("CANONLOG_LEVLE", "info")]).expect_err("no such variable");
        assert_eq!(
            error,
            "`CANONLOG_LEVLE` is no variable of canonlog; expected `CANONLOG_LEVEL`, `CANONLOG_FORMAT`, `CANONLOG_OUTPUT`, \
             `CANONLOG_CLOCK`; the nearest is `CANONLOG_LEVEL`"
        );
        for (got, near) in [("CANONLOG_FROMAT", "`CANONLOG_FORMAT`"), ("CANONLOG_CLOCKS", "`CANONLOG_CLOCK`")] {
            let error = read(&[("CANONLOG_LEVEL", "info"), (got, "x")]).expect_err("no such variable");
            assert!(error.ends_with(&format!("; the nearest is {near}")), "{error}");
        }
        let error = read(&[("CANONLOG_SOMETHING_ELSE", "1")]).expect_err("no such variable");
        assert!(!error.contains("nearest"), "{error}");
    }
}
