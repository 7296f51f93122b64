//! A log of everything, for a day: for whoever looks for a fault on one machine.

use std::io;
use std::path::Path;

use super::{Emitter, Said};
use crate::output::{File, Rotation};

impl Emitter {
    /// A debug log: every event of every level in a file that is rotated at midnight UTC, with the day before kept as
    /// `PATH.2026-11-20`.
    ///
    /// What is said of the level of all emitters (`CANONLOG_LEVEL`) leaves it alone: it is there for what the other emitters do not take. It is an emitter as any other, with logfmt
    /// through a queue, and can be changed as one.
    ///
    /// ```
    /// use canonlog::Emitter;
    ///
    /// let path = std::env::temp_dir().join("canonlog-doc-debug.log");
    /// let setup = canonlog::setup().emitter(Emitter::new("events")).emitter(Emitter::debug_log(&path)?);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be opened: what the system says, with the path.
    pub fn debug_log(path: impl AsRef<Path>) -> io::Result<Emitter> {
        let file = File::open(path)?.rotate(Rotation::daily().keep(1));
        let said = Said { level: true, format: true, output: true, is_whole: true };
        Ok(Emitter { said, ..Emitter::new("debug_log").output(file) })
    }
}
