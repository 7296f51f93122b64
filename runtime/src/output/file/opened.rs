//! The file behind the name, as it was found.

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::output::whole::Bytes;
use crate::sys::fd;

/// The day of a time, counted from 1970-01-01 in UTC.
pub(super) fn day(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: fs::File,
    /// Device and inode.
    pub(super) identity: (u64, u64),
    fifo: bool,
    pub(super) torn: bool,
    /// The day (of UTC, since 1970) that its lines are of.
    pub(super) day: u64,
}

impl Opened {
    /// Opens the file, or creates it; nothing where a fifo has no reader.
    pub(super) fn open(path: &Path, today: u64) -> io::Result<Option<Opened>> {
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
        // An empty one is written from today on, whenever it was made.
        let day = if found.len() == 0 { today } else { found.modified().map_or(today, day) };
        Ok(Some(Opened { file, identity, fifo: found.file_type().is_fifo(), torn, day }))
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
