//! `db_*`, fed by hand.

use std::thread;
use std::time::Duration;

use canonlog::db::{record_query, start};
use canonlog::{Context, Kind, OwnedEvent, Value, begin, operation, testing};
use canonlog_tests::unit::{integer, request_sync, seconds, text};

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

/// `db_dup_top`, `db_dup_loc`.
fn worst(event: &OwnedEvent) -> (String, String) {
    (text(event, "db_dup_top"), text(event, "db_dup_loc"))
}

/// What [`worst`] gives for a statement and a line of this file.
fn at(statement: &str, line: u32) -> (String, String) {
    (statement.to_owned(), format!("{}:{line}", file!()))
}

#[test]
fn the_most_repeated_statement_is_told_without_literals_with_the_line_that_made_it() {
    let mut line = 0;
    let event = request_sync(|| {
        record_query("select 'before'", Duration::from_secs(9));
        record_query("select 'before'", Duration::from_secs(9));
        for _ in 0..3 {
            record_query("select name from users  where mail = 'b@example.org' -- why?", Duration::from_millis(1));
            line = line!() - 1;
        }
    });
    assert_eq!(worst(&event), at("select name from users where mail = ?", line));
    let names: Vec<_> = event.view().fields().map(|(name, _)| name).filter(|name| name.starts_with("db_")).collect();
    assert_eq!(names, ["db_queries", "db_time", "db_dup_queries", "db_dup_time", "db_dup_top", "db_dup_loc"]);
}

#[test]
fn a_guard_tells_the_line_where_its_query_began() {
    let mut line = 0;
    let event = request_sync(|| {
        for _ in 0..2 {
            let (query, began) = (start("select 1"), line!());
            line = began;
            drop(query);
        }
    });
    assert_eq!(worst(&event), at("select ?", line));
}

#[test]
fn nothing_is_told_where_nothing_is_repeated() {
    let event = request_sync(|| {
        record_query("select 1", Duration::ZERO);
        record_query("select 2", Duration::ZERO);
    });
    assert_eq!(worst(&event), (String::new(), String::new()));
}

#[test]
fn the_next_request_tells_its_own_line_of_the_same_statement() {
    let mut lines = Vec::new();
    for twice in [true, false] {
        let event = request_sync(|| {
            record_query("select 1", Duration::ZERO);
            if twice {
                record_query("select 1", Duration::ZERO);
                lines.push(line!() - 1);
            } else {
                record_query("select 1", Duration::ZERO);
                lines.push(line!() - 1);
            }
        });
        assert_eq!(worst(&event), at("select ?", *lines.last().expect("pushed")));
    }
}

#[test]
fn a_statement_that_two_threads_made_is_told() {
    let mut line = 0;
    let event = request_sync(|| {
        let cx = Context::current();
        record_query("select 1", Duration::ZERO);
        let beside = thread::scope(|scope| {
            let made = scope.spawn(move || {
                cx.enter(|| record_query("select 1", Duration::ZERO));
                line!() - 1
            });
            made.join().expect("no panic")
        });
        line = beside;
    });
    assert_eq!(worst(&event), at("select ?", line));
}

#[test]
fn a_log_that_was_written_anew_still_knows_its_statements() {
    let mut line = 0;
    let event = request_sync(|| {
        for nth in 0..5 {
            for _ in 0..=nth {
                record_query(&format!("select a{nth} from t"), Duration::ZERO);
                line = line!() - 1;
            }
            for n in 0..2_000 {
                Context::set("text", "x".repeat(n % 50));
            }
        }
    });
    assert_eq!(integer(&event, "db_dup_queries"), 14);
    assert_eq!(worst(&event), at("select a4 from t", line));
}

#[test]
fn statements_take_at_most_half_of_a_record_and_a_long_one_is_cut() {
    let long = format!("select {} from t", (0..200).map(|n| format!("column_{n}, ")).collect::<String>());
    let event = request_sync(|| {
        for nth in 0..100 {
            for _ in 0..2 {
                record_query(&format!("select {nth}, {long}"), Duration::from_millis(100 - nth));
            }
        }
        Context::set("text", "x".repeat(8_000));
    });
    assert_eq!(integer(&event, "db_dup_queries"), 200);
    assert_eq!(text(&event, "app_text").len(), 8_000, "{event:?}");
    let top = text(&event, "db_dup_top");
    assert!(top.starts_with("select ?, select column_0, column_1, ") && top.ends_with('…'), "{top}");
    assert!(top.len() <= 512, "{top}");
}

#[test]
fn a_query_that_is_repeated_after_a_timeout_is_told_by_the_late_response() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(Duration::from_secs(1)));
    let query = || record_query("select 1", Duration::ZERO);
    let line = line!() - 1;
    scope.enter(|| (0..3).for_each(|_| query()));
    assert_eq!(capture.tick_timeouts(Duration::from_secs(2)), 1);
    scope.enter(|| (0..2).for_each(|_| query()));
    scope.finish();
    let [timeout, late] = &capture.wait_for(2, Duration::from_secs(20))[..] else { panic!("two events") };
    assert_eq!((integer(timeout, "db_dup_queries"), integer(late, "db_dup_queries")), (3, 2));
    assert_eq!((worst(timeout), worst(late)), (at("select ?", line), at("select ?", line)));
}

/// Not annotated: a line of its own.
fn helper() -> u32 {
    record_query("select 1", Duration::ZERO);
    line!() - 1
}

#[operation]
fn in_a_helper() -> u32 {
    helper();
    helper()
}

#[operation]
fn by_itself() -> u32 {
    for _ in 0..2 {
        record_query("select 1", Duration::ZERO);
    }
    line!() - 2
}

#[test]
fn the_line_of_a_call_has_its_function_where_that_is_annotated() {
    let mut line = 0;
    let event = request_sync(|| line = in_a_helper());
    assert_eq!(worst(&event), at("select ?", line));
    let event = request_sync(|| line = by_itself());
    assert_eq!(text(&event, "db_dup_loc"), format!("tests/database.rs:{line}:database::by_itself"));
}
