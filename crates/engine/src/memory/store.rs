//! The state in memory.

use super::calls::Calls;
use super::commands::Around;
use super::records::Records;
use super::store_runs::Runs;
use crate::ports::{
    Absence, Answer, Backfill, BackfillId, Begun, BegunAttempt, Chosen, ClaimedRun, Command, EventKey, Fate,
    Obeyed, OffZap, OnceOutcome, Own, PageCommit, PageCommitted, Part, Resolution, RevisionId, RunId,
    RunReason, RunState, RunUpdate, Spend, Spent, StepRecord, Store, StoreError, StoredEvent, Swept, Vault,
    ZapId, ZapIdentity, ZapState,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
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
    /// Whether a person let it through the limits of its zap.
    pub let_through: bool,
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
    records: Records,
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
    absences: Vec<Absence>,
    off_since: Option<Timestamp>,
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

    /// The latest deep sweep of a query, and how many runs of a zap only deep sweeps have made.
    pub fn sweeps(&self, connection: &str, query: &str, zap: ZapId) -> (Option<Swept>, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.records.swept(connection, query), state.records.lates(zap))
    }

    /// Asks for a backfill, as another program does.
    pub fn ask_backfill(&self, zap: ZapId, first: Date, last: Date) -> BackfillId {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).records.place(zap, first, last).id
    }

    /// Whether a backfill is not over.
    pub fn is_backfilling(&self, id: BackfillId) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).records.is_open(id)
    }

    /// Stops a backfill, as another program does.
    pub fn stop_backfill(&self, id: BackfillId) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).records.end(id);
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
        if identity.strict {
            self.runs.strict.insert(row.id);
        } else {
            self.runs.strict.remove(&row.id);
        }
        if let Some(since) = row.off_since.take() {
            let until = identity.now.max(since);
            row.absences.push(Absence { since, until, held: 0, dropped: 0, told: None });
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
            absences: row.absences.clone(),
        }
    }

    fn switched_off(&mut self, zap: &OffZap) {
        let named = |name: &String| self.zaps.iter().position(|row| row.name == *name);
        let known = named(&zap.name).or_else(|| named(zap.formerly.as_ref()?));
        if let Some(row) = known.and_then(|known| self.zaps.get_mut(known)) {
            row.off_since.get_or_insert(zap.now);
        }
    }

    /// Counts an event in the time during which its zap was switched off.
    fn absent(&mut self, zap: ZapId, at: Timestamp, fate: Fate) {
        let Some(row) = self.zaps.iter_mut().find(|row| row.id == zap) else { return };
        let held = |absence: &Absence| absence.since <= at && at < absence.until;
        let of = row.absences.iter().rposition(held).or(row.absences.len().checked_sub(1));
        if let Some(absence) = of.and_then(|of| row.absences.get_mut(of)) {
            absence.held += u32::from(fate == Fate::Hold);
            absence.dropped += u32::from(fate == Fate::Drop);
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
            absences: Vec::new(),
            off_since: None,
        });
        self.zaps.len() - 1
    }

    fn commit_part(&mut self, commit: PageCommit, part: Part) -> Result<PageCommitted, StoreError> {
        if let Part::Backfill(step) = &part
            && !self.records.is_open(step.id)
        {
            let reason = format!("backfill {} is over", step.id.0);
            return Err(StoreError::Refused { reason });
        }
        let done = self.commit(commit, Some(&part));
        if let Part::Backfill(step) = part {
            self.records.step(step, done.fired);
        }
        Ok(done)
    }

    fn commit(&mut self, commit: PageCommit, part: Option<&Part>) -> PageCommitted {
        let mut done = PageCommitted::default();
        for event in commit.events {
            for target in event.targets.clone() {
                let entry = (target.zap, event.key.clone());
                let known = self.ledger.get(&entry).copied();
                let again = matches!(part, Some(Part::Backfill(_)))
                    && target.fate == Fate::Fire
                    && known.is_some_and(|fate| fate != Fate::Fire)
                    && (target.own || !self.runs.origin(event.order.as_ref()).0);
                if known.is_some() && !again {
                    done.known += 1;
                    continue;
                }
                if again {
                    self.runs.release_once(target.zap, target.once.as_ref());
                }
                let (made, depth) = self.runs.origin(event.order.as_ref());
                let own = made && !target.own && target.fate.birth().is_some();
                let fate = if own { Fate::Prime } else { target.fate };
                if fate.birth().is_some()
                    && let Some(Part::Sweep(late)) = part
                    && late.contains(&entry)
                {
                    done.late += 1;
                    self.records.late(target.zap);
                }
                self.ledger.insert(entry, fate);
                done.fired += u64::from(fate == Fate::Fire);
                done.held += u64::from(fate == Fate::Hold);
                done.dropped += u64::from(fate == Fate::Drop);
                match fate.birth() {
                    Some(birth) => {
                        self.absent(target.zap, event.at, fate);
                        self.runs.make(&event, &target, depth.max(event.depth), birth);
                    }
                    None => {
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
        self.call("commit_page", |state| state.commit(commit, None)).await
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

    async fn commit_part(&self, commit: PageCommit, part: Part) -> Result<PageCommitted, StoreError> {
        self.call("commit_part", |state| state.commit_part(commit, part)).await?
    }

    async fn without_run(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.call("without_run", |state| {
            let without = |id: &String| {
                let key = EventKey { kind: kind.to_owned(), id: id.clone() };
                state.ledger.get(&(zap, key)).is_none_or(|fate| fate.birth().is_none())
            };
            ids.into_iter().filter(without).collect()
        })
        .await
    }

    async fn spend(&self, spend: Spend) -> Result<Spent, StoreError> {
        self.call("spend", |state| state.runs.spend(spend)).await
    }

    async fn switched_off(&self, zap: OffZap) -> Result<(), StoreError> {
        self.call("switched_off", |state| state.switched_off(&zap)).await
    }

    async fn absences(&self, zap: ZapId) -> Result<Vec<Absence>, StoreError> {
        self.call("absences", |state| {
            let row = state.zaps.iter().find(|row| row.id == zap);
            row.map(|row| row.absences.clone()).unwrap_or_default()
        })
        .await
    }

    async fn swept(&self, connection: &str, query: &str) -> Result<Option<Swept>, StoreError> {
        self.call("swept", |state| state.records.swept(connection, query)).await
    }

    async fn keep_swept(&self, swept: Swept) -> Result<(), StoreError> {
        self.call("keep_swept", |state| state.records.keep_swept(swept)).await
    }

    async fn place_backfill(
        &self,
        zap: ZapId,
        first: Date,
        last: Date,
        _now: Timestamp,
    ) -> Result<Backfill, StoreError> {
        self.call("place_backfill", |state| state.records.place(zap, first, last)).await
    }

    async fn next_backfill(&self, zaps: Vec<ZapId>) -> Result<Option<Backfill>, StoreError> {
        self.call("next_backfill", |state| state.records.next(&zaps)).await
    }

    async fn end_backfill(&self, id: BackfillId, _now: Timestamp) -> Result<(), StoreError> {
        self.call("end_backfill", |state| state.records.end(id)).await
    }

    async fn pending(&self, zap: ZapId) -> Result<u64, StoreError> {
        self.call("pending", |state| state.runs.pending(zap)).await
    }

    async fn absences_told(&self, zap: ZapId, told: Vec<Absence>) -> Result<(), StoreError> {
        self.call("absences_told", |state| {
            let rows = state.zaps.iter_mut().filter(|row| row.id == zap);
            for absence in rows.flat_map(|row| &mut row.absences) {
                if let Some(told) = told.iter().find(|told| told.since == absence.since) {
                    absence.told = Some(told.held + told.dropped);
                }
            }
        })
        .await
    }
}
