//! `db_queries`, `db_time`, `db_dup_queries`, `db_dup_time`, fed by hand.

use std::thread;
use std::time::Duration;

use canonlog::db::{record_query, start};
use canonlog::{Context, Value};

mod common;
use common::{integer, request_sync, seconds};

#[test]
fn all_executions_of_a_repeated_text_are_duplicates_and_their_times_add_up() {
    let event = request_sync(|| {
        record_query("select dup", Duration::from_secs_f64(1.0));
        record_query("select dup", Duration::from_secs_f64(2.50001));
        record_query("select unique", Duration::from_secs(1));
    });
    assert_eq!((integer(&event, "db_queries"), integer(&event, "db_dup_queries")), (3, 2));
    assert_eq!(event.view().get("db_time"), Some(Value::Duration(Duration::from_micros(4_500_010))));
    assert_eq!(event.view().get("db_dup_time"), Some(Value::Duration(Duration::from_micros(3_500_010))));
}

#[test]
fn a_unit_without_queries_has_no_db_field_and_the_next_one_starts_from_nothing() {
    request_sync(|| record_query("select 1", Duration::from_secs(1)));
    let event = request_sync(|| {});
    assert!(event.view().fields().all(|(name, _)| !name.contains("db_")), "{event:?}");
}

#[test]
fn one_byte_makes_another_text_and_parameters_are_no_part_of_it() {
    let event = request_sync(|| {
        for sql in ["select a from t where id = ?", "select a from t where id = ? ", "select A from t where id = ?", ""]
        {
            record_query(sql, Duration::from_millis(1));
        }
    });
    assert_eq!((integer(&event, "db_queries"), integer(&event, "db_dup_queries")), (4, 0));
}

#[test]
fn at_most_256_texts_are_told_apart_and_the_rest_is_counted() {
    let event = request_sync(|| {
        for _ in 0..2 {
            for nth in 0..300 {
                record_query(&format!("select {nth} from a_table_with_a_name where id = ?"), Duration::from_millis(1));
            }
        }
    });
    assert_eq!(integer(&event, "db_queries"), 600);
    assert_eq!(integer(&event, "db_dup_queries"), 512);
    assert_eq!(integer(&event, "canonlog_db_untracked"), 88);
    assert_eq!(event.view().get("db_dup_time"), Some(Value::Duration(Duration::from_millis(512))));
}

#[test]
fn queries_of_other_threads_count_where_the_context_was_carried_to() {
    let event = request_sync(|| {
        let cx = Context::current();
        record_query("select here", Duration::from_millis(1));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || cx.enter(|| record_query("select there", Duration::from_millis(10))));
            }
            scope.spawn(|| record_query("select nowhere", Duration::from_millis(1)));
        });
        record_query("select here", Duration::from_millis(1));
    });
    assert_eq!((integer(&event, "db_queries"), integer(&event, "db_dup_queries")), (6, 6));
    assert_eq!(event.view().get("db_time"), Some(Value::Duration(Duration::from_millis(42))));
}

#[test]
fn a_query_outside_a_unit_is_counted_and_billed_to_nobody() {
    request_sync(|| {});
    record_query("select 1", Duration::from_secs(1));
    let event = request_sync(|| {});
    assert_eq!(event.view().get("db_queries"), None);
    assert_eq!(integer(&event, "canonlog_outside_writes"), 1);
}

#[test]
fn a_guard_counts_when_it_is_dropped_also_by_an_error_or_a_panic() {
    fn failing() -> Result<(), std::fmt::Error> {
        let _query = start("select 1");
        Err(std::fmt::Error)
    }
    let event = request_sync(|| {
        failing().expect_err("it fails");
        let panicked = std::panic::catch_unwind(|| {
            let _query = start("select 2");
            std::panic::resume_unwind(Box::new("half way"));
        });
        assert!(panicked.is_err());
        drop(start("select 1"));
    });
    assert_eq!((integer(&event, "db_queries"), integer(&event, "db_dup_queries")), (3, 2));
}

#[test]
fn a_guard_bills_the_unit_it_was_started_in_without_the_time_it_paused() {
    let event = request_sync(|| {
        let mut query = start("select 1");
        query.pause();
        let other = request_sync(|| {
            thread::sleep(Duration::from_millis(20));
            query.resume();
            drop(query);
        });
        assert_eq!(other.view().get("db_queries"), None);
    });
    assert_eq!(integer(&event, "db_queries"), 1);
    assert!(seconds(&event, "db_time") <= seconds(&event, "resp_time") - 0.02, "{event:?}");
}

#[test]
fn a_query_that_ends_after_its_unit_is_nobodys() {
    let mut late = None;
    request_sync(|| late = Some(start("select 1")));
    let event = request_sync(|| drop(late));
    assert_eq!(event.view().get("db_queries"), None);
}
