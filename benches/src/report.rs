//! The results, as a table and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::gates::{Gate, Verdict};
use crate::measure::allocations::Allocations;
use crate::measure::errors::Errors;
use crate::measure::futures::{Futures, Located};
use crate::measure::messages::Message;
use crate::measure::operations::Operations;
use crate::measure::scan::REQUESTS;
use crate::measure::threads::Scaling;

/// All that one run has found out.
#[derive(Debug, Default)]
pub struct Results {
    pub rows: Vec<Row>,
    pub operations: Option<Operations>,
    pub errors: Option<Errors>,
    pub futures: Option<Futures>,
    /// Microseconds that a look at all requests in flight takes.
    pub scan: Option<Result<f64, String>>,
    pub messages: Vec<Message>,
    /// By peer; not all of them are in `rows`.
    pub scaling: Vec<(&'static str, Result<Scaling, String>)>,
    /// The part of the batches that was not thrown away.
    pub quiet: f64,
}

/// One peer.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    /// Nanoseconds a request on the thread that makes it.
    pub nanos: f64,
    /// Nanoseconds a request that the peer's own threads take afterwards.
    pub elsewhere: f64,
    /// As a multiple of the hand-written limit in the same round.
    pub to_limit: Option<f64>,
    /// As a multiple of the `serde_json` struct in the same round.
    pub to_serde: Option<f64>,
    /// Of all threads; or why there is no count.
    pub instructions: Result<f64, String>,
    pub allocations: Allocations,
    /// Bytes of its line.
    pub line: usize,
}

impl Results {
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    pub fn scaling(&self, name: &str) -> Option<&Result<Scaling, String>> {
        self.scaling.iter().find(|(peer, _)| *peer == name).map(|(_, scaling)| scaling)
    }

    pub fn table(&self, gates: &[Gate]) -> String {
        let mut text = format!(
            "{:<16}{:>9}{:>9}{:>9}{:>10}{:>8}{:>9}{:>7}  {}\n",
            "per request", "ns", "x limit", "+ns*", "instr", "allocs", "bytes", "line", "what it is"
        );
        for row in &self.rows {
            let elsewhere = if row.elsewhere >= 1.0 { format!("{:.0}", row.elsewhere) } else { String::new() };
            let to_limit = row.to_limit.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let instructions = row.instructions.as_ref().map_or("-".to_owned(), |count| format!("{count:.0}"));
            let Allocations { count, bytes } = row.allocations;
            let _ = writeln!(
                text,
                "{:<16}{:>9.0}{to_limit:>9}{elsewhere:>9}{instructions:>10}{count:>8.2}{bytes:>9.0}{:>7}  {}",
                row.name, row.nanos, row.line, row.about
            );
        }
        text.push_str("* on threads of the peer's own, waited for after each batch\n");
        if let Some(operations) = &self.operations {
            text.push_str("\nper operation, ns\n");
            for (name, nanos) in operations.named() {
                let _ = writeln!(text, "{name:<44}{nanos:>8.2}");
            }
        }
        if self.errors.is_some() || self.futures.is_some() {
            text.push_str("\nerrors and frames, ns more than the same without\n");
            for (name, nanos) in self.located() {
                let _ = writeln!(text, "{name:<44}{nanos:>8.2}");
            }
        }
        if let Some(scan) = &self.scan {
            let what = format!("a look at {REQUESTS} requests in flight, us");
            let _ = match scan {
                Ok(micros) => writeln!(text, "\n{what:<44}{micros:>8.2}"),
                Err(why) => writeln!(text, "\n{what:<44}{:>8}  {why}", "-"),
            };
        }
        if !self.messages.is_empty() {
            let _ =
                writeln!(text, "\n{:<32}{:>9}{:>10}{:>9}{:>7}", "messages, ns", "said", "unwanted", "instr", "line");
            for Message { name, said, unwanted, instructions, line, .. } in &self.messages {
                let instructions = instructions.map_or("-".to_owned(), |count| format!("{count:.0}"));
                let _ = writeln!(text, "{name:<32}{said:>9.0}{unwanted:>10.2}{instructions:>9}{line:>7}");
            }
        }
        if !self.scaling.is_empty() {
            text.push_str("\ntwo threads / one\n");
            for (name, scaling) in &self.scaling {
                let _ = match scaling {
                    Ok(Scaling { factor, quiet }) => writeln!(text, "{name:<44}{factor:>8.2}  ({quiet} quiet rounds)"),
                    Err(why) => writeln!(text, "{name:<44}{:>8}  {why}", "-"),
                };
            }
        }
        if !gates.is_empty() {
            let _ = writeln!(text, "\n{:<44}{:>10}{:>10}", "must hold", "measured", "must");
        }
        for Gate { what, measured, must, verdict } in gates {
            let verdict = match verdict {
                Verdict::Holds => "holds".to_owned(),
                Verdict::Fails => "FAILS".to_owned(),
                Verdict::Skipped(why) => format!("skipped: {why}"),
            };
            let precise = |number: f64| if number >= 100.0 { format!("{number:.0}") } else { format!("{number:.3}") };
            let _ = writeln!(text, "{what:<44}{:>10}{:>10}  {verdict}", precise(*measured), precise(*must));
        }
        let _ = writeln!(text, "\n{:.0} % of the batches were quiet", self.quiet * 100.0);
        text
    }

    pub fn json(&self, gates: &[Gate]) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "peer": row.name, "about": row.about, "ns": row.nanos, "ns_elsewhere": row.elsewhere,
                "to_limit": row.to_limit, "to_serde": row.to_serde, "instructions": row.instructions.as_ref().ok(),
                "allocations": row.allocations.count, "allocated_bytes": row.allocations.bytes, "line_bytes": row.line,
            })
        });
        let operations = self.operations.as_ref().map(|operations| Value::from_iter(operations.named()));
        let located = Value::from_iter(self.located());
        let messages = self.messages.iter().map(|message| {
            json!({
                "library": message.name, "said_ns": message.said, "unwanted_ns": message.unwanted, "instructions": message.instructions,
                "line_bytes": message.line,
            })
        });
        let scaling = self.scaling.iter().map(|(name, scaling)| {
            let (factor, quiet) = scaling.as_ref().map_or((None, 0), |s| (Some(s.factor), s.quiet));
            json!({ "peer": name, "factor": factor, "quiet_rounds": quiet })
        });
        let gates = gates.iter().map(|gate| {
            let (verdict, why) = match &gate.verdict {
                Verdict::Holds => ("holds", None),
                Verdict::Fails => ("fails", None),
                Verdict::Skipped(why) => ("skipped", Some(why)),
            };
            json!({ "what": gate.what, "measured": gate.measured, "must": gate.must, "verdict": verdict, "why": why })
        });
        json!({
            "peers": Value::from_iter(rows), "operations_ns": operations, "located_ns": located,
            "scan_us": self.scan.as_ref().and_then(|scan| scan.as_ref().ok()), "messages": Value::from_iter(messages),
            "two_threads": Value::from_iter(scaling),
            "gates": Value::from_iter(gates), "quiet_batches": self.quiet,
        })
    }
}

impl Results {
    fn located(&self) -> Vec<(&'static str, f64)> {
        let errors = self.errors.iter().flat_map(Errors::named);
        errors.chain(self.futures.iter().flat_map(Futures::named)).collect()
    }
}

impl Futures {
    fn named(&self) -> [(&'static str, f64); 6] {
        let Futures { canonlog, async_backtrace } = *self;
        let Located { call, wait, poll } = canonlog;
        [
            ("call of an `async fn` with its frame", call),
            ("an await that is ready", wait),
            ("a level that is polled again", poll),
            ("async-backtrace: call", async_backtrace.call),
            ("async-backtrace: an await", async_backtrace.wait),
            ("async-backtrace: a level polled again", async_backtrace.poll),
        ]
    }
}

impl Errors {
    fn named(&self) -> [(&'static str, f64); 4] {
        [
            ("`?` that succeeds", self.question),
            ("function that an error leaves", self.frame),
            ("tracing's `err`: function that succeeds", self.tracing_success),
            ("tracing's `err`: function an error leaves", self.tracing_frame),
        ]
    }
}

impl Operations {
    fn named(&self) -> [(&'static str, f64); 9] {
        [
            ("set integer, with its part of the line", self.integer),
            ("set short text, with its part of the line", self.text),
            ("set float, with its part of the line", self.float),
            ("set again", self.overwrite),
            ("timer start + stop + sum", self.timer),
            ("set outside a record", self.set_outside),
            ("timer outside a record", self.timer_outside),
            ("(two readings of the time-stamp counter)", self.rdtsc_pair),
            ("(the hand-written line without a clock)", self.line),
        ]
    }
}
