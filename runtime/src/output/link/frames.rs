//! What goes over a connection, and what of it goes to the next one when that is lost.
//!
//! ```text
//!  of earlier batches   of this batch
//! ├───────┬───────────┬───────────────┤
//!  known   taken by    not taken yet
//!  there   the system
//!          └── lost ──────▶ to the next connection
//! ```

use std::ops::Range;

use super::{Protocol, Socket};
use crate::output::Batch;

/// So many bytes are kept before it is asked which of them have arrived.
const ASK_AT: usize = 256 * 1024;
/// No more than this is kept of what has not arrived: as much as a system has on its way in one connection.
const MOST: usize = 4 << 20;
/// Buffers that grew longer than this are given back.
const KEPT: usize = 1 << 20;

/// The lines of a batch as they are sent; before them, those of earlier ones that the server's system may not have.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// So many are of earlier batches, which count as written.
    old: usize,
    /// So many of this batch are done with and no longer here.
    gone: usize,
    /// So many the connection has taken whole, and so many bytes.
    taken: usize,
    at: usize,
    /// At this length it is asked what has arrived.
    ask_at: usize,
}

impl Frames {
    /// Begins a batch on a connection.
    pub(super) fn begin(&mut self, socket: Option<&Socket>) {
        if let Some(socket) = socket
            && self.bytes.len() >= self.ask_at.max(ASK_AT)
        {
            self.remove(self.at.saturating_sub(socket.unacknowledged()));
            self.remove(self.bytes.len().saturating_sub(MOST).min(self.at));
            self.ask_at = self.bytes.len() * 2;
        }
        (self.old, self.gone) = (self.ends.len(), 0);
    }

    /// Ends a batch: what was not taken of it is never sent. What was stays where `keeps` says that it may have to be sent again.
    pub(super) fn end(&mut self, keeps: bool) {
        self.truncate_to(self.taken.max(self.old));
        if !keeps {
            self.remove(self.at);
        }
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            *self = Frames::default();
        }
    }

    fn truncate_to(&mut self, frames: usize) {
        self.ends.truncate(frames);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Makes frames of the lines of the batch that are not done with.
    pub(super) fn encode(&mut self, batch: &Batch<'_>, stream: bool, protocol: &impl Protocol) {
        self.truncate_to(self.old);
        for line in batch.lines().skip(self.gone) {
            protocol.encode(line, stream, &mut self.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    /// How many frames there are, of this batch and of earlier ones.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn start_of(&self, frame: usize) -> usize {
        frame.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    /// How many frames of the batch are done with.
    pub(super) fn done(&self) -> usize {
        self.gone + self.taken.saturating_sub(self.old)
    }

    /// What the connection has not taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// The next frame.
    pub(super) fn next(&self) -> Option<&[u8]> {
        self.ends.get(self.taken).map(|end| &self.bytes[self.at..*end])
    }

    /// Whether the last frame was left in its middle.
    pub(super) fn is_torn(&self) -> bool {
        self.at > self.start_of(self.taken)
    }

    /// The connection has taken so many bytes more.
    pub(super) fn take(&mut self, bytes: usize) {
        self.at += bytes;
        self.taken += self.ends[self.taken..].iter().take_while(|end| **end <= self.at).count();
    }

    /// The connection was lost; `missing` is how many of the bytes that it took have not arrived, where that is known. What has not
    /// arrived whole is for the next one.
    pub(super) fn lost(&mut self, missing: Option<usize>) {
        let whole = self.start_of(self.taken);
        let arrived = missing.map_or(whole, |missing| self.at.saturating_sub(missing));
        self.remove(arrived);
        (self.taken, self.at) = (0, 0);
    }

    /// Forgets the frames of earlier batches that are still to be sent again; how many.
    pub(super) fn forget_old(&mut self) -> usize {
        let waiting = self.old.saturating_sub(self.taken);
        if waiting > 0 {
            let range = self.start_of(self.taken)..self.start_of(self.old);
            self.cut(self.taken..self.old, range);
            self.old = self.taken;
            self.at = self.start_of(self.taken);
        }
        waiting
    }

    /// Removes the frames that end before a place, which the connection has passed.
    fn remove(&mut self, place: usize) {
        let count = self.ends.partition_point(|end| *end <= place).min(self.taken);
        let bytes = self.start_of(count);
        self.cut(0..count, 0..bytes);
        self.gone += count.saturating_sub(self.old);
        self.old = self.old.saturating_sub(count);
        self.taken -= count;
        self.at -= bytes;
    }

    fn cut(&mut self, frames: Range<usize>, bytes: Range<usize>) {
        let (from, less) = (frames.start, bytes.len());
        self.bytes.drain(bytes);
        self.ends.drain(frames);
        self.ends[from..].iter_mut().for_each(|end| *end -= less);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;

    struct Plain;

    impl Protocol for Plain {
        fn encode(&self, line: &[u8], _: bool, out: &mut Vec<u8>) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }

        fn send(&self, _: &Socket, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
    }

    /// What becomes of a batch: how many bytes of what is left the connection takes each time, and of these, if it is lost then, how
    /// many never arrive.
    type Steps = Vec<(usize, Option<usize>)>;

    fn batches() -> impl Strategy<Value = Vec<(usize, Steps)>> {
        let step = (1..40_usize, proptest::option::weighted(0.4, 0..60_usize));
        proptest::collection::vec((0..5_usize, proptest::collection::vec(step, 0..6)), 1..12)
    }

    proptest! {
        #[test]
        fn a_line_arrives_once_if_it_counts_as_written_and_never_if_not(batches in batches()) {
            let (mut frames, mut number, mut written) = (Frames::default(), 0, Vec::new());
            let (mut received, mut connection) = (String::new(), Vec::new());
            let whole = |connection: &[u8]| {
                let end = connection.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                String::from_utf8(connection[..end].to_vec()).expect("text")
            };
            for (lines, steps) in batches {
                let text: Vec<String> = (0..lines).map(|line| format!("line {}\n", number + line)).collect();
                let joined = text.concat();
                let batch = Batch::new(joined.as_bytes(), lines as u64);
                frames.begin(None);
                frames.encode(&batch, true, &Plain);
                for (bytes, lost) in steps {
                    let bytes = bytes.min(frames.rest().len());
                    connection.extend_from_slice(&frames.rest()[..bytes]);
                    frames.take(bytes);
                    if let Some(missing) = lost {
                        let missing = missing.min(connection.len()).min(frames.at);
                        received += &whole(&connection[..connection.len() - missing]);
                        connection.clear();
                        frames.lost(Some(missing));
                    }
                }
                if frames.is_torn() {
                    // It is given up, and what it took arrives.
                    received += &whole(&connection);
                    connection.clear();
                    frames.lost(None);
                }
                written.extend(text.into_iter().take(frames.done()));
                frames.end(true);
                number += lines;
            }
            connection.extend_from_slice(frames.rest());
            received += &whole(&connection);
            prop_assert_eq!(received, written.concat());
        }
    }
}
