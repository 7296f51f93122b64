//! How canonlog is set up for the peer: logfmt, once a process.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, fs, process};

use canonlog::{Batch, Emitter, File, Guard, Level, Output, WriteError};

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
    install(|| Emitter::new("counting").level(Level::Info).output(Counting).direct());
}

/// Lines go to a file, through the queue that canonlog has by default.
pub fn to_file() {
    install(|| Emitter::new("file").output(File::open(path()).expect("a file can be made where temporary files are")));
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

fn install(emitter: impl FnOnce() -> Emitter) {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let guard = canonlog::setup().emitter(emitter()).cpu_time(false).init().expect("a set-up without mistakes");
        *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    });
}
