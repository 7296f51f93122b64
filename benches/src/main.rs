//! canonlog beside other crates, and beside code written by hand, in one run. See `README.md`.

mod args;
mod gates;
mod measure;
mod peers;
mod report;
mod sys;
mod workload;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use args::{Child, Command, Run};
use gates::Verdict;
use measure::batches::{Case, Rounds};
use measure::{allocations, errors, futures, instructions, messages, operations, scan, threads};
use peers::{ALL, Entry, messages as speakers};
// The macros that `wide_log!` makes look for their functions at the root of the crate.
#[allow(unused_imports)]
use peers::wide_log::schema::*;
use report::{Results, Row};
use workload::{Input, captured};

#[global_allocator]
static ALLOCATOR: sys::Counting = sys::Counting;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => println!("{}", args::USAGE),
        Ok(Command::Show) => show(),
        Ok(Command::Run(run)) => return measure_all(&run),
        Ok(Command::Child(child)) => return run_child(child),
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run_child(child: Child) -> ExitCode {
    let entry = |name: &str| Entry::named(name).ok_or(format!("no peer is called `{name}`"));
    let done = match child {
        Child::Callgrind { peer, requests } => entry(&peer).map(|entry| instructions::child(entry, requests)),
        Child::CallgrindMessage { speaker, messages } => match speakers::named(&speaker) {
            Some(speaker) => {
                instructions::child_of_message(&speaker, messages);
                Ok(())
            }
            None => Err(format!("no library is called `{speaker}`")),
        },
        Child::Kept { rounds } => messages::child_that_keeps(rounds as usize),
        // A writer thread needs the pauses that a server's requests leave it.
        Child::Threads { peer, rounds } => entry(&peer).map(|entry| {
            threads::child(entry, rounds, entry.to_file.then_some(Duration::from_millis(3)));
            peers::canonlog::end();
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn line(entry: Entry, input: &Input) -> String {
    let mut peer = (entry.make)();
    peer.request(input);
    peer.settle();
    captured(|| {
        peer.request(input);
        peer.settle();
    })
}

fn show() {
    let input = Input::example();
    for entry in ALL.iter().filter(|entry| !entry.to_file) {
        // Whoever reads may have seen enough.
        let _ = writeln!(std::io::stdout(), "{}\n{}", entry.name, line(*entry, &input));
    }
}

fn measure_all(run: &Run) -> ExitCode {
    let input = Input::example();
    let chosen = |name: &str| run.only.is_none_or(|only| only == name || name == "limit-tsc");
    let entries: Vec<Entry> = ALL.iter().copied().filter(|entry| !entry.to_file && chosen(entry.name)).collect();
    let mut results = Results::default();

    for entry in &entries {
        if let Err(missing) = is_whole(&line(*entry, &input), &input) {
            eprintln!("{}: its line lacks {missing}, so it does not do the same work", entry.name);
            return ExitCode::FAILURE;
        }
    }

    let mut peers: Vec<_> = entries.iter().map(|entry| std::cell::RefCell::new((entry.make)())).collect();
    let mut cases: Vec<Case<'_>> = peers
        .iter_mut()
        .map(|peer| {
            let (peer, input) = (&*peer, &input);
            Case {
                run: Box::new(move |runs| {
                    let mut peer = peer.borrow_mut();
                    (0..runs).for_each(|_| peer.request(std::hint::black_box(input)));
                }),
                settle: Some(Box::new(move || peer.borrow_mut().settle())),
                batch: 0,
            }
        })
        .collect();
    progress("time");
    let rounds = Rounds::measure(&mut cases, if run.quick { 200 } else { 1_500 });
    drop(cases);
    results.quiet = rounds.quiet();

    let callgrind = if instructions::available() { Ok(()) } else { Err("valgrind is not installed".to_owned()) };
    let place = |name: &str| entries.iter().position(|entry| entry.name == name);
    for (index, entry) in entries.iter().enumerate() {
        progress(entry.name);
        let ratio = |other: &str| Some(rounds.paired(index, place(other)?, |one, other| one / other));
        let counts = !run.quick || run.only.is_some() || ["canonlog", "limit-tsc", "serde-json"].contains(&entry.name);
        let instructions = callgrind.clone().and_then(|()| {
            if counts {
                instructions::measure(*entry, rounds.nanos(index))
            } else {
                Err("not counted by `--quick`".to_owned())
            }
        });
        results.rows.push(Row {
            name: entry.name,
            about: entry.about,
            nanos: rounds.nanos(index),
            elsewhere: rounds.settle(index),
            to_limit: ratio("limit-tsc"),
            to_serde: ratio("serde-json"),
            instructions,
            allocations: allocations::measure(*entry, &input),
            line: line(*entry, &input).len(),
        });
    }

    if chosen("canonlog") || chosen("frames") {
        let rounds = if run.quick { 200 } else { 1_500 };
        progress("operations");
        results.operations = Some(operations::measure(&input, rounds));
        progress("futures");
        results.futures = Some(futures::measure(rounds));
    }

    if chosen("canonlog") {
        let rounds = if run.quick { 200 } else { 1_500 };
        progress("errors");
        results.errors = Some(errors::measure(rounds));
        progress("scan");
        results.scan = Some(scan::measure());
        for name in ["limit-tsc", "canonlog", "canonlog-file"] {
            progress("two threads");
            let rounds = if run.quick { 150 } else { 1_000 };
            results.scaling.push((name, threads::measure(name, rounds)));
        }
    }

    if chosen("messages") {
        progress("messages");
        match messages::measure(if run.quick { 200 } else { 1_500 }) {
            Ok(messages) => results.messages = messages,
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
    }

    let gates = gates::judge(&results);
    if run.json {
        println!("{:#}", results.json(&gates));
    } else {
        print!("{}", results.table(&gates));
    }
    let fails = gates.iter().any(|gate| gate.verdict == Verdict::Fails);
    if fails && run.only.is_none() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Says on stderr what is measured now: a whole run takes minutes.
fn progress(what: &str) {
    eprintln!("measuring {what}");
}

/// That a peer's line has the request in it; else what is missing.
fn is_whole(line: &str, input: &Input) -> Result<(), String> {
    let texts = [&input.method, &input.path, &input.referrer, &input.user_agent].map(String::as_str);
    let numbers = [input.cart_items, input.status, input.size, 3].map(|number| number.to_string());
    let names = ["render_time", "cache_time", "time", "queries"];
    let numbers = numbers.iter().map(String::as_str);
    let rest = [input.plan, input.view, "19.99"];
    for part in texts.into_iter().chain(numbers).chain(names).chain(rest) {
        if !line.contains(part) {
            return Err(format!("`{part}`"));
        }
    }
    if line.lines().count() == 1 { Ok(()) } else { Err("a single line".to_owned()) }
}
