//! Where a record is: its annotated functions as a tree, from what they leave behind (`record/frames.rs`).

use super::site::{self, At};
use crate::record::Handle;
use crate::record::frames::{ROOT, Seen};

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

/// Where a record is; none where no annotated function is inside.
pub(crate) fn of(handle: Handle) -> Option<Places> {
    let frames = handle.frames();
    let mut leaves: Vec<&Seen> =
        frames.iter().filter(|frame| frames.iter().all(|other| other.up != frame.number)).collect();
    leaves.sort_by_key(|frame| frame.since.unwrap_or(0));
    let first = *leaves.first()?;
    let innermost: Vec<At> = leaves.iter().take(SEVERAL).filter_map(|frame| at(frame)).collect();
    Some(Places { outermost: chain(&frames, first).last().and_then(at)?, innermost, since: first.since })
}

/// The innermost place that a thread inside the record is certainly in: its only one, or that which does not wait; else the one above all.
pub(crate) fn certain(handle: Handle) -> Option<At> {
    let frames = handle.frames();
    let leaves: Vec<&Seen> =
        frames.iter().filter(|frame| frames.iter().all(|other| other.up != frame.number)).collect();
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
