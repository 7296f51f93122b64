//! A full log, written anew.

use std::sync::atomic::Ordering::Relaxed;

use super::entry::{ADDED, Header, Kind, MOVED, SIDE};
use super::extent::Extent;
use super::query::{before_of, with_statement};
use super::{By, fields_of, words};
use crate::record::keys::{KeyId, NOT_INTERNED};
use crate::record::layout;
use crate::record::slot::Body;

/// From here on a log that is mostly garbage is compacted before a write.
const NEARLY_FULL: u64 = 372;

impl Body {
    /// Whether it is time to compact this log, which has a side log.
    pub(crate) fn wants_compacting(&self) -> bool {
        let words = self.extent().words() as u64;
        words > NEARLY_FULL && self.garbage.load(Relaxed) >= words / 2 && self.late.load(Relaxed) == 0
    }

    /// Compacts the main log, by who has the claim and the lock: which write was the newer one stays known.
    pub(crate) fn compact_beside(&self, side: &Body) {
        let mut known = Vec::new();
        let _ = side.read(0, |entry| {
            let newer = |by: By<'_>| self.get(by).is_none_or(|main| main.offset() < entry.main_offset());
            let newer = match entry.key() {
                Some(id) => newer(By::Id(id)),
                None => entry.name(|name, order| newer(By::Name(name, order))),
            };
            known.push((entry.offset() + 1, newer));
        });
        // Told of before the layout is whole again: until then nobody compares the two.
        self.compact(true, |end| {
            for (at, newer) in known {
                side.word(at).store(if newer { end } else { 0 }, Relaxed);
            }
        });
    }

    /// For a process whose only thread is the caller: a log that another was writing anew is empty.
    pub(crate) fn alone(&self) {
        if layout::is_whole(self.layout.load(Relaxed)) {
            return;
        }
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        self.set_extent(Extent::empty(fields_of(self.limits.load(Relaxed))));
        for word in [&self.garbage, &self.late, &self.query_last, &self.query_texts] {
            word.store(0, Relaxed);
        }
        layout::end(&self.layout);
    }

    /// Writes the log anew without what nothing refers to, by who has the claim, and the lock if `locked`; then calls `told` with its
    /// end. Nothing is done where a side log has appeared since, whose writer must not meet half of a log.
    pub(super) fn compact(&self, locked: bool, told: impl FnOnce(u64)) {
        let len = self.extent().words();
        let mut kept: Vec<u64> = Vec::with_capacity(len);
        let mut last_query = 0;
        if !layout::begin(&self.layout, &self.beside, locked) {
            return;
        }
        self.present.iter().for_each(|word| word.store(0, Relaxed));
        let mut at = 0;
        while at < len {
            let header = Header(self.word(at).load(Relaxed));
            let size = self.size(at, header);
            if header.key() != MOVED {
                let (now_at, now) = self.current(at, header);
                let to = kept.len();
                kept.push(Header::new(header.key(), now.kind(), header.0 & (ADDED | SIDE), now.bytes()).0);
                // The side log's word is that of the newest write; the name stands in the first entry only.
                let names = at + 1 + usize::from(header.has(SIDE))..self.value_at(at, header);
                let side = now.has(SIDE).then_some(now_at + 1);
                let value = self.value_at(now_at, now);
                let values = value..value + words(now.bytes());
                kept.extend(side.into_iter().chain(names).chain(values).map(|from| self.word(from).load(Relaxed)));
                if now.kind() == Kind::Query {
                    if let Some(before) = kept.last_mut() {
                        *before = last_query;
                    }
                    last_query = to as u64 + 1;
                } else if now.kind() == Kind::Statement {
                    link_statement(&mut kept, last_query, to);
                } else if header.key() != u64::from(NOT_INTERNED.0) {
                    self.note(KeyId(header.key() as u16), to);
                }
            }
            at += size;
        }
        for (to, word) in kept.iter().enumerate() {
            self.word(to).store(*word, Relaxed);
        }
        self.set_extent(self.extent().up_to(kept.len()).unlisted());
        self.garbage.store(0, Relaxed);
        self.query_last.store(last_query, Relaxed);
        told(kept.len() as u64);
        layout::end(&self.layout);
    }
}

/// Tells the query of a statement, which stands before it, where that stands now.
fn link_statement(log: &mut [u64], last_query: u64, statement: usize) {
    // In a side log each entry has one word more.
    let value_at = |at: usize, header: u64| at + 1 + usize::from(Header(header).has(SIDE));
    let hash = log.get(statement).and_then(|header| log.get(value_at(statement, *header))).copied();
    let mut last = last_query as usize;
    while let Some(at) = last.checked_sub(1) {
        let Some(value) = log.get(at).map(|header| value_at(at, *header)) else { return };
        let Some([known, _, _, links]) = log.get_mut(value..value + 4) else { return };
        if Some(*known) == hash {
            *links = with_statement(*links, statement);
            return;
        }
        last = before_of(*links);
    }
}
