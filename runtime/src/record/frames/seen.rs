//! Frames, as any thread sees them at any time.

use super::{CALLS, Frames, MAIN};
use crate::record::Handle;

/// How often a reader tries again, whose record's frames change meanwhile.
const TRIES: usize = 64;

/// A frame, as it was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u8,
    pub(crate) fun: u32,
    pub(crate) line: u32,
    pub(crate) up: u8,
    /// When it began to wait, in ticks; none while it runs.
    pub(crate) since: Option<u64>,
}

impl Handle {
    /// The record's frames, in no particular order; none where they change all the time.
    pub(crate) fn frames(self) -> Vec<Seen> {
        self.slot().map(|slot| slot.body.frames.seen(self.generation)).unwrap_or_default()
    }
}

impl Frames {
    /// The frames of a record, in no particular order; none where they change all the time.
    pub(crate) fn seen(&self, record: u64) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..TRIES {
            let (used, beside) = (self.used.look(), self.beside.look());
            let is_there = |at: usize| match at.checked_sub(MAIN + 1) {
                None => at < MAIN && used.0 & 1 << at != 0,
                Some(at) => beside.0 & 1 << at != 0,
            };
            seen.clear();
            seen.extend((0..CALLS).filter(|at| is_there(*at)).filter_map(|at| self.frame(at, record)));
            if self.used.are(used) && self.beside.are(beside) {
                return seen;
            }
            std::hint::spin_loop();
        }
        Vec::new()
    }

    fn frame(&self, at: usize, record: u64) -> Option<Seen> {
        let call = self.calls.get(at)?;
        let (fun, line, since) = call.look(record)?;
        let (number, up) = (at as u8, self.number(call.caller()));
        Some(Seen { number, fun, line, up, since: (since != 0).then_some(since) })
    }
}
