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
    Some(Places { outermost: at(outermost(&frames, first))?, innermost, since: first.since })
}

/// The frame at the top of a chain. The frames may change while they are read: no chain is followed for ever.
fn outermost<'a>(frames: &'a [Seen], leaf: &'a Seen) -> &'a Seen {
    let mut frame = leaf;
    for _ in 0..frames.len() {
        let above = frames.iter().find(|above| frame.up != ROOT && above.number == frame.up);
        let Some(above) = above else { break };
        frame = above;
    }
    frame
}

impl Places {
    /// The innermost places in one text.
    pub(crate) fn causes(&self) -> String {
        self.innermost.iter().map(At::to_string).collect::<Vec<_>>().join(", ")
    }
}
