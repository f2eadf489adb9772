//! The state in memory.

use super::calls::Calls;
use super::commands::Around;
use super::store_runs::Runs;
use crate::ports::{
    Answer, Begun, BegunAttempt, Chosen, ClaimedRun, Command, EventKey, Fate, Obeyed, OnceOutcome, Own,
    PageCommit, PageCommitted, Resolution, RevisionId, RunId, RunReason, RunState, RunUpdate, StepRecord,
    Store, StoreError, StoredEvent, Vault, ZapId, ZapIdentity, ZapState,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A store in memory. A clone is another view of the same state, so it outlives the engine that used it.
#[derive(Clone)]
pub struct MemoryStore {
    calls: Calls,
    state: Arc<Mutex<State>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

type Fault = Box<dyn FnMut(&'static str) -> Option<StoreError> + Send>;

/// A run as the state holds it.
#[derive(Debug, Clone)]
pub struct MemoryRun {
    /// Its id.
    pub id: RunId,
    /// Its zap.
    pub zap: ZapId,
    /// The zap's content it was made with.
    pub revision: RevisionId,
    /// Its event.
    pub event: StoredEvent,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// State.
    pub state: RunState,
    /// Why.
    pub reason: RunReason,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is due, if pending.
    pub due_at: Timestamp,
    /// Attempts of the unfinished step.
    pub attempts: u32,
    /// See [`ClaimedRun::retrying_since`].
    pub retrying_since: Option<Timestamp>,
    /// See [`ClaimedRun::pinned`].
    pub pinned: Option<String>,
    /// Finished steps.
    pub steps: Vec<StepRecord>,
    /// Steps that had ended before a person replayed the run, and count no more.
    pub past: Vec<StepRecord>,
    /// Failed attempts, oldest first.
    pub failed: Vec<crate::ports::AttemptRecord>,
    /// An attempt that has begun and not ended.
    pub begun: Option<BegunAttempt>,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
    /// See [`ClaimedRun::failing`].
    pub failing: Option<RunReason>,
    /// See [`ClaimedRun::fresh`].
    pub fresh: Option<bytes::Bytes>,
}

#[derive(Default)]
struct State {
    zaps: Vec<ZapRow>,
    revisions: Vec<(ZapId, String)>,
    sources: BTreeMap<(ZapId, String), Bytes>,
    ledger: BTreeMap<(ZapId, EventKey), Fate>,
    runs: Runs,
    vault: BTreeMap<String, Vec<u8>>,
}

struct ZapRow {
    id: ZapId,
    name: String,
    first_name: String,
    selection: String,
    queries: usize,
    boundary: Timestamp,
    skew: Option<SignedDuration>,
    opened_at: Timestamp,
    cursors: BTreeMap<String, Timestamp>,
}

impl MemoryStore {
    /// An empty state.
    pub fn new(calls: Calls) -> Self {
        Self { calls, state: Arc::default(), fault: Arc::default() }
    }

    /// Is asked before each call, by the method's name; an answer is the call's failure, and nothing is written.
    pub fn script(&self, fault: impl FnMut(&'static str) -> Option<StoreError> + Send + 'static) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(fault));
    }

    /// Ends the script.
    pub fn behave(&self) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All runs, oldest first.
    pub fn all_runs(&self) -> Vec<MemoryRun> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).runs.all().to_vec()
    }

    /// Asks a running engine to resolve a held run, as `runs resolve` does.
    pub fn resolve(&self, run: RunId, resolution: Resolution) {
        self.ask(Command::Resolve { runs: vec![Chosen::any(run)], outcome: resolution });
    }

    /// Asks a running engine for anything.
    pub fn ask(&self, command: Command) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).runs.ask(command);
    }

    /// What was answered, oldest first.
    pub fn answers(&self) -> Vec<Answer> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).runs.answered.clone()
    }

    /// Holds a run as it is.
    pub fn hold(&self, run: RunId, why: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).runs.change(run, |run| {
            run.state = RunState::Held;
            run.reason = RunReason { word: "uncertain".to_owned(), detail: why.to_owned() };
        });
    }

    /// What the ledger says of a zap's event.
    pub fn fate(&self, zap: ZapId, key: &EventKey) -> Option<Fate> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ledger.get(&(zap, key.clone())).copied()
    }

    /// All ledger entries of a zap.
    pub fn ledger(&self, zap: ZapId) -> Vec<(EventKey, Fate)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .ledger
            .iter()
            .filter(|((z, _), _)| *z == zap)
            .map(|((_, key), fate)| (key.clone(), *fate))
            .collect()
    }

    /// A zap's cursors by query.
    pub fn cursors(&self, zap: ZapId) -> BTreeMap<String, Timestamp> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.zaps.iter().find(|row| row.id == zap).map(|row| row.cursors.clone()).unwrap_or_default()
    }

    async fn call<T>(
        &self,
        method: &'static str,
        act: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, StoreError> {
        let call = self.calls.enter().await;
        let failure = self
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .and_then(|fault| fault(method));
        if let Some(error) = failure {
            return Err(error);
        }
        let result = act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.calls.leave(call).await;
        Ok(result)
    }
}

impl State {
    fn open_zap(&mut self, identity: ZapIdentity) -> ZapState {
        let known = self
            .zaps
            .iter()
            .position(|row| row.name == identity.name)
            .or_else(|| self.zaps.iter().position(|row| Some(&row.name) == identity.formerly.as_ref()));
        let index = known.unwrap_or_else(|| self.new_zap(&identity));
        let row = &mut self.zaps[index];
        row.name = identity.name;
        if row.selection != identity.selection {
            // What the new selection adds was hidden from the old cursors.
            row.selection = identity.selection;
            let all_read = row.cursors.len() >= row.queries;
            let earliest = row.cursors.values().min().copied().filter(|_| all_read);
            if let Some(cursor) = earliest.filter(|at| *at > row.boundary) {
                row.boundary = cursor;
                row.skew = Some(SignedDuration::ZERO);
            }
            row.cursors.clear();
        }
        row.queries = identity.queries;
        if let Some(source) = identity.source {
            self.sources.insert((row.id, identity.content.clone()), source);
        }
        let revision = revision(&mut self.revisions, row.id, identity.content);
        ZapState {
            id: row.id,
            first_name: row.first_name.clone(),
            boundary: row.boundary,
            skew: row.skew,
            opened_at: row.opened_at,
            first_run: known.is_none(),
            revision,
            cursors: row.cursors.iter().map(|(query, at)| (query.clone(), *at)).collect(),
        }
    }

    fn new_zap(&mut self, identity: &ZapIdentity) -> usize {
        self.zaps.push(ZapRow {
            id: ZapId(self.zaps.len() as i64 + 1),
            name: identity.name.clone(),
            first_name: identity.name.clone(),
            selection: identity.selection.clone(),
            queries: identity.queries,
            boundary: identity.first_boundary,
            skew: None,
            opened_at: identity.now,
            cursors: BTreeMap::new(),
        });
        self.zaps.len() - 1
    }

    fn commit_page(&mut self, commit: PageCommit) -> PageCommitted {
        let mut done = PageCommitted::default();
        for event in commit.events {
            for target in event.targets.clone() {
                let entry = (target.zap, event.key.clone());
                if self.ledger.contains_key(&entry) {
                    done.known += 1;
                    continue;
                }
                let (made, depth) = self.runs.origin(event.order.as_ref());
                let fate =
                    if made && !target.own && target.fate == Fate::Fire { Fate::Prime } else { target.fate };
                self.ledger.insert(entry, fate);
                match fate {
                    Fate::Fire => {
                        done.fired += 1;
                        self.runs.make(&event, &target, depth.max(event.depth));
                    }
                    Fate::Prime | Fate::PrimeUndated => {
                        done.primed += 1;
                        done.undated += u64::from(fate == Fate::PrimeUndated);
                        self.runs.prime_once(target.zap, target.once);
                    }
                }
            }
        }
        for moved in commit.cursors {
            if let Some(row) = self.zaps.iter_mut().find(|row| row.id == moved.zap) {
                let cursor = row.cursors.entry(moved.query).or_insert(moved.at);
                *cursor = (*cursor).max(moved.at);
            }
        }
        done
    }
}

fn revision(revisions: &mut Vec<(ZapId, String)>, zap: ZapId, content: String) -> RevisionId {
    let known = revisions.iter().position(|(z, c)| *z == zap && *c == content);
    let index = known.unwrap_or_else(|| {
        revisions.push((zap, content));
        revisions.len() - 1
    });
    RevisionId(index as i64 + 1)
}

#[async_trait]
impl Vault for MemoryStore {
    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.call("sealed", |state| state.vault.get(name).cloned()).await
    }

    async fn keep(&self, name: &str, sealed: Vec<u8>, _: Timestamp) -> Result<(), StoreError> {
        self.call("keep", |state| drop(state.vault.insert(name.to_owned(), sealed))).await
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn open_zap(&self, identity: ZapIdentity) -> Result<ZapState, StoreError> {
        self.call("open_zap", |state| state.open_zap(identity)).await
    }

    async fn keep_skew(&self, zap: ZapId, skew: SignedDuration) -> Result<SignedDuration, StoreError> {
        self.call("keep_skew", |state| {
            let row = state.zaps.iter_mut().find(|row| row.id == zap);
            row.map_or(skew, |row| *row.skew.get_or_insert(skew))
        })
        .await
    }

    async fn unknown(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.call("unknown", |state| {
            let unknown = |id: &String| {
                !state.ledger.contains_key(&(zap, EventKey { kind: kind.to_owned(), id: id.clone() }))
            };
            ids.into_iter().filter(unknown).collect()
        })
        .await
    }

    async fn commit_page(&self, commit: PageCommit) -> Result<PageCommitted, StoreError> {
        self.call("commit_page", |state| state.commit_page(commit)).await
    }

    async fn claim(
        &self,
        zap: ZapId,
        now: Timestamp,
        limit: usize,
        busy: Vec<RunId>,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        self.call("claim", |state| state.runs.claim(zap, now, limit, &busy)).await
    }

    async fn next_due(&self, zaps: Vec<ZapId>, busy: Vec<RunId>) -> Result<Option<Timestamp>, StoreError> {
        self.call("next_due", |state| state.runs.next_due(&zaps, &busy)).await
    }

    async fn begin_attempt(&self, run: RunId, begun: BegunAttempt) -> Result<Begun, StoreError> {
        self.call("begin_attempt", |state| state.runs.begin(run, begun)).await
    }

    async fn own(&self, order: &str, serial: Option<String>) -> Result<Own, StoreError> {
        self.call("own", |state| state.runs.own(order, serial.as_deref())).await
    }

    async fn obey(&self, now: Timestamp, busy: Vec<RunId>) -> Result<Obeyed, StoreError> {
        self.call("obey", |state| {
            let State { revisions, runs, .. } = state;
            let content = |run: &MemoryRun| {
                let at = usize::try_from(run.revision.0 - 1).ok()?;
                Some(revisions.get(at)?.1.clone())
            };
            runs.obey(&Around { now, busy: &busy, content: &content })
        })
        .await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        self.call("prune", |state| state.runs.prune(before, most)).await
    }

    async fn source(&self, zap: ZapId, content: &str) -> Result<Option<Bytes>, StoreError> {
        self.call("source", |state| state.sources.get(&(zap, content.to_owned())).cloned()).await
    }

    async fn update_run(&self, update: RunUpdate) -> Result<(), StoreError> {
        self.call("update_run", |state| state.runs.update(update)).await
    }

    async fn take_once(&self, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError> {
        self.call("take_once", |state| state.runs.take_once(zap, value, run)).await
    }
}
