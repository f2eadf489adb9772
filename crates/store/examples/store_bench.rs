//! How fast the store is: `cargo run --release -p zaprun-store --example store_bench`.
//!
//! Each figure is durable: an operation counts once its transaction is flushed.
#![allow(clippy::print_stdout, reason = "its figures are its purpose")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use bytes::Bytes;
use jiff::Timestamp;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;
use zaprun_engine::ports::{
    BegunAttempt, BegunWrite, EventKey, Fate, NewEvent, PageCommit, RunId, RunReason, RunState, RunUpdate,
    StepOutcome, StepRecord, Store, StoreError, Target, Touched, ZapIdentity, ZapState,
};
use zaprun_store::{Options, SqliteStore};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PAGE: u64 = 200;
const RECORD: usize = 2_200;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        throughput().await?;
        for pending in [1_000, 1_000_000] {
            backlog(pending).await?;
        }
        Ok(())
    })
}

/// Pages of 200 rows, then every run claimed and delivered.
async fn throughput() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let store = Arc::new(SqliteStore::open_engine(&path, &Options::default())?);
    let zap = store.open_zap(identity()).await?;
    let rows = 96_000;
    let took = fill(&store, &zap, rows, RECORD, "row").await?;
    report("commit_page, 200 rows of 2.2 KB", "rows", rows, took);
    for (workers, share) in [(1, 2_000), (16, 30_000), (64, 64_000)] {
        let took = deliver(&store, &zap, workers, share, Work::Request).await?;
        report(&format!("claim + update_run, {workers} at once"), "runs", share, took);
    }
    store.close().await?;
    let bytes = size(&path)?;
    println!("file: {} bytes a finished run beyond its record of {RECORD}", bytes / rows - RECORD as u64);
    let store = Arc::new(SqliteStore::open_engine(&path, &Options::default())?);
    let share = 30_000;
    fill(&store, &zap, share, RECORD, "sale").await?;
    let took = deliver(&store, &zap, 64, share, Work::Write).await?;
    report("claim + begin_attempt + update_run of a write to the CRM, 64 at once", "runs", share, took);
    Ok(())
}

/// What one page, claim and delivery cost on top of a backlog.
async fn backlog(pending: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("state.db");
    let store = Arc::new(SqliteStore::open_engine(&path, &Options::default())?);
    let zap = store.open_zap(identity()).await?;
    fill(&store, &zap, pending, 100, "row").await?;
    let (rounds, limit) = (200u32, 256);
    let start = Instant::now();
    for _ in 0..rounds {
        store.claim(zap.id, now(), limit, Vec::new()).await?;
    }
    println!("{pending} pending: claim of {limit} in {} µs", (start.elapsed() / rounds).as_micros());
    let share = 960;
    let took = deliver(&store, &zap, 64, share, Work::Request).await?;
    report(&format!("{pending} pending: claim + update_run, 64 at once"), "runs", share, took);
    let start = Instant::now();
    for number in 0..rounds {
        let page = page(&zap, u64::from(number) * PAGE, PAGE, RECORD, "late");
        store.commit_page(page).await?;
    }
    let rows = u64::from(rounds) * PAGE;
    report(&format!("{pending} pending: commit_page"), "rows", rows, start.elapsed());
    Ok(())
}

async fn fill(
    store: &SqliteStore,
    zap: &ZapState,
    rows: u64,
    record: usize,
    prefix: &str,
) -> Outcome<Duration> {
    let start = Instant::now();
    for first in (0..rows).step_by(usize::try_from(PAGE)?) {
        store.commit_page(page(zap, first, PAGE, record, prefix)).await?;
    }
    Ok(start.elapsed())
}

/// What is done for a run.
#[derive(Clone, Copy)]
enum Work {
    /// A request that may be repeated.
    Request,
    /// A write to the CRM that may not, and makes an order.
    Write,
}

/// Claims ahead and keeps so many updates on their way.
async fn deliver(
    store: &Arc<SqliteStore>,
    zap: &ZapState,
    workers: usize,
    share: u64,
    work: Work,
) -> Outcome<Duration> {
    let start = Instant::now();
    let mut left = share;
    while left > 0 {
        let limit = usize::try_from(left.min(512))?;
        let claimed = store.claim(zap.id, now(), limit, Vec::new()).await?;
        left -= u64::try_from(claimed.len())?;
        let runs: Vec<RunId> = claimed.iter().map(|run| run.id).collect();
        match work {
            Work::Request => in_flight(workers, runs, |run| request(Arc::clone(store), run)).await?,
            Work::Write => in_flight(workers, runs, |run| write(Arc::clone(store), run)).await?,
        }
    }
    Ok(start.elapsed())
}

/// Works on all runs, so many at once.
async fn in_flight<F>(workers: usize, runs: Vec<RunId>, work: impl Fn(RunId) -> F) -> Outcome<()>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for run in runs {
        if tasks.len() >= workers
            && let Some(done) = tasks.join_next().await
        {
            done??;
        }
        tasks.spawn(work(run));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

fn page(zap: &ZapState, first: u64, rows: u64, record: usize, prefix: &str) -> PageCommit {
    let events = (first..first + rows)
        .map(|n| NewEvent {
            // Ids of the CRM do not come in order; these do not either.
            key: EventKey {
                kind: "new_sale".to_owned(),
                id: format!("{prefix}{:010X}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24),
            },
            at: Timestamp::UNIX_EPOCH,
            record: Bytes::from(vec![b'x'; record]),
            seen_at: Timestamp::UNIX_EPOCH,
            context: None,
            order: Some(format!("{prefix}{n:010X}")),
            depth: 0,
            targets: vec![Target {
                zap: zap.id,
                revision: zap.revision,
                key_base: Uuid::from_u128(u128::from(n)),
                fate: Fate::Fire,
                once: None,
                own: false,
            }],
        })
        .collect();
    PageCommit { events, cursors: Vec::new() }
}

fn delivered(run: RunId) -> RunUpdate {
    RunUpdate {
        run,
        steps: vec![StepRecord {
            step: "notify".to_owned(),
            element: None,
            outcome: StepOutcome::Done,
            status: Some(200),
            attempts: 1,
            at: now(),
            reply: Some(Bytes::from_static(b"ok")),
            response: None,
            why: None,
        }],
        failed: Vec::new(),
        touched: Vec::new(),
        begun: None,
        failing: None,
        fresh: None,
        state: RunState::Delivered,
        reason: RunReason { word: "delivered".to_owned(), detail: String::new() },
        due_at: now(),
        attempts: 0,
        retrying_since: None,
        at: now(),
    }
}

async fn request(store: Arc<SqliteStore>, run: RunId) -> Result<(), StoreError> {
    store.update_run(delivered(run)).await
}

async fn write(store: Arc<SqliteStore>, run: RunId) -> Result<(), StoreError> {
    store.begin_attempt(run, sale(run)).await?;
    let touched = vec![Touched { order: format!("made{run:010}"), made: true, sold: true, depth: 1 }];
    store.update_run(RunUpdate { touched, ..delivered(run) }).await
}

fn sale(run: RunId) -> BegunAttempt {
    let params = ["campaignId", "emailAddress", "firstName", "lastName", "address1", "city", "country"];
    BegunAttempt {
        step: "sell".to_owned(),
        element: None,
        at: now(),
        write: Some(BegunWrite {
            params: params.map(|name| (name.to_owned(), format!("value of {name}"))).to_vec(),
            before: Some("no order".to_owned()),
            serials: vec![format!("crm/12/{run}@example.test")],
            looked: None,
        }),
    }
}

fn identity() -> ZapIdentity {
    ZapIdentity {
        name: "bench".to_owned(),
        formerly: None,
        selection: "s".to_owned(),
        queries: 1,
        strict: false,
        content: "c".to_owned(),
        source: None,
        git: None,
        first_boundary: Timestamp::UNIX_EPOCH,
        now: now(),
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn size(path: &Path) -> Outcome<u64> {
    Ok(std::fs::metadata(path)?.len())
}

fn report(what: &str, unit: &str, n: u64, took: Duration) {
    let per_second = u128::from(n) * 1_000_000 / took.as_micros().max(1);
    println!("{what}: {per_second} {unit}/s");
}
