//! Asking the program that holds a state, from another one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, event, identity, page, step, target, update, wait, write_of};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zaprun_engine::ports::{
    Fate, History, Resolution, RunId, RunState, StepOutcome, Store, StoreError, ZapId,
};
use zaprun_store::{Answer, Asked, Asking, Options, SqliteStore};

const DONE: Resolution = Resolution::Done;
const FAILED: Resolution = Resolution::Failed;

/// A state with a held run whose write is open, and a pending one; its engine runs.
fn state() -> (TempDir, PathBuf, SqliteStore) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let events = ["1", "2"].map(|id| event(id, vec![target(&a, Fate::Fire)])).to_vec();
        store.commit_page(page(events)).await.unwrap();
        hold(&store, 1).await;
    });
    (folder, path, store)
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_engine(path, &Options::default()).unwrap()
}

async fn hold(store: &SqliteStore, run: i64) {
    let mut held = update(RunId(run), RunState::Held);
    held.begun = Some(write_of("sale", Some("ada")));
    store.update_run(held).await.unwrap();
}

fn ask(path: &Path, run: i64, resolution: Resolution) -> Asked {
    match Asked::place(path, RunId(run), resolution, at(450)).unwrap() {
        Asking::Placed(asked) => asked,
        already @ Asking::Already { .. } => panic!("{already:?}"),
    }
}

#[test]
fn a_running_engine_does_what_is_asked_and_answers() {
    let (_folder, path, store) = state();
    wait(async {
        assert_eq!(store.obey(at(440)).await.unwrap(), [], "nobody has asked");
        let asked = ask(&path, 1, FAILED);
        assert_eq!(asked.answer().unwrap(), None);
        assert_eq!(store.obey(at(460)).await.unwrap(), [ZapId(1)]);
        assert_eq!(asked.answer().unwrap(), Some(Answer::Resolved));
        assert_eq!(asked.withdraw().unwrap(), Some(Answer::Resolved));
        assert_eq!(store.obey(at(470)).await.unwrap(), [], "once");
        let run = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((run.summary.state, run.summary.due_at), (RunState::Pending, Some(at(460))));
        assert_eq!((run.steps[0].outcome, run.begun), (StepOutcome::Failed, None));
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
}

#[test]
fn a_run_that_is_not_held_stays_as_it_is() {
    let (_folder, path, store) = state();
    wait(async {
        let asked = ask(&path, 2, DONE);
        assert_eq!(store.obey(at(460)).await.unwrap(), []);
        assert_eq!(asked.answer().unwrap(), Some(Answer::NotHeld));
        let run = store.run(RunId(2)).await.unwrap().unwrap();
        assert_eq!(
            (run.summary.state, run.summary.due_at, run.steps.len()),
            (RunState::Pending, Some(at(300)), 0)
        );
    });
}

#[test]
fn one_asks_at_a_time() {
    let (_folder, path, store) = state();
    let first = ask(&path, 1, DONE);
    match Asked::place(&path, RunId(1), FAILED, at(451)).unwrap() {
        Asking::Already { resolution, at: when } => assert_eq!((resolution, when), (DONE, at(450))),
        Asking::Placed(asked) => panic!("{asked:?}"),
    }
    // For another run all the same.
    let other = ask(&path, 2, DONE);
    wait(store.obey(at(460))).unwrap();
    // Answered, though nobody has fetched it: the run may be held anew by now.
    wait(hold(&store, 1));
    let second = ask(&path, 1, FAILED);
    assert_eq!((first.answer().unwrap(), second.answer().unwrap()), (Some(Answer::Resolved), None));
    assert_eq!(other.answer().unwrap(), Some(Answer::NotHeld));
}

#[test]
fn what_is_withdrawn_is_not_done() {
    let (_folder, path, store) = state();
    assert_eq!(ask(&path, 1, DONE).withdraw().unwrap(), None);
    wait(async {
        assert_eq!(store.obey(at(460)).await.unwrap(), []);
        assert_eq!(store.run(RunId(1)).await.unwrap().unwrap().summary.state, RunState::Held);
    });
    // And it may be asked again.
    drop(ask(&path, 1, DONE));
}

#[test]
fn answers_that_nobody_fetches_go_away() {
    let (_folder, path, store) = state();
    let forgotten = ask(&path, 1, DONE);
    wait(store.obey(at(460))).unwrap();
    wait(hold(&store, 1));
    let day = 24 * 3_600;
    let later = |seconds: i64| match Asked::place(&path, RunId(1), DONE, at(450 + seconds)).unwrap() {
        Asking::Placed(asked) => drop(asked.withdraw()),
        already @ Asking::Already { .. } => panic!("{already:?}"),
    };
    later(day);
    assert_eq!(forgotten.answer().unwrap(), Some(Answer::Resolved));
    later(day + 1);
    let error = forgotten.answer().unwrap_err();
    assert_eq!(error.to_string(), "the state cannot be written: what was asked is not in the state any more");
}

#[test]
fn what_was_asked_waits_for_the_next_engine() {
    let (_folder, path, store) = state();
    let asked = ask(&path, 1, DONE);
    drop(store);
    let next = open(&path);
    assert_eq!(wait(next.obey(at(460))).unwrap(), [ZapId(1)]);
    assert_eq!(asked.answer().unwrap(), Some(Answer::Resolved));
    drop(asked);
    wait(next.close()).unwrap();
    // Whoever asks leaves no log behind.
    drop(ask(&path, 1, DONE));
    let left = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["state.db", "state.db.lock"]);
}

#[test]
fn a_copy_knows_orders_and_records_and_is_asked_nothing() {
    let (_folder, path, store) = state();
    wait(async {
        let mut pending = update(RunId(2), RunState::Pending);
        pending.fresh = Some(b"{}".as_slice().into());
        pending.steps = vec![step("s")];
        pending.touched = vec![zaprun_engine::ports::Touched {
            order: "made".to_owned(),
            made: true,
            sold: false,
            depth: 1,
        }];
        store.update_run(pending).await.unwrap();
        let asked = ask(&path, 1, DONE);
        let copy = SqliteStore::copy_in_memory(&path).unwrap();
        assert!(copy.own("made", None).await.unwrap().made);
        let run = copy.claim(ZapId(1), at(999), 9, Vec::new()).await.unwrap().remove(0);
        assert_eq!(run.fresh.as_deref(), Some(&b"{}"[..]));
        assert_eq!(copy.obey(at(460)).await.unwrap(), []);
        assert_eq!(asked.answer().unwrap(), None, "a dry run answers nobody");
    });
}

#[test]
fn where_nothing_can_be_asked_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let place = |path: &Path, run: i64| Asked::place(path, RunId(run), DONE, at(450)).unwrap_err();
    assert!(matches!(place(&path, 1), StoreError::Missing { .. }));
    std::fs::write(&path, "name: not a database\n".repeat(999)).unwrap();
    assert!(matches!(place(&path, 1), StoreError::Unusable { .. }));
    let (_folder, path, store) = state();
    assert_eq!(place(&path, 77).to_string(), "there is no run 77");
    drop(store);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 4711;").unwrap();
    drop(newer);
    assert!(place(&path, 1).to_string().contains("newer zaprun"));
}
