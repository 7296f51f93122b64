//! The queries of a record, by their texts, as its log tells them.

/// Executions of one query's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueryCount {
    pub(crate) hash: u64,
    pub(crate) count: u64,
    pub(crate) nanos: u64,
}

/// A query's text, and what its database makes of double quotes: names, or literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sql<'a> {
    pub(crate) text: &'a str,
    pub(crate) quotes_literals: bool,
}

const QUOTES_LITERALS: u64 = 1 << 63;

impl Sql<'_> {
    /// Its length in bytes, and the other thing, in a word.
    pub(super) fn extent(self) -> u64 {
        self.text.len() as u64 | if self.quotes_literals { QUOTES_LITERALS } else { 0 }
    }
}

/// What is known of a text that ran again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// Identifies the text.
    pub(crate) hash: u64,
    /// Where it ran again (`trace/caller.rs`); 0 where that is not known.
    pub(crate) place: u64,
    /// The text, or its beginning.
    pub(crate) sql: Sql<'a>,
    pub(crate) is_cut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    hash: u64,
    place: u64,
    /// [`Sql::extent`] of the whole text.
    extent: u64,
    start: usize,
    end: usize,
}

/// The executions of a record, by text, in buffers that can be used again.
#[derive(Clone, Debug)]
pub(crate) struct Queries {
    counts: Vec<QueryCount>,
    kept: Vec<Kept>,
    bytes: Vec<u8>,
}

impl Queries {
    pub(crate) const fn new() -> Self {
        Queries { counts: Vec::new(), kept: Vec::new(), bytes: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.counts.clear();
        self.kept.clear();
        self.bytes.clear();
    }

    /// Executions of a text that is not there yet.
    #[inline]
    pub(super) fn push(&mut self, query: QueryCount) {
        self.counts.push(query);
    }

    /// Executions of a text that may be there.
    pub(super) fn add(&mut self, query: QueryCount) {
        match self.counts.iter_mut().find(|known| known.hash == query.hash) {
            Some(known) => {
                known.count += query.count;
                known.nanos = known.nanos.saturating_add(query.nanos);
            }
            None => self.push(query),
        }
    }

    /// A text that ran again: its hash, the place, its extent; `write` appends what is known of it.
    pub(super) fn keep(&mut self, [hash, place, extent]: [u64; 3], write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.kept.push(Kept { hash, place, extent, start, end: self.bytes.len() });
    }

    pub(crate) fn counts(&self) -> &[QueryCount] {
        &self.counts
    }

    /// The text that ran most often, if one ran more than once, and if it was kept.
    pub(crate) fn most_repeated(&self) -> Option<Statement<'_>> {
        let often = |query: &QueryCount| (query.count, query.nanos);
        let most = self.counts.iter().filter(|query| query.count > 1).map(often).max()?;
        let is_one = |kept: &&Kept| self.counts.iter().any(|query| query.hash == kept.hash && often(query) == most);
        let kept = self.kept.iter().find(is_one)?;
        let bytes = self.bytes.get(kept.start..kept.end)?;
        let is_cut = kept.extent & !QUOTES_LITERALS > bytes.len() as u64;
        let sql = Sql { text: str::from_utf8(bytes).ok()?, quotes_literals: kept.extent & QUOTES_LITERALS != 0 };
        Some(Statement { hash: kept.hash, place: kept.place, sql, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(queries: &mut Queries, hash: u64, count: u64, nanos: u64) {
        queries.add(QueryCount { hash, count, nanos });
    }

    fn names(text: &str) -> Sql<'_> {
        Sql { text, quotes_literals: false }
    }

    #[test]
    fn the_text_that_ran_most_often_is_told_then_the_slower_then_the_first() {
        let mut queries = Queries::new();
        for (hash, text) in [(1, "one"), (2, "two"), (3, "three")] {
            queries.keep([hash, 10 * hash, 5], |bytes| bytes.extend_from_slice(text.as_bytes()));
        }
        ran(&mut queries, 1, 1, 99);
        assert_eq!(queries.most_repeated(), None);
        ran(&mut queries, 2, 2, 5);
        ran(&mut queries, 3, 2, 5);
        assert_eq!(queries.most_repeated(), Some(Statement { hash: 2, place: 20, sql: names("two"), is_cut: true }));
        ran(&mut queries, 3, 0, 1);
        assert_eq!(queries.most_repeated(), Some(Statement { hash: 3, place: 30, sql: names("three"), is_cut: false }));
        ran(&mut queries, 1, 2, 0);
        assert_eq!(queries.most_repeated().map(|statement| statement.sql.text), Some("one"));
    }

    #[test]
    fn a_text_that_was_not_kept_is_not_replaced_by_another() {
        let mut queries = Queries::new();
        queries.keep([1, 0, 3], |bytes| bytes.extend_from_slice(b"one"));
        ran(&mut queries, 1, 2, 0);
        ran(&mut queries, 2, 3, 0);
        assert_eq!(queries.most_repeated(), None);
    }
}
