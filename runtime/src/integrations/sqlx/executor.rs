//! What makes query sites stay as they are: `Executor`, with a clock around each execution.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::TryStreamExt;
use sqlx::{Database, Describe, Either, Error, Execute, Executor, SqlStr};

use super::connection::{Connection, Transaction};
use super::driver::Driver;
use super::pool::Pool;
use super::query::Query;
use super::rows::{Sender, rows};
use crate::context::Context;
use crate::db;

type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;

/// Starts the clock of a query. MySQL takes what stands in double quotes for a literal, unless it is told otherwise.
fn timed<DB: Database>(cx: Context, sql: &SqlStr) -> db::QueryGuard<'_> {
    db::start_in(cx, sql.as_str(), DB::NAME == "MySQL")
}

/// Runs a query for `cx` and hands its results on; the clock stands while somebody else has the turn.
async fn stream<'c, DB: Database, C: Executor<'c, Database = DB>>(
    cx: Context,
    conn: C,
    query: Query<DB>,
    sender: Sender<Step<DB>>,
) -> Result<(), Error> {
    let sql = query.text();
    let mut timed = timed::<DB>(cx, &sql);
    let mut steps = conn.fetch_many(query);
    while let Some(step) = steps.try_next().await? {
        timed.pause();
        sender.send(step).await;
        timed.resume();
    }
    Ok(())
}

/// Runs a query for `cx`, for its first row.
async fn first<'c, DB: Database, C: Executor<'c, Database = DB>>(
    cx: Context,
    conn: C,
    query: Query<DB>,
) -> Result<Option<DB::Row>, Error> {
    let sql = query.text();
    let _timed = timed::<DB>(cx, &sql);
    conn.fetch_optional(query).await
}

impl<'p, DB: Driver> Executor<'p> for &'_ Pool<DB> {
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.inner().clone(), Query::of(query));
        Box::pin(rows(|sender| async move {
            let cx = Context::current(); // now, as the wait may end elsewhere
            let mut conn = pool.acquire().await?;
            stream(cx, DB::executor(&mut conn), query, sender).await
        }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (pool, query) = (self.inner().clone(), Query::of(query));
        Box::pin(async move {
            let cx = Context::current();
            let mut conn = pool.acquire().await?;
            first(cx, DB::executor(&mut conn), query).await
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'p: 'e,
    {
        let pool = self.inner().clone();
        Box::pin(async move { DB::executor(&mut *pool.acquire().await?).prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'p: 'e,
    {
        let pool = self.inner().clone();
        Box::pin(async move { DB::executor(&mut *pool.acquire().await?).describe(sql).await })
    }
}

macro_rules! executor_by_connection {
    ($wrapper:ident) => {
        impl<'c, DB: Driver> Executor<'c> for &'c mut $wrapper<'_, DB> {
            type Database = DB;

            fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step<DB>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                let query = Query::of(query);
                Box::pin(rows(|sender| async move {
                    stream(Context::current(), DB::executor(self.inner_mut()), query, sender).await
                }))
            }

            fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, DB>,
            {
                let query = Query::of(query);
                Box::pin(async move { first(Context::current(), DB::executor(self.inner_mut()), query).await })
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [DB::TypeInfo],
            ) -> BoxFuture<'e, Result<DB::Statement, Error>>
            where
                'c: 'e,
            {
                DB::executor(self.inner_mut()).prepare_with(sql, parameters)
            }

            fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
            where
                'c: 'e,
            {
                DB::executor(self.inner_mut()).describe(sql)
            }
        }
    };
}

executor_by_connection!(Connection);
executor_by_connection!(Transaction);
