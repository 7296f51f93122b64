//! What a shop asks its database, and what the events of its requests say of that.

use std::time::{Duration, Instant};

use canonlog::sqlx::{Driver, Pool};
use canonlog_tests::unit::{integer, request, seconds, text};
use futures_util::TryStreamExt;
use sqlx::{ColumnIndex, Decode, Encode, IntoArguments, Type};

/// The words of a database, where they are its own.
pub(crate) struct Dialect {
    pub(crate) insert: &'static str,
    pub(crate) select: &'static str,
    /// The numbers from one to a thousand.
    pub(crate) thousand: &'static str,
    /// The text `sesame`.
    pub(crate) quoted: &'static str,
    /// Takes a twentieth of a second.
    pub(crate) moment: &'static str,
    /// Takes half a minute.
    pub(crate) long: &'static str,
}

pub(crate) async fn tell<DB>(pool: &Pool<DB>, words: &Dialect)
where
    DB: Driver,
    DB::Arguments: IntoArguments<DB>,
    for<'q> i64: Type<DB> + Encode<'q, DB> + Decode<'q, DB>,
    for<'r> String: Type<DB> + Decode<'r, DB>,
    usize: ColumnIndex<DB::Row>,
{
    let table = "create table carts (id bigint primary key, total bigint not null)";
    sqlx::query(table).execute(pool).await.expect("made");

    let shop = async |nth: i64| {
        let mut tx = pool.begin().await?;
        sqlx::query(words.insert).bind(nth).bind(nth * 10).execute(&mut *tx).await?;
        tx.commit().await?;
        for _ in 0..nth {
            let found = sqlx::query_scalar::<DB, i64>(words.select).bind(nth).fetch_one(pool).await?;
            assert_eq!(found, nth * 10);
        }
        let mut rows = sqlx::query_scalar::<DB, i64>(words.thousand).fetch(pool);
        assert_eq!(rows.try_next().await?, Some(1));
        drop(rows);
        Ok::<_, sqlx::Error>(())
    };
    let requests = (2..10).map(|nth| request(shop(nth)));
    for (nth, (done, event)) in (2..).zip(futures_util::future::join_all(requests).await) {
        done.expect("it sold");
        assert_eq!((integer(&event, "db_queries"), integer(&event, "db_dup_queries")), (nth + 2, nth), "request {nth}");
        assert!(seconds(&event, "db_dup_time") <= seconds(&event, "db_time"));
    }

    let (outcome, event) = request(async {
        let mut conn = pool.acquire().await?;
        assert!(sqlx::query("select nothing from nowhere").execute(&mut *conn).await.is_err());
        sqlx::query(words.moment).execute(&mut *conn).await
    })
    .await;
    outcome.expect("it slept");
    assert_eq!(integer(&event, "db_queries"), 2);
    assert!((0.05..=seconds(&event, "resp_time")).contains(&seconds(&event, "db_time")), "{event:?}");

    let (_, event) = request(async {
        for _ in 0..2 {
            let said = sqlx::query_scalar::<DB, String>(words.quoted).fetch_one(pool).await;
            assert_eq!(said.expect("what it was told"), "sesame");
        }
    })
    .await;
    assert_eq!(text(&event, "db_dup_top"), "select ?");

    let began = Instant::now();
    let (_, event) = request(async {
        let slow = sqlx::query(words.long).execute(pool);
        assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err(), "it takes longer");
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(20), "nobody waits for what was cancelled");
    assert_eq!(integer(&event, "db_queries"), 1);
    assert!(seconds(&event, "db_time") >= 0.03, "{event:?}");
}
