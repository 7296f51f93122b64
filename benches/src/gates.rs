//! What must hold. Ratios within one run and instruction counts, so that the verdict is the same on any machine.

use crate::measure::operations::Operations;
use crate::measure::threads::{ENOUGH, Scaling};
use crate::peers::messages as speakers;
use crate::report::Results;

/// One thing that must hold.
#[derive(Debug)]
pub struct Gate {
    pub what: &'static str,
    pub measured: f64,
    pub must: f64,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails,
    /// Not judged, and why.
    Skipped(String),
}

/// The whole request, as a multiple of the hand-written limit.
const WHOLE_TO_LIMIT: f64 = 1.5;
/// The whole request, as a multiple of a `serde_json` struct by hand.
const WHOLE_TO_SERDE: f64 = 0.5;
const INSTRUCTIONS: f64 = 4_500.0;

/// The goals for single operations are 10, 12, 20 and 1.5 ns on the machine where the hand-written line without
/// a clock takes 71 ns; machines differ, so they are fractions of that line here.
const LINE: f64 = 71.0;
const INTEGER: f64 = 10.0 / LINE;
const TEXT: f64 = 12.0 / LINE;
const FLOAT: f64 = 20.0 / LINE;
const OUTSIDE: f64 = 1.5 / LINE;
const QUESTION: f64 = 0.2 / LINE;
const FRAME: f64 = 15.0 / LINE;
const CALL: f64 = 5.0 / LINE;
const AWAIT: f64 = 1.5 / LINE;
const POLL: f64 = 0.3 / LINE;
const SCAN: f64 = 100_000.0 / LINE;
const SAID: f64 = 150.0 / LINE;
const KEPT: f64 = 60.0 / LINE;
const UNWANTED: f64 = 20.0 / LINE;
/// A timer's own work beside its two readings of the clock: 20 ns less the 17.9 that they take there.
const TIMER: f64 = (20.0 - 17.9) / LINE;

/// Two threads over one, where the hand-written limit, which shares nothing, reaches `IDEAL`.
const SCALING: f64 = 1.95;
const SCALING_FILE: f64 = 1.9;
const IDEAL: f64 = 2.0;

fn messages(results: &Results) -> Vec<Gate> {
    let of = |name: &str| results.messages.iter().find(move |message| message.name == name);
    let mut gates = Vec::new();
    for (what, name, must) in [
        ("message with five fields / hand-written line", "canonlog", SAID),
        ("the same in a request / hand-written line", "canonlog, in a request", SAID),
        ("one that is kept / hand-written line", speakers::KEPT, KEPT),
    ] {
        gates.extend(of(name).map(|message| Gate::at_most(what, Ok(message.said_to_line), must)));
    }
    let unwanted = of("canonlog").map(|message| Ok(message.unwanted_to_line));
    gates.extend(unwanted.map(|line| Gate::at_most("message that nobody wants / hand-written line", line, UNWANTED)));
    gates
}

pub fn judge(results: &Results) -> Vec<Gate> {
    let mut gates = messages(results);
    let Some(canonlog) = results.row("canonlog") else {
        return gates;
    };
    let mut at_most = |what, measured: Result<f64, String>, must| gates.push(Gate::at_most(what, measured, must));
    let of = |ratio: Option<f64>| ratio.ok_or_else(|| "not measured in this run".to_owned());
    at_most("whole request / limit-tsc", of(canonlog.to_limit), WHOLE_TO_LIMIT);
    at_most("whole request / serde-json", of(canonlog.to_serde), WHOLE_TO_SERDE);
    at_most("instructions a request", canonlog.instructions.clone(), INSTRUCTIONS);
    at_most("allocations a request", Ok(canonlog.allocations.count), 0.0);
    if let Some(operations) = &results.operations {
        let Operations { integer, text, float, timer, set_outside, timer_outside, rdtsc_pair, line, .. } = *operations;
        at_most("set integer / hand-written line", Ok(integer / line), INTEGER);
        at_most("set short text / hand-written line", Ok(text / line), TEXT);
        at_most("set float / hand-written line", Ok(float / line), FLOAT);
        at_most("set outside / hand-written line", Ok(set_outside / line), OUTSIDE);
        at_most("timer outside / hand-written line", Ok(timer_outside / line), OUTSIDE);
        at_most("timer's own work / hand-written line", Ok((timer - rdtsc_pair) / line), TIMER);
    }
    if let (Some(errors), Some(Operations { line, .. })) = (&results.errors, &results.operations) {
        at_most("`?` that succeeds / hand-written line", Ok(errors.question / line), QUESTION);
        at_most("error's frame / hand-written line", Ok(errors.frame / line), FRAME);
    }
    if let (Some(futures), Some(Operations { line, .. })) = (&results.futures, &results.operations) {
        let canonlog = futures.canonlog;
        at_most("async call with frame / hand-written line", Ok(canonlog.call / line), CALL);
        at_most("await / hand-written line", Ok(canonlog.wait / line), AWAIT);
        at_most("level polled again / hand-written line", Ok(canonlog.poll / line), POLL);
    }
    if let (Some(scan), Some(Operations { line, .. })) = (&results.scan, &results.operations) {
        let lines = |micros: f64| micros * 1_000.0 / line;
        at_most("look at 10,000 requests / hand-written line", scan.clone().map(lines), SCAN);
    }
    let ideal = results.scaling("limit-tsc");
    for (what, peer, must) in [
        ("two threads / one, counting sink", "canonlog", SCALING),
        ("two threads / one, file sink, caller", "canonlog-file", SCALING_FILE),
    ] {
        if let Some(scaling) = results.scaling(peer) {
            let must = must / IDEAL;
            gates.push(Gate::at_least(what, against(scaling, ideal), must));
        }
    }
    gates
}

/// A peer's factor as a part of the ideal one of this machine.
fn against(scaling: &Result<Scaling, String>, ideal: Option<&Result<Scaling, String>>) -> Result<f64, String> {
    let scaling = (*scaling.as_ref()?).enough()?;
    let ideal = ideal.ok_or("the hand-written limit was not measured")?.as_ref()?.enough()?;
    Ok(scaling / ideal)
}

impl Scaling {
    fn enough(self) -> Result<f64, String> {
        if self.quiet < ENOUGH {
            Err(format!("only {} quiet rounds of two threads", self.quiet))
        } else {
            Ok(self.factor)
        }
    }
}

impl Gate {
    fn at_most(what: &'static str, measured: Result<f64, String>, must: f64) -> Gate {
        Gate::new(what, measured, must, |measured| measured <= must)
    }

    fn at_least(what: &'static str, measured: Result<f64, String>, must: f64) -> Gate {
        Gate::new(what, measured, must, |measured| measured >= must)
    }

    fn new(what: &'static str, measured: Result<f64, String>, must: f64, holds: impl Fn(f64) -> bool) -> Gate {
        let (measured, verdict) = match measured {
            Ok(measured) if holds(measured) => (measured, Verdict::Holds),
            Ok(measured) => (measured, Verdict::Fails),
            Err(why) => (f64::NAN, Verdict::Skipped(why)),
        };
        Gate { what, measured, must, verdict }
    }
}
