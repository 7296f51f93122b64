//! What an event says of the text that ran most often.

use std::cell::RefCell;

use super::statement;
use crate::record::queries::Statement;
use crate::redact;
use crate::trace::{caller, site};

/// A text and its place, as events show them.
struct Told {
    hash: u64,
    place: (u64, u32),
    quotes_literals: bool,
    shows_literals: bool,
    text: String,
    line: String,
}

const CACHE: usize = 8;

thread_local! {
    /// A loop over queries comes with every request of its kind: it is put into words once.
    static CACHED: RefCell<[Option<Box<Told>>; CACHE]> = const { RefCell::new([const { None }; CACHE]) };
}

impl Told {
    /// The line of a query that was not told by it is that of the handler, where there is one.
    fn new(statement: &Statement<'_>, handler: u32) -> Told {
        let line = match caller::Line::of(statement.place) {
            Some(line) => line.to_string(),
            None => site::of(handler).map_or_else(String::new, |fun| fun.at(fun.line()).to_string()),
        };
        let text = statement::tell(statement.sql, statement.is_cut);
        let quotes_literals = statement.sql.quotes_literals;
        let shows_literals = redact::shows_sql_literals();
        Told { hash: statement.hash, place: (statement.place, handler), quotes_literals, shows_literals, text, line }
    }

    fn is_of(&self, statement: &Statement<'_>, handler: u32) -> bool {
        let same_text = (self.hash, self.quotes_literals) == (statement.hash, statement.sql.quotes_literals);
        same_text && self.place == (statement.place, handler) && self.shows_literals == redact::shows_sql_literals()
    }
}

/// Tells the text and the line; either is empty where it is not known.
pub(crate) fn tell(statement: &Statement<'_>, handler: u32, told: impl FnOnce(&str, &str)) {
    let mut told = Some(told);
    let _ = CACHED.try_with(|cached| {
        let Ok(mut cached) = cached.try_borrow_mut() else { return };
        let at = (statement.hash ^ statement.place) as usize % CACHE;
        let known = cached[at].take().filter(|known| known.is_of(statement, handler));
        let known = known.unwrap_or_else(|| Box::new(Told::new(statement, handler)));
        if let Some(told) = told.take() {
            told(&known.text, &known.line);
        }
        cached[at] = Some(known);
    });
    // The thread ends, or its allocator records.
    if let Some(told) = told {
        let new = Told::new(statement, handler);
        told(&new.text, &new.line);
    }
}
