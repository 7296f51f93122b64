//! A database server that ends with its test.
#![allow(clippy::print_stderr)] // says why it is skipped

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use canonlog::sqlx::{Driver, Pool};
use sqlx::pool::PoolOptions;

/// Longer than a server takes to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs of a server, in one folder, and who runs them.
pub(crate) struct Installed {
    programs: PathBuf,
    /// Servers refuse to run as root: then they run as the user that their package has made.
    user: Option<(u32, u32)>,
}

impl Installed {
    /// The newest where there are several. None, and a word of it, where a program or the user is missing.
    pub(crate) fn find(server: &str, user: &str, programs: &[&str]) -> Option<Installed> {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
        folders.sort();
        folders.extend(["/usr/local/bin", "/usr/bin"].map(PathBuf::from));
        let is_here = |folder: &PathBuf| programs.iter().all(|program| found(folder, program).is_some());
        let Some(folder) = folders.into_iter().rev().find(is_here) else {
            eprintln!("skipped: no {server} server is installed");
            return None;
        };
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let ordinary = is_root.then(|| account(user));
        if ordinary == Some(None) {
            eprintln!("skipped: there is no user `{user}` to run the server");
            return None;
        }
        Some(Installed { programs: folder, user: ordinary.flatten() })
    }
}

/// A program in a folder, or in the one beside it that is for servers.
fn found(folder: &Path, program: &str) -> Option<PathBuf> {
    let beside = folder.parent()?.join("sbin");
    [folder, &beside].into_iter().map(|folder| folder.join(program)).find(|path| path.exists())
}

/// A user's number and group in `/etc/passwd`.
fn account(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = users.find(|fields| fields[0] == name)?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// A server with its data in a directory of its own.
pub(crate) struct Server {
    installed: Installed,
    folder: tempfile::TempDir,
    process: Option<Child>,
    /// How it is told to end, where it must not be killed.
    stop: Option<Command>,
}

impl Server {
    pub(crate) fn new(installed: Installed) -> Server {
        let folder = tempfile::tempdir().expect("a directory");
        if let Some((user, group)) = installed.user {
            chown(folder.path(), Some(user), Some(group)).expect("given away by root");
        }
        Server { installed, folder, process: None, stop: None }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(found(&self.installed.programs, program).expect("found before"));
        command.args(arguments).current_dir(self.folder());
        // A server that inherited a pipe would hold it open.
        let log = File::options().create(true).append(true).open(self.folder().join("server.log")).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some((user, group)) = self.installed.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder().join("server.log")).unwrap_or_default()
    }

    /// Makes its data.
    pub(crate) fn make(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program, arguments).status().expect("it is installed");
        assert!(status.success(), "{program}: {status}\n{}", self.log());
    }

    pub(crate) fn serve(&mut self, program: &str, arguments: &[&str]) {
        self.process = Some(self.command(program, arguments).spawn().expect("it is installed"));
    }

    pub(crate) fn stopped_by(&mut self, program: &str, arguments: &[&str]) {
        self.stop = Some(self.command(program, arguments));
    }

    /// Waits until it takes connections.
    pub(crate) async fn pool<DB: Driver>(&mut self, options: Options<DB>) -> Pool<DB> {
        let began = Instant::now();
        loop {
            let pool = PoolOptions::<DB>::new().max_connections(4).acquire_timeout(Duration::from_secs(10));
            match pool.connect_with(options.clone()).await {
                Ok(pool) => return canonlog::sqlx::wrap(pool),
                Err(error) => {
                    let ended = self.process.as_mut().and_then(|process| process.try_wait().expect("a child of ours"));
                    assert!(ended.is_none() && began.elapsed() < PATIENCE, "{error} {ended:?}\n{}", self.log());
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

type Options<DB> = <<DB as sqlx::Database>::Connection as sqlx::Connection>::Options;

impl Drop for Server {
    fn drop(&mut self) {
        let Some(process) = &mut self.process else { return };
        let told = self.stop.take().is_some_and(|mut stop| stop.status().is_ok_and(|status| status.success()));
        if !told {
            let _ = process.kill();
        }
        let _ = process.wait();
    }
}
