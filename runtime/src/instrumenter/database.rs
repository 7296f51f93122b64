//! `db_*`: how many queries a unit made, how long they took, which were repeats, and where the worst of those were made.

use super::{Instrumenter, InstrumenterError, Registration};
use crate::db::repeats;
use crate::event::head::{NANOS, U64};
use crate::record::keys::{KeyId, builtin};
use crate::unit::Unit;
use crate::value::Value;

struct Database;

const FIELDS: [(KeyId, u64); 4] = [
    (builtin::DB_QUERIES, U64),
    (builtin::DB_TIME, NANOS),
    (builtin::DB_DUP_QUERIES, U64),
    (builtin::DB_DUP_TIME, NANOS),
];

/// The executions of texts that ran more than once, and their time together.
fn repeats(texts: impl IntoIterator<Item = (u64, u64, u64)>) -> (u64, u64) {
    let repeated = texts.into_iter().filter(|(_hash, count, _nanos)| *count > 1);
    repeated.fold((0, 0_u64), |(queries, time), (_hash, count, nanos)| {
        (queries.saturating_add(count), time.saturating_add(nanos))
    })
}

/// The text that ran most often, and its line.
fn add_worst(unit: &mut Unit<'_>) {
    let (facts, content) = unit.parts();
    let Some(statement) = facts.query_texts.most_repeated() else { return };
    repeats::tell(&statement, facts.site, |text, line| {
        for (id, text) in [(builtin::DB_DUP_TOP, text), (builtin::DB_DUP_LOC, line)] {
            if !text.is_empty() {
                content.set_key(id, Value::Str(text));
            }
        }
    });
}

impl Instrumenter for Database {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        let (queries, time) = unit.query_totals();
        if queries == 0 {
            return Ok(());
        }
        let (dup_queries, dup_time) = repeats(unit.queries());
        unit.set_numbers(FIELDS, [queries, time, dup_queries, dup_time]);
        if dup_queries > 0 {
            add_worst(unit);
        }
        let untracked = unit.untracked_queries();
        if untracked > 0 {
            unit.set_in("canonlog", "db_untracked", untracked);
        }
        Ok(())
    }
}

inventory::submit! {
    Registration {
        name: "database",
        order: 300,
        after: &[],
        before: &[],
        location: concat!(file!(), ":", line!()),
        make: || Box::new(Database),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_execution_of_a_repeated_text_is_a_duplicate() {
        // Twice one text, 1 s and 2.50001 s, once another, three times a third.
        let texts = [(7, 2, 3_500_010_000), (8, 1, 1_000_000_000), (9, 3, 5)];
        assert_eq!(repeats(texts), (5, 3_500_010_005));
    }

    #[test]
    fn sums_stay_in_range() {
        assert_eq!(repeats([(1, u64::MAX, u64::MAX); 2]), (u64::MAX, u64::MAX));
    }
}
