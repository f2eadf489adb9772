//! Looking at runs.

use crate::aside::{self, Aside};
use crate::codes::{
    At, Blob, LEDGER_PRIMED, StateColumn, TALLY_PRIMED, TALLY_PRUNED, UuidColumn, state_code, state_of,
};
use crate::{begun, fault, runs};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use std::path::Path;
use zaprun_engine::ports::{
    AttemptRecord, Counts, EventKey, RunDetail, RunFilter, RunId, RunReason, RunState, RunSummary,
    StoreError, StoredEvent,
};

const SUMMARY: &str =
    "r.id, z.name, k.name, e.key, r.state, r.word, r.detail, r.created_at, r.updated_at, r.due_at,
                       r.attempts";
const JOINS: &str = "CROSS JOIN zap z ON z.id = r.zap
                     CROSS JOIN event e ON e.id = r.event
                     CROSS JOIN kind k ON k.id = e.kind";

/// See `History::runs`.
pub(crate) fn list(
    conn: &Connection,
    path: &Path,
    filter: &RunFilter,
) -> Result<Vec<RunSummary>, StoreError> {
    let read = || -> rusqlite::Result<Vec<RunSummary>> {
        let zap = match &filter.zap {
            None => None,
            Some(name) => match zap_id(conn, name)? {
                Some(id) => Some(id),
                None => return Ok(Vec::new()),
            },
        };
        let (sql, values) = list_query(filter, zap);
        let mut statement = conn.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(values), summary)?;
        rows.collect()
    };
    read().map_err(|error| fault::sql(path, &error))
}

fn zap_id(conn: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM zap WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// The statement of a list, and its values. The index is named, since the planner knows no figures of this file:
/// runs that need a person are few; else a zap's own; else newest first through all.
fn list_query(filter: &RunFilter, zap: Option<i64>) -> (String, Vec<Value>) {
    let attention = !filter.states.is_empty() && filter.states.iter().all(|state| needs_person(*state));
    let index = match (attention, zap) {
        (true, _) => "INDEXED BY run_attention",
        (false, Some(_)) => "INDEXED BY run_of_zap",
        (false, None) => "NOT INDEXED",
    };
    let mut sql = format!("SELECT {SUMMARY} FROM run r {index} {JOINS} WHERE 1");
    let mut values = Vec::new();
    if attention {
        // Says what the partial index says, so that it may be used.
        sql.push_str(" AND r.state >= 3");
    }
    if let Some(zap) = zap {
        sql.push_str(" AND r.zap = ?");
        values.push(Value::Integer(zap));
    }
    if !filter.states.is_empty() {
        let marks = vec!["?"; filter.states.len()].join(", ");
        sql.push_str(&format!(" AND r.state IN ({marks})"));
        values.extend(filter.states.iter().map(|state| Value::Integer(state_code(*state))));
    }
    if let Some(since) = filter.since {
        sql.push_str(" AND r.created_at >= ?");
        values.push(Value::Integer(since.as_microsecond()));
    }
    if let Some(until) = filter.until {
        sql.push_str(" AND r.created_at < ?");
        values.push(Value::Integer(until.as_microsecond()));
    }
    if let Some(text) = &filter.text {
        // What is cheap to look at first.
        sql.push_str(
            " AND (instr(lower(r.word || ': ' || r.detail), ?) OR instr(lower(k.name || ':' || e.key), ?)
                   OR instr(lower(CAST(e.record AS TEXT)), ?))",
        );
        let text = Value::Text(text.to_ascii_lowercase());
        values.extend([text.clone(), text.clone(), text]);
    }
    sql.push_str(" ORDER BY r.id DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(filter.limit).unwrap_or(i64::MAX)));
    (sql, values)
}

fn needs_person(state: RunState) -> bool {
    matches!(state, RunState::Held | RunState::Dead | RunState::Dropped)
}

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        id: RunId(row.get(0)?),
        zap: row.get(1)?,
        event: EventKey { kind: row.get(2)?, id: row.get(3)? },
        state: row.get::<_, StateColumn>(4)?.0,
        reason: RunReason { word: row.get(5)?, detail: row.get(6)? },
        created_at: row.get::<_, At>(7)?.0,
        updated_at: row.get::<_, At>(8)?.0,
        due_at: row.get::<_, Option<At>>(9)?.map(|at| at.0),
        attempts: row.get(10)?,
    })
}

/// See `History::run`.
pub(crate) fn detail(conn: &Connection, path: &Path, id: RunId) -> Result<Option<RunDetail>, StoreError> {
    let read = || -> rusqlite::Result<Option<RunDetail>> {
        let sql = format!(
            "SELECT {SUMMARY}, e.at, e.seen_at, e.record, e.context, r.key_base, v.content, v.git, r.aside, {}
             FROM run r {JOINS} CROSS JOIN revision v ON v.id = r.revision
             LEFT JOIN begun b ON b.run = r.id
             WHERE r.id = ?1",
            begun::begun_columns!()
        );
        let found = conn.prepare(&sql)?.query_row([id.0], |row| detail_row(conn, id, row)).optional()?;
        let Some(mut detail) = found else { return Ok(None) };
        detail.steps = runs::steps(conn, id)?;
        detail.past = runs::past_steps(conn, id)?;
        detail.attempts = attempts(conn, id)?;
        if detail.summary.state == RunState::Pending {
            detail.waits_for = waits_for(conn, id)?;
        }
        Ok(Some(detail))
    };
    read().map_err(|error| fault::sql(path, &error))
}

fn detail_row(conn: &Connection, id: RunId, row: &Row<'_>) -> rusqlite::Result<RunDetail> {
    let summary = summary(row)?;
    let Aside { depth, failing, fresh, .. } = aside::read(conn, id, row.get(18)?)?;
    Ok(RunDetail {
        event: StoredEvent {
            key: summary.event.clone(),
            at: row.get::<_, At>(11)?.0,
            seen_at: row.get::<_, At>(12)?.0,
            record: row.get::<_, Blob>(13)?.0,
            context: row.get::<_, Option<Blob>>(14)?.map(|blob| blob.0),
        },
        summary,
        key_base: row.get::<_, UuidColumn>(15)?.0,
        content: row.get(16)?,
        git: row.get(17)?,
        depth,
        fresh,
        failing,
        steps: Vec::new(),
        past: Vec::new(),
        attempts: Vec::new(),
        begun: begun::read(row, 19)?,
        waits_for: None,
    })
}

/// The first of the runs for which a pending one waits; see `runs::CLAIM`.
fn waits_for(conn: &Connection, run: RunId) -> rusqlite::Result<Option<(RunId, RunState)>> {
    conn.prepare(
        "SELECT p.id, p.state FROM run r
         CROSS JOIN event f ON f.id = r.event
         CROSS JOIN zap z ON z.id = r.zap
         CROSS JOIN ledger l ON l.zap = r.zap AND l.id = f.key
         CROSS JOIN run p ON p.id = l.run
         WHERE r.id = ?1 AND p.id < r.id AND (p.state = 0 OR z.strict AND p.state IN (3, 4))
         ORDER BY p.id LIMIT 1",
    )?
    .query_row([run.0], |row| Ok((RunId(row.get(0)?), row.get::<_, StateColumn>(1)?.0)))
    .optional()
}

fn attempts(conn: &Connection, run: RunId) -> rusqlite::Result<Vec<AttemptRecord>> {
    let mut statement = conn.prepare(
        "SELECT step, element, number, at, status, error, reply FROM attempt WHERE run = ?1 ORDER BY seq",
    )?;
    let rows = statement.query_map([run.0], |row| {
        Ok(AttemptRecord {
            step: row.get(0)?,
            element: row.get(1)?,
            number: row.get(2)?,
            at: row.get::<_, At>(3)?.0,
            status: row.get(4)?,
            error: row.get(5)?,
            reply: row.get::<_, Option<Blob>>(6)?.map(|blob| blob.0),
        })
    })?;
    rows.collect()
}

/// See `History::counts`. Reads the tally, which moves with what it counts.
pub(crate) fn counts(conn: &Connection, path: &Path) -> Result<Counts, StoreError> {
    tallied(
        conn,
        path,
        "SELECT z.name, t.state, t.n FROM tally t JOIN zap z ON z.id = t.zap WHERE t.n <> 0 ORDER BY z.name, t.state",
    )
}

/// The same from the rows themselves, however many: what the tally must agree with.
pub(crate) fn recount(conn: &Connection, path: &Path) -> Result<Counts, StoreError> {
    let sql = format!(
        "SELECT z.name, c.state, c.n FROM (
             SELECT zap, state, count(*) AS n FROM run GROUP BY zap, state
             UNION ALL
             SELECT zap, {TALLY_PRIMED}, count(*) FROM ledger WHERE run <= {LEDGER_PRIMED} GROUP BY zap
             UNION ALL
             SELECT l.zap, {TALLY_PRUNED}, count(*) FROM ledger l
                 WHERE l.run > {LEDGER_PRIMED} AND NOT EXISTS (SELECT 1 FROM run r WHERE r.id = l.run) GROUP BY l.zap
         ) c JOIN zap z ON z.id = c.zap ORDER BY z.name, c.state"
    );
    tallied(conn, path, &sql)
}

fn tallied(conn: &Connection, path: &Path, sql: &str) -> Result<Counts, StoreError> {
    let read = || -> rusqlite::Result<Counts> {
        let mut counts = Counts::default();
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (zap, state, n): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let n = u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, n))?;
            match state_of(state) {
                Some(state) => counts.runs.push((zap, state, n)),
                None if state == TALLY_PRIMED => counts.primed.push((zap, n)),
                None if state == TALLY_PRUNED => counts.pruned.push((zap, n)),
                None => {}
            }
        }
        Ok(counts)
    };
    read().map_err(|error| fault::sql(path, &error))
}

/// See `SqliteStore::oldest_pending`. The first run made is the one of the lowest id, and the index of those that are
/// due holds all ids of pending ones, so that no run is read but the few that are told.
pub(crate) fn oldest_pending(conn: &Connection, path: &Path) -> Result<Vec<(String, Timestamp)>, StoreError> {
    const OLDEST: &str = "SELECT z.name, r.created_at
         FROM (SELECT zap, min(id) AS id FROM run INDEXED BY run_due WHERE state = 0 GROUP BY zap) o
         CROSS JOIN run r ON r.id = o.id
         CROSS JOIN zap z ON z.id = o.zap";
    let read = || -> rusqlite::Result<Vec<(String, Timestamp)>> {
        let mut statement = conn.prepare_cached(OLDEST)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)))?;
        rows.collect()
    };
    read().map_err(|error| fault::sql(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists must not sort what they read nor read all where few are asked for.
    #[test]
    fn lists_are_read_newest_first_from_an_index() -> Result<(), Box<dyn std::error::Error>> {
        let conn = Connection::open_in_memory()?;
        crate::schema::migrate(&conn, 0)?;
        let plan = |filter: RunFilter, zap| -> Result<String, rusqlite::Error> {
            let (sql, values) = list_query(&filter, zap);
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.join("\n"))
        };
        let all = plan(RunFilter { limit: 5, ..RunFilter::default() }, None)?;
        assert!(all.contains("SCAN r") && !all.contains("B-TREE"), "{all}");
        let zap = plan(RunFilter { limit: 5, ..RunFilter::default() }, Some(1))?;
        assert!(zap.contains("run_of_zap") && !zap.contains("B-TREE"), "{zap}");
        let dead = plan(RunFilter { limit: 5, states: vec![RunState::Dead], ..RunFilter::default() }, None)?;
        assert!(dead.contains("SEARCH r USING INDEX run_attention") && !dead.contains("B-TREE"), "{dead}");
        Ok(())
    }
}
