//! The wrapped connections: of a pool, of a transaction, or one's own.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::{Database, Error, SqlSafeStr};

/// A connection whose queries count in the request that makes them; `&mut conn` is an [`Executor`](sqlx::Executor).
///
/// [`PoolConnection`] and [`Transaction`] dereference to it, so a function that takes `&mut Connection<'_, DB>` can be called
/// with both:
///
/// ```
/// # #[cfg(feature = "sqlx-sqlite")] mod shop {
/// use canonlog::sqlx::Connection;
///
/// async fn empty(conn: &mut Connection<'_, sqlx::Sqlite>) -> Result<(), sqlx::Error> {
///     sqlx::query("delete from carts").execute(conn).await?;
///     Ok(())
/// }
///
/// async fn run(pool: canonlog::sqlx::SqlitePool) -> Result<(), sqlx::Error> {
///     let mut tx = pool.begin().await?;
///     empty(&mut tx).await?;
///     tx.commit().await
/// }
/// # }
/// ```
pub struct Connection<'c, DB: Database> {
    source: Source<'c, DB>,
}

enum Source<'c, DB: Database> {
    Owned(DB::Connection),
    Borrowed(&'c mut DB::Connection),
    Pooled(sqlx::pool::PoolConnection<DB>),
    Transaction(sqlx::Transaction<'c, DB>),
}

impl<'c, DB: Database> Connection<'c, DB> {
    /// Wraps a connection that was made without a pool.
    pub fn new(connection: DB::Connection) -> Self {
        Connection { source: Source::Owned(connection) }
    }

    /// Wraps a connection that a library lends.
    pub fn borrow(connection: &'c mut DB::Connection) -> Self {
        Connection { source: Source::Borrowed(connection) }
    }

    /// sqlx's own connection. Queries made through it are not counted.
    pub fn inner(&self) -> &DB::Connection {
        match &self.source {
            Source::Owned(connection) => connection,
            Source::Borrowed(connection) => connection,
            Source::Pooled(connection) => connection,
            Source::Transaction(transaction) => transaction,
        }
    }

    /// sqlx's own connection, for what only it can do. Queries made through it are not counted.
    pub fn inner_mut(&mut self) -> &mut DB::Connection {
        match &mut self.source {
            Source::Owned(connection) => connection,
            Source::Borrowed(connection) => connection,
            Source::Pooled(connection) => connection,
            Source::Transaction(transaction) => transaction,
        }
    }

    /// Begins a transaction, or a savepoint inside one.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin`].
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        sqlx::Connection::begin(self.inner_mut()).await.map(Transaction::new)
    }

    /// Begins a transaction by a statement of one's own.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin_with`].
    pub async fn begin_with(&mut self, statement: impl SqlSafeStr) -> Result<Transaction<'_, DB>, Error> {
        sqlx::Connection::begin_with(self.inner_mut(), statement).await.map(Transaction::new)
    }

    /// Asks the database for a sign of life; not counted.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::ping`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        sqlx::Connection::ping(self.inner_mut()).await
    }
}

impl<DB: Database> fmt::Debug for Connection<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("database", &DB::NAME).finish_non_exhaustive()
    }
}

/// A connection of a [`Pool`](super::Pool), given back when dropped; made by [`Pool::acquire`](super::Pool::acquire).
pub struct PoolConnection<DB: Database> {
    connection: Connection<'static, DB>,
}

impl<DB: Database> PoolConnection<DB> {
    pub(super) fn new(connection: sqlx::pool::PoolConnection<DB>) -> Self {
        PoolConnection { connection: Connection { source: Source::Pooled(connection) } }
    }
}

/// A transaction, rolled back when dropped; made by [`Pool::begin`](super::Pool::begin) and [`Connection::begin`].
///
/// Both `&mut tx` and `&mut *tx` are [`Executor`](sqlx::Executor)s.
pub struct Transaction<'c, DB: Database> {
    /// Its source is a transaction.
    connection: Connection<'c, DB>,
}

impl<'c, DB: Database> Transaction<'c, DB> {
    pub(super) fn new(transaction: sqlx::Transaction<'c, DB>) -> Self {
        Transaction { connection: Connection { source: Source::Transaction(transaction) } }
    }

    /// Makes its changes last.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Transaction::commit`].
    pub async fn commit(self) -> Result<(), Error> {
        self.into_inner()?.commit().await
    }

    /// Undoes its changes.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Transaction::rollback`].
    pub async fn rollback(self) -> Result<(), Error> {
        self.into_inner()?.rollback().await
    }

    fn into_inner(self) -> Result<sqlx::Transaction<'c, DB>, Error> {
        match self.connection.source {
            Source::Transaction(transaction) => Ok(transaction),
            // Possible only after `mem::swap` of what two wrappers dereference to.
            _ => Err(Error::Protocol("this transaction was exchanged for a connection".to_owned())),
        }
    }
}

macro_rules! derefs_to_connection {
    ($($wrapper:ident <$lifetime:lifetime $(, $parameter:lifetime)?>)*) => {$(
        impl<$($parameter,)? DB: Database> Deref for $wrapper<$($parameter,)? DB> {
            type Target = Connection<$lifetime, DB>;

            fn deref(&self) -> &Self::Target {
                &self.connection
            }
        }

        impl<$($parameter,)? DB: Database> DerefMut for $wrapper<$($parameter,)? DB> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.connection
            }
        }

        impl<$($parameter,)? DB: Database> fmt::Debug for $wrapper<$($parameter,)? DB> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($wrapper)).field("database", &DB::NAME).finish_non_exhaustive()
            }
        }
    )*};
}

derefs_to_connection! { PoolConnection<'static> Transaction<'c, 'c> }
