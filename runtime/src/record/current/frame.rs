//! Frames of the record that this thread is inside.
//!
//! ```text
//! enter ──▶ top is the new frame ── an await that is not ready: top is its caller again ── polled again: top is the frame
//! ```

use super::{HERE, Here};
use crate::clock;
use crate::counters::{self, Count};
use crate::record::frames::{FRAMES, Frames, NUMBER_SHIFT, Place, ROOT};
use crate::record::{Handle, Section, keys, section, slot, state};

/// As the frame that runs, outside any record: its place in none.
pub(super) const OUTSIDE: u64 = 1 << 63;

/// Instead of a frame's number: what it is measured by lies elsewhere (`record/section.rs`).
const ELSEWHERE: u8 = ROOT - 1;

impl Here {
    /// The frame that runs, if this thread is inside the record of a place.
    #[inline(always)]
    fn top_in(&self, place: Place) -> Option<Place> {
        let top = self.top.get();
        ((top ^ place.0) >> NUMBER_SHIFT == 0).then_some(Place(top))
    }

    /// The frames of the record that this thread is inside.
    #[inline(always)]
    fn frames(&self) -> Option<&'static Frames> {
        match self.log.get() {
            Some((_, body)) => Some(&body.frames),
            None => self.frames_beside(),
        }
    }

    /// The frame that one was called from.
    #[inline]
    fn up(&self, place: Place) -> u8 {
        if place.is_lost() { place.known() } else { self.frames().map_or(ROOT, |frames| frames.up(place.at())) }
    }

    #[cold]
    fn frames_beside(&self) -> Option<&'static Frames> {
        let top = self.top.get();
        (top != OUTSIDE).then(|| frames_of(Place(top))).flatten()
    }
}

fn frames_of(place: Place) -> Option<&'static Frames> {
    slot::slot(place.number()).map(|slot| &slot.body.frames)
}

/// A frame that lasts until it is dropped: in 6 bytes, beside which a future keeps its state in the others.
#[must_use = "the frame is left when it is dropped"]
#[derive(Debug)]
pub(crate) struct Frame([u8; 6]);

impl Frame {
    #[inline(always)]
    fn new(place: Place) -> Frame {
        let [a, b, c, d, e, f, ..] = place.0.to_le_bytes();
        Frame([a, b, c, d, e, f])
    }

    #[inline(always)]
    pub(crate) fn place(&self) -> Place {
        let [a, b, c, d, e, f] = self.0;
        Place(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(crate) const NONE: Frame = Frame([u8::MAX; 6]);

    /// The frame, to be kept as a number and made from it again.
    pub(crate) fn keep(self) -> Place {
        let place = self.place();
        std::mem::forget(self);
        place
    }

    #[inline(always)]
    pub(crate) fn kept(place: Place) -> Frame {
        Frame::new(place)
    }

    /// A function begins, at a line.
    #[inline]
    pub(crate) fn enter(fun: impl FnOnce() -> u32, line: u32) -> Frame {
        HERE.with(|here| {
            let top = Place(here.top.get());
            let entered = here.log.get().and_then(|(_, body)| body.frames.enter(top, fun(), line, top.known()));
            let place = match entered {
                Some(at) => top.with(at),
                None if top.0 == OUTSIDE => return Frame::NONE,
                None => lost(top),
            };
            here.top.set(place.0);
            Frame::new(place)
        })
    }

    /// As [`enter`](Self::enter), of a function that is only measured and never seen.
    pub(crate) fn hidden() -> Frame {
        HERE.with(|here| {
            let Some((_, body)) = here.log.get() else { return Frame::NONE };
            let top = Place(here.top.get());
            Frame::new(body.frames.enter(top, 0, 0, ROOT).map_or(Place::NONE, |at| top.with(at)))
        })
    }

    /// Begins to measure the function.
    #[inline]
    pub(crate) fn measure(self, key: keys::KeyId) -> Frame {
        let Some(handle) = super::handle() else { return self };
        let (section, place) = (Section::start(handle, key), self.place());
        if usize::from(place.at()) < FRAMES {
            if let Some(frames) = HERE.with(Here::frames) {
                frames.set_section(place.at(), section.map_or(0, Section::word));
            }
            return self;
        }
        let Some(section) = section else { return self };
        Frame::new(Place(section::put_aside(section, place) << NUMBER_SHIFT | u64::from(ELSEWHERE)))
    }

    /// Ends the measurement that [`measure`](Self::measure) began.
    #[inline]
    pub(crate) fn measured(&self, key: keys::KeyId) {
        let place = self.place();
        let section = if usize::from(place.at()) < FRAMES {
            match HERE.with(|here| here.top_in(place).map(|_| (here.frames(), here.handle.get()))) {
                Some((frames, handle)) => frames.and_then(|frames| section(frames, place, handle, key)),
                None => frames_of(place).and_then(|frames| section(frames, place, handle_of(place)?, key)),
            }
        } else {
            aside(place).and_then(|number| section::aside(number, key))
        };
        if let Some(section) = section {
            section.stop();
        }
    }

    /// Its future is polled again; before the poll's end it must wait or end.
    #[inline]
    pub(crate) fn resume(&self) {
        resume(self.place());
    }

    /// Its future is not ready: what runs next on this thread was not called by it.
    #[inline]
    pub(crate) fn rest(&self) {
        let place = self.place();
        HERE.with(|here| {
            if here.top_in(place).is_some() {
                here.top.set(place.with(here.up(place)).0);
            }
        });
    }
}

/// The number under which what a frame is measured by was put aside.
fn aside(place: Place) -> Option<u64> {
    (place.at() == ELSEWHERE).then_some(place.0 >> NUMBER_SHIFT)
}

/// A function finds no room for a frame.
#[cold]
fn lost(top: Place) -> Place {
    counters::add(Count::FramesLost, 1);
    top.lost()
}

fn section(frames: &Frames, place: Place, handle: Handle, key: keys::KeyId) -> Option<Section> {
    frames.section(place.at()).filter(|word| *word != 0).map(|word| Section::of_word(handle, key, word))
}

/// The record that a place is in.
pub(crate) fn handle_of(place: Place) -> Option<Handle> {
    let slot = slot::slot(place.number())?;
    let (newest, _) = state::look(&slot.head.word);
    Some(Handle::new(slot.number, place.generation(newest)))
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        let place = self.place();
        if usize::from(place.at()) >= FRAMES {
            return leave_lost(place);
        }
        let left = HERE.with(|here| {
            let top = here.top_in(place)?;
            let (_, body) = here.log.get()?;
            let up = body.frames.leave(place.at());
            if top == place {
                here.top.set(place.with(up).0);
            }
            Some(())
        });
        if left.is_none() {
            leave_beside(place);
        }
    }
}

/// A function without a frame ends.
#[cold]
fn leave_lost(place: Place) {
    let place = aside(place).and_then(section::forget_aside).unwrap_or(place);
    HERE.with(|here| {
        if place.is_lost() && here.top_in(place) == Some(place) {
            here.top.set(place.with(place.known()).0);
        }
    });
}

/// A future is dropped where nobody is inside its record, or somebody else.
#[cold]
fn leave_beside(place: Place) {
    let Some(frames) = frames_of(place) else { return };
    let up = frames.leave_beside(place.at());
    HERE.with(|here| {
        if here.top_in(place) == Some(place) {
            here.top.set(place.with(up).0);
        }
    });
}

/// The frame that runs has come to a line.
#[inline]
pub(crate) fn line(line: u32) {
    HERE.with(|here| {
        if let Some((_, body)) = here.log.get() {
            body.frames.line(Place(here.top.get()).at(), line);
        }
    });
}

/// The frame that runs, and the one that it was called from; none where there is none.
#[inline]
pub(crate) fn running() -> Option<(Place, u8)> {
    HERE.with(|here| {
        let top = Place(here.top.get());
        if top.at() == ROOT || top.0 == OUTSIDE {
            return None;
        }
        Some((top, here.up(top)))
    })
}

/// Function and line of the innermost of the frames that run, and of the outermost. Nothing is allocated.
pub(crate) fn ends() -> Option<[(u32, u32); 2]> {
    HERE.with(|here| {
        let mut chain = here.frames()?.chain(Place(here.top.get()).known());
        let innermost = chain.next()?;
        Some([innermost, chain.last().unwrap_or(innermost)])
    })
}

/// What a frame waits for is polled; false if this thread is not inside its record.
#[inline(always)]
pub(crate) fn resume(place: Place) -> bool {
    HERE.with(|here| {
        let is_inside = here.top_in(place).is_some();
        if is_inside {
            here.top.set(place.0);
        }
        is_inside
    })
}

/// What it waited for is there; `waited` if that took more than one poll.
#[inline(always)]
pub(crate) fn ready(place: Place, waited: bool) {
    HERE.with(|here| {
        here.top.set(place.0);
        if waited && let Some(frames) = here.frames() {
            frames.run(place.at());
        }
    });
}

/// It goes on waiting: what runs next on this thread was not called by it, but by `up`.
#[inline(always)]
pub(crate) fn pending(place: Place, up: u8, waits: bool) {
    HERE.with(|here| here.top.set(place.with(up).0));
    if !waits {
        wait(place);
    }
}

/// The frame waits from now on, if it did not before.
fn wait(place: Place) {
    HERE.with(|here| {
        let Some(frames) = here.frames() else { return };
        let began = here.began.get();
        frames.wait(place.at(), || if began == 0 { clock::now() } else { began });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, begin};

    fn seen(handle: Handle) -> Vec<(u32, u32, u8)> {
        handle.frames().iter().map(|frame| (frame.fun, frame.line, frame.up)).collect()
    }

    fn top() -> Option<Place> {
        running().map(|(place, _)| place)
    }

    #[test]
    fn branches_of_one_function_have_it_above_them() {
        let scope = begin(Kind::Request);
        let handle = scope.context().handle();
        scope.enter(|| {
            let outer = Frame::enter(|| 1, 10);
            assert_eq!(top(), Some(outer.place()));
            // As `join!` polls its branches, each of which waits.
            let first = Frame::enter(|| 2, 20);
            pending(first.place(), outer.place().at(), false);
            let second = Frame::enter(|| 3, 30);
            line(31);
            pending(second.place(), outer.place().at(), false);
            assert_eq!(seen(handle), [(1, 10, ROOT), (2, 20, 0), (3, 31, 0)]);
            assert!(resume(first.place()));
            ready(first.place(), true);
            assert_eq!(top(), Some(first.place()));
            drop(first);
            assert_eq!(top(), Some(outer.place()));
            drop(second);
            drop(outer);
            assert_eq!((seen(handle), top()), (Vec::new(), None));
        });
    }

    #[test]
    fn a_frame_can_be_left_anywhere_and_one_of_a_record_that_ended_is_nobodys() {
        assert_eq!(Frame::enter(|| 1, 1).place(), Place::NONE);
        let scope = begin(Kind::Request);
        let handle = scope.context().handle();
        let (one, two) = scope.enter(|| (Frame::enter(|| 1, 1), Frame::enter(|| 2, 2)));
        drop(two);
        std::thread::spawn(move || drop(one)).join().expect("no panic");
        assert_eq!(seen(handle), []);

        let old = scope.enter(|| Frame::enter(|| 1, 1));
        drop(scope);
        // The slot used last is used again.
        let scope = begin(Kind::Request);
        assert_eq!(scope.context().handle().number, handle.number);
        scope.enter(|| {
            let new = Frame::enter(|| 7, 7);
            assert!(!resume(old.place()));
            drop(old);
            assert_eq!(top(), Some(new.place()));
            assert_eq!(seen(scope.context().handle()), [(7, 7, ROOT)]);
        });
    }

    #[test]
    fn records_within_each_other_have_frames_of_their_own() {
        let (outer, inner) = (begin(Kind::Request), begin(Kind::Job));
        outer.enter(|| {
            let frame = Frame::enter(|| 1, 1);
            inner.enter(|| {
                assert_eq!(top(), None);
                let inside = Frame::enter(|| 2, 2);
                assert_eq!(seen(inner.context().handle()), [(2, 2, ROOT)]);
                drop(inside);
            });
            assert_eq!(top(), Some(frame.place()));
        });
    }

    #[test]
    fn a_function_that_is_only_measured_is_not_seen() {
        let scope = begin(Kind::Request);
        scope.enter(|| {
            let _outer = Frame::enter(|| 1, 10);
            let _hidden = Frame::hidden();
            let _inner = Frame::enter(|| 2, 20);
            assert_eq!(seen(scope.context().handle()), [(1, 10, ROOT), (2, 20, 0)]);
        });
    }
}
