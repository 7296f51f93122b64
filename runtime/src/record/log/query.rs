//! Executions of queries, by their text.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind};
use super::write::Payload;
use super::{By, Writer};
use crate::record::keys;
use crate::record::slot::{Body, EXTENSION, LOG};

/// Distinct query texts told apart.
const TEXTS: u64 = 256;

impl Body {
    /// As [`note_query`](Self::note_query), in the usual case; false where it must be noted the long way.
    #[inline]
    pub(crate) fn notes_query(&self, hash: u64, nanos: u64) -> bool {
        let add = |word: &AtomicU64, n: u64| word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        let newest = self.query_last.load(Relaxed);
        let mut last = newest as usize;
        while let Some(at) = last.checked_sub(1) {
            let Some([_, known, count, time, before]) = self.log.get(at..at + 5) else { return false };
            if known.load(Relaxed) == hash {
                self.count(count);
                add(time, nanos);
                self.count(&self.queries);
                add(&self.query_nanos, nanos);
                return true;
            }
            last = before.load(Relaxed) as usize;
        }
        let extent = self.extent();
        let at = extent.words();
        let texts = self.query_texts.load(Relaxed);
        let Some([head, entry @ ..]) = self.log.get(at..at + 5).filter(|_| texts < TEXTS) else { return false };
        head.store(Header::new(u64::from(keys::builtin::QUERY.0), Kind::Query, 0, 32).0, Relaxed);
        entry.iter().zip([hash, 1, nanos, newest]).for_each(|(to, word)| to.store(word, Relaxed));
        self.set_extent(extent.up_to(at + 5));
        self.query_last.store(at as u64 + 1, Relaxed);
        self.query_texts.store(texts + 1, Relaxed);
        self.count(&self.queries);
        add(&self.query_nanos, nanos);
        true
    }

    /// The texts of this log, the newest first: hash, executions, nanoseconds.
    #[inline(always)]
    pub(crate) fn each_query(&self, mut see: impl FnMut(u64, u64, u64)) {
        let mut last = self.query_last.load(Relaxed) as usize;
        while let Some([_, hash, count, nanos, before]) = last.checked_sub(1).and_then(|at| self.log.get(at..at + 5)) {
            see(hash.load(Relaxed), count.load(Relaxed), nanos.load(Relaxed));
            // Each stands before the next; read while the log is compacted, the word can be anything.
            last = (before.load(Relaxed) as usize).min(last - 1);
        }
    }

    /// One execution of a query's text.
    pub(crate) fn note_query(&self, hash: u64, nanos: u64, writer: Writer) {
        let add = |word: &AtomicU64, n: u64| {
            word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        };
        add(&self.queries, 1);
        add(&self.query_nanos, nanos);
        if let Some(value) = self.find_query(hash) {
            add(self.word(value + 1), 1);
            add(self.word(value + 2), nanos);
            return;
        }
        // A text that both logs have is one text.
        let beside = self.beside();
        let known = beside.is_some_and(|beside| beside.find_query(hash).is_some());
        let texts = self.query_texts.load(Relaxed) + beside.map_or(0, |beside| beside.query_texts.load(Relaxed));
        if !known && texts >= TEXTS || !self.room(7, true, writer) {
            add(&self.query_untracked, 1);
            return;
        }
        add(&self.query_texts, u64::from(!known));
        // Read after `room`, which may have compacted the log.
        let before = self.query_last.load(Relaxed);
        let payload = Payload::Words(&[hash, 1, nanos, before]);
        let at = self.append(By::Id(keys::builtin::QUERY), false, writer, Kind::Query, 0, payload);
        self.query_last.store(at as u64 + 1, Relaxed);
    }

    /// Where the value of a query's entry begins.
    fn find_query(&self, hash: u64) -> Option<usize> {
        let mut last = self.query_last.load(Relaxed) as usize;
        // Read while another thread writes, the way back may lead anywhere: to fewer than these, in any case.
        for _ in 0..TEXTS {
            let at = last.checked_sub(1).filter(|at| *at < LOG + EXTENSION)?;
            let value = self.value_at(at, Header(self.word(at).load(Relaxed)));
            if self.word(value).load(Relaxed) == hash {
                return Some(value);
            }
            last = self.word(value + 3).load(Relaxed) as usize;
        }
        None
    }
}
