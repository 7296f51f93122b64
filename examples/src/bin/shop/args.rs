//! What the command line asks for.

use std::ffi::OsString;
use std::path::PathBuf;

const HELP: &str = "\
A small web shop that writes one canonical line per request to stdout.

Usage: shop [--port N] [--config FILE] [--format logfmt|json|pretty] [--database FILE] [--tour]

  --port N         listen on 127.0.0.1:N instead of 8080 (with --tour: any free port)
  --config FILE    what canonlog does, in TOML; examples/config/canonlog.toml has every key
  --format F       logfmt (the default), json or pretty
  --database FILE  keep the shop's data there; else it lies in $XDG_DATA_HOME/canonlog-shop,
                   or in a temporary directory that goes away at the end
  --tour           ask itself one request of each kind, show the lines, and exit";

/// How lines look.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Logfmt,
    Json,
    Pretty,
}

/// What the command line asks for.
pub(crate) struct Args {
    pub(crate) port: u16,
    pub(crate) config: Option<PathBuf>,
    pub(crate) format: Option<Format>,
    pub(crate) database: Option<PathBuf>,
    pub(crate) tour: bool,
}

impl Args {
    /// Nothing if only help was wanted, which it prints.
    pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Option<Args>, String> {
        let (mut port, mut config, mut format, mut database, mut tour) = (None, None, None, None, false);
        let mut words = words;
        while let Some(word) = words.next() {
            let word = word.to_string_lossy().into_owned();
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(OsString::from(value))),
                None => (word.as_str(), None),
            };
            let mut value = || attached.clone().or_else(|| words.next()).ok_or(format!("`{flag}` needs a value"));
            match flag {
                "--port" => port = Some(number(&value()?)?),
                "--config" => config = Some(PathBuf::from(value()?)),
                "--format" => format = Some(named(&value()?)?),
                "--database" => database = Some(PathBuf::from(value()?)),
                "--tour" if attached.is_none() => tour = true,
                "--help" | "-h" => {
                    crate::say(HELP);
                    return Ok(None);
                }
                _ => return Err(format!("unknown argument `{}`; `--help` lists them", word.escape_debug())),
            }
        }
        let port = port.unwrap_or(if tour { 0 } else { 8080 });
        Ok(Some(Args { port, config, format, database, tour }))
    }
}

fn number(text: &OsString) -> Result<u16, String> {
    let text = text.to_string_lossy();
    text.parse().map_err(|_| format!("`--port` takes a number up to 65535, not `{}`", text.escape_debug()))
}

fn named(text: &OsString) -> Result<Format, String> {
    match &*text.to_string_lossy() {
        "logfmt" => Ok(Format::Logfmt),
        "json" => Ok(Format::Json),
        "pretty" => Ok(Format::Pretty),
        other => Err(format!("`--format` takes `logfmt`, `json` or `pretty`, not `{}`", other.escape_debug())),
    }
}
