//! A log after its timeout was reported: it begins again, with the sections that are still running.
//!
//! A section that began before counts with its whole length after, as the others of its key then lie within it.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::entry::{Entry, Kind};
use super::{By, Writer, fields_of};
use crate::record::keys::KeyId;
use crate::record::slot::Body;

impl Body {
    /// Begins again behind what a monitor has taken: earlier entries are not changed any more.
    fn begin_late(&self) {
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        for word in [&self.queries, &self.query_nanos, &self.query_last, &self.query_texts] {
            word.store(0, Relaxed);
        }
        for word in [&self.query_untracked, &self.truncated, &self.renamed, &self.value_errors] {
            word.store(0, Relaxed);
        }
        self.set_extent(self.extent().begun_anew(fields_of(self.limits.load(Relaxed))));
        self.late.store(self.closed_end.load(Acquire) + 1, Release);
    }

    /// Calls `see` with the timers that this log has.
    fn timers(&self, mut see: impl FnMut(KeyId, Entry<'_>)) {
        let _ = self.read(self.first(), |entry| {
            if let (Some(id), Kind::Timer) = (entry.key(), entry.kind()) {
                see(id, entry);
            }
        });
    }

    /// For a side log, under the lock; before the main log. Of the main log's sections it notes those that are running: as many
    /// have begun beside it, as if the main log had none.
    pub(crate) fn begin_late_beside(&self, main: &Body) {
        let mut running: Vec<(KeyId, [u64; 6])> = Vec::new();
        self.timers(|id, timer| {
            if timer.word(1).cast_signed() > 0 {
                running.push((id, [0, timer.word(1), timer.word(2), 0, 0, 0]));
            }
        });
        if main.late.load(Relaxed) == 0 {
            main.timers(|id, timer| {
                let inside = self.timer_inside_beside(id, main);
                if inside <= 0 {
                    return;
                }
                let noted = [(-inside).cast_unsigned(), 0, timer.word(2)];
                match running.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, words)) => words[3..].copy_from_slice(&noted),
                    None => running.push((id, [0, 0, 0, noted[0], noted[1], noted[2]])),
                }
            });
        }
        self.begin_late();
        let writer = Writer::Side { main: main.end() };
        running.iter().for_each(|(id, words)| self.timer_carry(*id, words, writer));
    }

    /// For a main log, by who has the claim, and the lock if there is a side log: that has begun again.
    pub(crate) fn begin_late_with(&self, side: Option<&Body>) {
        let mut running: Vec<(KeyId, [u64; 3])> = Vec::new();
        match side {
            None => self.timers(|id, timer| {
                if timer.word(1).cast_signed() > 0 {
                    running.push((id, [0, timer.word(1), timer.word(2)]));
                }
            }),
            // It knows what has ended since.
            Some(side) => side.timers(|id, timer| {
                let (noted, ended_at, outermost) = (timer.word(3).cast_signed(), timer.word(4), timer.word(5));
                if noted < 0 {
                    running.push((id, [0, (-noted).cast_unsigned(), outermost]));
                } else if outermost != 0 {
                    running.push((id, [ended_at.saturating_sub(outermost), 0, 0]));
                }
            }),
        }
        self.begin_late();
        for (id, words) in &running {
            self.timer_carry(*id, words, Writer::Main { beside: side.is_some() });
            if let Some(side) = side {
                side.timer_forget_noted(*id);
            }
        }
    }

    /// What the record's other log says in the event that this one is written for.
    pub(super) fn beside(&self) -> Option<&'static Body> {
        self.other().filter(|other| other.late.load(Relaxed) != 0 || self.late.load(Relaxed) == 0)
    }

    /// One field, where another log of the record tells whether a timeout was reported: with nothing written since, nothing is new.
    pub(crate) fn get_unreported_beside(&self, other: &Body, by: By<'_>) -> Option<Entry<'_>> {
        let all_reported = other.late.load(Acquire) != 0 && self.late.load(Acquire) == 0;
        if all_reported { None } else { self.get_unreported(by) }
    }
}
