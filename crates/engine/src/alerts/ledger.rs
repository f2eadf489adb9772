//! From what is wrong and what was told to what is to be told. Pure.

use crate::delivery::after;
use crate::ports::AlertRow;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is about.
    pub subject: String,
    /// The zap.
    pub zap: String,
    /// The connection or host.
    pub connection: String,
    /// How many.
    pub count: u64,
    /// The first run.
    pub first_run: String,
    /// The last run.
    pub last_run: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// A sentence.
    pub message: String,
}

impl Found {
    /// One thing about a subject, and nothing more known of it.
    pub fn about(subject: &str, message: String) -> Found {
        Found {
            subject: subject.to_owned(),
            zap: String::new(),
            connection: String::new(),
            count: 1,
            first_run: String::new(),
            last_run: String::new(),
            since: None,
            message,
        }
    }
}

/// What follows from a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What is to be kept as it is now.
    pub keep: Vec<AlertRow>,
    /// What need not be kept any more.
    pub forget: Vec<AlertRow>,
    /// What is to be told now.
    pub due: Vec<AlertRow>,
}

/// Judges each alert for each target. `over` says whether what was not found is surely over.
pub fn judge(
    found: &BTreeMap<(&'static str, String), Found>,
    known: Vec<AlertRow>,
    targets: &[&str],
    over: &dyn Fn(&AlertRow) -> bool,
    every: Duration,
    now: Timestamp,
) -> Step {
    let mut step = Step::default();
    let mut rows: BTreeMap<(String, String, String), AlertRow> = BTreeMap::new();
    for row in known {
        if targets.contains(&row.target.as_str()) {
            rows.insert((row.kind.clone(), row.subject.clone(), row.target.clone()), row);
        } else {
            // Nobody of that name is told any more.
            step.forget.push(row);
        }
    }
    for ((kind, subject), one) in found {
        for target in targets {
            let key = ((*kind).to_owned(), subject.clone(), (*target).to_owned());
            let row = rows.remove(&key);
            let next = match &row {
                None => AlertRow {
                    kind: key.0,
                    subject: key.1,
                    target: key.2,
                    since: one.since.unwrap_or(now),
                    told: 0,
                    told_at: None,
                    over: false,
                },
                // Some are over: those that come next are news again.
                Some(row) => AlertRow { told: row.told.min(one.count), over: false, ..row.clone() },
            };
            if next.told < one.count && rested(&next, every, now) {
                step.due.push(next.clone());
            }
            if row.as_ref() != Some(&next) {
                step.keep.push(next);
            }
        }
    }
    for row in rows.into_values() {
        if row.over {
            step.due.push(row);
        } else if over(&row) {
            // Whoever was told nothing need not learn that it is over.
            if row.told_at.is_none() {
                step.forget.push(row);
            } else {
                let row = AlertRow { over: true, ..row };
                step.keep.push(row.clone());
                step.due.push(row);
            }
        }
    }
    step
}

/// Whether the target may be told again of the same. A clock that was set back makes nobody wait longer.
fn rested(row: &AlertRow, every: Duration, now: Timestamp) -> bool {
    row.told_at.is_none_or(|told| now >= after(told, every) || now < told)
}
