//! Whole lines to something that takes bytes: short writes, interruptions, and torn lines.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::{Batch, WriteError};
use crate::sys::clocks;

/// Something that takes bytes.
pub(super) trait Bytes {
    /// Takes some of them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Waits until it takes more; false when `limit` passed before.
    fn wait(&mut self, limit: Option<Duration>) -> bool;
    /// The longest piece that is taken whole or not at all, while others write too.
    fn piece(&self) -> usize {
        usize::MAX
    }
}

/// Up to where to write at once: as many whole lines as fit into `piece`, at least the first.
fn piece_end(bytes: &[u8], piece: usize) -> usize {
    if bytes.len() <= piece {
        return bytes.len();
    }
    let fits = bytes[..piece].iter().rposition(|byte| *byte == b'\n');
    let first = || bytes.iter().position(|byte| *byte == b'\n');
    fits.or_else(first).map_or(bytes.len(), |end| end + 1)
}

/// Writes the batch's lines; `torn` says, before and after, whether the last thing written was a piece of a line.
pub(super) fn write_lines(to: &mut impl Bytes, batch: Batch<'_>, torn: &mut bool) -> Result<(), WriteError> {
    let repair = *torn;
    let bytes: Cow<'_, [u8]> =
        if repair { Cow::Owned([b"\n", batch.bytes()].concat()) } else { Cow::Borrowed(batch.bytes()) };
    let deadline = batch.limit().map(clocks::within);
    let left = || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let piece = to.piece();
    let (mut at, mut ends) = (0, 0);
    let events = |ends: u64| ends.saturating_sub(u64::from(repair)).min(batch.events());
    let failed = loop {
        if at == bytes.len() {
            break None;
        }
        if deadline.is_some() && !to.wait(left()) {
            break Some(ErrorKind::TimedOut.into());
        }
        let end = at + piece_end(&bytes[at..], piece);
        match to.write(&bytes[at..end]) {
            Ok(0) => break Some(ErrorKind::WriteZero.into()),
            Ok(taken) => {
                let taken = &bytes[at..at + taken.min(end - at)];
                ends += taken.iter().filter(|byte| **byte == b'\n').count() as u64;
                at += taken.len();
                batch.wrote(events(ends));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !to.wait(left()) {
                    break Some(ErrorKind::TimedOut.into());
                }
            }
            Err(error) => break Some(error),
        }
    };
    if at > 0 {
        *torn = bytes[at - 1] != b'\n';
    }
    let Some(source) = failed else { return Ok(()) };
    // A line that lacks nothing but its end is written: the end comes with the next line.
    let whole = u64::from(*torn && at > 0 && bytes.get(at) == Some(&b'\n'));
    Err(WriteError { written: events(ends + whole), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what it is told to, one instruction a call; everything afterwards.
    struct Script {
        steps: Vec<Result<usize, ErrorKind>>,
        got: Vec<u8>,
        calls: Vec<usize>,
        piece: usize,
    }

    impl Bytes for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let step = if self.steps.is_empty() { Ok(usize::MAX) } else { self.steps.remove(0) };
            let taken = step?.min(bytes.len());
            self.got.extend_from_slice(&bytes[..taken]);
            self.calls.push(taken);
            Ok(taken)
        }
        fn wait(&mut self, _: Option<Duration>) -> bool {
            true
        }
        fn piece(&self) -> usize {
            self.piece
        }
    }

    fn script(steps: Vec<Result<usize, ErrorKind>>, piece: usize) -> Script {
        Script { steps, got: Vec::new(), calls: Vec::new(), piece }
    }

    #[test]
    fn interruptions_and_short_writes_tear_nothing() {
        let steps = vec![Err(ErrorKind::Interrupted), Ok(2), Err(ErrorKind::WouldBlock), Ok(1)];
        let mut to = script(steps, usize::MAX);
        let mut torn = false;
        write_lines(&mut to, Batch::new(b"one\ntwo\n", 2), &mut torn).expect("no fault");
        assert_eq!((to.got.as_slice(), torn), (b"one\ntwo\n".as_slice(), false));
    }

    #[test]
    fn after_a_torn_line_the_next_starts_on_a_new_one() {
        let mut to = script(vec![Ok(6), Err(ErrorKind::StorageFull)], usize::MAX);
        let mut torn = false;
        let error = write_lines(&mut to, Batch::new(b"one\ntwo\n", 2), &mut torn).expect_err("a full disk");
        assert_eq!((error.written, torn), (1, true));
        write_lines(&mut to, Batch::new(b"three\n", 1), &mut torn).expect("room again");
        assert_eq!(to.got, b"one\ntw\nthree\n");
        assert!(!torn);
    }

    #[test]
    fn a_line_that_lacks_only_its_end_is_written() {
        let mut to = script(vec![Ok(3), Err(ErrorKind::StorageFull)], usize::MAX);
        let mut torn = false;
        let error = write_lines(&mut to, Batch::new(b"one\ntwo\n", 2), &mut torn).expect_err("a full disk");
        assert_eq!((error.written, torn), (1, true));
    }

    #[test]
    fn a_failed_repair_is_tried_again() {
        let mut to = script(vec![Err(ErrorKind::StorageFull), Ok(1), Err(ErrorKind::StorageFull)], usize::MAX);
        let mut torn = true;
        let lines = Batch::new(b"a\n", 1);
        assert_eq!(write_lines(&mut to, lines, &mut torn).expect_err("full").written, 0);
        assert!(torn);
        assert_eq!(write_lines(&mut to, lines, &mut torn).expect_err("full").written, 0);
        assert!(!torn, "only the line end was written");
        write_lines(&mut to, lines, &mut torn).expect("room again");
        assert_eq!(to.got, b"\na\n");
    }

    #[test]
    fn pieces_are_whole_lines_unless_one_is_longer() {
        let mut to = script(Vec::new(), 8);
        let mut torn = false;
        write_lines(&mut to, Batch::new(b"aaa\nbbb\nc\nlonger than eight\nd\n", 5), &mut torn).expect("no fault");
        assert_eq!(to.calls, [8, 2, 18, 2]);
    }

    #[test]
    fn nothing_taken_is_an_error() {
        let mut torn = false;
        let error = write_lines(&mut script(vec![Ok(0)], 8), Batch::new(b"a\n", 1), &mut torn).expect_err("nothing");
        assert_eq!(error.source.kind(), ErrorKind::WriteZero);
    }
}
