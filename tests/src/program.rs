//! Programs that tests start, each run to its end within bounds.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A program that is not told by this one's environment where its events go.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in ["CANONLOG_LEVEL", "CANONLOG_FORMAT", "CANONLOG_OUTPUT", "DEVEL"] {
        command.env_remove(variable);
    }
    command
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl Ended {
    /// The code that it ended with; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The signal that ended it.
    #[cfg(unix)]
    pub fn signal(&self) -> Option<i32> {
        std::os::unix::process::ExitStatusExt::signal(&self.status)
    }

    /// The lines of one type of event.
    pub fn of(&self, kind: &str) -> Vec<&str> {
        let head = format!("event_type=\"{kind}\" ");
        self.out.lines().filter(|line| line.starts_with(&head)).collect()
    }

    /// The last two numbers of `lost <n> written <n>` on standard error.
    pub fn told(&self) -> (u64, u64) {
        let line = self.err.lines().rev().find_map(|line| line.strip_prefix("lost "));
        let (lost, written) = line.and_then(|line| line.split_once(" written ")).expect(&self.err);
        (lost.parse().expect("a number"), written.parse().expect("a number"))
    }
}

/// Reads a pipe to its end, on a thread.
pub fn text(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("text from a pipe");
        text
    })
}

/// Runs a program to its end, which comes within a limit.
pub fn run(command: &mut Command, limit: Duration) -> Ended {
    let mut child = command.spawn().expect("it starts");
    let (out, err) = (text(child.stdout.take().expect("piped")), text(child.stderr.take().expect("piped")));
    let status = wait(&mut child, &format!("{command:?}"), limit);
    Ended { status, out: out.join().expect("no panic"), err: err.join().expect("no panic") }
}

/// Waits for a program's end; it is killed, and the test fails, if that takes too long.
pub fn wait(child: &mut Child, what: &str, limit: Duration) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        if began.elapsed() > limit {
            let _ = child.kill();
            panic!("{what} has not ended after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
