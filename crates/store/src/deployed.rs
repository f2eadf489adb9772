//! What last ran.

use crate::codes::At;
use crate::fault;
use jiff::Timestamp;
use rusqlite::Connection;
use std::path::Path;
use zaprun_engine::ports::StoreError;

/// A zap as an engine last ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Hash of what its trigger selects.
    pub selection: String,
    /// Hash of the whole zap.
    pub content: String,
    /// Git revision, when it was known.
    pub git: Option<String>,
    /// When this content first ran.
    pub since: Timestamp,
    /// The earliest of its cursors; none while a query was not read to its end.
    pub cursor: Option<Timestamp>,
}

/// Every zap, by name.
pub(crate) fn deployed(conn: &Connection, path: &Path) -> Result<Vec<Deployed>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Deployed>> {
        let mut statement = conn.prepare(
            "SELECT z.name, z.selection, v.content, v.git, v.at,
                    (SELECT min(c.at) FROM cursor c WHERE c.zap = z.id HAVING count(*) >= z.queries)
             FROM zap z JOIN revision v ON v.id = z.revision ORDER BY z.name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Deployed {
                name: row.get(0)?,
                selection: row.get(1)?,
                content: row.get(2)?,
                git: row.get(3)?,
                since: row.get::<_, At>(4)?.0,
                cursor: row.get::<_, Option<At>>(5)?.map(|at| at.0),
            })
        })?;
        rows.collect()
    };
    read().map_err(|error| fault::sql(path, &error))
}
