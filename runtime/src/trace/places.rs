//! Where a record is: its annotated functions as a tree, from what they leave behind (`record/frames.rs`).

use super::site::{self, At};
use crate::record::Handle;
use crate::record::frames::{LOST, ROOT, Seen};

/// How many places are named where a record is at several at once.
const SEVERAL: usize = 3;

/// Where a record is.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The outermost function on the way to the first of the innermost.
    pub(crate) outermost: At,
    /// The innermost ones, those that run first, then by how long they wait; at most three.
    pub(crate) innermost: Vec<At>,
    /// When the first of them began to wait, in ticks; none if it runs.
    pub(crate) since: Option<u64>,
}

fn at(frame: &Seen) -> Option<At> {
    site::of(frame.fun).map(|fun| fun.at(frame.line))
}

/// A record's frames; `polled` is when the polls began that go on just now, none if nobody polls it.
fn frames(handle: Handle, polled: Option<u64>) -> Vec<Seen> {
    let mut frames = handle.frames();
    if let Some(began) = polled.filter(|began| *began != 0) {
        run_last(&mut frames, began);
    }
    frames
}

/// Of the innermost frames that began to wait in a poll that goes on, those before the last have been left, or that could not have
/// begun: only what the last waits for may run. On each thread, which are beside the claim or have it.
fn run_last(frames: &mut [Seen], began: u64) {
    for is_beside in [false, true] {
        let leaves = leaves(frames).filter(|leaf| (leaf.number > LOST) == is_beside);
        let last = leaves.max_by_key(|leaf| leaf.since.unwrap_or(u64::MAX)).filter(|last| last.since >= Some(began));
        if let Some(number) = last.map(|last| last.number)
            && let Some(last) = frames.iter_mut().find(|frame| frame.number == number)
        {
            last.since = None;
        }
    }
}

/// Those that have called no other.
fn leaves(frames: &[Seen]) -> impl Iterator<Item = &Seen> {
    frames.iter().filter(|frame| frames.iter().all(|other| other.up != frame.number))
}

/// Where a record is; none where no annotated function is inside.
pub(crate) fn of(handle: Handle, polled: Option<u64>) -> Option<Places> {
    let frames = frames(handle, polled);
    let mut leaves: Vec<&Seen> = leaves(&frames).collect();
    leaves.sort_by_key(|frame| frame.since.unwrap_or(0));
    let first = *leaves.first()?;
    let innermost: Vec<At> = leaves.iter().take(SEVERAL).filter_map(|frame| at(frame)).collect();
    Some(Places { outermost: chain(&frames, first).last().and_then(at)?, innermost, since: first.since })
}

/// The innermost place that a thread inside the record is certainly in: its only one, or that which does not wait; else the one above all.
pub(crate) fn certain(handle: Handle, polled: u64) -> Option<At> {
    let frames = frames(handle, Some(polled));
    let leaves: Vec<&Seen> = leaves(&frames).collect();
    let running: Vec<&Seen> = leaves.iter().copied().filter(|leaf| leaf.since.is_none()).collect();
    let (first, others) = if running.is_empty() { &leaves } else { &running }.split_first()?;
    let is_above_all =
        |frame: &&Seen| others.iter().all(|other| chain(&frames, other).any(|above| above.number == frame.number));
    at(chain(&frames, first).find(is_above_all)?)
}

/// A frame and those above it. They may change while they are read: no chain is followed for ever.
fn chain<'a>(frames: &'a [Seen], leaf: &'a Seen) -> impl Iterator<Item = &'a Seen> {
    let above = |frame: &&Seen| frames.iter().find(|above| frame.up != ROOT && above.number == frame.up);
    std::iter::successors(Some(leaf), above).take(frames.len())
}

impl Places {
    /// The innermost places in one text.
    pub(crate) fn causes(&self) -> String {
        self.innermost.iter().map(At::to_string).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, since when it waits, and the frame that it was called from.
    fn seen(frames: &[(u8, u64, u8)]) -> Vec<Seen> {
        let since = |since: u64| (since != 0).then_some(since);
        let seen =
            |(number, at, up): &(u8, u64, u8)| Seen { number: *number, fun: 1, line: 1, up: *up, since: since(*at) };
        frames.iter().map(seen).collect()
    }

    fn runs(frames: &[(u8, u64, u8)], began: u64) -> Vec<u8> {
        let mut frames = seen(frames);
        run_last(&mut frames, began);
        frames.iter().filter(|frame| frame.since.is_none()).map(|frame| frame.number).collect()
    }

    #[test]
    fn of_those_that_began_to_wait_in_the_poll_that_goes_on_the_last_runs() {
        let tree = [(0, 10, ROOT), (1, 11, 0), (2, 60, 0), (3, 61, 2)];
        assert_eq!(runs(&tree, 50), [3]);
        // It has begun to wait in an earlier poll, as all others.
        assert!(runs(&tree, 70).is_empty());
        // One that waits for nothing runs certainly, and what began before has been left.
        assert_eq!(runs(&[(0, 10, ROOT), (1, 60, 0), (2, 0, 0)], 50), [2]);
    }

    #[test]
    fn threads_beside_the_claim_run_what_they_run() {
        let tree = [(0, 10, ROOT), (1, 60, 0), (LOST + 1, 55, 0), (LOST + 2, 54, 0)];
        assert_eq!(runs(&tree, 50), [1, LOST + 1]);
    }
}
