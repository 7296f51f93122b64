//! Queries of a record, noted by its handle.

use super::Context;
use crate::record::current;
use crate::record::log::Noted;
use crate::record::queries::Sql;

impl Context {
    /// One execution of a query, by the hash of its text; whether it is the second one of the text.
    #[inline]
    pub(crate) fn note_query(&self, hash: u64, nanos: u64) -> bool {
        let noted = current::claimed(self.handle).and_then(|body| body.notes_query(hash, nanos));
        noted.map_or_else(|| self.note_query_slowly(hash, nanos), |noted| noted == Noted::Again)
    }

    #[inline(never)]
    fn note_query_slowly(&self, hash: u64, nanos: u64) -> bool {
        let noted = current::write(self.handle, |body, writer| body.note_query(hash, nanos, writer));
        noted == Some(Noted::Again)
    }

    /// Keeps the text of a query that ran again, and where it did.
    pub(crate) fn keep_statement(&self, hash: u64, place: u64, sql: Sql<'_>) {
        current::write(self.handle, |body, writer| body.keep_statement(hash, place, sql, writer));
    }
}
