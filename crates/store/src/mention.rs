//! Where a value occurs: an order id, an e-mail address, a transaction id.
//!
//! Natural ids are found by a seek in the ledger. For everything else what is kept of the runs is read, a window of runs
//! at a time, newest first: no table of who occurs where is kept, which would itself be personal data.

use crate::codes::{LEDGER_PRIMED, LEDGER_UNDATED};
use crate::{fault, history};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use zaprun_engine::ports::{EventKey, RunId, RunSummary, StoreError};

/// What a zap's ledger says of an event.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The zap's present name.
    pub zap: String,
    /// The event.
    pub event: EventKey,
    /// What became of it.
    pub fate: EntryFate,
}

/// What became of an event.
#[derive(Debug, Clone)]
pub enum EntryFate {
    /// It made this run.
    Run(Box<RunSummary>),
    /// It made this run, whose history is over.
    Pruned(RunId),
    /// It was there before the zap began, or is zaprun's own doing.
    Primed,
    /// The same, since nothing dated it.
    Undated,
}

/// What one window of runs holds.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// Runs in which the value occurs, newest first.
    pub runs: Vec<RunId>,
    /// Where the next window ends; nothing when all was read.
    pub next: Option<RunId>,
}

/// The ledger entries of a natural id, in all zaps.
pub(crate) fn entries(conn: &Connection, path: &Path, id: &str) -> Result<Vec<Entry>, StoreError> {
    let hashed = crate::keys::hashed(conn, id).map_err(|error| fault::sql(path, &error))?;
    let read = || -> rusqlite::Result<Vec<(String, EventKey, i64)>> {
        let mut statement = conn.prepare(
            "SELECT z.name, k.name, l.id, l.run FROM zap z
             CROSS JOIN ledger l ON l.zap = z.id AND l.id IN (?1, ?2)
             CROSS JOIN kind k ON k.id = l.kind
             ORDER BY l.run, z.name",
        )?;
        let rows = statement.query_map([id, &hashed], |row| {
            Ok((row.get(0)?, EventKey { kind: row.get(1)?, id: row.get(2)? }, row.get(3)?))
        })?;
        rows.collect()
    };
    let found = read().map_err(|error| fault::sql(path, &error))?;
    let mut entries = Vec::with_capacity(found.len());
    for (zap, event, run) in found {
        let fate = match run {
            LEDGER_PRIMED => EntryFate::Primed,
            LEDGER_UNDATED => EntryFate::Undated,
            run => match history::detail(conn, path, RunId(run))? {
                Some(detail) => EntryFate::Run(Box::new(detail.summary)),
                None => EntryFate::Pruned(RunId(run)),
            },
        };
        entries.push(Entry { zap, event, fate });
    }
    Ok(entries)
}

/// Texts of a window of runs, each with its run, that hold a fragment. An event's belong to its first run.
const TEXTS: &str = "
    SELECT e.id, CAST(e.record AS TEXT) AS t FROM event e WHERE e.id > ?1 AND e.id <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT e.id, CAST(e.context AS TEXT) AS t FROM event e WHERE e.id > ?1 AND e.id <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT e.id, e.key AS t FROM event e WHERE e.id > ?1 AND e.id <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT a.run, CAST(a.fresh AS TEXT) AS t FROM aside a WHERE a.run > ?1 AND a.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT a.run, a.failing_detail AS t FROM aside a WHERE a.run > ?1 AND a.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT s.run, CAST(s.reply AS TEXT) AS t FROM step s WHERE s.run > ?1 AND s.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT s.run, ifnull(s.element, '') || ' ' || ifnull(s.detail, '') AS t FROM step s
        WHERE s.run > ?1 AND s.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT b.run, CAST(b.body AS TEXT) AS t FROM response b WHERE b.run > ?1 AND b.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT a.run, CAST(a.reply AS TEXT) AS t FROM attempt a WHERE a.run > ?1 AND a.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT a.run, ifnull(a.element, '') || ' ' || a.error AS t FROM attempt a
        WHERE a.run > ?1 AND a.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT b.run, b.params AS t FROM begun b WHERE b.run > ?1 AND b.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT s.run, s.serial AS t FROM serial s INDEXED BY serial_run
        WHERE s.run > ?1 AND s.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT s.run, s.element AS t FROM spent s INDEXED BY spent_run
        WHERE s.run > ?1 AND s.run <= ?2 AND instr(lower(t), ?3)
    UNION ALL
    SELECT r.id, r.detail AS t FROM run r WHERE r.id > ?1 AND r.id <= ?2 AND instr(lower(t), ?3)";

/// Looks for a value in the newest `most` runs up to `from`; from the newest of all where that is nothing.
pub(crate) fn window(
    conn: &Connection,
    path: &Path,
    value: &str,
    from: Option<RunId>,
    most: i64,
) -> Result<Window, StoreError> {
    let read = || -> rusqlite::Result<Window> {
        let newest = match from {
            Some(RunId(run)) => run,
            None => conn.query_row("SELECT next_run - 1 FROM meta", [], |row| row.get(0))?,
        };
        let oldest = newest.saturating_sub(most).max(0);
        let value = value.trim().to_lowercase();
        let fragment = fragment(&value);
        let mut hits = BTreeSet::new();
        let mut statement = conn.prepare_cached(TEXTS)?;
        let mut rows = statement.query(params![oldest, newest, fragment])?;
        while let Some(row) = rows.next()? {
            let (run, text): (i64, String) =
                (row.get(0)?, String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned());
            if mentions(&text, &value) {
                hits.insert(run);
            }
        }
        drop(rows);
        // What one run of an event tells of the person, its other runs hold too.
        let mut of_event = conn.prepare_cached(
            "SELECT o.id FROM run r JOIN run o INDEXED BY run_event ON o.event = r.event WHERE r.id = ?1",
        )?;
        let mut runs = BTreeSet::new();
        for hit in &hits {
            let others = of_event.query_map([hit], |row| row.get::<_, i64>(0))?;
            for other in others {
                runs.insert(other?);
            }
        }
        // The first run of an event may be gone, and others not.
        let mut of_id = conn.prepare_cached("SELECT id FROM run INDEXED BY run_event WHERE event = ?1")?;
        for hit in &hits {
            for other in of_id.query_map([hit], |row| row.get::<_, i64>(0))? {
                runs.insert(other?);
            }
        }
        Ok(Window {
            runs: runs.into_iter().rev().map(RunId).collect(),
            next: (oldest > 0).then_some(RunId(oldest)),
        })
    };
    read().map_err(|error| fault::sql(path, &error))
}

/// The longest part of a value that JSON writes as it is.
fn fragment(value: &str) -> &str {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._+-".contains(letter);
    value.split(|letter| !plain(letter)).max_by_key(|part| part.len()).unwrap_or(value)
}

/// Whether a value, in lower case, occurs in a text that may be JSON: not as a part of another word.
pub(crate) fn mentions(text: &str, value: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(json) => in_json(&json, value),
        Err(_) => in_text(text, value),
    }
}

fn in_json(json: &Value, value: &str) -> bool {
    match json {
        Value::String(text) => in_text(text, value),
        Value::Number(number) => number.to_string() == value,
        Value::Array(items) => items.iter().any(|item| in_json(item, value)),
        Value::Object(members) => {
            members.iter().any(|(name, member)| in_text(name, value) || in_json(member, value))
        }
        Value::Null | Value::Bool(_) => false,
    }
}

fn in_text(text: &str, value: &str) -> bool {
    let text = text.to_lowercase();
    let inner = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || "_@+".contains(letter))
    };
    text.match_indices(value).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let mut after = text.get(at + value.len()..).unwrap_or_default().chars();
        let next = after.next();
        // A full stop or hyphen goes on with a domain, or ends a sentence.
        let goes_on = matches!(next, Some('.' | '-')) && after.next().is_some_and(char::is_alphanumeric);
        !value.is_empty() && !inner(before) && !inner(next) && !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_part_of_another() {
        let found = |text: &str| mentions(text, "ada@example.test");
        assert!(found(r#"{"emailAddress":"Ada@Example.test"}"#));
        assert!(found(r#"{"to":[{"x":"Ada <ada@example.test>, Bob"}]}"#));
        assert!(found("Write to ada@example.test. Or not."));
        assert!(found(r#"{"ada@example.test":1}"#));
        for other in ["grada@example.test", "ada@example.test.au", "ada@example.tests", "x+ada@example.test"]
        {
            assert!(!found(&format!("{{\"e\":\"{other}\"}}")), "{other}");
        }
        assert!(mentions("{\"orderId\":12345}", "12345"));
        assert!(!mentions("{\"orderId\":123456}", "12345"));
    }

    #[test]
    fn what_json_may_escape_is_not_looked_for() {
        assert_eq!(fragment("ada@example.test"), "ada@example.test");
        assert_eq!(fragment("jörg@example.test"), "rg@example.test");
        assert_eq!(fragment("a/bcd"), "bcd");
        assert!(mentions(r#"{"e":"j\u00f6rg@example.test"}"#, "jörg@example.test"));
    }

    #[test]
    fn a_window_reads_a_range_of_each_table() -> Result<(), rusqlite::Error> {
        let plan = crate::schema::plan(TEXTS)?;
        assert!(!plan.contains("SCAN"), "{plan}");
        Ok(())
    }
}
