//! What other programs ask of the one that holds the state: a kind of command is a file here.

mod drop;
mod erase;
mod replay;
mod resolve;

use crate::codes::{At, StateColumn};
use crate::fault;
use crate::writer::Tx;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::path::Path;
use zaprun_engine::ports::{Answer, Chosen, Command, Obeyed, RunId, RunReason, RunState, StoreError, ZapId};

/// What waits for an answer, oldest first.
const OPEN: &str = "SELECT id, what FROM asked INDEXED BY asked_open WHERE answer IS NULL ORDER BY id";

/// Whether other programs have asked for anything.
pub(crate) fn asked(conn: &Connection, path: &Path) -> Result<bool, StoreError> {
    conn.prepare_cached(OPEN).and_then(|mut open| open.exists([])).map_err(|error| fault::sql(path, &error))
}

/// Does the oldest thing that other programs have asked for, and answers it. See `Store::obey`.
pub(crate) fn obey(tx: &mut Tx<'_>, now: Timestamp, busy: &[RunId]) -> Result<Obeyed, StoreError> {
    let oldest = tx.first(OPEN, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let Some((id, what)) = oldest else { return Ok(Obeyed::default()) };
    let (answer, zaps) = match serde_json::from_str::<Command>(&what) {
        Ok(command) => carry_out(tx, &command, now, busy)?,
        Err(_) => {
            let why = "the engine that runs here does not know this command".to_owned();
            (Answer { failed: Some(why), ..Answer::default() }, Vec::new())
        }
    };
    // Numbers and texts always serialise.
    let answer = serde_json::to_string(&answer).unwrap_or_default();
    tx.execute("UPDATE asked SET answer = ?2 WHERE id = ?1", params![id, answer])?;
    Ok(Obeyed { zaps, more: true })
}

/// Does what a command says, run by run, and says of which zaps other runs may be due now.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    command: &Command,
    now: Timestamp,
    busy: &[RunId],
) -> Result<(Answer, Vec<ZapId>), StoreError> {
    let (mut answer, mut zaps) = (Answer::default(), Vec::new());
    if let Command::Erase { values, .. } = command {
        erase::keys(tx, values)?;
    }
    for chosen in command.runs() {
        let done = one(tx, command, *chosen, now, busy)?;
        if let Ok(zap) = done
            && !zaps.contains(&zap)
        {
            zaps.push(zap);
        }
        answer.add(chosen.run, done.map(std::mem::drop));
    }
    Ok((answer, zaps))
}

/// What a command has done for a run, or why it has not.
type Done = Result<ZapId, String>;

fn one(
    tx: &mut Tx<'_>,
    command: &Command,
    chosen: Chosen,
    now: Timestamp,
    busy: &[RunId],
) -> Result<Done, StoreError> {
    let Some(run) = find(tx, chosen.run)? else { return Ok(Err("there is no such run".to_owned())) };
    if busy.contains(&run.id) {
        return Ok(Err("it is being worked on just now".to_owned()));
    }
    if chosen.changed_at.is_some_and(|at| at != run.changed_at) {
        return Ok(Err("it has changed meanwhile".to_owned()));
    }
    match command {
        Command::Resolve { outcome, .. } => resolve::resolve(tx, &run, *outcome, now),
        Command::Drop { .. } => drop::drop(tx, &run, now),
        Command::Replay { how, .. } => replay::replay(tx, &run, how, now),
        Command::Erase { values, .. } => erase::run(tx, &run, values, now),
    }
}

/// A run as a command finds it.
struct Found {
    id: RunId,
    zap: ZapId,
    state: RunState,
    /// Why it is in its state.
    was: RunReason,
    /// Attempts of its unfinished step.
    attempts: u32,
    /// Its rows in `step`.
    settled: i64,
    /// Whether it has a row in `aside`.
    aside: bool,
    /// Microseconds since 1970 UTC.
    changed_at: i64,
}

fn find(tx: &Tx<'_>, run: RunId) -> Result<Option<Found>, StoreError> {
    let sql = "SELECT zap, state, word, detail, attempts, settled, aside, updated_at FROM run WHERE id = ?1";
    tx.first(sql, [run.0], |row| {
        Ok(Found {
            id: run,
            zap: ZapId(row.get(0)?),
            state: row.get::<_, StateColumn>(1)?.0,
            was: RunReason { word: row.get(2)?, detail: row.get(3)? },
            attempts: row.get(4)?,
            settled: row.get(5)?,
            aside: row.get(6)?,
            changed_at: row.get::<_, At>(7)?.0.as_microsecond(),
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    /// The engine asks once a second.
    #[test]
    fn whether_anything_is_asked_is_told_by_an_index() -> Result<(), rusqlite::Error> {
        let plan = plan(super::OPEN)?;
        assert!(plan.contains("USING INDEX asked_open") && !plan.contains("B-TREE"), "{plan}");
        Ok(())
    }
}
