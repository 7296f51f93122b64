//! The wrapped pool.

use std::fmt;
use std::sync::Arc;

use sqlx::pool::PoolOptions;
use sqlx::{Database, Error, SqlSafeStr};

use super::connection::{PoolConnection, Transaction};

/// A [`sqlx::Pool`] whose queries count in the request that makes them.
///
/// `&pool` is an [`Executor`](sqlx::Executor). Cheap to clone, as the pool itself.
pub struct Pool<DB: Database> {
    inner: sqlx::Pool<DB>,
}

/// Wraps a pool; do it once, where the pool is made.
///
/// ```
/// # #[cfg(feature = "sqlx-sqlite")]
/// # fn make() -> Result<(), sqlx::Error> {
/// let pool = canonlog::sqlx::wrap(sqlx::SqlitePool::connect_lazy("sqlite::memory:")?);
/// # let _: canonlog::sqlx::SqlitePool = pool;
/// # Ok(())
/// # }
/// ```
pub fn wrap<DB: Database>(pool: sqlx::Pool<DB>) -> Pool<DB> {
    Pool::new(pool)
}

impl<DB: Database> Pool<DB> {
    /// Wraps a pool, as [`wrap`] does.
    pub fn new(pool: sqlx::Pool<DB>) -> Self {
        Pool { inner: pool }
    }

    /// The pool inside, for what needs sqlx's own type (migrations, listeners). Queries made through it are not counted.
    ///
    /// ```
    /// # #[cfg(feature = "sqlx-sqlite")]
    /// # async fn shop() -> Result<(), sqlx::Error> {
    /// let pool = canonlog::sqlx::wrap(sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// sqlx::query("pragma optimize").execute(pool.inner()).await?; // counted nowhere
    /// # Ok(())
    /// # }
    /// ```
    pub fn inner(&self) -> &sqlx::Pool<DB> {
        &self.inner
    }

    /// The pool inside.
    pub fn into_inner(self) -> sqlx::Pool<DB> {
        self.inner
    }

    /// Waits for a connection, as [`sqlx::Pool::acquire`]. The wait is not query time.
    ///
    /// ```
    /// # #[cfg(feature = "sqlx-sqlite")]
    /// # async fn shop(pool: canonlog::sqlx::SqlitePool) -> Result<(), sqlx::Error> {
    /// let mut conn = pool.acquire().await?;
    /// sqlx::query("delete from carts").execute(&mut *conn).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::acquire`].
    pub async fn acquire(&self) -> Result<PoolConnection<DB>, Error> {
        self.inner.acquire().await.map(PoolConnection::new)
    }

    /// A connection, if one is free.
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        self.inner.try_acquire().map(PoolConnection::new)
    }

    /// Waits for a connection and begins a transaction on it.
    ///
    /// ```
    /// # #[cfg(feature = "sqlx-sqlite")]
    /// # async fn shop(pool: canonlog::sqlx::SqlitePool) -> Result<(), sqlx::Error> {
    /// let mut tx = pool.begin().await?;
    /// sqlx::query("delete from carts").execute(&mut *tx).await?;
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::begin`].
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, Error> {
        self.inner.begin().await.map(Transaction::new)
    }

    /// Begins a transaction, if a connection is free.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::try_begin`].
    pub async fn try_begin(&self) -> Result<Option<Transaction<'static, DB>>, Error> {
        Ok(self.inner.try_begin().await?.map(Transaction::new))
    }

    /// Begins a transaction by a statement of one's own, such as `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::begin_with`].
    pub async fn begin_with(&self, statement: impl SqlSafeStr) -> Result<Transaction<'static, DB>, Error> {
        self.inner.begin_with(statement).await.map(Transaction::new)
    }

    /// Closes the pool and waits for its connections to be given back.
    pub async fn close(&self) {
        self.inner.close().await;
    }

    /// Whether the pool was closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// How many connections there are.
    pub fn size(&self) -> u32 {
        self.inner.size()
    }

    /// How many connections nobody uses.
    pub fn num_idle(&self) -> usize {
        self.inner.num_idle()
    }

    /// The options that the pool was made with.
    pub fn options(&self) -> &PoolOptions<DB> {
        self.inner.options()
    }

    /// The options that its connections are made with.
    pub fn connect_options(&self) -> Arc<<DB::Connection as sqlx::Connection>::Options> {
        self.inner.connect_options()
    }
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Pool { inner: self.inner.clone() }
    }
}

impl<DB: Database> From<sqlx::Pool<DB>> for Pool<DB> {
    fn from(pool: sqlx::Pool<DB>) -> Self {
        Pool::new(pool)
    }
}

impl<DB: Database> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
