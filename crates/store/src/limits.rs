//! What zaps with limits have used up of them.

use crate::aside;
use crate::codes::At;
use crate::runs;
use crate::writer::Tx;
use jiff::{SignedDuration, Timestamp};
use rusqlite::params;
use zaprun_engine::ports::{Brake, Cost, RunId, Spend, Spent, StoreError, ZapId};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What was counted is kept for so long after the last retry that could ask for it again.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Writes of a zap in the last hour, counted to the most that matters.
const LATELY: &str = "SELECT count(*) FROM (SELECT 1 FROM spent WHERE zap = ?1 AND at > ?2 LIMIT ?3)";

/// Whether a step or element of a run is counted, and whether the run's money is.
const OF_RUN: &str = "SELECT ifnull(max(step = ?2 AND element IS ?3), 0), ifnull(max(money), 0)
                      FROM spent WHERE run = ?1";

/// See `Store::spend`.
pub(crate) fn spend(tx: &Tx<'_>, spend: &Spend) -> Result<Spent, StoreError> {
    let before = runs::before(tx, spend.run)?;
    let aside = aside::read(tx.conn, spend.run, before.aside).map_err(|error| tx.fault(&error))?;
    if aside.let_through {
        return Ok(Spent::Yes);
    }
    let unit = params![spend.run.0, spend.step, spend.element];
    let (known, paid) = tx
        .first(OF_RUN, unit, |row| Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?)))?
        .unwrap_or_default();
    if let Some(most) = spend.writes_per_hour.filter(|_| !known)
        && lately(tx, before.zap, earlier(spend.at, HOUR), most)? >= most
    {
        return Ok(Spent::Over(Brake::Writes));
    }
    let cost = spend.money.as_ref().filter(|_| !paid);
    if let Some(cost) = cost
        && let Err(brake) = pay(tx, before.zap, cost)?
    {
        return Ok(Spent::Over(brake));
    }
    if known && cost.is_some() {
        let sql = "UPDATE spent SET money = 1 WHERE run = ?1 AND step = ?2 AND element IS ?3";
        tx.execute(sql, unit)?;
    }
    if !known {
        tx.execute(
            "INSERT INTO spent (zap, at, run, step, element, money) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![before.zap.0, At(spend.at), spend.run.0, spend.step, spend.element, cost.is_some()],
        )?;
        forget(tx, before.zap, earlier(spend.at, KEPT))?;
    }
    Ok(Spent::Yes)
}

/// What a run has used up stays used up, and is no longer known as its own: what it does from now on counts anew. No run
/// has the number 0.
pub(crate) fn set_free(tx: &Tx<'_>, run: RunId) -> Result<(), StoreError> {
    tx.execute("UPDATE spent SET run = 0, element = NULL WHERE run = ?1", [run.0])?;
    Ok(())
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn lately(tx: &Tx<'_>, zap: ZapId, since: Timestamp, most: u32) -> Result<u32, StoreError> {
    Ok(tx.first(LATELY, params![zap.0, At(since), most], |row| row.get(0))?.unwrap_or(0))
}

/// Adds what a run costs to its day.
fn pay(tx: &Tx<'_>, zap: ZapId, cost: &Cost) -> Result<Result<(), Brake>, StoreError> {
    let day = cost.day.to_string();
    let sql = "SELECT amount FROM spent_day WHERE zap = ?1 AND day = ?2";
    let spent: Option<String> = tx.first(sql, params![zap.0, day], |row| row.get(0))?;
    match cost.added(spent.as_deref()) {
        Ok(sum) => {
            let sql = "INSERT OR REPLACE INTO spent_day (zap, day, amount) VALUES (?1, ?2, ?3)";
            tx.execute(sql, params![zap.0, day, sum])?;
            Ok(Ok(()))
        }
        Err(brake) => Ok(Err(brake)),
    }
}

/// Throws away what no limit and no retry can ask for any more.
fn forget(tx: &Tx<'_>, zap: ZapId, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM spent WHERE zap = ?1 AND at < ?2
            AND NOT EXISTS (SELECT 1 FROM run r WHERE r.id = spent.run AND r.state IN (0, 3))",
        params![zap.0, At(before)],
    )?;
    // A day of an account begins at most 14 hours from one of UTC.
    let day = before.to_string();
    let day = day.get(..10).unwrap_or_default();
    tx.execute("DELETE FROM spent_day WHERE zap = ?1 AND day < ?2", params![zap.0, day])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::plan;

    /// A limited zap asks before every write.
    #[test]
    fn what_was_used_up_is_told_by_indexes() -> Result<(), rusqlite::Error> {
        assert!(plan(super::LATELY)?.contains("USING COVERING INDEX spent_lately (zap=? AND at>?)"));
        assert!(plan(super::OF_RUN)?.contains("USING INDEX spent_run (run=?)"));
        Ok(())
    }
}
