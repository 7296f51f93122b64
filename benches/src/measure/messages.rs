//! What it costs to say something, and what it costs where nobody wants to hear it.

use std::hint::black_box;

use super::batches::{Case, Rounds};
use crate::peers::messages::{self, Cart, Speaker};
use crate::workload::captured;

/// Nanoseconds of one library.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    pub name: &'static str,
    /// A message with five fields.
    pub said: f64,
    /// One at a level that is off.
    pub unwanted: f64,
    /// Bytes of its line.
    pub line: usize,
}

/// The messages of all; or whose line lacks what.
pub fn measure(rounds: usize) -> Result<Vec<Message>, String> {
    let cart = Cart::example();
    let speakers = messages::all();
    let mut lines = Vec::new();
    for Speaker { name, inside, info, debug } in &speakers {
        inside(&mut || info(&cart));
        let line = captured(|| inside(&mut || info(&cart)));
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
    let all = Rounds::measure(&mut cases, rounds);
    let message = |(at, by): (usize, &Speaker)| Message {
        name: by.name,
        said: all.nanos(2 * at),
        unwanted: all.nanos(2 * at + 1),
        line: lines[at],
    };
    Ok(speakers.iter().enumerate().map(message).collect())
}
