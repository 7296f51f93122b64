//! Executions of queries, by their text; and the texts that ran again.
//!
//! ```text
//! query_last ──▶ hash · executions · nanoseconds · links ──▶ the one before ──▶ ..
//!                                                   └──▶ statement: hash · place · length · text
//! ```

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::entry::{Header, Kind, copy_text};
use super::write::Payload;
use super::{By, Writer, cut, words};
use crate::record::keys;
use crate::record::queries::{Queries, QueryCount, Sql};
use crate::record::slot::{Body, EXTENSION, LOG};

/// Distinct query texts told apart.
const TEXTS: u64 = 256;

/// What is kept of a text that ran again, in bytes.
const KEPT: usize = 1_024;

/// The one before, plus one, in the links of a query. In the upper half they have its statement, plus one.
#[inline(always)]
pub(super) fn before_of(links: u64) -> usize {
    (links & 0xFFFF_FFFF) as usize
}

/// The links of a query whose statement stands there.
pub(super) fn with_statement(links: u64, at: usize) -> u64 {
    links & 0xFFFF_FFFF | (at as u64 + 1) << 32
}

/// What became of an execution that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    Usual,
    /// It is the second one of its text.
    Again,
}

impl Body {
    /// As [`note_query`](Self::note_query), in the usual case; none where it must be noted the long way.
    #[inline]
    pub(crate) fn notes_query(&self, hash: u64, nanos: u64) -> Option<Noted> {
        let add = |word: &AtomicU64, n: u64| word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        let newest = self.query_last.load(Relaxed);
        let mut last = newest as usize;
        while let Some(at) = last.checked_sub(1) {
            let [_, known, count, time, before] = self.log.get(at..at + 5)? else { return None };
            if known.load(Relaxed) == hash {
                let before = count.load(Relaxed);
                count.store(before + 1, Relaxed);
                add(time, nanos);
                self.count(&self.queries);
                add(&self.query_nanos, nanos);
                return Some(if before == 1 { Noted::Again } else { Noted::Usual });
            }
            last = before_of(before.load(Relaxed));
        }
        let extent = self.extent();
        let at = extent.words();
        let texts = self.query_texts.load(Relaxed);
        let [head, entry @ ..] = self.log.get(at..at + 5).filter(|_| texts < TEXTS)? else { return None };
        head.store(Header::new(u64::from(keys::builtin::QUERY.0), Kind::Query, 0, 32).0, Relaxed);
        entry.iter().zip([hash, 1, nanos, newest]).for_each(|(to, word)| to.store(word, Relaxed));
        self.set_extent(extent.up_to(at + 5));
        self.query_last.store(at as u64 + 1, Relaxed);
        self.query_texts.store(texts + 1, Relaxed);
        self.count(&self.queries);
        add(&self.query_nanos, nanos);
        Some(Noted::Usual)
    }

    /// The texts of this log, the newest first: executions, and for [`statement`](Self::statement) the links.
    #[inline(always)]
    pub(crate) fn each_query(&self, mut see: impl FnMut(QueryCount, u64)) {
        let mut last = self.query_last.load(Relaxed) as usize;
        while let Some([_, hash, count, nanos, links]) = last.checked_sub(1).and_then(|at| self.log.get(at..at + 5)) {
            let [hash, count, nanos, links] = [hash, count, nanos, links].map(|word| word.load(Relaxed));
            see(QueryCount { hash, count, nanos }, links);
            // Each stands before the next; read while the log is compacted, the word can be anything.
            last = before_of(links).min(last - 1);
        }
    }

    /// Keeps the statement of a query with these links, in a log without an extension.
    pub(crate) fn take_statement(&self, links: u64, queries: &mut Queries) {
        let at = (links >> 32) as usize;
        let Some([head, hash, place, len, text @ ..]) = at.checked_sub(1).and_then(|at| self.log.get(at..)) else {
            return;
        };
        let kept = Header(head.load(Relaxed)).bytes().saturating_sub(24);
        if let Some(text) = text.get(..words(kept)) {
            let words = [hash, place, len].map(|word| word.load(Relaxed));
            queries.keep(words, |into| copy_text(text, kept, into));
        }
    }

    /// One execution of a query's text.
    pub(crate) fn note_query(&self, hash: u64, nanos: u64, writer: Writer) -> Noted {
        let add = |word: &AtomicU64, n: u64| {
            word.store(word.load(Relaxed).saturating_add(n), Relaxed);
        };
        add(&self.queries, 1);
        add(&self.query_nanos, nanos);
        if let Some(value) = self.find_query(hash) {
            let count = self.word(value + 1);
            let is_second = count.load(Relaxed) == 1;
            add(count, 1);
            add(self.word(value + 2), nanos);
            return if is_second { Noted::Again } else { Noted::Usual };
        }
        // A text that both logs have is one text.
        let beside = self.beside();
        let known = beside.is_some_and(|beside| beside.find_query(hash).is_some());
        let texts = self.query_texts.load(Relaxed) + beside.map_or(0, |beside| beside.query_texts.load(Relaxed));
        if !known && texts >= TEXTS || !self.room(7, true, writer) {
            add(&self.query_untracked, 1);
            return Noted::Usual;
        }
        add(&self.query_texts, u64::from(!known));
        // Read after `room`, which may have compacted the log.
        let before = self.query_last.load(Relaxed);
        let payload = Payload::Words(&[hash, 1, nanos, before]);
        let at = self.append(By::Id(keys::builtin::QUERY), false, writer, Kind::Query, 0, payload);
        self.query_last.store(at as u64 + 1, Relaxed);
        if known { Noted::Again } else { Noted::Usual }
    }

    /// Keeps a text that ran again, and where; but half of what a record holds is for others.
    pub(crate) fn keep_statement(&self, hash: u64, place: u64, sql: Sql<'_>, writer: Writer) {
        let kept = cut(sql.text, KEPT).as_bytes();
        let need = 5 + words(kept.len());
        let limit = (self.limits.load(Relaxed) & 0xFFFF) as usize;
        if self.end() + need > limit / 2 || !self.room(need, false, writer) {
            return;
        }
        let payload = Payload::WordsAndBytes(&[hash, place, sql.extent()], kept);
        let at = self.append(By::Id(keys::builtin::QUERY), false, writer, Kind::Statement, 0, payload);
        if let Some(query) = self.find_query(hash) {
            let links = self.word(query + 3);
            links.store(with_statement(links.load(Relaxed), at), Relaxed);
        }
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
            last = before_of(self.word(value + 3).load(Relaxed));
        }
        None
    }
}
