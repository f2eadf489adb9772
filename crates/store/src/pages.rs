//! The ledger: what is unknown, and committing a page.

use crate::aside::{self, Aside};
use crate::codes::{
    At, LEDGER_PRIMED, LEDGER_UNDATED, PENDING, TALLY_LATE, TALLY_PRIMED, TALLY_UNDATED, UuidColumn,
    state_code,
};
use crate::touched::{self, Origin};
use crate::writer::Tx;
use crate::{absence, backfill, fault, keys};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use std::path::Path;
use zaprun_engine::ports::{
    Fate, NewEvent, PageCommit, PageCommitted, Part, RunId, RunReason, RunState, StoreError, Target, ZapId,
};

/// Of these ids of one kind, those that the zap's ledger does not hold, in the order asked.
pub(crate) fn unknown(
    conn: &Connection,
    path: &Path,
    zap: ZapId,
    kind: &str,
    ids: Vec<String>,
) -> Result<Vec<String>, StoreError> {
    known(conn, zap, kind, ids, ENTRY).map_err(|error| fault::sql(path, &error))
}

/// An entry of the ledger.
const ENTRY: &str = "SELECT 1 FROM ledger WHERE zap = ?1 AND id = ?2 AND kind = ?3";

/// Of these ids of one kind, those for which a query by zap, id and kind finds nothing. What the state has forgotten is
/// found by its entry, whatever the query says: nobody is to ask for it again.
fn known(
    conn: &Connection,
    zap: ZapId,
    kind: &str,
    ids: Vec<String>,
    sql: &str,
) -> rusqlite::Result<Vec<String>> {
    let number: Option<i64> = conn
        .prepare_cached("SELECT id FROM kind WHERE name = ?1")?
        .query_row([kind], |row| row.get(0))
        .optional()?;
    let Some(number) = number else { return Ok(ids) };
    let (mut known, mut entry) = (conn.prepare_cached(sql)?, conn.prepare_cached(ENTRY)?);
    let forgot = keys::any(conn)?;
    let mut unknown = Vec::new();
    for id in ids {
        let there = known.exists(params![zap.0, id, number])?
            || forgot && entry.exists(params![zap.0, keys::hashed(conn, &id)?, number])?;
        if !there {
            unknown.push(id);
        }
    }
    Ok(unknown)
}

/// Of these ids of one kind, those of which the zap has no run, in the order asked.
pub(crate) fn without_run(
    conn: &Connection,
    path: &Path,
    zap: ZapId,
    kind: &str,
    ids: Vec<String>,
) -> Result<Vec<String>, StoreError> {
    known(conn, zap, kind, ids, "SELECT 1 FROM ledger WHERE zap = ?1 AND id = ?2 AND kind = ?3 AND run > 0")
        .map_err(|error| fault::sql(path, &error))
}

/// `ledger.run` of primed entries is spelt `<= 0` above.
const _: () = assert!(LEDGER_PRIMED == 0 && LEDGER_UNDATED < 0);

/// Commits a page.
pub(crate) fn commit(tx: &mut Tx<'_>, page: &PageCommit) -> Result<PageCommitted, StoreError> {
    commit_as(tx, page, None)
}

/// Commits a page of a deep sweep or a backfill.
pub(crate) fn commit_part(
    tx: &mut Tx<'_>,
    page: &PageCommit,
    part: &Part,
) -> Result<PageCommitted, StoreError> {
    if let Part::Backfill(step) = part {
        backfill::check_open(tx, step.id)?;
    }
    let done = commit_as(tx, page, Some(part))?;
    if let Part::Backfill(step) = part {
        backfill::step(tx, step, done.fired)?;
    }
    Ok(done)
}

fn commit_as(tx: &mut Tx<'_>, page: &PageCommit, part: Option<&Part>) -> Result<PageCommitted, StoreError> {
    check_zaps(tx, page)?;
    let mut done = PageCommitted::default();
    for event in &page.events {
        commit_event(tx, event, part, &mut done)?;
    }
    for cursor in &page.cursors {
        tx.execute(
            "INSERT INTO cursor (zap, query, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (zap, query) DO UPDATE SET at = excluded.at WHERE excluded.at > at",
            params![cursor.zap.0, cursor.query, At(cursor.at)],
        )?;
    }
    Ok(done)
}

/// The ledger has no foreign key, which would cost a look-up for every row of the largest table: the zaps of a page
/// are few and looked up once.
fn check_zaps(tx: &Tx<'_>, page: &PageCommit) -> Result<(), StoreError> {
    let of_events = page.events.iter().flat_map(|event| event.targets.iter().map(|target| target.zap));
    let zaps: BTreeSet<ZapId> = of_events.chain(page.cursors.iter().map(|cursor| cursor.zap)).collect();
    for zap in zaps {
        if tx.first("SELECT 1 FROM zap WHERE id = ?1", [zap.0], |_| Ok(()))?.is_none() {
            return Err(fault::refused(format!("the state knows no zap {zap}")));
        }
    }
    Ok(())
}

fn commit_event(
    tx: &mut Tx<'_>,
    event: &NewEvent,
    part: Option<&Part>,
    done: &mut PageCommitted,
) -> Result<(), StoreError> {
    let kind = tx.kind(&event.key.kind)?;
    // Of somebody who was forgotten the key is known by its hash only.
    let forgotten = keys::known_as(tx.conn, &event.key.id).map_err(|error| tx.fault(&error))?;
    let mut stored = None;
    // Looked up once there is something new.
    let mut origin = None;
    for target in &event.targets {
        let mut seen = seen(tx, target.zap, &event.key.id, kind)?;
        if forgotten != event.key.id {
            seen = seen.or(self::seen(tx, target.zap, &forgotten, kind)?);
        }
        // A backfill sends what was primed, but for what zaprun made itself.
        let primed =
            seen.primed.filter(|_| matches!(part, Some(Part::Backfill(_))) && target.fate == Fate::Fire);
        if seen.same_kind && primed.is_none() {
            done.known += 1;
            continue;
        }
        let Origin { made, depth } = match origin {
            Some(known) => known,
            None => *origin.insert(touched::origin(tx, event.order.as_deref())?),
        };
        if let Some(mark) = primed {
            if made && !target.own {
                done.known += 1;
                continue;
            }
            unprime(tx, target, &event.key.id, kind, mark)?;
        }
        let run = match target.fate.birth() {
            // What zaprun made itself is no news.
            Some(_) if made && !target.own => prime(tx, target, LEDGER_PRIMED, done)?,
            Some(birth) => {
                match target.fate {
                    Fate::Hold => done.held += 1,
                    Fate::Drop => done.dropped += 1,
                    _ => done.fired += 1,
                }
                if matches!(target.fate, Fate::Hold | Fate::Drop) {
                    absence::count(tx, target.zap, event.at, target.fate)?;
                }
                if is_late(part, target.zap, event) {
                    done.late += 1;
                    tx.count(target.zap, TALLY_LATE, 1);
                }
                let ancestry = Ancestry { follows: seen.other_kind, depth: depth.max(event.depth) };
                fire(tx, event, kind, (target, birth), ancestry, &mut stored)?
            }
            None if target.fate == Fate::PrimeUndated => prime(tx, target, LEDGER_UNDATED, done)?,
            None => prime(tx, target, LEDGER_PRIMED, done)?,
        };
        tx.execute(
            "INSERT INTO ledger (zap, id, kind, run) VALUES (?1, ?2, ?3, ?4)",
            params![target.zap.0, event.key.id, kind, run],
        )?;
    }
    Ok(())
}

fn is_late(part: Option<&Part>, zap: ZapId, event: &NewEvent) -> bool {
    let Some(Part::Sweep(late)) = part else { return false };
    late.iter().any(|(of, key)| *of == zap && *key == event.key)
}

/// A primed entry is to become a run: it leaves the ledger, the counts, and what it holds of `once_per`.
fn unprime(tx: &mut Tx<'_>, target: &Target, id: &str, kind: i64, mark: i64) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM ledger WHERE zap = ?1 AND id = ?2 AND kind = ?3",
        params![target.zap.0, id, kind],
    )?;
    tx.count(target.zap, TALLY_PRIMED, -1);
    if mark == LEDGER_UNDATED {
        tx.count(target.zap, TALLY_UNDATED, -1);
    }
    if let Some(value) = &target.once {
        tx.execute(
            "DELETE FROM once WHERE zap = ?1 AND value = ?2 AND run IS NULL",
            params![target.zap.0, value],
        )?;
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Seen {
    same_kind: bool,
    /// It is there without a run: how it is marked.
    primed: Option<i64>,
    /// The zap has a run of this natural id by another kind.
    other_kind: bool,
}

impl Seen {
    /// With what is seen of the same key as it is kept of somebody who was forgotten.
    fn or(self, other: Seen) -> Seen {
        Seen {
            same_kind: self.same_kind || other.same_kind,
            // Of somebody who was forgotten nothing is sent later.
            primed: self.primed.filter(|_| !other.same_kind),
            other_kind: self.other_kind || other.other_kind,
        }
    }
}

fn seen(tx: &Tx<'_>, zap: ZapId, id: &str, kind: i64) -> Result<Seen, StoreError> {
    let read = || -> rusqlite::Result<Seen> {
        let mut seen = Seen::default();
        let mut statement =
            tx.conn.prepare_cached("SELECT kind, run FROM ledger WHERE zap = ?1 AND id = ?2")?;
        let mut rows = statement.query(params![zap.0, id])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? == kind {
                seen.same_kind = true;
                seen.primed = Some(row.get::<_, i64>(1)?).filter(|run| *run <= LEDGER_PRIMED);
            } else if row.get::<_, i64>(1)? > LEDGER_PRIMED {
                seen.other_kind = true;
            }
        }
        Ok(seen)
    };
    read().map_err(|error| tx.fault(&error))
}

/// What came before a run.
#[derive(Clone, Copy)]
struct Ancestry {
    /// The zap has a run of the same natural id by another kind.
    follows: bool,
    /// How many of zaprun's own writes led to it.
    depth: u32,
}

/// Makes a run, and stores its event unless an earlier target of the same event did.
fn fire(
    tx: &mut Tx<'_>,
    event: &NewEvent,
    kind: i64,
    (target, (state, why)): (&Target, (RunState, RunReason)),
    Ancestry { follows, depth }: Ancestry,
    stored: &mut Option<i64>,
) -> Result<i64, StoreError> {
    let run = tx.new_run();
    let event_id = if let Some(id) = *stored {
        id
    } else {
        tx.execute(
            "INSERT INTO event (id, kind, key, at, seen_at, record, context) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                run,
                kind,
                event.key.id,
                At(event.at),
                At(event.seen_at),
                &event.record[..],
                event.context.as_deref(),
            ],
        )?;
        *stored.insert(run)
    };
    tx.execute(
        "INSERT INTO run (id, zap, event, revision, key_base, state, follows, created_at, updated_at, due_at, word, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?8, ?6, ?7, ?7, iif(?8 = 0, ?7, NULL), ?9, ?10)",
        params![
            run,
            target.zap.0,
            event_id,
            target.revision.0,
            UuidColumn(target.key_base),
            follows,
            At(event.seen_at),
            state_code(state),
            why.word,
            why.detail,
        ],
    )?;
    if depth > 0 {
        aside::keep(tx, RunId(run), &Aside { depth, ..Aside::default() })?;
    }
    tx.count(target.zap, state_code(state), 1);
    Ok(run)
}

fn prime(tx: &mut Tx<'_>, target: &Target, mark: i64, done: &mut PageCommitted) -> Result<i64, StoreError> {
    done.primed += 1;
    tx.count(target.zap, TALLY_PRIMED, 1);
    if mark == LEDGER_UNDATED {
        done.undated += 1;
        tx.count(target.zap, TALLY_UNDATED, 1);
    }
    if let Some(value) = &target.once {
        let forgotten = keys::known_as(tx.conn, value).map_err(|error| tx.fault(&error))?;
        tx.execute(
            "INSERT OR IGNORE INTO once (zap, value, run) SELECT ?1, ?2, NULL
             WHERE NOT EXISTS (SELECT 1 FROM once WHERE zap = ?1 AND value = ?3)",
            params![target.zap.0, value, forgotten],
        )?;
    }
    Ok(mark)
}

/// `run.state` of pending runs is spelt `0` above.
const _: () = assert!(PENDING == 0);
