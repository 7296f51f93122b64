//! A file that lines are appended to, through rotations: those of others, and its own.
//!
//! ```text
//! batch ──▶ does the name lead to this file still? ──no──▶ open it again
//!               └─▶ is it too long, or of another day? ──yes──▶ rename it, open a new one
//!                       └─▶ as many whole lines as fit ──▶ one `write`
//! ```

mod opened;
mod rotation;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use self::opened::{Opened, day};
pub use self::rotation::Rotation;
use super::per_process::PerProcess;
use super::turn::Turn;
use super::whole::write_lines;
use super::{Batch, Output, WriteError};
use crate::internal;
use crate::sys::{clocks, fd};

/// A file that lines are appended to.
///
/// - Each batch is one `write`, appended (`O_APPEND`): several processes may share the file.
/// - The file is opened again when the name leads to another file (or to none): before each batch, and on
///   [`reopen`](Output::reopen). A file that was truncated is just written on.
/// - A line torn by a failure, or by a crash of the process before, is ended first: the next line stands on its own.
/// - It is created with mode 0640.
/// - With [`rotate`](File::rotate) it is renamed when it is long enough, or a day old, and the oldest ones are removed.
///
/// With a limit on the size of files (`RLIMIT_FSIZE`) the system sends `SIGXFSZ`, which ends the process unless the program
/// ignores that signal; canonlog installs no handler. Where it is ignored, the failed writes are counted as any others.
///
/// ```
/// use canonlog::{Emitter, File};
///
/// let path = std::env::temp_dir().join("canonlog-doc-events.log");
/// let emitter = Emitter::new("events").output(File::open(&path)?);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    rotation: Option<Rotation>,
    opened: PerProcess<Turn<Held>>,
    now: fn() -> SystemTime,
    try_lock: TryLock,
    /// The system has refused to lock it, which was said.
    is_unlocked: AtomicBool,
}

type TryLock = for<'a> fn(&'a fs::File) -> io::Result<Option<fd::FileLock<'a>>>;

/// What whoever writes has.
#[derive(Debug, Default)]
struct Held {
    opened: Option<Opened>,
    /// When a rotation failed.
    failed: Option<Instant>,
}

/// A rotation that failed is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// How often and in what steps another process that is renaming the file is waited for: 2 ms in all.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_micros(100);

impl File {
    /// Opens the file, or creates it.
    ///
    /// ```
    /// let error = canonlog::File::open("/no/such/folder/events.log").expect_err("there is no folder");
    /// assert!(error.to_string().starts_with("cannot open `/no/such/folder/events.log`"));
    /// ```
    ///
    /// # Errors
    ///
    /// What the system says, with the path.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let now = SystemTime::now;
        let opened = Opened::open(path, day(now()))
            .map_err(|error| io::Error::new(error.kind(), format!("cannot open `{}`: {error}", path.display())))?;
        // A name relative to a directory that the program may leave.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let held = Held { opened, failed: None };
        let opened = PerProcess::new(Turn::new(held));
        Ok(File { path, rotation: None, opened, now, try_lock: fd::try_lock, is_unlocked: AtomicBool::new(false) })
    }

    /// Rotates the file: when it is long enough, or of a day before, it is renamed and a new one is begun.
    ///
    /// Several processes may share the file, each with the same rotation or with none: one of them renames it, the others notice. A
    /// rotation that fails is told on stderr and tried again later; lines go on into the file that there is.
    ///
    /// They take turns by a lock on the file (`flock`). Where its file system has none (some network file systems), each rotates all
    /// the same, and says so once on stderr. Give each process a file of its own there: two that rotate one in the same moment can
    /// overwrite an old file.
    ///
    /// ```
    /// use canonlog::{Emitter, File, Rotation};
    ///
    /// let path = std::env::temp_dir().join("canonlog-doc-rotated.log");
    /// let emitter = Emitter::new("events").output(File::open(&path)?.rotate(Rotation::daily().keep(14)));
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn rotate(self, rotation: Rotation) -> Self {
        File { rotation: Some(rotation), ..self }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens again what was moved away or never opened.
    fn refresh(&self, opened: &mut Option<Opened>) -> io::Result<()> {
        let found = match fs::metadata(&self.path) {
            Ok(found) => Some((found.dev(), found.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // It cannot be told: go on with what there is.
            Err(error) => return if opened.is_some() { Ok(()) } else { Err(error) },
        };
        if opened.as_ref().is_some_and(|open| found == Some(open.identity)) {
            return Ok(());
        }
        match Opened::open(&self.path, day((self.now)())) {
            Ok(now) => *opened = now,
            Err(error) => {
                // What is written to a file without a name is lost; one that was moved takes lines all the same.
                let named = opened.as_ref().is_some_and(|open| open.file.metadata().is_ok_and(|m| m.nlink() > 0));
                if !named {
                    *opened = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Rotates the file if it is time, and says how many bytes of these lines it then takes.
    fn rotate_if_due(&self, held: &mut Held, bytes: &[u8]) -> usize {
        let (Some(rotation), Some(open)) = (&self.rotation, &held.opened) else { return bytes.len() };
        let Ok(found) = open.file.metadata() else { return bytes.len() };
        if !found.is_file() {
            return bytes.len();
        }
        let today = day((self.now)());
        let fits = rotation.fits(found.len(), bytes);
        let old = found.len() > 0 && rotation.is_old(open.day, today);
        if (fits > 0 && !old) || found.len() == 0 {
            return fits;
        }
        if held.failed.is_some_and(|at| at.elapsed() < TRY_AGAIN) {
            return bytes.len();
        }
        match self.turn_over(rotation, open) {
            Ok(()) => {
                held.failed = None;
                // Somebody else is at it where the name still leads here: then these lines belong to the old one.
                let _ = self.refresh(&mut held.opened);
            }
            Err(error) => {
                held.failed = Some(Instant::now());
                let file = format!("file `{}`", self.path.display());
                internal::say_of(&file, &format!("cannot rotate: {error}; its lines go on into it"));
            }
        }
        let len = held.opened.as_ref().and_then(|open| open.file.metadata().ok()).map_or(0, |found| found.len());
        match rotation.fits(len, bytes) {
            0 => bytes.len(),
            fits => fits,
        }
    }

    /// Waits a little for the lock.
    fn lock<'a>(&self, file: &'a fs::File) -> io::Result<Option<fd::FileLock<'a>>> {
        for again in 0..LOCK_TRIES {
            if again > 0 {
                std::thread::sleep(LOCK_PAUSE);
            }
            if let Some(lock) = (self.try_lock)(file)? {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    /// Says once that the file has no lock.
    fn say_unlocked(&self, error: &io::Error) {
        if self.is_unlocked.swap(true, Ordering::Relaxed) {
            return;
        }
        let path = self.path.display();
        internal::say(&format!(
            "file `{path}`: cannot lock it: {error}; it is rotated all the same, so no other process should rotate it too"
        ));
    }

    /// Renames the file, unless another process does or has done so.
    fn turn_over(&self, rotation: &Rotation, open: &Opened) -> io::Result<()> {
        // All who rotate this file ask for this lock; whoever gets it later finds that the name leads elsewhere.
        let _lock = match self.lock(&open.file) {
            Ok(Some(lock)) => Some(lock),
            // One that was stopped in the middle of it keeps nobody.
            Ok(None) => return Ok(()),
            Err(error) => {
                self.say_unlocked(&error);
                None
            }
        };
        let found = fs::canonicalize(&self.path).and_then(|real| Ok((fs::metadata(&real)?, real)));
        let turned = found.and_then(|(found, real)| match (found.dev(), found.ino()) == open.identity {
            true => rotation.turn_over(&real, open.day),
            false => Ok(()),
        });
        match turned {
            // It was moved meanwhile, and a new one is not there yet.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            turned => turned,
        }
    }
}

impl Output for File {
    fn name(&self) -> &str {
        "file"
    }

    fn place(&self) -> Option<String> {
        // One that rotates and one that does not are two, which is as if two processes shared the file.
        let rotation = self.rotation.map_or(String::new(), |rotation| format!("?{rotation:?}"));
        Some(format!("file:{}{rotation}", self.path.display()))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let deadline = batch.limit().map(clocks::within);
        let turn = self.opened.get(Turn::default).take(batch.limit());
        let fail = |written, source| WriteError { written, source };
        let Some(mut held) = turn else { return Err(fail(0, ErrorKind::TimedOut.into())) };
        let (mut rest, mut written) = (batch, 0);
        loop {
            self.refresh(&mut held.opened).map_err(|error| fail(written, error))?;
            let end = self.rotate_if_due(&mut held, rest.bytes());
            let Some(open) = held.opened.as_mut() else {
                return Err(fail(written, io::Error::from_raw_os_error(libc::ENXIO)));
            };
            let (part, after) = rest.split_at(end);
            let mut torn = open.torn;
            let result = write_lines(&mut &*open, part, &mut torn);
            open.torn = torn;
            result.map_err(|error| fail(written + error.written, error.source))?;
            written += part.events();
            batch.wrote(written);
            if after.bytes().is_empty() {
                return Ok(());
            }
            rest = match deadline {
                Some(deadline) => after.within(deadline.saturating_duration_since(Instant::now())),
                None => after,
            };
        }
    }

    fn reopen(&self) -> io::Result<()> {
        let turn = self.opened.get(Turn::default).take(Some(Duration::from_secs(1)));
        let Some(mut held) = turn else { return Err(ErrorKind::TimedOut.into()) };
        held.opened = Opened::open(&self.path, day((self.now)()))?;
        Ok(())
    }
}
