//! What polls of a record cost: CPU time, and those that keep their thread for too long.

use std::sync::atomic::Ordering::Relaxed;

use super::{HERE, How, UNMEASURED, inside};
use crate::clock;
use crate::record::slot::{Body, Slot};
use crate::record::{Handle, meter};

#[inline]
pub(super) fn add_cpu(slot: Slot, how: How, used: u64) {
    if how == How::Claimed {
        let cpu = &slot.head.cpu;
        cpu.store(cpu.load(Relaxed).wrapping_add(used), Relaxed);
    } else {
        slot.body.cpu_beside.fetch_add(used, Relaxed);
    }
}

/// Counts a poll that took too long; `began` is 0 for what is no poll.
#[inline]
pub(super) fn end_poll(slot: Slot, began: u64, now: u64) {
    let limit = slot.body.poll_limit.load(Relaxed);
    if began != 0 && limit != 0 && now.saturating_sub(began) > limit {
        count_poll(slot.body, began, now - began);
    }
}

#[cold]
#[inline(never)]
fn count_poll(body: &Body, began: u64, took: u64) {
    let longest = match body.polls_blocked.fetch_add(1, Relaxed) {
        0 => body.poll_longest.swap(took, Relaxed).min(took - 1),
        _ => body.poll_longest.fetch_max(took, Relaxed),
    };
    if longest < took {
        body.poll_longest_at.store(body.seen_in(began).word(), Relaxed);
    }
}

/// For whoever ends the record from inside: settles this thread's visit so far, none of which is counted again. The CPU time of
/// it, in nanoseconds.
#[inline]
pub(crate) fn settle(handle: Handle, now: u64) -> u64 {
    if HERE.with(|here| here.handle.get() != handle) {
        return 0;
    }
    settle_here(handle, now)
}

#[inline(never)]
fn settle_here(handle: Handle, now: u64) -> u64 {
    let (inside, Some(slot)) = (inside(), handle.slot()) else { return 0 };
    HERE.with(|here| here.began.set(0));
    end_poll(slot, inside.began, now);
    if inside.cpu == UNMEASURED {
        return 0;
    }
    let used = meter::look(now);
    HERE.with(|here| here.cpu.set(used));
    clock::nanos(used.wrapping_sub(inside.cpu))
}
