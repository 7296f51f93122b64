//! Counts the queries of a unit of work: `db_queries`, `db_time`, `db_dup_queries`, `db_dup_time`; and tells the one that was
//! repeated most often, `db_dup_top`, and the line that made it, `db_dup_loc`.
//!
//! ```text
//! sqlx adapter, start(sql), record_query(sql, elapsed) ──▶ the current record ──▶ `database` instrumenter ──▶ db_*
//! ```
//!
//! Every execution counts, also one that fails; a batch with many parameter sets is one. Two executions are repeats of each
//! other if their texts are equal byte by byte, placeholders and all: this is the sign of a query in a loop. A unit tells at most
//! 256 texts apart; executions of further ones count in `db_queries` and `db_time`, never as repeats, and in
//! `canonlog_db_untracked`.

mod hash;
pub(crate) mod repeats;
mod statement;

use std::time::Duration;

use crate::clock;
use crate::context::Context;
use crate::record::queries::Sql;
#[cfg(feature = "sqlx")]
use crate::trace::caller;
use crate::trace::caller::Caller;

/// Makes what is made once.
pub(crate) fn ready() {
    hash::text("");
}

/// Counts one execution of a query in the current record, with the time it took.
///
/// Pass the text with its placeholders, not with the values in their places. Outside a record this is a counted outside write.
/// The line of the call is what `db_dup_loc` may name.
///
/// ```
/// use std::time::Instant;
///
/// let began = Instant::now();
/// // ... run it with any client ...
/// canonlog::db::record_query("select total from carts where id = ?1", began.elapsed());
/// ```
#[track_caller]
pub fn record_query(sql: &str, elapsed: Duration) {
    let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
    let sql = Sql { text: sql, quotes_literals: false };
    note(Context::current(), hash::text(sql.text), nanos, sql, Origin::Call(Caller::here()));
}

/// Starts the clock for one execution; it counts when the guard is dropped, on success, failure and cancellation alike.
///
/// It counts in the record that is current now, wherever the guard is dropped. The line of the call is what `db_dup_loc` may name.
///
/// ```
/// # fn run(_sql: &str) -> Result<u64, std::io::Error> { Ok(3) }
/// # fn clean() -> Result<u64, std::io::Error> {
/// let sql = "delete from carts where age > ?1";
/// let _query = canonlog::db::start(sql);
/// run(sql)
/// # }
/// # clean().expect("it runs");
/// ```
#[track_caller]
pub fn start(sql: &str) -> QueryGuard<'_> {
    let sql = Sql { text: sql, quotes_literals: false };
    start_for(Context::current(), sql, Origin::Call(Caller::here()))
}

/// As [`start`], for an adapter, which knows more of the text: the line is that of the function which waits for it.
#[cfg(feature = "sqlx")]
pub(crate) fn start_in(context: Context, text: &str, quotes_literals: bool) -> QueryGuard<'_> {
    let sql = Sql { text, quotes_literals };
    let is_current = context == Context::current();
    start_for(context, sql, Origin::Function(if is_current { caller::running() } else { 0 }))
}

/// Where a query comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Call(Caller),
    /// A word of [`caller::running`].
    #[cfg(feature = "sqlx")]
    Function(u64),
}

fn start_for(context: Context, sql: Sql<'_>, origin: Origin) -> QueryGuard<'_> {
    QueryGuard { context, hash: hash::text(sql.text), sql, origin, waited: 0, since: clock::now() }
}

/// Counts one execution of a query when it is dropped; made by [`start`].
///
/// ```
/// use canonlog::{Context, Kind, Value, begin, testing};
///
/// let capture = testing::capture();
/// begin(Kind::Request).enter(|| drop(canonlog::db::start("select 1")));
/// assert_eq!(capture.one().view().get("db_queries"), Some(Value::U64(1)));
/// ```
#[must_use = "the query counts when the guard is dropped"]
#[derive(Debug)]
pub struct QueryGuard<'q> {
    context: Context,
    hash: u64,
    sql: Sql<'q>,
    origin: Origin,
    /// In ticks.
    waited: u64,
    /// In ticks; 0 while the clock is stopped.
    since: u64,
}

impl QueryGuard<'_> {
    /// Stops the clock: what follows, until [`resume`](Self::resume), is not the database's time.
    ///
    /// For results that arrive row by row, where the caller works between two of them.
    ///
    /// ```
    /// let mut query = canonlog::db::start("select id from carts");
    /// for row in ["1", "2"] {
    ///     query.pause();
    ///     println!("{row}");
    ///     query.resume();
    /// }
    /// ```
    pub fn pause(&mut self) {
        if self.since != 0 {
            self.waited += clock::now().saturating_sub(self.since);
            self.since = 0;
        }
    }

    /// Lets the clock go on after [`pause`](Self::pause).
    pub fn resume(&mut self) {
        if self.since == 0 {
            self.since = clock::now();
        }
    }
}

impl Drop for QueryGuard<'_> {
    fn drop(&mut self) {
        self.pause();
        note(self.context, self.hash, clock::nanos(self.waited), self.sql, self.origin);
    }
}

#[inline]
fn note(context: Context, hash: u64, nanos: u64, sql: Sql<'_>, origin: Origin) {
    if context.note_query(hash, nanos) {
        keep(context, hash, sql, origin);
    }
}

/// The text has run before: what it is and where it ran is kept, once.
#[inline(never)]
fn keep(context: Context, hash: u64, sql: Sql<'_>, origin: Origin) {
    let place = match origin {
        Origin::Call(caller) => caller.word(),
        #[cfg(feature = "sqlx")]
        Origin::Function(word) => word,
    };
    context.keep_statement(hash, place, sql);
}
