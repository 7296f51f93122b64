//! The wrapped pool with a MariaDB server of its own, on a unix socket in a directory that goes away.
#![allow(clippy::print_stderr)] // says why it is skipped

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use canonlog::sqlx::MySqlPool;
use canonlog_tests::unit::{integer, request, seconds, text};
use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};

/// Longer than a server takes to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that ends with the test.
struct Server {
    process: Child,
    dir: tempfile::TempDir,
    account: String,
}

fn installed(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|program| program.exists())
}

/// A user's name, number and group in `/etc/passwd`.
fn user(of: impl Fn(&[&str]) -> bool) -> Option<(String, u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = users.find(|fields| of(fields))?;
    Some((fields.first()?.to_string(), fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

impl Server {
    fn start() -> Result<Server, String> {
        let install = installed("mariadb-install-db").ok_or("no MariaDB server is installed")?;
        let server = installed("mariadbd").ok_or("no MariaDB server is installed")?;
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = dir.path();
        let owner = path.metadata().map_err(|error| error.to_string())?.uid();
        // The server refuses to run as root: then it runs as the user that its package has made.
        let (account, uid, gid) = match owner {
            0 => user(|fields| fields[0] == "mysql").ok_or("there is no user to run the server")?,
            owner => {
                user(|fields| fields.get(2) == Some(&owner.to_string().as_str())).ok_or("this user has no name")?
            }
        };
        if owner == 0 {
            chown(path, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let prepare = |program: &Path| {
            let mut command = Command::new(program);
            command.arg("--no-defaults").arg(format!("--datadir={}", path.join("data").display())).current_dir(path);
            // A server that inherited a pipe would hold it open.
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if owner == 0 {
                command.uid(uid).gid(gid);
            }
            command
        };
        let mut first = prepare(&install);
        first.args(["--skip-test-db", "--auth-root-authentication-method=socket"]);
        let status = first.arg(format!("--auth-root-socket-user={account}")).status();
        let status = status.map_err(|error| format!("mariadb-install-db: {error}"))?;
        if !status.success() {
            return Err(format!("mariadb-install-db failed: {status}"));
        }
        let mut run = prepare(&server);
        run.args(["--skip-networking", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0"]);
        run.arg(format!("--socket={}", path.join("socket").display()));
        run.arg(format!("--pid-file={}", path.join("pid").display()));
        run.arg(format!("--log-error={}", path.join("server.log").display()));
        let process = run.spawn().map_err(|error| format!("mariadbd: {error}"))?;
        Ok(Server { process, dir, account })
    }

    /// Waits until the server takes connections.
    async fn pool(&mut self) -> MySqlPool {
        let options = MySqlConnectOptions::new().socket(self.dir.path().join("socket")).username(&self.account);
        let began = Instant::now();
        loop {
            let pool = MySqlPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10));
            match pool.connect_with(options.clone()).await {
                Ok(pool) => return canonlog::sqlx::wrap(pool),
                Err(error) => {
                    let ended = self.process.try_wait().expect("a child of ours");
                    let log = std::fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default();
                    assert!(ended.is_none() && began.elapsed() < PATIENCE, "{error} {ended:?}\n{log}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_to_mysql_are_billed_to_the_request_that_made_them() {
    let mut server = match Server::start() {
        Ok(server) => server,
        Err(reason) => return eprintln!("skipped: {reason}"),
    };
    let pool = server.pool().await;
    sqlx::query("create database shop").execute(&pool).await.expect("made");
    sqlx::query("create table shop.carts (id bigint primary key, total bigint not null)")
        .execute(&pool)
        .await
        .expect("made");

    let shop = async |nth: i64| {
        let mut tx = pool.begin().await?;
        sqlx::query("insert into shop.carts values (?, ?)").bind(nth).bind(nth * 10).execute(&mut *tx).await?;
        tx.commit().await?;
        for _ in 0..nth {
            let found = sqlx::query_scalar::<_, i64>("select total from shop.carts where id = ?").bind(nth);
            assert_eq!(found.fetch_one(&pool).await?, nth * 10);
        }
        let mut rows = sqlx::query_scalar::<_, u64>("select seq from shop.seq_1_to_1000").fetch(&pool);
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
        sqlx::query("select nothing from nowhere").execute(&mut *conn).await.expect_err("there is no such table");
        sqlx::query("select sleep(0.05)").execute(&mut *conn).await
    })
    .await;
    outcome.expect("it slept");
    assert_eq!(integer(&event, "db_queries"), 2);
    assert!((0.05..=seconds(&event, "resp_time")).contains(&seconds(&event, "db_time")), "{event:?}");

    let (_, event) = request(async {
        for _ in 0..2 {
            let said = sqlx::query_scalar::<_, String>("select \"sesame\"").fetch_one(&pool).await;
            assert_eq!(said.expect("what it was told"), "sesame");
        }
    })
    .await;
    assert_eq!(text(&event, "db_dup_top"), "select ?");

    let began = Instant::now();
    let (_, event) = request(async {
        let slow = sqlx::query("select sleep(30)").execute(&pool);
        tokio::time::timeout(Duration::from_millis(50), slow).await.expect_err("it takes longer");
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(integer(&event, "db_queries"), 1);
    assert!(seconds(&event, "db_time") >= 0.03, "{event:?}");
}
