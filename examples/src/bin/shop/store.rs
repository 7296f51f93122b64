//! The shop's data: an SQLite file, made and filled at the first start.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use canonlog::sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tempfile::TempDir;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) db: SqlitePool,
    /// How often the recommendation engine was asked; it fails every third time.
    pub(crate) recommendations: Arc<AtomicU64>,
}

/// The open shop, and the directory that goes away with it.
pub(crate) struct Store {
    pub(crate) shop: Shop,
    _directory: Option<TempDir>,
}

const TABLES: &str = "
create table if not exists products (id integer primary key, name text not null, cents integer not null);
create table if not exists cart_items (cart integer not null, product integer not null, quantity integer not null);
create table if not exists orders (id integer primary key, cart integer not null, cents integer not null);
create table if not exists order_items (order_id integer not null, product integer not null, quantity integer not null);
";

const GOODS: [(&str, i64); 6] = [
    ("Kettle", 3499),
    ("Teapot", 2450),
    ("Cup", 799),
    ("Darjeeling, 100 g", 1290),
    ("Assam, 100 g", 990),
    ("Sugar tongs", 1500),
];

/// Opens the database at `path`, or at the usual place.
pub(crate) async fn open(path: Option<PathBuf>) -> Result<Store, String> {
    let (path, directory) = match path {
        Some(path) => (path, None),
        None => usual_place()?,
    };
    let db = connect(&path).await.map_err(|error| unusable(&path, reason(&error)))?;
    Ok(Store { shop: Shop { db, recommendations: Arc::default() }, _directory: directory })
}

// ANCHOR: pool
async fn connect(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    let db = canonlog::sqlx::wrap(pool); // from here on, queries count in the request that makes them
    fill(&db).await?;
    Ok(db)
}
// ANCHOR_END: pool

async fn fill(db: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    sqlx::raw_sql(TABLES).execute(&mut *tx).await?;
    let (products,): (i64,) = sqlx::query_as("select count(*) from products").fetch_one(&mut *tx).await?;
    if products == 0 {
        for (name, cents) in GOODS {
            let insert = sqlx::query("insert into products (name, cents) values (?1, ?2)").bind(name).bind(cents);
            insert.execute(&mut *tx).await?;
        }
        for (order, product) in (1..=4).flat_map(|order| [(order, order), (order, order + 2)]) {
            let insert = sqlx::query("insert into order_items values (?1, ?2, 1)").bind(order).bind(product);
            insert.execute(&mut *tx).await?;
        }
        sqlx::raw_sql("insert into orders values (1, 1, 4298), (2, 2, 3740), (3, 3, 1789), (4, 4, 2790)")
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}

/// `$XDG_DATA_HOME/canonlog-shop/shop.sqlite`, else a file in a temporary directory.
fn usual_place() -> Result<(PathBuf, Option<TempDir>), String> {
    if let Some(data) = std::env::var_os("XDG_DATA_HOME").filter(|data| !data.is_empty()) {
        let directory = PathBuf::from(data).join("canonlog-shop");
        let path = directory.join("shop.sqlite");
        std::fs::create_dir_all(&directory).map_err(|error| unusable(&path, error))?;
        return Ok((path, None));
    }
    let directory = tempfile::Builder::new().prefix("canonlog-shop-").tempdir();
    let directory = directory.map_err(|error| format!("cannot make a directory for the database: {error}"))?;
    Ok((directory.path().join("shop.sqlite"), Some(directory)))
}

fn unusable(path: &Path, reason: impl Display) -> String {
    format!("cannot use the database {}: {reason}; `--database` takes another file", path.display())
}

/// What SQLite itself says, without what sqlx puts around it.
fn reason(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// Prices are kept in cents, and shown as what people say.
pub(crate) fn price(cents: i64) -> f64 {
    cents as f64 / 100.0
}
