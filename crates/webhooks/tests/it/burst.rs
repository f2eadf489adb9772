//! Ten thousand at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use zaprun_engine::ports::{History, RunFilter, RunState};
use zaprun_engine::testing::{Calls, MemoryStore};
use zaprun_store::{Options, SqliteStore};

use super::support::Setup;

const ALL: usize = 10_000;
const CALLERS: usize = 50;

/// Into a state on disk: every one that was answered is there, and none twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_taken_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zaprun.db");
    let store = Arc::new(SqliteStore::open_engine(&path, &Options::default()).unwrap());
    let unused = MemoryStore::new(Calls::new());
    let rig = Setup::default().start_on(unused, Arc::clone(&store) as _).await;
    let callers = (0..CALLERS).map(|caller| {
        let rig = &rig;
        async move {
            for number in (caller..ALL).step_by(CALLERS) {
                // Every tenth comes twice, as from a sender that did not hear the answer.
                for _ in 0..=usize::from(number % 10 == 0) {
                    let body = format!(r#"{{"id": "{number}", "name": "Ada", "total": "19.90"}}"#);
                    assert_eq!(rig.status(rig.post(body)).await, 202);
                }
            }
        }
    });
    join_all(callers).await;
    drop(rig);
    store.close().await.unwrap();
    drop(store);

    let reader = SqliteStore::open_reader(&path).unwrap();
    let filter = RunFilter { limit: 2 * ALL, ..RunFilter::default() };
    let runs = reader.runs(filter).await.unwrap();
    assert!(runs.iter().all(|run| run.state == RunState::Pending));
    let keys: BTreeSet<String> = runs.iter().map(|run| run.event.id.clone()).collect();
    assert_eq!((runs.len(), keys.len()), (ALL, ALL));
    assert!((0..ALL).all(|number| keys.contains(&number.to_string())));
}
