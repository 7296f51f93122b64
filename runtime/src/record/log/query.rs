//! Executions of queries, by their text.

use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind};
use super::write::Payload;
use super::{By, Writer};
use crate::record::keys;
use crate::record::slot::Body;

/// Distinct query texts told apart.
const TEXTS: u64 = 256;

impl Body {
    /// One execution of a query's text.
    pub(crate) fn note_query(&self, hash: u64, nanos: u64, writer: Writer) {
        let add = |word: &std::sync::atomic::AtomicU64, n: u64| {
            word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        };
        add(&self.queries, 1);
        add(&self.query_nanos, nanos);
        let mut last = self.query_last.load(Relaxed) as usize;
        while let Some(at) = last.checked_sub(1) {
            let value = self.value_at(at, Header(self.word(at).load(Relaxed)));
            if self.word(value).load(Relaxed) == hash {
                add(self.word(value + 1), 1);
                add(self.word(value + 2), nanos);
                return;
            }
            last = self.word(value + 3).load(Relaxed) as usize;
        }
        if self.query_texts.load(Relaxed) >= TEXTS || !self.room(7, true) {
            add(&self.query_untracked, 1);
            return;
        }
        add(&self.query_texts, 1);
        // Read after `room`, which may have compacted the log.
        let before = self.query_last.load(Relaxed);
        let payload = Payload::Words(&[hash, 1, nanos, before]);
        let at = self.append(By::Id(keys::builtin::QUERY), false, writer, Kind::Query, 0, payload);
        self.query_last.store(at as u64 + 1, Relaxed);
    }
}
