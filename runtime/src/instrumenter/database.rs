//! `db_*`: how many queries a unit made, how long they took, and which were repeats.

use std::time::Duration;

use super::{Instrumenter, InstrumenterError, Registration};
use crate::pipeline::Unit;
use crate::record::keys::builtin;
use crate::value::Value;

struct Database;

/// The executions of texts that ran more than once, and their time together.
fn repeats(texts: impl IntoIterator<Item = (u64, u64, u64)>) -> (u64, Duration) {
    let repeated = texts.into_iter().filter(|(_hash, count, _nanos)| *count > 1);
    repeated.fold((0, Duration::ZERO), |(queries, time), (_hash, count, nanos)| {
        (queries.saturating_add(count), time.saturating_add(Duration::from_nanos(nanos)))
    })
}

impl Instrumenter for Database {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        let (queries, time) = unit.query_totals();
        if queries == 0 {
            return Ok(());
        }
        let (dup_queries, dup_time) = repeats(unit.queries());
        unit.set_known(builtin::DB_QUERIES, Value::U64(queries));
        unit.set_known(builtin::DB_TIME, Value::Duration(time));
        unit.set_known(builtin::DB_DUP_QUERIES, Value::U64(dup_queries));
        unit.set_known(builtin::DB_DUP_TIME, Value::Duration(dup_time));
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
        assert_eq!(repeats(texts), (5, Duration::from_nanos(3_500_010_005)));
    }

    #[test]
    fn sums_stay_in_range() {
        assert_eq!(repeats([(1, u64::MAX, u64::MAX); 2]), (u64::MAX, Duration::from_nanos(u64::MAX) * 2));
    }
}
