//! When a file is renamed, what to, and which old ones are kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::rfc3339;

/// When a [`File`](super::File) is renamed and begun anew, and how many old ones are kept.
///
/// | rotation | an old file is | which is |
/// |---|---|---|
/// | [`Rotation::size`] | `events.log.1` | the newest; the others count on |
/// | [`Rotation::daily`] | `events.log.2026-11-20` | of that day of UTC; `.1`, `.2` and so on follow where a day has several |
///
/// ```
/// use canonlog::Rotation;
///
/// let rotation = Rotation::daily().max_size(1 << 30).keep(14);
/// assert_ne!(rotation, Rotation::daily());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    size: Option<u64>,
    daily: bool,
    keep: usize,
}

/// How many old files are kept where nothing else is said.
const KEEP: usize = 7;

impl Rotation {
    /// No file grows beyond this many bytes, unless its first line is longer; the last 7 are kept.
    pub const fn size(bytes: u64) -> Self {
        Rotation { size: Some(bytes), daily: false, keep: KEEP }
    }

    /// A file has the events that were written in one day of UTC; the last 7 are kept.
    pub const fn daily() -> Self {
        Rotation { size: None, daily: true, keep: KEEP }
    }

    /// And no file grows beyond this many bytes, unless its first line is longer.
    #[must_use]
    pub const fn max_size(self, bytes: u64) -> Self {
        Rotation { size: Some(bytes), ..self }
    }

    /// Keeps this many old files beside the one that is written; with 0, what is rotated is gone.
    #[must_use]
    pub const fn keep(self, files: usize) -> Self {
        Rotation { keep: files, ..self }
    }

    /// How many bytes of these lines fit into a file of this length: whole lines, at least one if it is empty.
    pub(super) fn fits(&self, len: u64, lines: &[u8]) -> usize {
        let Some(size) = self.size else { return lines.len() };
        let room = usize::try_from(size.saturating_sub(len)).unwrap_or(usize::MAX);
        if lines.len() <= room {
            return lines.len();
        }
        let fits = lines[..room].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if fits > 0 || len > 0 {
            return fits;
        }
        lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1)
    }

    /// Whether a file of this day is no longer written today.
    pub(super) fn is_old(&self, day: u64, today: u64) -> bool {
        // A clock that was put back makes no file old.
        self.daily && day < today
    }

    /// Gives the file of this day another name, and removes the oldest.
    pub(super) fn turn_over(&self, path: &Path, day: u64) -> io::Result<()> {
        match (self.keep, self.daily) {
            (0, true) => fs::remove_file(path),
            (0, false) => fs::remove_file(path).and_then(|()| self.remove_beyond(path)),
            (_, true) => self.by_date(path, day),
            (_, false) => self.by_number(path),
        }
    }

    fn by_number(&self, path: &Path) -> io::Result<()> {
        let name = |number: usize| with_end(path, &number.to_string());
        // Up to the first hole, or to the last one that is kept, which is overwritten.
        let used = (1..self.keep).take_while(|number| name(*number).exists()).count();
        for number in (1..=used).rev() {
            fs::rename(name(number), name(number + 1))?;
        }
        fs::rename(path, name(1))?;
        self.remove_beyond(path)
    }

    /// Removes what was kept when more were, up to the first hole.
    fn remove_beyond(&self, path: &Path) -> io::Result<()> {
        for number in (1_usize..).skip(self.keep) {
            match fs::remove_file(with_end(path, &number.to_string())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                removed => removed?,
            }
        }
        Ok(())
    }

    fn by_date(&self, path: &Path, day: u64) -> io::Result<()> {
        let nanos = i64::try_from(u128::from(day) * 86_400_000_000_000).unwrap_or(i64::MAX);
        let date = String::from_utf8_lossy(&rfc3339(nanos)[..10]).into_owned();
        let mut old = dated(path)?;
        let last = old.iter().filter(|(known, _)| *known == date).map(|(_, number)| *number).max();
        let this = (date, last.map_or(0, |last| last + 1));
        fs::rename(path, with_end(path, &end(&this)))?;
        old.push(this);
        old.sort();
        for older in &old[..old.len().saturating_sub(self.keep)] {
            match fs::remove_file(with_end(path, &end(older))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

/// What follows the name of a file: its day, and the how manyth of that day it is.
fn end((date, number): &(String, u64)) -> String {
    if *number == 0 { date.clone() } else { format!("{date}.{number}") }
}

/// The old files of a path.
fn dated(path: &Path) -> io::Result<Vec<(String, u64)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?.file_name();
        let Some(rest) = entry.as_encoded_bytes().strip_prefix(name.as_encoded_bytes()) else { continue };
        found.extend(str::from_utf8(rest).ok().and_then(|rest| read_end(rest.strip_prefix('.')?)));
    }
    Ok(found)
}

fn read_end(text: &str) -> Option<(String, u64)> {
    let (date, number) = match text.split_once('.') {
        Some((date, number)) => {
            (date, number.parse().ok().filter(|read: &u64| *read > 0 && read.to_string() == number)?)
        }
        None => (text, 0),
    };
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    (date.len() == 10 && date.bytes().enumerate().all(shape)).then(|| (date.to_owned(), number))
}
