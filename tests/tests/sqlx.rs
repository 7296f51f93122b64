//! Queries made through the wrapped pool of sqlx count in the request that made them, and query sites stay as they are.

use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;
use std::time::Duration;

use canonlog::sqlx::{Connection, Driver, Pool, SqlitePool};
use canonlog::{Context, Kind, OwnedEvent, operation, testing};
use canonlog_tests::unit::{integer, request, seconds, text};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Executor, IntoArguments, Row, Sqlite};

const SELECT: &str = "select total from carts where id = $1";
const INSERT: &str = "insert into carts (id, total) values ($1, $2)";

/// One connection, so that the database in memory is the same for everybody.
async fn memory() -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("memory");
    let pool = canonlog::sqlx::wrap(pool);
    sqlx::query("create table carts (id integer primary key, total integer not null)")
        .execute(pool.inner())
        .await
        .expect("created");
    pool
}

/// `db_queries`, `db_dup_queries`.
fn counts(event: &OwnedEvent) -> (u64, u64) {
    (integer(event, "db_queries"), integer(event, "db_dup_queries"))
}

/// The same code for any database that speaks `$1` or `?`.
async fn sell<DB>(pool: &Pool<DB>, insert: &'static str, select: &'static str) -> Result<i64, sqlx::Error>
where
    DB: Driver,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: sqlx::Type<DB> + sqlx::Encode<'q, DB> + sqlx::Decode<'q, DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let mut tx = pool.begin().await?;
    sqlx::query(insert).bind(1_i64).bind(1999_i64).execute(&mut *tx).await?;
    sqlx::query(insert).bind(2_i64).bind(501_i64).execute(&mut tx).await?;
    tx.commit().await?;

    let mut conn = pool.acquire().await?;
    let first = sqlx::query(select).bind(1_i64).fetch_one(&mut *conn).await?.try_get::<i64, _>(0)?;
    drop(conn);

    let mut rows = sqlx::query_scalar::<DB, i64>(select).bind(2_i64).fetch(pool);
    let mut sum = first;
    while let Some(total) = rows.try_next().await? {
        sum += total;
    }
    Ok(sum)
}

#[test]
fn the_same_code_is_for_every_database() {
    let _ = sell::<sqlx::Sqlite>;
    let _ = sell::<sqlx::Postgres>;
    let _ = sell::<sqlx::MySql>;
}

#[tokio::test]
async fn queries_in_a_transaction_on_a_connection_and_on_the_pool_count() {
    let pool = memory().await;
    let (sum, event) = request(sell(&pool, INSERT, SELECT)).await;
    assert_eq!(sum.expect("sold"), 2500);
    assert_eq!(counts(&event), (4, 4));
    assert!(seconds(&event, "db_dup_time") <= seconds(&event, "db_time"));
    assert!(seconds(&event, "db_time") <= seconds(&event, "resp_time"));
    assert!(seconds(&event, "db_time") > 0.0);
}

#[tokio::test]
async fn a_request_without_a_query_has_no_db_field() {
    let (_, event) = request(async { memory().await.acquire().await.expect("free").ping().await }).await;
    assert!(event.view().fields().all(|(name, _)| !name.starts_with("db_")), "{event:?}");
}

#[tokio::test]
async fn repeats_are_told_by_the_text_with_its_placeholders() {
    let pool = memory().await;
    let (_, event) = request(async {
        for id in 0..17 {
            let cart = sqlx::query(SELECT).bind(id).fetch_optional(&pool).await.expect("selected");
            assert!(cart.is_none());
        }
        sqlx::query("select count(*) from carts").fetch_all(&pool).await.expect("selected");
    })
    .await;
    assert_eq!(counts(&event), (18, 17));
}

#[tokio::test]
async fn the_worst_repeat_is_told_without_its_literals() {
    let pool = memory().await;
    let sql = |name: &str| format!("select total\n from carts where name = '{name}'");
    let (_, event) = request(async {
        for name in ["Bob", "Eve", "Bob", "Bob", "Eve"] {
            let query = sqlx::query(sqlx::AssertSqlSafe(sql(name)));
            let _ = query.fetch_optional(&pool).await.expect_err("there is no such column");
            sqlx::query(SELECT).bind(1).fetch(&pool).try_collect::<Vec<_>>().await.expect("selected");
        }
        sqlx::query("select 1").fetch_all(&pool).await.expect("selected");
    })
    .await;
    assert_eq!(counts(&event), (11, 10));
    assert_eq!(text(&event, "db_dup_top"), "select total from carts where id = $1");
    let (_, event) = request(async {
        for name in ["Bob", "Eve", "Bob"] {
            let query = sqlx::query(sqlx::AssertSqlSafe(sql(name)));
            let _ = query.fetch_optional(&pool).await.expect_err("there is no such column");
        }
    })
    .await;
    assert_eq!(text(&event, "db_dup_top"), "select total from carts where name = ?");
}

#[tokio::test]
async fn queries_that_run_at_the_same_time_are_repeats_too() {
    let pool = memory().await;
    let (_, event) = request(async {
        let query = || sqlx::query(SELECT).bind(1).fetch_optional(&pool);
        let all = futures_util::future::join_all((0..17).map(|_| query())).await;
        assert!(all.into_iter().all(|found| found.is_ok_and(|cart| cart.is_none())));
    })
    .await;
    assert_eq!((counts(&event), text(&event, "db_dup_top").as_str()), ((17, 17), SELECT));
}

/// The line where a query is waited for.
const LOOKUP: u32 = line!() + 5;

#[operation]
async fn lookup(pool: &SqlitePool, id: i64) -> Option<i64> {
    let query = sqlx::query_scalar(SELECT).bind(id);
    query.fetch_optional(pool).await.expect("selected")
}

#[operation]
async fn each(pool: &SqlitePool, ids: std::ops::Range<i64>) {
    for id in ids {
        lookup(pool, id).await;
    }
}

#[operation]
async fn together(pool: &SqlitePool) {
    let queries = futures_util::future::join_all((0..9).map(|id| lookup(pool, id)));
    tokio::select! {
        found = queries => assert!(found.iter().all(Option::is_none)),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it hangs"),
    }
}

#[operation]
async fn half_of_a_stream(pool: &SqlitePool) -> u32 {
    let mut line = 0;
    for _ in 0..2 {
        let mut rows = sqlx::query("select 1 union all select 2").fetch(pool);
        let first = rows.try_next().await.expect("a row");
        line = line!() - 1;
        assert!(first.is_some());
        tokio::task::yield_now().await;
        drop(rows);
    }
    line
}

#[tokio::test]
async fn the_line_is_that_of_the_innermost_annotated_function() {
    let pool = memory().await;
    let expected = format!("tests/sqlx.rs:{LOOKUP}:sqlx::lookup");
    let (_, event) = request(each(&pool, 0..3)).await;
    assert_eq!(text(&event, "db_dup_loc"), expected);
    let (_, event) = request(together(&pool)).await;
    assert_eq!(text(&event, "db_dup_loc"), expected);
    let (line, event) = request(half_of_a_stream(&pool)).await;
    assert_eq!(text(&event, "db_dup_loc"), format!("tests/sqlx.rs:{line}:sqlx::half_of_a_stream"));
}

#[tokio::test]
async fn every_way_to_run_a_query_counts_once() {
    let pool = memory().await;
    let (_, event) = request(async {
        let mut conn = pool.acquire().await.expect("free");
        conn.execute("insert into carts values (1, 10)").await.expect("inserted"); // 1
        conn.execute(sqlx::query("insert into carts values (2, 20)")).await.expect("inserted"); // 2
        conn.fetch_all("select 1").await.expect("selected"); // 3
        sqlx::raw_sql("select 1; select 2; select 3").execute(&mut *conn).await.expect("selected"); // 4
        drop(conn);
        let _: (i64,) = sqlx::query_as("select 4").fetch_one(&pool).await.expect("selected"); // 5
        let _: Option<i64> = sqlx::query_scalar("select 5").fetch_optional(&pool).await.expect("selected"); // 6
        (&pool).execute("create table other (id integer)").await.expect("created"); // 7
        let mut build = sqlx::QueryBuilder::<Sqlite>::new("insert into carts (id, total) ");
        build.push_values([(3, 30), (4, 40)], |mut row, (id, total)| {
            row.push_bind(id).push_bind(total);
        });
        build.build().execute(&pool).await.expect("inserted"); // 8
        let steps: Vec<_> = (&pool).fetch_many("select id from carts").try_collect().await.expect("selected"); // 9
        assert_eq!(steps.len(), 5, "four rows and a result");
    })
    .await;
    assert_eq!(counts(&event), (9, 0));
}

#[tokio::test]
async fn preparing_is_not_counted_and_running_a_prepared_statement_is() {
    let pool = memory().await;
    let (_, event) = request(async {
        let statement = (&pool).prepare(sqlx::SqlStr::from_static(SELECT)).await.expect("prepared");
        for id in 0..3_i64 {
            let query = sqlx::Statement::query(&statement).bind(id);
            query.fetch_optional(&pool).await.expect("selected");
        }
    })
    .await;
    assert_eq!(counts(&event), (3, 3));
}

#[tokio::test]
async fn failing_queries_count_and_their_errors_come_through() {
    let pool = memory().await;
    let (_, event) = request(async {
        let missing = sqlx::query("select * from nowhere").fetch_all(&pool).await.expect_err("no such table");
        assert!(missing.to_string().contains("nowhere"), "{missing}");
        let none = sqlx::query(SELECT).bind(7).fetch_one(&pool).await.expect_err("no such row");
        assert!(matches!(none, sqlx::Error::RowNotFound));
        for _ in 0..2 {
            let _ = sqlx::query(INSERT).bind(1).bind(1).execute(&pool).await;
        }
    })
    .await;
    assert_eq!(counts(&event), (4, 2));
}

#[tokio::test]
async fn what_a_transaction_did_is_undone_by_rollback_and_by_drop_and_still_counts() {
    let pool = memory().await;
    let (_, event) = request(async {
        let mut tx = pool.begin().await.expect("begun");
        sqlx::query(INSERT).bind(1).bind(1).execute(&mut *tx).await.expect("inserted");
        tx.rollback().await.expect("rolled back");
        let mut tx = pool.begin().await.expect("begun");
        sqlx::query(INSERT).bind(1).bind(1).execute(&mut *tx).await.expect("inserted");
        drop(tx);
        let mut tx = pool.begin_with("begin immediate").await.expect("begun");
        {
            let mut savepoint = tx.begin().await.expect("nested");
            insert(&mut savepoint, 8).await.expect("inserted");
            savepoint.rollback().await.expect("rolled back");
        }
        insert(&mut tx, 9).await.expect("inserted");
        tx.commit().await.expect("committed");
        let ids: Vec<i64> = sqlx::query_scalar("select id from carts").fetch_all(&pool).await.expect("selected");
        assert_eq!(ids, [9]);
    })
    .await;
    assert_eq!(counts(&event), (5, 4), "begin, savepoint, commit and rollback are no queries");
}

async fn insert(conn: &mut Connection<'_, Sqlite>, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query(INSERT).bind(id).bind(1).execute(&mut *conn).await?;
    Ok(())
}

#[tokio::test]
async fn a_connection_that_a_library_lends_can_be_wrapped_for_a_while() {
    let pool = memory().await;
    let mut lent = pool.inner().acquire().await.expect("free");
    let (_, event) = request(async {
        let mut conn = Connection::<Sqlite>::borrow(&mut lent);
        insert(&mut conn, 1).await.expect("inserted");
        let own = sqlx::ConnectOptions::connect(&SqliteConnectOptions::new()).await.expect("memory");
        Connection::<Sqlite>::new(own).execute("select 1").await.expect("selected");
    })
    .await;
    assert_eq!(counts(&event), (2, 0));
}

#[tokio::test]
async fn a_stream_dropped_half_way_counts_once_and_gives_its_connection_back() {
    let pool = memory().await;
    let (_, event) = request(async {
        let mut rows =
            sqlx::query("with recursive n(i) as (select 1 union all select i + 1 from n) select i from n").fetch(&pool);
        for expected in 1..=3_i64 {
            let row = rows.next().await.expect("endless").expect("selected");
            assert_eq!(row.get::<i64, _>(0), expected);
        }
        drop(rows);
        sqlx::query("select 1").execute(&pool).await.expect("the only connection is free again");
    })
    .await;
    assert_eq!(counts(&event), (2, 0));
}

#[tokio::test]
async fn what_the_caller_does_with_a_row_is_not_query_time() {
    let pool = memory().await;
    let (_, event) = request(async {
        let mut rows = sqlx::query("values (1), (2), (3)").fetch(&pool);
        while let Some(_row) = rows.try_next().await.expect("selected") {
            thread::sleep(Duration::from_millis(20));
        }
    })
    .await;
    let (db, whole) = (seconds(&event, "db_time"), seconds(&event, "resp_time"));
    assert!(db <= whole - 0.06, "{db} of {whole} s, of which 0.06 s are not the database's");
}

#[tokio::test]
async fn a_query_that_is_cancelled_counts_with_the_time_it_had() {
    let pool = memory().await;
    let (_, event) = request(async {
        let slow =
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select max(i) from n";
        let query = sqlx::query(slow).execute(&pool);
        let ended = tokio::time::timeout(Duration::from_millis(30), query).await;
        assert!(ended.is_err(), "it takes much longer");
    })
    .await;
    assert_eq!(counts(&event), (1, 0));
    assert!(seconds(&event, "db_time") >= 0.005, "{event:?}");
}

#[tokio::test]
async fn waiting_for_a_free_connection_is_no_query() {
    let pool = memory().await;
    let held = pool.acquire().await.expect("free");
    let (_, event) = request(async {
        let waiting = sqlx::query("select 1").execute(&pool);
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        assert!(pool.try_acquire().is_none());
    })
    .await;
    assert_eq!(event.view().get("db_queries"), None);
    drop(held);
}

#[tokio::test]
async fn a_query_is_billed_to_the_request_that_first_polls_it() {
    let pool = memory().await;
    let mut query = None;
    let (_, made) = request(async { query = Some(Box::pin(sqlx::query("select 1").execute(&pool))) }).await;
    let mut query = query.expect("it was made");
    assert_eq!(made.view().get("db_queries"), None, "made, never polled");
    let (_, first) = request(async {
        let mut cx = TaskContext::from_waker(Waker::noop());
        assert!(matches!(pin!(&mut query).poll(&mut cx), Poll::Pending));
        // It is this request's from here on, wherever it ends; the request waits for its end.
        let (_, second) = request(async { query.await.expect("selected") }).await;
        assert_eq!(second.view().get("db_queries"), None);
    })
    .await;
    assert_eq!(counts(&first), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_at_once_each_is_billed_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = SqliteConnectOptions::new().filename(dir.path().join("shop.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.expect("a file");
    let pool = canonlog::sqlx::wrap(pool);
    sqlx::query("create table carts (id integer primary key, total integer not null)")
        .execute(&pool)
        .await
        .expect("made");

    let capture = testing::capture();
    let pipeline = capture.pipeline();
    let requests = (0..32_u64).map(|nth| {
        let (pool, scope) = (pool.clone(), pipeline.begin(Kind::Request));
        let cx = scope.context();
        tokio::spawn(cx.scope(async move {
            Context::set("nth", nth);
            for id in 0..nth {
                sqlx::query(SELECT).bind(id as i64).fetch_optional(&pool).await.expect("selected");
                tokio::task::yield_now().await;
            }
            sqlx::query("select count(*) from carts").fetch_one(&pool).await.expect("selected");
            drop(scope);
        }))
    });
    for done in futures_util::future::join_all(requests).await {
        done.expect("no panic");
    }
    let events = capture.events();
    assert_eq!(events.len(), 32);
    for event in events {
        let nth = integer(&event, "app_nth");
        assert_eq!(counts(&event), (nth + 1, if nth > 1 { nth } else { 0 }), "request {nth}");
    }
}

#[tokio::test]
async fn queries_outside_a_request_are_nobodys() {
    let pool = memory().await;
    request(async {}).await;
    sqlx::query("select 1").execute(&pool).await.expect("selected");
    let (_, event) = request(async {}).await;
    assert_eq!(event.view().get("db_queries"), None);
    assert_eq!(integer(&event, "canonlog_outside_writes"), 1);
}
