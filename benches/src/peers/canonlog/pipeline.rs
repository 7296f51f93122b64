//! How canonlog is set up for the peer: logfmt, once a process.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, fs, process};

use canonlog::{Batch, Emitter, File, Guard, Level, Lookback, Output, WriteError};

use crate::workload::sink;

/// Counts the bytes of each line, on the thread that made it.
struct Counting;

impl Output for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        sink(batch.bytes());
        Ok(())
    }
}

/// Lines go straight into the counting sink, as every peer's do.
pub fn to_sink() {
    install(counting, None);
}

/// The same, and quiet messages are kept until something goes wrong.
pub fn to_sink_if_wrong() {
    install(counting, Some(Lookback::new()));
}

fn counting() -> Emitter {
    Emitter::new("counting").level(Level::Info).output(Counting).direct()
}

/// Lines go to a file, through the queue that canonlog has by default.
pub fn to_file() {
    let file = || File::open(path()).expect("a file can be made where temporary files are");
    install(|| Emitter::new("file").output(file()), None);
}

/// Writes what the queue holds, and takes the file away.
pub fn end() {
    drop(GUARD.lock().unwrap_or_else(PoisonError::into_inner).take());
    let _ = fs::remove_file(path());
}

fn path() -> PathBuf {
    env::temp_dir().join(format!("canonlog-benches-{}.log", process::id()))
}

static GUARD: Mutex<Option<Guard>> = Mutex::new(None);

fn install(emitter: impl FnOnce() -> Emitter, lookback: Option<Lookback>) {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let mut setup = canonlog::setup().emitter(emitter()).cpu_time(false);
        if let Some(lookback) = lookback {
            setup = setup.lookback(lookback);
        }
        let guard = setup.init().expect("a set-up without mistakes");
        *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    });
}
