//! A file that lines are appended to, through rotations.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::per_process::PerProcess;
use super::turn::Turn;
use super::whole::{Bytes, write_lines};
use super::{Batch, Output, WriteError};
use crate::sys::fd;

/// A file that lines are appended to.
///
/// - Each batch is one `write`, appended (`O_APPEND`): several processes may share the file.
/// - The file is opened again when the name leads to another file (or to none): before each batch, and on
///   [`reopen`](Output::reopen). A file that was truncated is just written on.
/// - A line torn by a failure, or by a crash of the process before, is ended first: the next line stands on its own.
/// - It is created with mode 0640.
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
    opened: PerProcess<Turn<Option<Opened>>>,
}

#[derive(Debug)]
struct Opened {
    file: fs::File,
    /// Device and inode.
    identity: (u64, u64),
    fifo: bool,
    torn: bool,
}

impl Opened {
    fn open(path: &Path) -> io::Result<Option<Opened>> {
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true).mode(0o640);
        if fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
            // Else `open` waits for a reader.
            options.custom_flags(libc::O_NONBLOCK);
        }
        let file = match options.open(path) {
            Ok(file) => file,
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        let torn = found.is_file() && found.len() > 0 && !ends_with_line_end(path, &found);
        let identity = (found.dev(), found.ino());
        Ok(Some(Opened { file, identity, fifo: found.file_type().is_fifo(), torn }))
    }
}

/// Whether the file's last line was ended; yes if that cannot be told.
fn ends_with_line_end(path: &Path, found: &fs::Metadata) -> bool {
    let mut last = [b'\n'];
    let Ok(file) = fs::File::open(path) else { return true };
    let _ = file.read_at(&mut last, found.len() - 1);
    last == [b'\n']
}

impl Bytes for &Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }
    fn wait(&mut self, limit: Option<Duration>) -> bool {
        fd::wait_writable(self.file.as_raw_fd(), limit)
    }
    fn piece(&self) -> usize {
        if self.fifo { 4096 } else { usize::MAX }
    }
}

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
        let opened = Opened::open(path)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot open `{}`: {error}", path.display())))?;
        // A name relative to a directory that the program may leave.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(File { path, opened: PerProcess::new(Turn::new(opened)) })
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
        match Opened::open(&self.path) {
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
}

impl Output for File {
    fn name(&self) -> &str {
        "file"
    }

    fn place(&self) -> Option<String> {
        Some(format!("file:{}", self.path.display()))
    }

    fn write(&self, batch: Batch<'_>) -> Result<(), WriteError> {
        let fail = |source| WriteError { written: 0, source };
        let turn = self.opened.get(|| Turn::new(None)).take(batch.limit());
        let Some(mut opened) = turn else { return Err(fail(ErrorKind::TimedOut.into())) };
        self.refresh(&mut opened).map_err(fail)?;
        let Some(open) = opened.as_mut() else { return Err(fail(io::Error::from_raw_os_error(libc::ENXIO))) };
        let mut torn = open.torn;
        let written = write_lines(&mut &*open, batch, &mut torn);
        open.torn = torn;
        written
    }

    fn reopen(&self) -> io::Result<()> {
        let turn = self.opened.get(|| Turn::new(None)).take(Some(Duration::from_secs(1)));
        let Some(mut opened) = turn else { return Err(ErrorKind::TimedOut.into()) };
        *opened = Opened::open(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("canonlog-file-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("a scratch directory");
        dir.join("events.log")
    }

    fn write(file: &File, line: &str) -> Result<(), WriteError> {
        file.write(Batch::new(format!("{line}\n").as_bytes(), 1))
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("the file")
    }

    #[test]
    fn a_file_that_was_moved_is_opened_again() {
        let path = scratch("moved");
        let file = File::open(&path).expect("a file");
        write(&file, "one").expect("room");
        let old = path.with_extension("old");
        fs::rename(&path, &old).expect("moved");
        write(&file, "two").expect("room");
        fs::remove_file(&path).expect("removed");
        write(&file, "three").expect("room");
        assert_eq!((read(&old).as_str(), read(&path).as_str()), ("one\n", "three\n"));
    }

    #[test]
    fn a_file_that_was_truncated_is_written_on_from_its_start() {
        let path = scratch("truncated");
        let file = File::open(&path).expect("a file");
        write(&file, "one").expect("room");
        fs::File::create(&path).expect("truncated");
        write(&file, "two").expect("room");
        assert_eq!(read(&path), "two\n");
    }

    #[test]
    fn a_line_torn_by_a_crash_is_ended_first() {
        let path = scratch("torn");
        fs::write(&path, "event_type=\"req").expect("a torn line");
        let file = File::open(&path).expect("a file");
        write(&file, "one").expect("room");
        write(&file, "two").expect("room");
        assert_eq!(read(&path), "event_type=\"req\none\ntwo\n");
    }

    #[test]
    fn without_its_directory_a_file_is_counted_as_failed_until_it_is_back() {
        let path = scratch("directory");
        let file = File::open(&path).expect("a file");
        let dir = path.parent().expect("a directory");
        fs::remove_dir_all(dir).expect("removed");
        let error = write(&file, "lost").expect_err("nowhere to write to");
        assert_eq!((error.written, error.source.kind()), (0, ErrorKind::NotFound));
        fs::create_dir_all(dir).expect("made again");
        write(&file, "kept").expect("room");
        assert_eq!(read(&path), "kept\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_an_error_with_its_path() {
        let error = File::open("/nonexistent/events.log").expect_err("no such directory");
        assert!(error.to_string().starts_with("cannot open `/nonexistent/events.log`: "), "{error}");
    }

    #[test]
    fn the_file_is_not_for_everyone() {
        let path = scratch("mode");
        File::open(&path).expect("a file");
        assert_eq!(fs::metadata(&path).expect("the file").mode() & 0o137, 0);
    }
}
