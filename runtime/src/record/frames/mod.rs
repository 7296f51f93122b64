//! Where the annotated functions of a record are: in atomics that any thread may read at any time.
//!
//! ```text
//! used     0b…0111      frames that are there: of the thread that has the claim
//! beside   0b…0001      and of threads beside it, in calls of their own
//! calls    0 ◀─ 1 ◀─ 2   function, line, the frame it was called from, whose it is; while it waits, since when
//! ```
//!
//! A frame's number is used again when it was left, and not before: a future that outlives its record keeps it from the slot's
//! next ones, in which it is not seen. Only where there is no room else is it taken from it; its turn tells then that it lost it.

mod bits;
mod call;
mod place;
mod seen;

use std::ptr;
use std::sync::atomic::AtomicU64;

use self::bits::Bits;
pub(crate) use self::call::Call;
pub(crate) use self::place::Place;
pub(crate) use self::seen::Seen;

/// How many frames of one record are told apart at a time, of the thread that has the claim.
const MAIN: usize = 64;
/// The same of all threads beside it.
const BESIDE: usize = 16;
const CALLS: usize = MAIN + 1 + BESIDE;

/// Instead of the number of a frame: there is none.
pub(crate) const ROOT: u8 = u8::MAX;

/// The number of what stands for all functions that find no room. Those after it are of threads beside the claim.
pub(crate) const LOST: u8 = MAIN as u8;

/// The frames of a record.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Frames {
    /// Of the thread that has the claim.
    used: Bits<AtomicU64>,
    /// Of those beside it.
    beside: Bits<AtomicU64>,
    calls: [Call; CALLS],
}

impl Frames {
    /// A new frame of a record, called from `caller`; none where there are too many. For the thread that has the claim.
    #[inline]
    pub(crate) fn enter(
        &'static self,
        record: u64,
        fun: u32,
        line: u32,
        caller: Option<&'static Call>,
    ) -> Option<(u8, &'static Call)> {
        let at = self.used.take_alone(|at| self.calls[at & (MAIN - 1)].begin(record, fun, line, caller));
        match at {
            Some(at) => self.calls.get(at).map(|call| (at as u8, call)),
            None => self.sweep(record).then(|| self.enter(record, fun, line, caller)).flatten(),
        }
    }

    /// Makes room where frames were left beside the claim, or else are of other records; whether there is some.
    #[cold]
    fn sweep(&self, record: u64) -> bool {
        let those = |free: &dyn Fn(&Call) -> bool| {
            let calls = self.calls.iter().take(MAIN).enumerate().filter(|(_, call)| free(call));
            calls.fold(0_u64, |those, (at, _)| those | 1 << at)
        };
        let mut free = those(&Call::is_gone);
        if free == 0 {
            free = those(&|call| call.take(record));
        }
        self.used.free_alone(free);
        free != 0
    }

    /// As [`enter`](Self::enter), for a thread beside the one that has the claim.
    pub(crate) fn enter_beside(
        &'static self,
        record: u64,
        fun: u32,
        line: u32,
        caller: Option<&'static Call>,
    ) -> Option<(u8, &'static Call)> {
        let calls = &self.calls[MAIN + 1..];
        let at = match self.beside.take(BESIDE) {
            Some(at) => at,
            None => {
                // It stays used, by another function.
                let at = calls.iter().position(|call| call.take(record))?;
                self.beside.fill();
                at
            }
        };
        calls[at].begin(record, fun, line, caller);
        Some(((MAIN + 1 + at) as u8, &calls[at]))
    }

    /// What stands for a function that found no room, called from `caller`.
    #[cold]
    pub(crate) fn lost(&'static self, caller: Option<&'static Call>) -> &'static Call {
        let lost = &self.calls[usize::from(LOST)];
        if !caller.is_some_and(|caller| ptr::eq(caller, lost)) {
            lost.caller.store(caller);
        }
        lost
    }

    /// The frame of a number.
    #[inline(always)]
    pub(crate) fn call(&'static self, at: u8) -> Option<&'static Call> {
        self.calls.get(usize::from(at))
    }

    /// The number of a frame; [`ROOT`] for one of another record.
    pub(crate) fn number(&self, call: Option<&'static Call>) -> u8 {
        let Some(call) = call else { return ROOT };
        let bytes = ptr::from_ref(call).addr().wrapping_sub(self.calls.as_ptr().addr());
        if bytes < size_of_val(&self.calls) { (bytes / size_of::<Call>()) as u8 } else { ROOT }
    }

    /// Takes a frame away. For the thread that has the claim.
    #[inline]
    pub(crate) fn leave(&self, at: u8) {
        self.used.free_alone(1 << (at & 63));
    }

    /// The same for any thread.
    pub(crate) fn leave_beside(&self, place: Place) {
        let at = usize::from(place.at());
        let Some(call) = self.calls.get(at) else { return };
        if at < MAIN {
            call.end_beside(place);
        } else if at > MAIN && call.end(place) {
            self.beside.free(at - MAIN - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: u64 = 3;

    fn frames() -> &'static Frames {
        &crate::sys::slab::leak_zeroed::<crate::record::slot::Body>(1)[0].frames
    }

    fn enter(frames: &'static Frames, record: u64, fun: u32, up: u8) -> Option<u8> {
        frames.enter(record, fun, fun * 10, frames.call(up)).map(|(at, _)| at)
    }

    fn place(frames: &'static Frames, at: u8) -> Place {
        Place::new(1, at, frames.call(at).expect("a frame"))
    }

    #[test]
    fn frames_know_where_they_were_called_from_and_how_long_they_wait() {
        let frames = frames();
        let outer = enter(frames, RECORD, 1, ROOT).expect("room");
        let inner = enter(frames, RECORD, 2, outer).expect("room");
        let call = frames.call(inner).expect("there");
        call.wait(98);
        let seen = frames.seen(RECORD);
        assert_eq!(seen[0], Seen { number: outer, fun: 1, line: 10, up: ROOT, since: None });
        assert_eq!(seen[1], Seen { number: inner, fun: 2, line: 20, up: outer, since: Some(98) });
        call.line(21);
        call.run();
        assert_eq!((frames.seen(RECORD)[1].line, frames.seen(RECORD)[1].since), (21, None));
        assert!(ptr::eq(call.caller().expect("it was called"), frames.call(outer).expect("there")));
        frames.leave(inner);
        assert_eq!(frames.seen(RECORD).len(), 1);
    }

    #[test]
    fn what_finds_no_place_is_left_out_and_a_place_is_used_again() {
        let frames = frames();
        for at in 0..LOST {
            assert_eq!(enter(frames, RECORD, 1, ROOT), Some(at));
        }
        assert_eq!(enter(frames, RECORD, 1, ROOT), None);
        frames.leave(17);
        assert_eq!(enter(frames, RECORD, 2, 16), Some(17));
        frames.leave_beside(place(frames, 40));
        assert_eq!(frames.seen(RECORD).len(), 63);
        assert_eq!(enter(frames, RECORD, 3, 16), Some(40));
        assert_eq!(frames.seen(RECORD).len(), 64);
        // What one calls that found no room belongs to the frame above.
        let lost = frames.lost(frames.call(5));
        assert!(ptr::eq(frames.lost(Some(lost)), lost));
        assert_eq!(frames.number(lost.caller()), 5);
    }

    #[test]
    fn threads_beside_the_claim_have_frames_of_their_own() {
        let frames = frames();
        let main = enter(frames, RECORD, 1, ROOT).expect("room");
        let beside: Vec<u8> =
            (0..BESIDE).map(|_| frames.enter_beside(RECORD, 2, 20, frames.call(main)).expect("room").0).collect();
        assert!(frames.enter_beside(RECORD, 2, 20, None).is_none());
        assert_eq!(frames.seen(RECORD).len(), 1 + BESIDE);
        assert!(frames.seen(RECORD).iter().all(|seen| seen.number == main || seen.up == main));
        frames.leave_beside(place(frames, beside[3]));
        assert_eq!(frames.seen(RECORD).len(), BESIDE);
        assert_eq!(frames.enter_beside(RECORD, 3, 30, None).expect("room").0, beside[3]);
    }

    #[test]
    fn a_newer_record_has_none_of_an_older_ones_frames() {
        let frames = frames();
        let newer = 4;
        let old = enter(frames, RECORD, 1, ROOT).expect("room");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (1, 0));
        let new = enter(frames, newer, 2, ROOT).expect("room");
        assert_ne!(new, old, "its number is still the older one's");
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (1, 1));
        frames.leave_beside(place(frames, old));
        assert_eq!((frames.seen(RECORD).len(), frames.seen(newer).len()), (0, 1));
    }

    #[test]
    fn futures_that_are_never_dropped_keep_no_later_record_from_its_frames() {
        let frames = frames();
        let old: Vec<Place> = (0..LOST).map(|_| place(frames, enter(frames, RECORD, 1, ROOT).expect("room"))).collect();
        let old_beside: Vec<Place> =
            (0..BESIDE).map(|_| place(frames, frames.enter_beside(RECORD, 1, 10, None).expect("room").0)).collect();
        let newer = 4;
        let at = enter(frames, newer, 2, ROOT).expect("room after all");
        let beside = frames.enter_beside(newer, 2, 20, None).expect("room after all").0;
        assert_eq!(frames.seen(newer).len(), 2);
        // Should they be dropped after all, that is no business of those that have their frames now.
        old.iter().chain(&old_beside).for_each(|place| frames.leave_beside(*place));
        assert_eq!(frames.seen(newer).len(), 2);
        for at in [at, beside] {
            assert!(frames.call(at).is_some_and(|call| call.is_of(place(frames, at))));
            frames.leave_beside(place(frames, at));
        }
        assert_eq!(frames.seen(newer).len(), 0);
    }

    #[test]
    fn a_frame_of_another_record_calls_nothing_in_this_one() {
        let (here, there) = (frames(), frames());
        let elsewhere = there.enter(RECORD, 1, 10, None).map(|(_, call)| call);
        here.enter(RECORD, 2, 20, elsewhere).expect("room");
        assert_eq!(here.seen(RECORD)[0].up, ROOT);
    }
}
