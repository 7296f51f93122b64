//! Which databases can be wrapped.

use sqlx::{Database, Executor};

/// A database driver whose connections run queries.
///
/// This says what `for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>` says in generic code over sqlx, in a form that the
/// compiler can follow through a wrapper. SQLite, PostgreSQL, MySQL and `Any` have it under the feature of their name
/// (`sqlx-sqlite`, ...); a driver from elsewhere gets it in two lines, by a newtype of its database.
///
/// ```
/// use canonlog::sqlx::{Driver, Pool};
/// use sqlx::{Encode, IntoArguments, Type};
///
/// async fn empty<DB: Driver>(pool: &Pool<DB>) -> Result<(), sqlx::Error>
/// where
///     DB::Arguments: IntoArguments<DB>,
/// {
///     sqlx::query("delete from carts").execute(pool).await?;
///     Ok(())
/// }
/// ```
pub trait Driver: Database {
    /// A borrowed connection, as that which runs queries: `&'c mut Self::Connection`.
    type Executor<'c>: Executor<'c, Database = Self>;

    /// The same connection.
    fn executor(connection: &mut Self::Connection) -> Self::Executor<'_>;
}

macro_rules! drivers {
    ($($feature:literal $database:ident;)*) => {$(
        #[cfg(feature = $feature)]
        impl Driver for sqlx::$database {
            type Executor<'c> = &'c mut <sqlx::$database as Database>::Connection;

            fn executor(connection: &mut Self::Connection) -> Self::Executor<'_> {
                connection
            }
        }
    )*};
}

drivers! {
    "sqlx-any" Any;
    "sqlx-mysql" MySql;
    "sqlx-postgres" Postgres;
    "sqlx-sqlite" Sqlite;
}
