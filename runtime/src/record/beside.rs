//! The side log of a record: what threads write beside the one that has the claim, one at a time under the record's lock.

use std::sync::atomic::Ordering::{Relaxed, Release};

use super::keys::builtin;
use super::log::{By, Kind as Holds, Writer};
use super::slot::{Body, Slot};
use super::{Handle, Wants, current, layout, pool, return_slot, side_of, state};
use crate::counters::{self, Count};
use crate::value::Value;

impl Slot {
    pub(super) fn side(&self) -> Option<&'static Body> {
        side_of(*self).map(|side| side.body)
    }

    /// The side log; for whoever has the lock.
    ///
    /// A write of the claiming thread's that has looked for a side log before it appears here is at the same time as the first
    /// one beside it: either may count as the newer, and two sections that begin so both count. What comes after goes by its order.
    fn side_or_new(&self) -> Option<&'static Body> {
        if let Some(side) = self.side() {
            return Some(side);
        }
        let side = pool::take()?;
        side.body.reset(self.body.limits.load(Relaxed));
        side.body.beside.store(u64::from(self.number) + 1, Relaxed);
        self.head.side.store(u64::from(side.number) + 1, Release);
        state::begin_beside(&self.head.word);
        // The last time that the main log is written anew without the lock: places in it mean something after that.
        layout::join(&self.body.layout, &self.body.beside, u64::from(side.number) + 1, state::back_off);
        Some(side.body)
    }
}

impl Handle {
    /// Writes the side log, under its lock.
    #[cold]
    pub(crate) fn write_side<R>(self, slot: Slot, write: Wants<'_, R>) -> Option<R> {
        if current::is_busy() {
            counters::add(Count::OutsideWrites, 1);
            return None;
        }
        let _busy = current::busy();
        let word = &slot.head.word;
        let mut tries = 0;
        loop {
            if !state::lock(word, self.generation, state::back_off) {
                counters::add(Count::LateWrites, 1);
                return None;
            }
            if state::phase_of(word, self.generation) != state::Phase::Closing {
                break;
            }
            // A monitor copies the record: what is written now could be in neither of its events.
            if state::unlock(word) {
                return_slot(slot);
            }
            tries += 1;
            state::back_off(tries);
        }
        let written = slot.side_or_new().map(|side| {
            self.settle_side(slot, side);
            write(side, Writer::Side { main: slot.body.end() })
        });
        if state::unlock(word) {
            return_slot(slot);
        }
        if written.is_none() {
            counters::add(Count::Truncated, 1);
        }
        written
    }

    /// Begins the late response of a side log; for whoever has the lock.
    fn settle_side(self, slot: Slot, side: &Body) {
        let late = state::phase_of(&slot.head.word, self.generation) == state::Phase::TimedOut;
        if late && side.late.load(Relaxed) == 0 {
            side.begin_late_beside(slot.body);
        }
    }

    /// Begins the late response of the main log; for whoever has the claim.
    #[cold]
    pub(super) fn settle_main(self, slot: Slot) {
        let _busy = current::busy();
        let word = &slot.head.word;
        if !state::lock(word, self.generation, state::back_off) {
            // It has ended meanwhile, without what would be written now.
            return;
        }
        let side = slot.side();
        if let Some(side) = side {
            self.settle_side(slot, side);
        }
        slot.body.begin_late_with(side);
        if state::unlock(word) {
            return_slot(slot);
        }
    }

    /// For the thread with the claim: its own log and the side log at once, under the lock, if there is a side log.
    pub(super) fn with_side<R>(self, see: impl FnOnce(&'static Body) -> R) -> Option<R> {
        let slot = self.slot()?;
        let _busy = current::busy();
        if !state::lock(&slot.head.word, self.generation, state::back_off) {
            return None;
        }
        let seen = slot.side().map(|side| {
            self.settle_side(slot, side);
            see(side)
        });
        if state::unlock(&slot.head.word) {
            return_slot(slot);
        }
        seen
    }

    #[cold]
    pub(super) fn compact_beside(self, body: &'static Body) {
        self.with_side(|side| body.compact_beside(side));
    }

    /// Adds to a number, in the log that the caller writes.
    pub(crate) fn add(self, by: By<'_>, value: Value<'_>, body: &'static Body, writer: Writer) -> bool {
        // A text is none that can be added, hidden or not.
        if let (false, hidden @ Value::Str(_)) = (matches!(value, Value::Str(_)), by.hide(value)) {
            body.set(by, hidden, writer);
            return true;
        }
        match writer {
            Writer::Main { beside: true } => {
                // Without the lock the record has ended meanwhile, and what the side log has added may be told of already.
                let added = self.with_side(|side| body.add_beside(by, value, side));
                added.unwrap_or_else(|| {
                    counters::add(Count::LateWrites, 1);
                    false
                })
            }
            Writer::Main { beside: false } => body.add(by, value, writer),
            Writer::Side { .. } => match self.slot() {
                Some(slot) => body.add_in_side(by, value, slot.body, writer),
                None => false,
            },
        }
    }
}

/// Writes that the client went away and, unless there is a status, the one for that.
pub(crate) fn cancelled(handle: Handle) {
    let lacks = |body: &Body| {
        let status = body.get(By::Id(builtin::RESP_STATUS));
        status.is_none_or(|entry| entry.kind() == Holds::Null)
    };
    current::write(handle, |body, writer| {
        body.set(By::Id(builtin::REQ_CANCELLED), Value::Bool(true), writer);
        // The other log is asked where this one is written: a status that comes in between is newer, and stays.
        let unanswered = lacks(body)
            && match writer {
                Writer::Main { beside: false } => true,
                Writer::Main { beside: true } => handle.with_side(lacks).unwrap_or(true),
                Writer::Side { .. } => handle.slot().is_none_or(|slot| lacks(slot.body)),
            };
        if unanswered {
            body.set(By::Id(builtin::RESP_STATUS), Value::U64(499), writer);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use crate::record::slot::LOG;
    use crate::record::{alone_in, pool, state};
    use crate::{Context, Kind, OwnedEvent, Scope, Value, begin, db, testing};

    /// The event of a request that this thread is inside while another one writes beside it, in between.
    fn written(before: impl FnOnce(), beside: impl FnOnce() + Send, after: impl FnOnce(&Scope)) -> OwnedEvent {
        let capture = testing::capture();
        let scope = begin(Kind::Request);
        let cx = scope.context();
        scope.enter(|| {
            before();
            std::thread::scope(|threads| {
                threads.spawn(|| cx.enter(beside));
            });
            after(&scope);
        });
        scope.finish();
        capture.one()
    }

    fn set(range: std::ops::Range<usize>, value: impl Fn(usize) -> String) {
        range.for_each(|n| Context::set_dynamic(&format!("f{n}"), value(n)));
    }

    fn users(event: &OwnedEvent) -> usize {
        event.view().fields().filter(|(name, _)| name.starts_with("app_")).count()
    }

    #[test]
    fn a_record_with_two_logs_has_as_many_fields_as_one_with_one() {
        let same = |n: usize| n.to_string();
        let event = written(|| set(0..100, same), || set(90..140, same), |_| set(80..150, same));
        assert_eq!(users(&event), 128);
        // Those from 128 to 139, which both threads tried, and ten more.
        assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(12 + 22)));
        let event = written(|| set(0..128, same), || set(0..128, |_| "beside".to_owned()), |_| ());
        assert_eq!((users(&event), event.view().get("canonlog_truncated")), (128, None), "none is new");
        assert_eq!(event.view().get("app_f127"), Some(Value::Str("beside")));
    }

    #[test]
    fn a_record_with_two_logs_tells_as_many_queries_apart() {
        let queries = |range: std::ops::Range<usize>| {
            range.for_each(|n| db::record_query(&format!("select {n}"), Duration::from_millis(1)));
        };
        let event = written(|| queries(0..200), || queries(190..300), |_| queries(280..310));
        let count = |name| event.view().get(name);
        assert_eq!(count("db_queries"), Some(Value::U64(200 + 110 + 30)));
        // 190 to 199; those beyond the 256th text are none's repeats.
        assert_eq!(count("db_dup_queries"), Some(Value::U64(20)));
        assert_eq!(count("canonlog_db_untracked"), Some(Value::U64(44 + 30)));
    }

    #[test]
    fn a_record_with_two_logs_is_as_long_as_one_with_one() {
        let long = |_| "x".repeat(5_000);
        let event = written(
            || set(0..6, long),
            || set(6..20, long),
            |scope| {
                let slot = scope.context().handle().slot().expect("it has one");
                let side = slot.side().expect("it was written beside");
                let words = slot.body.end() + side.end();
                assert!((7_000..=8_192 + LOG).contains(&words), "{words} words are about 64 KiB");
                set(20..40, long);
                let words = slot.body.end() + side.end();
                assert!(words <= 8_192 + LOG, "{words}");
                // There is room for the framework's own in any case.
                scope.context().set_in("resp", "status", 200);
            },
        );
        assert_eq!(event.view().get("resp_status"), Some(Value::I64(200)));
        assert!(event.view().get("canonlog_truncated").is_some());
    }

    #[test]
    fn a_forked_child_knows_of_a_side_log_that_another_thread_was_about_to_begin() {
        let key = "of_both_logs";
        let event = written(
            || Context::set(key, 1_u64),
            || {
                let (handle, slot) =
                    (Context::current().handle(), Context::current().handle().slot().expect("it has one"));
                assert!(state::lock(&slot.head.word, handle.generation(), state::back_off));
                let side = pool::take().expect("a slot");
                side.body.reset(slot.body.limits.load(Relaxed));
                side.body.beside.store(u64::from(slot.number) + 1, Relaxed);
                slot.head.side.store(u64::from(side.number) + 1, Relaxed);
                // Here the process forks; in the child:
                alone_in(slot);
                Context::set(key, 2_u64);
            },
            |_| Context::set(key, 3_u64),
        );
        assert_eq!(event.view().get("app_of_both_logs"), Some(Value::U64(3)), "the newest counts");
    }
}
