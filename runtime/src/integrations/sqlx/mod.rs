//! Bills every [`sqlx`] query to the request that made it.
//!
//! ```text
//! canonlog::sqlx::wrap(pool) ──▶ Pool ──acquire──▶ PoolConnection ─┐
//!                                 │ └────begin────▶ Transaction ───┴derefs to──▶ Connection
//!                                 └── &pool, &mut *conn, &mut *tx, &mut tx: Executor ──▶ db::start ──▶ sqlx
//! ```
//!
//! Wrap the pool where it is made; places that query it stay as they are:
//!
//! ```
//! # #[cfg(feature = "sqlx-sqlite")]
//! # async fn shop() -> Result<(), sqlx::Error> {
//! let pool = canonlog::sqlx::wrap(sqlx::SqlitePool::connect("sqlite::memory:").await?);
//!
//! sqlx::query("create table carts (id integer, total real)").execute(&pool).await?;
//! let mut tx = pool.begin().await?;
//! sqlx::query("insert into carts values (?1, ?2)").bind(1).bind(19.99).execute(&mut *tx).await?;
//! tx.commit().await?;
//! let (total,): (f64,) = sqlx::query_as("select total from carts where id = ?1").bind(1).fetch_one(&pool).await?;
//! # let _ = total;
//! # Ok(())
//! # }
//! ```
//!
//! A query is timed from its first poll to its end: its result, its error, the end of its stream, or its drop half way, all of which
//! count once. It is billed to the record that is current at the first poll, and to no other. Waiting for a free connection is
//! not query time, nor is what a caller does with a row before it asks for the next one. `begin`, `commit` and `rollback` and the
//! preparation of statements are not counted.
//!
//! Functions that take a pool or a connection name the types of this module ([`Pool`], [`Connection`]) or stay generic over
//! [`Executor`](sqlx::Executor) or [`Driver`]. What needs sqlx's own types gets them from [`Pool::inner`] and [`Connection::inner_mut`], and what
//! it runs through them is not counted.

mod connection;
mod driver;
mod executor;
mod pool;
mod query;
mod rows;

pub use connection::{Connection, PoolConnection, Transaction};
pub use driver::Driver;
pub use pool::{Pool, wrap};

/// A wrapped pool of SQLite connections.
#[cfg(feature = "sqlx-sqlite")]
pub type SqlitePool = Pool<sqlx::Sqlite>;

/// A wrapped pool of PostgreSQL connections.
#[cfg(feature = "sqlx-postgres")]
pub type PgPool = Pool<sqlx::Postgres>;

/// A wrapped pool of MySQL connections.
#[cfg(feature = "sqlx-mysql")]
pub type MySqlPool = Pool<sqlx::MySql>;
