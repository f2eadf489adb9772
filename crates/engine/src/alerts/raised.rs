//! What no state knows, noted as it is told: what is raised, and what was seen to be over.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is raised, by kind and subject.
#[derive(Default)]
pub(super) struct Raised(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    open: BTreeMap<(&'static str, String), Timestamp>,
    /// What was seen to be well since the start.
    well: BTreeSet<(&'static str, String)>,
}

impl Raised {
    pub(super) fn raise(&self, kind: &'static str, subject: &str, at: Timestamp) {
        let mut noted = self.noted();
        let key = (kind, subject.to_owned());
        noted.well.remove(&key);
        noted.open.entry(key).or_insert(at);
    }

    pub(super) fn lower(&self, kind: &'static str, subject: &str) {
        let mut noted = self.noted();
        let key = (kind, subject.to_owned());
        noted.open.remove(&key);
        noted.well.insert(key);
    }

    /// Neither raised nor seen to be well.
    pub(super) fn forget(&self, kind: &'static str, subject: &str) {
        let mut noted = self.noted();
        let key = (kind, subject.to_owned());
        noted.open.remove(&key);
        noted.well.remove(&key);
    }

    /// Something was seen to work; while it is raised, only lowering it counts.
    pub(super) fn works(&self, kind: &'static str, subject: &str) {
        let mut noted = self.noted();
        // Nearly always it is known, and then nothing is made.
        let known = noted.well.iter().any(|(of, known)| *of == kind && known == subject);
        let open = noted.open.keys().any(|(of, known)| *of == kind && known == subject);
        if !known && !open {
            noted.well.insert((kind, subject.to_owned()));
        }
    }

    /// What is raised of a kind, and since when.
    pub(super) fn open(&self, kind: &str) -> Vec<(String, Timestamp)> {
        let noted = self.noted();
        let of_kind = noted.open.iter().filter(|((of, _), _)| *of == kind);
        of_kind.map(|((_, subject), since)| (subject.clone(), *since)).collect()
    }

    /// Whether something is known not to be raised.
    pub(super) fn is_over(&self, kind: &str, subject: &str) -> bool {
        self.noted().well.iter().any(|(of, known)| *of == kind && known == subject)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        // Nothing panics while it is held, and its values are whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a target, without the word that says what it is.
pub(super) fn bare(target: &str) -> &str {
    target.split('`').nth(1).unwrap_or(target)
}
