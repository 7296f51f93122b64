//! A query taken apart, so that its text can be read before it runs.

use sqlx::error::BoxDynError;
use sqlx::{Database, Execute, SqlStr};

/// All that a driver asks of a query. sqlx lets its text be taken only once, so the rest is taken with it.
pub(super) struct Query<DB: Database> {
    sql: SqlStr,
    statement: Option<DB::Statement>,
    arguments: Result<Option<DB::Arguments>, BoxDynError>,
    persistent: bool,
}

impl<DB: Database> Query<DB> {
    pub(super) fn of<'q>(mut query: impl Execute<'q, DB>) -> Self {
        let statement = query.statement().cloned();
        let arguments = query.take_arguments();
        let persistent = query.persistent();
        Query { sql: query.sql(), statement, arguments, persistent }
    }

    /// The text, with its placeholders. One that was made at run time is copied, unless it is shared.
    pub(super) fn text(&self) -> SqlStr {
        self.sql.clone()
    }
}

impl<DB: Database> Execute<'_, DB> for Query<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}
