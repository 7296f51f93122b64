//! The process's emitters.

use std::sync::OnceLock;
use std::time::Duration;

use super::Emitters;

static INSTALLED: OnceLock<Emitters> = OnceLock::new();
static FALLBACK: OnceLock<Emitters> = OnceLock::new();

/// What a process that aborts waits for its outputs.
const ABORT_LIMIT: Duration = Duration::from_millis(500);

/// Makes these the process's; gives them back if there are some already.
pub(crate) fn install(emitters: Emitters) -> Result<&'static Emitters, Emitters> {
    INSTALLED.set(emitters)?;
    Ok(INSTALLED.get().unwrap_or_else(|| fallback()))
}

/// Those that were set up.
pub(crate) fn installed() -> Option<&'static Emitters> {
    INSTALLED.get()
}

/// Those of a process without any set-up.
pub(crate) fn fallback() -> &'static Emitters {
    FALLBACK.get_or_init(Emitters::fallback)
}

/// Those in use: set up, or the fallback if anything was emitted without.
pub(crate) fn in_use() -> impl Iterator<Item = &'static Emitters> {
    INSTALLED.get().into_iter().chain(FALLBACK.get())
}

/// Before the process aborts: what the queues hold.
pub(crate) fn flush_for_abort() {
    if let Some(emitters) = installed() {
        emitters.flush(ABORT_LIMIT);
    }
}
