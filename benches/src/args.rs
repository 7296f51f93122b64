//! The command line.

use crate::peers::Entry;

pub const USAGE: &str = "\
canonlog beside other crates: ns, instructions and allocations per request, in one run

usage: cargo run --release --manifest-path benches/Cargo.toml -- [options]

  --quick         about 20 seconds: fewer rounds, instructions only where a gate needs them
  --only <peer>   this peer alone, beside the hand-written limit; gates are shown, and do not fail the run
  --json          the results as JSON on stdout instead of the table
  --show          one captured line of every peer, and nothing else
  --help          this text";

/// What the user, or the program itself, asked for.
#[derive(Debug)]
pub enum Command {
    Help,
    Show,
    Run(Run),
    /// Run by the program on itself.
    Child(Child),
}

#[derive(Debug, Default)]
pub struct Run {
    pub quick: bool,
    pub json: bool,
    pub only: Option<&'static str>,
}

#[derive(Debug)]
pub enum Child {
    /// Under callgrind: `requests` requests of `peer`.
    Callgrind { peer: String, requests: u64 },
    /// The same of messages.
    CallgrindMessage { speaker: String, messages: u64 },
    /// Messages that are kept.
    Kept { rounds: u64 },
    /// `peer` on one thread and on two, in `rounds` rounds.
    Threads { peer: String, rounds: u64 },
}

pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut run = Run::default();
    while let Some(arg) = args.next() {
        let mut value = |what: &str| args.next().ok_or(format!("`{arg}` needs {what}"));
        match arg.as_str() {
            "--quick" => run.quick = true,
            "--json" => run.json = true,
            "--only" => {
                let name = value("the name of a peer")?;
                let peer = Entry::named(&name).map(|entry| entry.name);
                run.only = Some(peer.or_else(|| part(&name)).ok_or_else(|| unknown(&name))?);
            }
            "--show" => return Ok(Command::Show),
            "--help" | "-h" => return Ok(Command::Help),
            "--callgrind-child" => {
                let peer = value("a peer")?;
                return Ok(Command::Child(Child::Callgrind { peer, requests: number(value("a count")?)? }));
            }
            "--callgrind-message" => {
                let speaker = value("a library")?;
                return Ok(Command::Child(Child::CallgrindMessage { speaker, messages: number(value("a count")?)? }));
            }
            "--kept-child" => return Ok(Command::Child(Child::Kept { rounds: number(value("a count")?)? })),
            "--threads-child" => {
                let peer = value("a peer")?;
                return Ok(Command::Child(Child::Threads { peer, rounds: number(value("a count")?)? }));
            }
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(Command::Run(run))
}

/// What is no peer: a message, which is no request and has a table of its own, and what functions cost that are located.
fn part(name: &str) -> Option<&'static str> {
    ["messages", "frames"].into_iter().find(|part| *part == name)
}

fn number(text: String) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a count"))
}

fn unknown(name: &str) -> String {
    let names: Vec<_> = crate::peers::ALL.iter().map(|entry| entry.name).collect();
    format!("no peer is called `{name}`; there are {}, messages, frames", names.join(", "))
}
