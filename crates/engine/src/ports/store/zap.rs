//! What the state knows of zaps.

use super::{Absence, RevisionId, ZapId};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// Who a zap is, when the engine starts with it.
#[derive(Debug, Clone)]
pub struct ZapIdentity {
    /// Its name now.
    pub name: String,
    /// The name its state hangs on so far, when it was renamed.
    pub formerly: Option<String>,
    /// Hash of what its trigger selects (kind, connection, where, cycles, include_*): a change moves the boundary.
    pub selection: String,
    /// How many queries that takes, each with a cursor once it was read.
    pub queries: usize,
    /// Whether a run that is dead or held keeps later ones of its natural id waiting.
    pub strict: bool,
    /// Hash of the whole zap.
    pub content: String,
    /// What it can be compiled from again, without secrets, to be kept with that hash.
    pub source: Option<Bytes>,
    /// Git revision, when known.
    pub git: Option<String>,
    /// What counts as new when the zap has never run: the boundary it starts with.
    pub first_boundary: Timestamp,
    /// The present instant.
    pub now: Timestamp,
}

/// What the state knows of a zap.
#[derive(Debug, Clone, PartialEq)]
pub struct ZapState {
    /// Its id.
    pub id: ZapId,
    /// Its first name, on which idempotency keys hang. Unique within the state: a zap that later takes a name which
    /// another gave up gets `NAME#2`, so that their keys never meet.
    pub first_name: String,
    /// What is older is primed, not fired. After a change of selection: the earliest of its cursors when the change
    /// was loaded (its boundary stays where a query was not read yet, and never moves back).
    pub boundary: Timestamp,
    /// The CRM's clock less ours when the zap was first read, by which its boundary is understood; `None` until then.
    /// Zero where the boundary moved to a cursor, which is never after the CRM's clock.
    pub skew: Option<SignedDuration>,
    /// When an engine first ran it.
    pub opened_at: Timestamp,
    /// Whether that is now.
    pub first_run: bool,
    /// The present content.
    pub revision: RevisionId,
    /// Cursors by query. None right after a change of selection: each query is then read from the boundary on, since
    /// what the new selection finds between two cursors of the old one would be missed otherwise.
    pub cursors: Vec<(String, Timestamp)>,
    /// The times during which it was switched off, oldest first; the last one ends now where it was until now.
    pub absences: Vec<Absence>,
}
