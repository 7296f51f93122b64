//! The wrapped pool with a PostgreSQL server of its own, on a unix socket in a directory that goes away.
#![allow(clippy::print_stderr)] // says why it is skipped

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use canonlog::sqlx::PgPool;
use canonlog_tests::unit::{integer, request, seconds};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A server that ends with the test.
struct Server {
    bin: PathBuf,
    dir: tempfile::TempDir,
    user: Option<(u32, u32)>,
}

/// The newest installed server's programs.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let bins = versions.map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists()).max()
}

/// The server refuses to run as root: then it runs as the user that its package has made.
fn ordinary_user(dir: &Path) -> Option<Option<(u32, u32)>> {
    if dir.metadata().ok()?.uid() != 0 {
        return Some(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = users.lines().find(|line| line.starts_with("postgres:"))?.split(':').collect();
    Some(Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))
}

impl Server {
    fn start() -> Result<Server, String> {
        let bin = installed().ok_or("no PostgreSQL server is installed")?;
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let user = ordinary_user(dir.path()).ok_or("there is no user to run the server")?;
        if let Some((user, group)) = user {
            chown(dir.path(), Some(user), Some(group)).map_err(|error| error.to_string())?;
        }
        let server = Server { bin, dir, user };
        server.run("initdb", &["--auth=trust", "--username=shop", "--encoding=UTF8", "--locale=C", "--no-sync"])?;
        let options = format!("-h '' -k '{}' -F", server.dir.path().display());
        server.run("pg_ctl", &["start", "--wait", "--silent", "--log=server.log", "--options", &options])?;
        Ok(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).arg("--pgdata=data").current_dir(self.dir.path());
        // A server that inherited a pipe would hold it open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let status = command.status().map_err(|error| format!("{program}: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("{program} failed: {status}")) }
    }

    async fn pool(&self) -> Result<PgPool, sqlx::Error> {
        let options = PgConnectOptions::new().socket(self.dir.path()).username("shop").database("postgres");
        let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10));
        pool.connect_with(options).await.map(canonlog::sqlx::wrap)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["stop", "--mode=immediate", "--silent"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_to_postgresql_are_billed_to_the_request_that_made_them() {
    let server = match Server::start() {
        Ok(server) => server,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let pool = server.pool().await.expect("it runs");
    sqlx::query("create table carts (id bigint primary key, total bigint not null)")
        .execute(&pool)
        .await
        .expect("made");

    let shop = async |nth: i64| {
        let mut tx = pool.begin().await?;
        sqlx::query("insert into carts values ($1, $2)").bind(nth).bind(nth * 10).execute(&mut *tx).await?;
        tx.commit().await?;
        for _ in 0..nth {
            sqlx::query("select total from carts where id = $1").bind(nth).fetch_one(&pool).await?;
        }
        let mut rows = sqlx::query_scalar::<_, i32>("select generate_series(1, 1000)").fetch(&pool);
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
        sqlx::query("select 1 / 0").execute(&mut *conn).await.expect_err("a division by zero");
        sqlx::query("select pg_sleep(0.05)").execute(&mut *conn).await
    })
    .await;
    outcome.expect("it slept");
    assert_eq!(integer(&event, "db_queries"), 2);
    assert!((0.05..=seconds(&event, "resp_time")).contains(&seconds(&event, "db_time")), "{event:?}");

    let began = Instant::now();
    let (_, event) = request(async {
        let slow = sqlx::query("select pg_sleep(30)").execute(&pool);
        tokio::time::timeout(Duration::from_millis(50), slow).await.expect_err("it takes longer");
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(integer(&event, "db_queries"), 1);
    assert!(seconds(&event, "db_time") >= 0.03, "{event:?}");
}
