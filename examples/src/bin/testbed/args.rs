//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const USAGE: &str = "usage: testbed [--port N] [--format logfmt|json] [--out FILE]
environment: TESTBED_TIMEOUT_MS, the time limit of a request (unset or 0: none)";

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Logfmt,
    Json,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) port: u16,
    pub(crate) format: Format,
    pub(crate) out: Option<PathBuf>,
    pub(crate) timeout: Option<Duration>,
}

impl Args {
    /// The arguments, or nothing if only the usage was asked for.
    pub(crate) fn parse(
        args: impl IntoIterator<Item = String>,
        timeout: Option<OsString>,
    ) -> Result<Option<Self>, String> {
        let mut parsed = Args { port: 8080, format: Format::Logfmt, out: None, timeout: limit(timeout)? };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (flag, inline) = match arg.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            if matches!(flag, "--help" | "-h") {
                return Ok(None);
            }
            if !matches!(flag, "--port" | "--format" | "--out") {
                return Err(format!("unknown argument `{arg}`; try --help"));
            }
            let value = inline.or_else(|| args.next()).ok_or_else(|| format!("`{flag}` needs a value"))?;
            match flag {
                "--port" => {
                    parsed.port = value.parse().map_err(|_| format!("`{value}` is not a port (0 to 65535)"))?;
                }
                "--format" => {
                    parsed.format = match value.as_str() {
                        "logfmt" => Format::Logfmt,
                        "json" => Format::Json,
                        _ => return Err(format!("`{value}` is not a format (logfmt, json)")),
                    };
                }
                _ => parsed.out = Some(PathBuf::from(value)),
            }
        }
        Ok(Some(parsed))
    }
}

fn limit(millis: Option<OsString>) -> Result<Option<Duration>, String> {
    let Some(millis) = millis.filter(|millis| !millis.is_empty()) else { return Ok(None) };
    match millis.to_str().and_then(|millis| millis.parse().ok()) {
        Some(0) => Ok(None),
        Some(millis) => Ok(Some(Duration::from_millis(millis))),
        None => Err(format!("TESTBED_TIMEOUT_MS is `{}`, not a number of milliseconds", millis.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Option<Args>, String> {
        Args::parse(args.iter().map(|arg| (*arg).to_owned()), None)
    }

    #[test]
    fn flags_are_read_with_and_without_an_equals_sign() {
        let args = parse(&["--port", "0", "--format=json", "--out=x"]).expect("valid").expect("not only the usage");
        assert_eq!((args.port, args.format, args.out), (0, Format::Json, Some(PathBuf::from("x"))));
        assert_eq!(args.timeout, None);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (args, named) in [
            (&["--prot", "1"][..], "`--prot`"),
            (&["--port"], "`--port`"),
            (&["--port", "65536"], "`65536`"),
            (&["--format", "xml"], "`xml`"),
            (&["extra"], "`extra`"),
        ] {
            let error = parse(args).expect_err("not valid");
            assert!(error.contains(named) && !error.contains('\n'), "{error}");
        }
        assert!(Args::parse([], Some("2s".into())).expect_err("not a number").contains("TESTBED_TIMEOUT_MS"));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let limit = |millis: &str| super::limit(Some(millis.into())).expect("a number");
        assert_eq!(limit("0"), None);
        assert_eq!(limit(""), None);
        assert_eq!(limit("250"), Some(Duration::from_millis(250)));
    }
}
