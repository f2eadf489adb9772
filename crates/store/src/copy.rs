//! Copying what decides over new rows, without the history of what is done.

use crate::schema::Stamp;
use crate::source::Source;
use crate::{fault, schema};
use rusqlite::Connection;
use zaprun_engine::ports::StoreError;

/// Parents before children. Ended runs stay behind, with their events and steps; their counts too. So do held ones, and
/// what was asked of the program that holds the state, backfills among it.
const COPY: &str = "
    UPDATE main.meta SET (next_run, salt, forgot) = (SELECT next_run, salt, forgot FROM source.meta);
    INSERT INTO main.kind SELECT * FROM source.kind;
    INSERT INTO main.zap SELECT * FROM source.zap;
    INSERT INTO main.former SELECT * FROM source.former;
    INSERT INTO main.revision SELECT * FROM source.revision;
    INSERT INTO main.source SELECT * FROM source.source;
    INSERT INTO main.cursor SELECT * FROM source.cursor;
    INSERT INTO main.absence SELECT * FROM source.absence;
    INSERT INTO main.spent SELECT * FROM source.spent;
    INSERT INTO main.spent_day SELECT * FROM source.spent_day;
    INSERT INTO main.ledger SELECT * FROM source.ledger;
    INSERT INTO main.once SELECT * FROM source.once;
    INSERT INTO main.touched SELECT * FROM source.touched;
    INSERT INTO main.swept SELECT * FROM source.swept;
    INSERT INTO main.event SELECT * FROM source.event
        WHERE id IN (SELECT event FROM source.run WHERE state = 0);
    INSERT INTO main.run SELECT * FROM source.run WHERE state = 0;
    INSERT INTO main.aside SELECT * FROM source.aside WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.begun SELECT * FROM source.begun WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.serial SELECT * FROM source.serial WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.step SELECT * FROM source.step WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.response SELECT * FROM source.response WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.attempt SELECT * FROM source.attempt WHERE run IN (SELECT id FROM main.run);
    INSERT INTO main.tally SELECT * FROM source.tally WHERE state = 0 OR state >= 100;";

/// Copies into an empty database of the present version, from one snapshot.
pub(crate) fn copy(from: &Source, into: &Connection) -> Result<(), StoreError> {
    from.with_uri(|uri| {
        let copied = attach_and_copy(from, uri, into);
        if !into.is_autocommit() {
            // The error of the copy is the one to tell.
            let _ = into.execute_batch("ROLLBACK");
        }
        // Not attached when attaching was what failed.
        let _ = into.execute_batch("DETACH source");
        copied
    })
}

fn attach_and_copy(from: &Source, uri: &str, into: &Connection) -> Result<(), StoreError> {
    let sql = |error: rusqlite::Error| fault::sql(from.path(), &error);
    into.execute("ATTACH ?1 AS source", [uri]).map_err(sql)?;
    into.execute_batch("BEGIN").map_err(sql)?;
    Stamp::read(into, "source").map_err(sql)?.check_for_reading(from.path())?;
    // A look may be repeated when an engine came in between: what the last one copied goes first.
    into.execute_batch(&schema::wipe()).map_err(sql)?;
    into.execute_batch(COPY).map_err(sql)?;
    into.execute_batch("COMMIT").map_err(sql)
}
