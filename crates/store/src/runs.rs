//! Runs: claiming, outcomes.

use crate::aside::{self, Aside};
use crate::codes::{
    At, Blob, OutcomeColumn, PENDING, StateColumn, UuidColumn, capped, capped_text, state_code,
};
use crate::writer::Tx;
use crate::{begun, fault, keys, touched};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use std::collections::HashSet;
use std::path::Path;
use zaprun_engine::ports::{
    AttemptRecord, ClaimedRun, EventKey, OnceOutcome, RunId, RunReason, RunState, RunUpdate, StepRecord,
    StoreError, StoredEvent, ZapId,
};

/// Holds for a run unless an earlier run of its zap and natural id is pending, or where the zap is strict dead or held. Nearly every run has `follows = 0`, and
/// then nothing is looked up.
macro_rules! goes_first {
    () => {
        "(r.follows = 0 OR NOT EXISTS (
            SELECT 1 FROM event f
            CROSS JOIN ledger l ON l.zap = r.zap AND l.id = f.key
            CROSS JOIN run p ON p.id = l.run
            WHERE f.id = r.event AND p.id < r.id AND (p.state = 0 OR p.state IN (3, 4) AND (SELECT z.strict FROM zap z WHERE z.id = r.zap))))"
    };
}

/// Due runs of a zap, oldest due first.
pub(crate) const CLAIM: &str = concat!(
    "SELECT r.id, k.name, e.key, e.at, e.seen_at, e.record, e.context, r.key_base, r.created_at, r.attempts,
            r.retrying_since, r.settled, r.word, r.detail, r.aside,
            iif(r.pinned, (SELECT v.content FROM revision v WHERE v.id = r.revision), NULL), ",
    begun::begun_columns!(),
    "
     FROM run r INDEXED BY run_due
     CROSS JOIN event e ON e.id = r.event
     CROSS JOIN kind k ON k.id = e.kind
     LEFT JOIN begun b ON b.run = r.id
     WHERE r.zap = ?1 AND r.state = 0 AND r.due_at <= ?2 AND ",
    goes_first!(),
    " ORDER BY r.due_at, r.id"
);

/// When runs of a zap are due.
pub(crate) const NEXT_DUE: &str = concat!(
    "SELECT r.id, r.due_at FROM run r INDEXED BY run_due WHERE r.zap = ?1 AND r.state = 0 AND ",
    goes_first!(),
    " ORDER BY r.due_at, r.id"
);

/// See `Store::claim`.
pub(crate) fn claim(
    conn: &Connection,
    path: &Path,
    zap: ZapId,
    now: Timestamp,
    limit: usize,
    busy: Vec<RunId>,
) -> Result<Vec<ClaimedRun>, StoreError> {
    let busy: HashSet<RunId> = busy.into_iter().collect();
    let read = || -> rusqlite::Result<Vec<ClaimedRun>> {
        let mut statement = conn.prepare_cached(CLAIM)?;
        let mut rows = statement.query(params![zap.0, At(now)])?;
        let mut claimed = Vec::new();
        while claimed.len() < limit {
            let Some(row) = rows.next()? else { break };
            // Busy runs are still pending and due, and at most as many as the engine works on at once.
            if busy.contains(&RunId(row.get(0)?)) {
                continue;
            }
            claimed.push(claimed_run(conn, zap, row)?);
        }
        Ok(claimed)
    };
    read().map_err(|error| fault::sql(path, &error))
}

fn claimed_run(conn: &Connection, zap: ZapId, row: &Row<'_>) -> rusqlite::Result<ClaimedRun> {
    let id = RunId(row.get(0)?);
    let settled: i64 = row.get(11)?;
    // Nearly every run has neither, and then nothing is looked up.
    let steps = if settled == 0 { Vec::new() } else { steps(conn, id)? };
    let Aside { depth, failing, fresh, .. } = aside::read(conn, id, row.get(14)?)?;
    Ok(ClaimedRun {
        id,
        zap,
        event: StoredEvent {
            key: EventKey { kind: row.get(1)?, id: row.get(2)? },
            at: row.get::<_, At>(3)?.0,
            seen_at: row.get::<_, At>(4)?.0,
            record: row.get::<_, Blob>(5)?.0,
            context: row.get::<_, Option<Blob>>(6)?.map(|blob| blob.0),
        },
        key_base: row.get::<_, UuidColumn>(7)?.0,
        created_at: row.get::<_, At>(8)?.0,
        attempts: row.get(9)?,
        retrying_since: row.get::<_, Option<At>>(10)?.map(|at| at.0),
        reason: RunReason { word: row.get(12)?, detail: row.get(13)? },
        depth,
        failing,
        fresh,
        steps,
        pinned: row.get(15)?,
        begun: begun::read(row, 16)?,
    })
}

/// The steps of a run that count, in the order they were settled.
pub(crate) fn steps(conn: &Connection, run: RunId) -> rusqlite::Result<Vec<StepRecord>> {
    Ok(numbered_steps(conn, run)?.into_iter().map(|(_, step)| step).collect())
}

/// The same with their numbers.
pub(crate) fn numbered_steps(conn: &Connection, run: RunId) -> rusqlite::Result<Vec<(i64, StepRecord)>> {
    read_steps(conn, run, false)
}

/// The steps that count no more, since a person has replayed the run.
pub(crate) fn past_steps(conn: &Connection, run: RunId) -> rusqlite::Result<Vec<StepRecord>> {
    Ok(read_steps(conn, run, true)?.into_iter().map(|(_, step)| step).collect())
}

fn read_steps(conn: &Connection, run: RunId, past: bool) -> rusqlite::Result<Vec<(i64, StepRecord)>> {
    let mut statement = conn.prepare_cached(
        "SELECT s.step, s.element, s.outcome, s.status, s.attempts, s.at, s.reply, a.body, s.word, s.detail, s.seq
         FROM step s LEFT JOIN response a ON a.run = s.run AND a.seq = s.seq
         WHERE s.run = ?1 AND s.past = ?2 ORDER BY s.seq",
    )?;
    let rows = statement.query_map(params![run.0, past], |row| {
        Ok((
            row.get(10)?,
            StepRecord {
                step: row.get(0)?,
                element: row.get(1)?,
                outcome: row.get::<_, OutcomeColumn>(2)?.0,
                status: row.get(3)?,
                attempts: row.get(4)?,
                at: row.get::<_, At>(5)?.0,
                reply: row.get::<_, Option<Blob>>(6)?.map(|blob| blob.0),
                response: row.get::<_, Option<Blob>>(7)?.map(|blob| blob.0),
                why: match row.get(8)? {
                    Some(word) => Some(RunReason { word, detail: row.get(9)? }),
                    None => None,
                },
            },
        ))
    })?;
    rows.collect()
}

/// See `Store::next_due`.
pub(crate) fn next_due(
    conn: &Connection,
    path: &Path,
    zaps: &[ZapId],
    busy: Vec<RunId>,
) -> Result<Option<Timestamp>, StoreError> {
    let busy: HashSet<RunId> = busy.into_iter().collect();
    let read = || -> rusqlite::Result<Option<Timestamp>> {
        let mut next: Option<Timestamp> = None;
        let mut statement = conn.prepare_cached(NEXT_DUE)?;
        for zap in zaps {
            let mut rows = statement.query([zap.0])?;
            while let Some(row) = rows.next()? {
                if busy.contains(&RunId(row.get(0)?)) {
                    continue;
                }
                let due = row.get::<_, At>(1)?.0;
                next = Some(next.map_or(due, |so_far| so_far.min(due)));
                break;
            }
        }
        Ok(next)
    };
    read().map_err(|error| fault::sql(path, &error))
}

/// A run before a change.
pub(crate) struct Before {
    pub(crate) zap: ZapId,
    pub(crate) state: RunState,
    /// Its rows in `step`.
    pub(crate) settled: i64,
    /// Its rows in `attempt`.
    pub(crate) tries: i64,
    /// Whether it has a row in `aside`.
    pub(crate) aside: bool,
}

/// How a run stands.
///
/// # Errors
/// `Refused` when there is no such run.
pub(crate) fn before(tx: &Tx<'_>, run: RunId) -> Result<Before, StoreError> {
    tx.first("SELECT zap, state, settled, tries, aside FROM run WHERE id = ?1", [run.0], |row| {
        Ok(Before {
            zap: ZapId(row.get(0)?),
            state: row.get::<_, StateColumn>(1)?.0,
            settled: row.get(2)?,
            tries: row.get(3)?,
            aside: row.get(4)?,
        })
    })?
    .ok_or_else(|| fault::refused(format!("there is no run {run}")))
}

/// See `Store::update_run`.
pub(crate) fn update(tx: &mut Tx<'_>, change: &RunUpdate) -> Result<(), StoreError> {
    let before = before(tx, change.run)?;
    let pending = change.state == RunState::Pending;
    // A run that is held or dead goes on where a person says so, and its later steps read the answers to earlier ones.
    let goes_on = pending || matches!(change.state, RunState::Held | RunState::Dead);
    for (seq, step) in (before.settled..).zip(&change.steps) {
        insert_step(tx, change.run, seq, step, goes_on)?;
    }
    for (seq, attempt) in (before.tries..).zip(&change.failed) {
        insert_attempt(tx, change.run, seq, attempt)?;
    }
    for touched in &change.touched {
        touched::keep(tx, touched)?;
    }
    begun::keep(tx, change.run, change.begun.as_ref())?;
    if before.aside || change.failing.is_some() || change.fresh.is_some() {
        let known = aside::read(tx.conn, change.run, before.aside).map_err(|error| tx.fault(&error))?;
        let fresh = change.fresh.clone().or_else(|| known.fresh.clone());
        let now = Aside { failing: change.failing.clone(), fresh, ..known };
        if now != known {
            aside::keep(tx, change.run, &now)?;
        }
    }
    if !goes_on && before.settled > 0 {
        tx.execute("DELETE FROM response WHERE run = ?1", [change.run.0])?;
    }
    tx.execute(
        "UPDATE run SET state = ?2, settled = settled + ?3, tries = tries + ?4, attempts = ?5, updated_at = ?6,
                due_at = ?7, retrying_since = ?8, word = ?9, detail = ?10
         WHERE id = ?1",
        params![
            change.run.0,
            state_code(change.state),
            // Lengths of lists in memory.
            i64::try_from(change.steps.len()).unwrap_or(i64::MAX),
            i64::try_from(change.failed.len()).unwrap_or(i64::MAX),
            change.attempts,
            At(change.at),
            pending.then_some(At(change.due_at)),
            change.retrying_since.map(At),
            capped_text(&change.reason.word),
            capped_text(&change.reason.detail),
        ],
    )?;
    if before.state != change.state {
        tx.count(before.zap, state_code(before.state), -1);
        tx.count(before.zap, state_code(change.state), 1);
    }
    Ok(())
}

/// Keeps a finished step, and what later steps read of its answer where the run goes on.
pub(crate) fn insert_step(
    tx: &Tx<'_>,
    run: RunId,
    seq: i64,
    step: &StepRecord,
    keep_response: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO step (run, seq, step, element, outcome, status, attempts, at, reply, word, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            run.0,
            seq,
            step.step,
            step.element,
            OutcomeColumn(step.outcome),
            step.status,
            step.attempts,
            At(step.at),
            capped(step.reply.as_ref()),
            step.why.as_ref().map(|why| capped_text(&why.word)),
            step.why.as_ref().map(|why| capped_text(&why.detail)),
        ],
    )?;
    if let Some(response) = step.response.as_ref().filter(|_| keep_response) {
        tx.execute(
            "INSERT INTO response (run, seq, body) VALUES (?1, ?2, ?3)",
            params![run.0, seq, &response[..]],
        )?;
    }
    Ok(())
}

fn insert_attempt(tx: &Tx<'_>, run: RunId, seq: i64, attempt: &AttemptRecord) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO attempt (run, seq, step, element, number, at, status, error, reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            run.0,
            seq,
            attempt.step,
            attempt.element,
            attempt.number,
            At(attempt.at),
            attempt.status,
            capped_text(&attempt.error),
            capped(attempt.reply.as_ref()),
        ],
    )?;
    Ok(())
}

/// See `Store::take_once`.
pub(crate) fn take_once(tx: &Tx<'_>, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError> {
    const HOLDER: &str = "SELECT run FROM once WHERE zap = ?1 AND value = ?2";
    let read = |row: &Row<'_>| row.get::<_, Option<i64>>(0);
    let mut holder = tx.first(HOLDER, params![zap.0, value], read)?;
    if holder.is_none() {
        // Of somebody who was forgotten the value is known by its hash only.
        let forgotten = keys::known_as(tx.conn, value).map_err(|error| tx.fault(&error))?;
        if forgotten != value {
            holder = tx.first(HOLDER, params![zap.0, forgotten], read)?;
        }
    }
    match holder {
        Some(Some(id)) if id == run.0 => Ok(OnceOutcome::Taken),
        Some(other) => Ok(OnceOutcome::TakenBy(other.map(RunId))),
        None => {
            let of_zap = before(tx, run)?.zap;
            if of_zap != zap {
                return Err(fault::refused(format!("run {run} is not of zap {zap}")));
            }
            tx.execute(
                "INSERT INTO once (zap, value, run) VALUES (?1, ?2, ?3)",
                params![zap.0, value, run.0],
            )?;
            Ok(OnceOutcome::Taken)
        }
    }
}

/// `run.state` of pending runs is spelt `0` in the statements above and in the partial indexes.
const _: () = assert!(PENDING == 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::plan;

    /// Neither may scan a table or sort: each row is found by a seek, in the order wanted.
    #[test]
    fn claiming_seeks_and_never_sorts() -> Result<(), rusqlite::Error> {
        let claim = plan(CLAIM)?;
        assert!(claim.starts_with("SEARCH r USING INDEX run_due (zap=? AND due_at<?)"), "{claim}");
        let next = plan(NEXT_DUE)?;
        assert!(
            next.starts_with("SEARCH r USING COVERING INDEX run_due (zap=?)")
                || next.starts_with("SEARCH r USING INDEX run_due (zap=?)"),
            "{next}"
        );
        for plan in [claim, next] {
            assert!(!plan.contains("SCAN") && !plan.contains("B-TREE"), "{plan}");
            assert!(plan.contains("SEARCH l USING PRIMARY KEY (zap=? AND id=?)"), "{plan}");
        }
        Ok(())
    }
}
