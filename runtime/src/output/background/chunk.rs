//! A piece of the queue: whole lines, each with the time at which it came.

/// Where a line ends, and when it came.
#[derive(Clone, Copy, Debug)]
struct Mark {
    stamp: u64,
    end: u32,
}

/// Whole lines in the order of their stamps. Its buffers are made once.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// Chunks that one thread borrows later have a higher number.
    pub(super) born: u64,
    /// How many of its lines the writer has taken.
    pub(super) taken: usize,
}

impl Chunk {
    pub(super) fn new(events: usize, bytes: usize) -> Self {
        Chunk { bytes: Vec::with_capacity(bytes), marks: Vec::with_capacity(events), born: 0, taken: 0 }
    }

    /// Appends a line if there is room for it.
    #[inline]
    pub(super) fn append(&mut self, line: &[u8], stamp: u64) -> bool {
        let end = self.bytes.len() + line.len();
        if end > self.bytes.capacity() || self.marks.len() == self.marks.capacity() {
            return false;
        }
        let Ok(end) = u32::try_from(end) else { return false };
        self.bytes.extend_from_slice(line);
        // An earlier stamp behind a later one (another thread was in between) would break the order of the chunk.
        let stamp = self.marks.last().map_or(stamp, |last| last.stamp.max(stamp));
        self.marks.push(Mark { stamp, end });
        true
    }

    pub(super) fn events(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn stamp(&self, at: usize) -> u64 {
        self.marks[at].stamp
    }

    pub(super) fn line(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.marks[at - 1].end as usize };
        &self.bytes[start..self.marks[at].end as usize]
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
        self.taken = 0;
    }
}
