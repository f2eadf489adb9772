//! What a plan says, before it is written out. Nothing here is personal or secret any more.

use serde::Serialize;

/// A plan.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// What it is compared with.
    pub(super) against: Against,
    /// What a reader should know beforehand.
    pub(super) notes: Vec<String>,
    /// Keys of zaprun.yaml, and of the overlay, that are written otherwise now.
    pub(super) project: Vec<String>,
    /// Every zap of either side, by name.
    pub(super) zaps: Vec<ZapPlan>,
}

/// What it is compared with.
#[derive(Debug, Default, Serialize)]
pub(super) struct Against {
    /// `main`, `where HEAD left main`, `what is deployed`
    pub(super) name: String,
    /// The commit, where it is one.
    pub(super) commit: Option<String>,
}

/// What becomes of a zap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    Added,
    Removed,
    Renamed,
    Changed,
    Switched,
    Unchanged,
    /// It is not valid now.
    Invalid,
    /// It has run, is not in the project, and nobody knows since when.
    Gone,
}

impl Change {
    /// Whether a reviewer has to look at it.
    pub(super) fn is_one(self) -> bool {
        !matches!(self, Change::Unchanged | Change::Gone)
    }
}

/// One zap.
#[derive(Debug, Serialize)]
pub(super) struct ZapPlan {
    pub(super) name: String,
    /// Its file now, or then where it is removed.
    pub(super) file: Option<String>,
    pub(super) change: Change,
    /// The name it had.
    pub(super) formerly: Option<String>,
    /// Whether it runs.
    pub(super) enabled: bool,
    /// It ran and does not now, or the other way round.
    pub(super) switched: bool,
    pub(super) trigger: Option<TriggerPlan>,
    /// What else is written otherwise.
    pub(super) edited: Vec<String>,
    pub(super) notes: Vec<String>,
    /// Its file says the same; what it sees of zaprun.yaml differs.
    #[serde(skip)]
    pub(super) by_project: bool,
    /// What becomes of each record that is dealt with otherwise.
    pub(super) records: Vec<RecordPlan>,
    /// How many records were taken through it.
    pub(super) tried: usize,
}

impl ZapPlan {
    pub(super) fn new(name: &str, change: Change) -> Self {
        ZapPlan {
            name: name.to_owned(),
            file: None,
            change,
            formerly: None,
            enabled: true,
            switched: false,
            trigger: None,
            edited: Vec::new(),
            notes: Vec::new(),
            by_project: false,
            records: Vec::new(),
            tried: 0,
        }
    }

    /// A zap that only sees another zaprun.yaml, and makes the same of every record, is as before.
    pub(super) fn settle(&mut self) {
        if self.by_project && self.tried > 0 && self.records.is_empty() {
            self.change = Change::Unchanged;
        }
    }

    /// `renamed from a, switched off`
    pub(super) fn words(&self) -> String {
        let mut words = Vec::new();
        match (self.change, &self.formerly) {
            (Change::Added, _) => words.push("added".to_owned()),
            (Change::Removed, _) => words.push("removed".to_owned()),
            (Change::Renamed, Some(former)) => words.push(format!("renamed from {former}")),
            (Change::Renamed | Change::Changed, _) => words.push("changed".to_owned()),
            (Change::Switched, _) => {}
            (Change::Unchanged, _) => words.push("unchanged".to_owned()),
            (Change::Invalid, _) => words.push("not valid".to_owned()),
            (Change::Gone, _) => words.push("not in the project".to_owned()),
        }
        if self.switched {
            words.push(if self.enabled { "switched on" } else { "switched off" }.to_owned());
        }
        words.join(", ")
    }

    /// `2 fire now, 1 changes, 5 as before`; nothing where no record was tried.
    pub(super) fn counts(&self) -> String {
        let number = |change| self.records.iter().filter(|record| record.change == change).count();
        let verb = |number: usize, one: &str, many: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{number} {many}")),
        };
        let rest = self.tried.saturating_sub(self.records.len());
        let parts = [
            verb(number(RecordChange::Fires), "fires now", "fire now"),
            verb(number(RecordChange::NoLonger), "no longer fires", "no longer fire"),
            verb(number(RecordChange::Changes), "changes", "change"),
            verb(number(RecordChange::Fails), "fails now", "fail now"),
            verb(number(RecordChange::NoLongerFails), "no longer fails", "no longer fail"),
            match self.change {
                Change::Added | Change::Removed => verb(rest, "does not fire", "do not fire"),
                _ => verb(rest, "as before", "as before"),
            },
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A trigger that is written otherwise.
#[derive(Debug, Default, Serialize)]
pub(super) struct TriggerPlan {
    pub(super) changes: Vec<KeyPlan>,
    /// What that does to what was seen and to what is new.
    pub(super) effects: Vec<String>,
}

/// A key and what is written there.
#[derive(Debug, Serialize)]
pub(super) struct KeyPlan {
    pub(super) key: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordChange {
    Fires,
    NoLonger,
    Changes,
    Fails,
    NoLongerFails,
}

impl RecordChange {
    pub(super) fn words(self) -> &'static str {
        match self {
            RecordChange::Fires => "fires now",
            RecordChange::NoLonger => "no longer fires",
            RecordChange::Changes => "changes",
            RecordChange::Fails => "fails now",
            RecordChange::NoLongerFails => "no longer fails",
        }
    }
}

/// A record that is dealt with otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct RecordPlan {
    /// Where it is from, and the event where that is no secret.
    pub(super) record: String,
    pub(super) change: RecordChange,
    /// Why it does not fire, or fails.
    pub(super) reason: Option<String>,
    pub(super) steps: Vec<StepPlan>,
}

/// What becomes of a step's request.
#[derive(Debug, Serialize)]
pub(crate) struct StepPlan {
    pub(super) step: String,
    pub(super) element: Option<String>,
    /// `sends`, `no longer sends`, `changes`, `fails`, `no longer fails`
    pub(super) change: &'static str,
    pub(super) reason: Option<String>,
    pub(super) parts: Vec<PartPlan>,
}

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PartPlan {
    pub(super) part: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// What made it, where that is written otherwise.
    pub(super) old_written: Option<String>,
    pub(super) new_written: Option<String>,
}

impl Report {
    /// Whether anything is to be looked at.
    pub(super) fn has_changes(&self) -> bool {
        !self.project.is_empty() || self.zaps.iter().any(|zap| zap.change.is_one())
    }

    /// `1 added, 2 changed, 9 unchanged`
    pub(super) fn counts(&self) -> String {
        let words = [
            (Change::Added, "added"),
            (Change::Removed, "removed"),
            (Change::Renamed, "renamed"),
            (Change::Changed, "changed"),
            (Change::Switched, "switched"),
            (Change::Invalid, "not valid"),
            (Change::Unchanged, "unchanged"),
            (Change::Gone, "not in the project"),
        ];
        let count = |change| self.zaps.iter().filter(|zap| zap.change == change).count();
        let told = words.iter().map(|(change, word)| (count(*change), word)).filter(|(count, _)| *count > 0);
        let told: Vec<String> = told.map(|(count, word)| format!("{count} {word}")).collect();
        if told.is_empty() { "no zaps".to_owned() } else { told.join(", ") }
    }
}
