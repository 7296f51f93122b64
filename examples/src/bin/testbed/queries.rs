//! Handlers that ask a database: SQLite, in memory.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use canonlog::instrument_request;
use canonlog::sqlx::SqlitePool;
use serde::Deserialize;
use sqlx::sqlite::SqlitePoolOptions;

const ITEM: &str = "SELECT name FROM items WHERE id = ?";

/// A query that failed.
struct DbError(sqlx::Error);

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        DbError(error)
    }
}

impl IntoResponse for DbError {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}

/// One insert, and the same select twice.
#[instrument_request]
async fn db(State(pool): State<SqlitePool>) -> Result<String, DbError> {
    sqlx::query("INSERT INTO visits (path) VALUES (?)").bind("/db").execute(&pool).await?;
    let mut names = Vec::new();
    for id in 1..=2_i64 {
        let name: String = sqlx::query_scalar(ITEM).bind(id).fetch_one(&pool).await?;
        names.push(name);
    }
    Ok(names.join(" "))
}

#[derive(Deserialize)]
struct Many {
    #[serde(default = "three")]
    n: i64,
}

fn three() -> i64 {
    3
}

/// One select for a list, and one for each of its entries.
#[instrument_request]
async fn n_plus_one(State(pool): State<SqlitePool>, Query(Many { n }): Query<Many>) -> Result<String, DbError> {
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM items ORDER BY id LIMIT ?").bind(n).fetch_all(&pool).await?;
    let mut names = Vec::new();
    for id in ids {
        let name: String = sqlx::query_scalar(ITEM).bind(id).fetch_one(&pool).await?;
        names.push(name);
    }
    Ok(names.join(" "))
}

pub(crate) async fn routes() -> Result<Router, sqlx::Error> {
    // One connection, kept: each has a memory of its own.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect("sqlite::memory:")
        .await?;
    sqlx::query("CREATE TABLE visits (id INTEGER PRIMARY KEY, path TEXT NOT NULL)").execute(&pool).await?;
    sqlx::query("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&pool).await?;
    sqlx::query(
        "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1000)
         INSERT INTO items (id, name) SELECT id, 'item ' || id FROM n",
    )
    .execute(&pool)
    .await?;
    let pool = canonlog::sqlx::wrap(pool);
    Ok(Router::new().route("/db", get(db)).route("/n_plus_one", get(n_plus_one)).with_state(pool))
}
