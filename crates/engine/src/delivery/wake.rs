//! Tells the lanes when there may be work.

use super::shared::Shared;
use crate::measure::Measure;
use crate::ports::{
    Absence, Backfill, BackfillId, Begun, BegunAttempt, ClaimedRun, CursorMove, Fate, Obeyed, OffZap,
    OnceOutcome, Own, PageCommit, PageCommitted, Part, RunId, RunUpdate, Spend, Spent, Store, StoreError,
    Swept, ZapId, ZapIdentity, ZapState,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One bell per zap, made when somebody listens to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wakers(Arc<Mutex<HashMap<ZapId, Arc<Notify>>>>);

impl Wakers {
    /// The bell of a zap.
    pub(crate) fn bell(&self, zap: ZapId) -> Arc<Notify> {
        Arc::clone(self.lock().entry(zap).or_default())
    }

    /// Rings one bell.
    pub(crate) fn ring(&self, zap: ZapId) {
        if let Some(bell) = self.lock().get(&zap) {
            bell.notify_one();
        }
    }

    /// Rings all of them.
    pub(crate) fn ring_all(&self) {
        self.lock().values().for_each(|bell| bell.notify_one());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ZapId, Arc<Notify>>> {
        // Nothing panics while it is held, and its value is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that rings a zap's bell whenever a committed page may have made runs for it.
pub(crate) struct WakingStore {
    /// The store itself.
    pub(crate) inner: Arc<dyn Store>,
    /// Whose bells are rung, and who counts.
    pub(crate) shared: Arc<Shared>,
}

/// What of a page the lanes may hear.
struct Told {
    fired: BTreeSet<ZapId>,
    seen_at: Option<Timestamp>,
    cursors: Vec<CursorMove>,
}

impl Told {
    fn of(commit: &PageCommit) -> Told {
        let targets = commit.events.iter().flat_map(|event| &event.targets);
        Told {
            fired: targets.filter(|target| target.fate == Fate::Fire).map(|target| target.zap).collect(),
            seen_at: commit.events.iter().map(|event| event.seen_at).max(),
            cursors: commit.cursors.clone(),
        }
    }
}

impl WakingStore {
    fn tell(&self, told: Told, committed: &PageCommitted) {
        let Shared { counters, wakers, observer, .. } = &*self.shared;
        observer.measure(Measure::Committed(committed));
        for moved in &told.cursors {
            observer.measure(Measure::Cursor { zap: moved.zap, query: &moved.query, to: moved.at });
        }
        let mut latest = counters.seen_at.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = told.seen_at.max(*latest);
        drop(latest);
        counters.fired.fetch_add(committed.fired, Ordering::Relaxed);
        counters.primed.fetch_add(committed.primed, Ordering::Relaxed);
        counters.held.fetch_add(committed.held, Ordering::Relaxed);
        counters.dropped.fetch_add(committed.dropped, Ordering::Relaxed);
        if committed.fired > 0 {
            told.fired.into_iter().for_each(|zap| wakers.ring(zap));
        }
    }
}

#[async_trait]
impl Store for WakingStore {
    async fn commit_page(&self, commit: PageCommit) -> Result<PageCommitted, StoreError> {
        let told = Told::of(&commit);
        let committed = self.inner.commit_page(commit).await?;
        self.tell(told, &committed);
        Ok(committed)
    }

    async fn commit_part(&self, commit: PageCommit, part: Part) -> Result<PageCommitted, StoreError> {
        let told = Told::of(&commit);
        let committed = self.inner.commit_part(commit, part).await?;
        self.tell(told, &committed);
        Ok(committed)
    }

    async fn without_run(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.inner.without_run(zap, kind, ids).await
    }

    async fn swept(&self, connection: &str, query: &str) -> Result<Option<Swept>, StoreError> {
        self.inner.swept(connection, query).await
    }

    async fn keep_swept(&self, swept: Swept) -> Result<(), StoreError> {
        self.inner.keep_swept(swept).await
    }

    async fn place_backfill(
        &self,
        zap: ZapId,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Backfill, StoreError> {
        self.inner.place_backfill(zap, first, last, now).await
    }

    async fn next_backfill(&self, zaps: Vec<ZapId>) -> Result<Option<Backfill>, StoreError> {
        self.inner.next_backfill(zaps).await
    }

    async fn end_backfill(&self, id: BackfillId, now: Timestamp) -> Result<(), StoreError> {
        self.inner.end_backfill(id, now).await
    }

    async fn pending(&self, zap: ZapId) -> Result<u64, StoreError> {
        self.inner.pending(zap).await
    }

    async fn open_zap(&self, identity: ZapIdentity) -> Result<ZapState, StoreError> {
        self.inner.open_zap(identity).await
    }

    async fn keep_skew(&self, zap: ZapId, skew: SignedDuration) -> Result<SignedDuration, StoreError> {
        self.inner.keep_skew(zap, skew).await
    }

    async fn unknown(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        self.inner.unknown(zap, kind, ids).await
    }

    async fn claim(
        &self,
        zap: ZapId,
        now: Timestamp,
        limit: usize,
        busy: Vec<RunId>,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        self.inner.claim(zap, now, limit, busy).await
    }

    async fn next_due(&self, zaps: Vec<ZapId>, busy: Vec<RunId>) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due(zaps, busy).await
    }

    async fn begin_attempt(&self, run: RunId, begun: BegunAttempt) -> Result<Begun, StoreError> {
        self.inner.begin_attempt(run, begun).await
    }

    async fn own(&self, order: &str, serial: Option<String>) -> Result<Own, StoreError> {
        self.inner.own(order, serial).await
    }

    async fn obey(&self, now: Timestamp, busy: Vec<RunId>) -> Result<Obeyed, StoreError> {
        self.inner.obey(now, busy).await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        self.inner.prune(before, most).await
    }

    async fn source(&self, zap: ZapId, content: &str) -> Result<Option<Bytes>, StoreError> {
        self.inner.source(zap, content).await
    }

    async fn update_run(&self, update: RunUpdate) -> Result<(), StoreError> {
        self.inner.update_run(update).await
    }

    async fn take_once(&self, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError> {
        self.inner.take_once(zap, value, run).await
    }

    async fn spend(&self, spend: Spend) -> Result<Spent, StoreError> {
        self.inner.spend(spend).await
    }

    async fn switched_off(&self, zap: OffZap) -> Result<(), StoreError> {
        self.inner.switched_off(zap).await
    }

    async fn absences(&self, zap: ZapId) -> Result<Vec<Absence>, StoreError> {
        self.inner.absences(zap).await
    }

    async fn absences_told(&self, zap: ZapId, absences: Vec<Absence>) -> Result<(), StoreError> {
        self.inner.absences_told(zap, absences).await
    }
}
