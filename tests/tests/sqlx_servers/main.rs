//! The wrapped pool with a database server of its own, on a unix socket in a directory that goes away: one story, told to each database
//! in its words. What is not installed is skipped, and says so.

mod server;
mod story;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use self::server::{Installed, Server};
use self::story::{Dialect, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_to_postgresql_are_billed_to_the_request_that_made_them() {
    let Some(installed) = Installed::find("PostgreSQL", "postgres", &["initdb", "postgres", "pg_ctl"]) else { return };
    let mut server = Server::new(installed);
    server.make(
        "initdb",
        &["--pgdata=data", "--auth=trust", "--username=shop", "--encoding=UTF8", "--no-locale", "--no-sync"],
    );
    let here = server.folder().display().to_string();
    server.serve("postgres", &["-D", "data", "-h", "", "-F", "-k", &here]);
    server.stopped_by("pg_ctl", &["stop", "--pgdata=data", "--mode=immediate", "--silent"]);
    let options = PgConnectOptions::new().socket(server.folder()).username("shop").database("postgres");
    let pool = server.pool::<sqlx::Postgres>(options).await;
    let postgresql = Dialect {
        insert: "insert into carts values ($1, $2)",
        select: "select total from carts where id = $1",
        thousand: "select generate_series(1::bigint, 1000)",
        quoted: "select 'sesame'",
        moment: "select pg_sleep(0.05)",
        long: "select pg_sleep(30)",
    };
    tell(&pool, &postgresql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_to_mysql_are_billed_to_the_request_that_made_them() {
    let Some(installed) = Installed::find("MariaDB", "mysql", &["mariadb-install-db", "mariadbd"]) else { return };
    let mut server = Server::new(installed);
    let data = format!("--datadir={}", server.folder().join("data").display());
    let whose = "--auth-root-authentication-method=normal";
    server.make("mariadb-install-db", &["--no-defaults", &data, "--skip-test-db", whose]);
    let socket = server.folder().join("socket");
    let here = format!("--socket={}", socket.display());
    server
        .serve("mariadbd", &["--no-defaults", &data, &here, "--skip-networking", "--innodb-flush-log-at-trx-commit=0"]);
    let options = MySqlConnectOptions::new().socket(socket).username("root");
    let pool = server.pool::<sqlx::MySql>(options.clone()).await;
    sqlx::query("create database shop").execute(&pool).await.expect("made");
    let pool = server.pool::<sqlx::MySql>(options.database("shop")).await;
    let mysql = Dialect {
        insert: "insert into carts values (?, ?)",
        select: "select total from carts where id = ?",
        thousand: "select cast(seq as signed) from seq_1_to_1000",
        quoted: "select \"sesame\"",
        moment: "select sleep(0.05)",
        long: "select sleep(30)",
    };
    tell(&pool, &mysql).await;
}
