//! What it costs to say something, and what it costs where nobody wants to hear it.

use std::env;
use std::hint::black_box;
use std::process::{Command, Stdio};

use super::batches::{Case, Rounds};
use super::instructions;
use crate::peers::Entry;
use crate::peers::messages::{self, Cart, KEPT, Speaker};
use crate::workload::{Input, captured};

/// What one library takes.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    pub name: &'static str,
    /// Nanoseconds of a message with five fields.
    pub said: f64,
    /// Of one at a level that is off.
    pub unwanted: f64,
    /// Both as multiples of the hand-written line without a clock in the same round.
    pub said_to_line: f64,
    pub unwanted_to_line: f64,
    /// Instructions of one that is said; of canonlog's own, where callgrind is here.
    pub instructions: Option<f64>,
    /// Bytes of its line.
    pub line: usize,
}

/// The messages of all; or whose line lacks what.
pub fn measure(rounds: usize) -> Result<Vec<Message>, String> {
    let mut all = measure_these(&messages::all(), rounds)?;
    // Behind those that are said at once.
    let at = all.iter().take_while(|message| message.name.starts_with("canonlog")).count();
    all.insert(at, measure_kept(rounds)?);
    if instructions::available() {
        for message in &mut all[..=at] {
            message.instructions = Some(instructions::of_message(message.name)?);
        }
    }
    Ok(all)
}

fn measure_these(speakers: &[Speaker], rounds: usize) -> Result<Vec<Message>, String> {
    let cart = Cart::example();
    let mut lines = Vec::new();
    for Speaker { name, inside, info, debug } in speakers {
        inside(&mut || info(&cart));
        let line = captured(|| {
            inside(&mut || {
                info(&cart);
                // Of the one that keeps them.
                canonlog::flush_lookback();
            });
        });
        let line = line.split_inclusive('\n').next_back().unwrap_or_default();
        for part in ["checked out", "ann@shop.example", "1204", "19.99", "business-large", "true", "shop"] {
            if !line.contains(part) {
                return Err(format!("{name}: its line lacks `{part}`: {line}"));
            }
        }
        let unwanted = captured(|| inside(&mut || debug(&cart)));
        if !unwanted.is_empty() {
            return Err(format!("{name}: says what nobody wants: {unwanted}"));
        }
        lines.push(line.len());
    }
    let case = |inside: fn(&mut dyn FnMut()), say: fn(&Cart)| {
        let cart = &cart;
        let run = move |runs| inside(&mut || (0..runs).for_each(|_| say(black_box(cart))));
        Case { run: Box::new(run), settle: None, batch: 0 }
    };
    let mut cases: Vec<Case<'_>> =
        speakers.iter().flat_map(|by| [case(by.inside, by.info), case(by.inside, by.debug)]).collect();
    let by_hand = cases.len();
    let (mut peer, input) = ((Entry::named("limit-noclock").expect("it is in the list").make)(), Input::example());
    let run = Box::new(move |runs| (0..runs).for_each(|_| peer.request(black_box(&input))));
    cases.push(Case { run, settle: None, batch: 0 });
    let all = Rounds::measure(&mut cases, rounds);
    let to_line = |case| all.paired(case, by_hand, |one, line| one / line);
    let message = |(at, by): (usize, &Speaker)| Message {
        name: by.name,
        said: all.nanos(2 * at),
        unwanted: all.nanos(2 * at + 1),
        said_to_line: to_line(2 * at),
        unwanted_to_line: to_line(2 * at + 1),
        instructions: None,
        line: lines[at],
    };
    Ok(speakers.iter().enumerate().map(message).collect())
}

fn measure_kept(rounds: usize) -> Result<Message, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["--kept-child", &rounds.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [said, unwanted, said_to_line, unwanted_to_line, line] = numbers[..] else {
        return Err(format!("the process for kept messages ended with {}", output.status));
    };
    let line = line as usize;
    Ok(Message { name: KEPT, said, unwanted, said_to_line, unwanted_to_line, instructions: None, line })
}

/// What runs in a process of its own, as a process has one set-up: prints the figures of messages that are kept.
pub fn child_that_keeps(rounds: usize) -> Result<(), String> {
    for message in measure_these(&[messages::kept()], rounds)? {
        let Message { said, unwanted, said_to_line, unwanted_to_line, line, .. } = message;
        println!("{said} {unwanted} {said_to_line} {unwanted_to_line} {line}");
    }
    Ok(())
}
