//! Making a zap known: identity, rename, revision, boundary.

use crate::absence;
use crate::codes::{At, Blob};
use crate::fault;
use crate::writer::Tx;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use zaprun_engine::ports::{RevisionId, StoreError, ZapId, ZapIdentity, ZapState};

struct Known {
    id: ZapId,
    first_name: String,
    selection: String,
    boundary: Timestamp,
    skew: Option<SignedDuration>,
    opened_at: Timestamp,
}

/// Makes a zap known, and says where it stands.
pub(crate) fn open(tx: &mut Tx<'_>, who: &ZapIdentity) -> Result<ZapState, StoreError> {
    let (zap, first_run) = match find(tx, who)? {
        Some(known) => (known, false),
        None => (create(tx, who)?, true),
    };
    let (boundary, skew) =
        if zap.selection == who.selection { (zap.boundary, zap.skew) } else { select_anew(tx, &zap, who)? };
    let revision = revision(tx, zap.id, who)?;
    if let Some(source) = &who.source {
        tx.execute(
            "INSERT OR IGNORE INTO source (zap, content, body) VALUES (?1, ?2, ?3)",
            params![zap.id.0, who.content, &source[..]],
        )?;
    }
    let queries = i64::try_from(who.queries).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE zap SET revision = ?2, queries = ?3, strict = ?4
         WHERE id = ?1 AND (revision <> ?2 OR queries <> ?3 OR strict <> ?4)",
        params![zap.id.0, revision.0, queries, who.strict],
    )?;
    Ok(ZapState {
        id: zap.id,
        first_name: zap.first_name,
        boundary,
        skew,
        opened_at: zap.opened_at,
        first_run,
        revision,
        cursors: cursors(tx, zap.id)?,
        absences: absence::end(tx, zap.id, who.now)?,
    })
}

/// See `Store::source`.
pub(crate) fn source(
    conn: &Connection,
    path: &Path,
    zap: ZapId,
    content: &str,
) -> Result<Option<Bytes>, StoreError> {
    conn.prepare_cached("SELECT body FROM source WHERE zap = ?1 AND content = ?2")
        .and_then(|mut found| {
            found.query_row(params![zap.0, content], |row| Ok(row.get::<_, Blob>(0)?.0)).optional()
        })
        .map_err(|error| fault::sql(path, &error))
}

/// The same by the zap's present name.
pub(crate) fn source_of(
    conn: &Connection,
    path: &Path,
    zap: &str,
    content: &str,
) -> Result<Option<Bytes>, StoreError> {
    conn.prepare_cached(
        "SELECT s.body FROM zap z JOIN source s ON s.zap = z.id WHERE z.name = ?1 AND s.content = ?2",
    )
    .and_then(|mut found| found.query_row([zap, content], |row| Ok(row.get::<_, Blob>(0)?.0)).optional())
    .map_err(|error| fault::sql(path, &error))
}

/// The zap by its name, or by the name it had: it is then renamed.
fn find(tx: &Tx<'_>, who: &ZapIdentity) -> Result<Option<Known>, StoreError> {
    let present = by_name(tx, &who.name)?;
    let former = match &who.formerly {
        Some(former) if *former != who.name => by_name(tx, former)?.map(|known| (former, known)),
        _ => None,
    };
    match (present, former) {
        (Some(present), None) => Ok(Some(present)),
        (Some(present), Some((former, _))) if was_called(tx, present.id, former)? => {
            // Renamed long ago; the name it gave up belongs to another zap since.
            Ok(Some(present))
        }
        (Some(_), Some((former, _))) => Err(fault::refused(format!(
            "zap `{former}` cannot be renamed to `{}`: both have run and have a history of their own",
            who.name
        ))),
        (None, Some((former, known))) => {
            rename(tx, &known, former, who)?;
            Ok(Some(known))
        }
        (None, None) => Ok(None),
    }
}

fn by_name(tx: &Tx<'_>, name: &str) -> Result<Option<Known>, StoreError> {
    tx.first(
        "SELECT id, first_name, selection, boundary, opened_at, skew FROM zap WHERE name = ?1",
        [name],
        |row| {
            Ok(Known {
                id: ZapId(row.get(0)?),
                first_name: row.get(1)?,
                selection: row.get(2)?,
                boundary: row.get::<_, At>(3)?.0,
                opened_at: row.get::<_, At>(4)?.0,
                skew: row.get::<_, Option<i64>>(5)?.map(SignedDuration::from_micros),
            })
        },
    )
}

fn was_called(tx: &Tx<'_>, zap: ZapId, name: &str) -> Result<bool, StoreError> {
    let found =
        tx.first("SELECT 1 FROM former WHERE zap = ?1 AND name = ?2", params![zap.0, name], |_| Ok(()))?;
    Ok(found.is_some())
}

fn rename(tx: &Tx<'_>, zap: &Known, former: &str, who: &ZapIdentity) -> Result<(), StoreError> {
    tx.execute("UPDATE zap SET name = ?2 WHERE id = ?1", params![zap.id.0, who.name])?;
    tx.execute(
        "INSERT OR REPLACE INTO former (zap, name, at) VALUES (?1, ?2, ?3)",
        params![zap.id.0, former, At(who.now)],
    )?;
    Ok(())
}

fn create(tx: &Tx<'_>, who: &ZapIdentity) -> Result<Known, StoreError> {
    let first_name = free_first_name(tx, &who.name)?;
    let (boundary, opened_at) = (At::kept(who.first_boundary), At::kept(who.now));
    let id = tx
        .first(
            "INSERT INTO zap (name, first_name, selection, boundary, revision, opened_at)
             VALUES (?1, ?2, ?3, ?4, 0, ?5) RETURNING id",
            params![who.name, first_name, who.selection, At(boundary), At(opened_at)],
            |row| row.get(0),
        )?
        .ok_or_else(|| fault::damaged(tx.path))?;
    Ok(Known { id: ZapId(id), first_name, selection: who.selection.clone(), boundary, skew: None, opened_at })
}

/// Idempotency keys hang on the first name. Where another zap began under this name and was renamed, a zap that takes
/// the name now gets a first name of its own.
fn free_first_name(tx: &Tx<'_>, name: &str) -> Result<String, StoreError> {
    let mut candidate = name.to_owned();
    // Ends: there are finitely many zaps, and each number is tried once.
    for number in 2u64.. {
        let taken = tx.first("SELECT 1 FROM zap WHERE first_name = ?1", [&candidate], |_| Ok(()))?;
        if taken.is_none() {
            break;
        }
        candidate = format!("{name}#{number}");
    }
    Ok(candidate)
}

/// The trigger selects something else now: what is new counts from the earliest cursor, and each query is read from
/// there again. A cursor kept from the old selection would hide what only the new one selects. Where a query has no
/// cursor yet, the earliest is the boundary itself.
fn select_anew(
    tx: &Tx<'_>,
    zap: &Known,
    who: &ZapIdentity,
) -> Result<(Timestamp, Option<SignedDuration>), StoreError> {
    let earliest = tx
        .first(
            "SELECT min(at) FROM cursor WHERE zap = ?1 HAVING count(*) >= (SELECT queries FROM zap WHERE id = ?1)",
            [zap.id.0],
            |row| row.get::<_, Option<At>>(0),
        )?
        .flatten();
    let (boundary, skew) = match earliest {
        Some(At(cursor)) if cursor > zap.boundary => (cursor, Some(SignedDuration::ZERO)),
        _ => (zap.boundary, zap.skew),
    };
    tx.execute("DELETE FROM cursor WHERE zap = ?1", [zap.id.0])?;
    tx.execute(
        "UPDATE zap SET selection = ?2, boundary = ?3, skew = ?4 WHERE id = ?1",
        params![zap.id.0, who.selection, At(boundary), skew.map(micros)],
    )?;
    Ok((boundary, skew))
}

/// Keeps the skew of a zap that has none, and says which one is kept.
pub(crate) fn keep_skew(tx: &Tx<'_>, zap: ZapId, skew: SignedDuration) -> Result<SignedDuration, StoreError> {
    tx.first(
        "UPDATE zap SET skew = ifnull(skew, ?2) WHERE id = ?1 RETURNING skew",
        params![zap.0, micros(skew)],
        |row| row.get(0),
    )?
    .map(SignedDuration::from_micros)
    .ok_or_else(|| fault::refused(format!("the state knows no zap {zap}")))
}

/// Clocks do not differ by more than an `i64` of microseconds holds, which is 290,000 years.
fn micros(skew: SignedDuration) -> i64 {
    i64::try_from(skew.as_micros()).unwrap_or(0)
}

fn revision(tx: &Tx<'_>, zap: ZapId, who: &ZapIdentity) -> Result<RevisionId, StoreError> {
    let id = tx.first(
        "SELECT id FROM revision WHERE zap = ?1 AND content = ?2 AND ifnull(git, '') = ifnull(?3, '')",
        params![zap.0, who.content, who.git],
        |row| row.get(0),
    )?;
    if let Some(id) = id {
        return Ok(RevisionId(id));
    }
    tx.first(
        "INSERT INTO revision (zap, content, git, at) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        params![zap.0, who.content, who.git, At(who.now)],
        |row| row.get(0),
    )?
    .map(RevisionId)
    .ok_or_else(|| fault::damaged(tx.path))
}

fn cursors(tx: &Tx<'_>, zap: ZapId) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(String, Timestamp)>> {
        let mut statement =
            tx.conn.prepare_cached("SELECT query, at FROM cursor WHERE zap = ?1 ORDER BY query")?;
        let rows = statement.query_map([zap.0], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)))?;
        rows.collect()
    };
    read().map_err(|error| tx.fault(&error))
}
