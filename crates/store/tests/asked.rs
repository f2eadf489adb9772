//! Asking the program that holds a state, from another one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, event, identity, page, step, target, update, wait, write_of};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zaprun_engine::ports::{
    Answer, Chosen, Command, Fate, History, MOST_RUNS, Obeyed, Refused, Replay, Resolution, RunId, RunState,
    StepOutcome, Store, StoreError, ZapId,
};
use zaprun_store::{Asked, Options, SqliteStore};

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

fn resolve(run: i64, outcome: Resolution) -> Command {
    Command::Resolve { runs: vec![Chosen::any(RunId(run))], outcome }
}

fn ask(path: &Path, run: i64, outcome: Resolution) -> Asked {
    Asked::place(path, &[resolve(run, outcome)], at(450)).unwrap()
}

async fn obey(store: &SqliteStore, seconds: i64) -> Obeyed {
    store.obey(at(seconds), Vec::new()).await.unwrap()
}

fn nothing() -> Obeyed {
    Obeyed::default()
}

fn done() -> Answer {
    Answer { done: 1, ..Answer::default() }
}

fn refused(run: i64, why: &str) -> Answer {
    Answer { refused: vec![Refused { run: RunId(run), why: why.to_owned() }], ..Answer::default() }
}

async fn state_of(store: &SqliteStore, run: i64) -> RunState {
    store.run(RunId(run)).await.unwrap().unwrap().summary.state
}

#[test]
fn a_running_engine_does_what_is_asked_and_answers() {
    let (_folder, path, store) = state();
    wait(async {
        assert_eq!(obey(&store, 440).await, nothing(), "nobody has asked");
        let asked = ask(&path, 1, FAILED);
        assert_eq!(asked.answered(), Ok(0));
        assert_eq!(obey(&store, 460).await, Obeyed { zaps: vec![ZapId(1)], more: true });
        assert_eq!(asked.answered(), Ok(1));
        assert_eq!(asked.withdraw().unwrap(), [Some(done())]);
        assert_eq!(obey(&store, 470).await, nothing(), "once");
        let run = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((run.summary.state, run.summary.due_at), (RunState::Pending, Some(at(460))));
        assert_eq!((run.steps[0].outcome, run.begun), (StepOutcome::Failed, None));
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
}

#[test]
fn what_cannot_be_done_is_answered_too() {
    let (_folder, path, store) = state();
    wait(async {
        let asked = Asked::place(&path, &[resolve(2, DONE), resolve(77, DONE)], at(450)).unwrap();
        while obey(&store, 460).await.more {}
        let answers = asked.withdraw().unwrap();
        assert_eq!(answers, [Some(refused(2, "it is not held")), Some(refused(77, "there is no such run"))]);
        let run = store.run(RunId(2)).await.unwrap().unwrap();
        assert_eq!(
            (run.summary.state, run.summary.due_at, run.steps.len()),
            (RunState::Pending, Some(at(300)), 0)
        );
    });
}

#[test]
fn a_run_that_is_not_as_it_was_chosen_is_left_alone() {
    let (_folder, _path, store) = state();
    wait(async {
        let seen = store.run(RunId(1)).await.unwrap().unwrap().summary.updated_at;
        let with = |chosen| Command::Drop { runs: vec![chosen] };
        hold(&store, 2).await;
        let other = with(Chosen::as_of(RunId(1), at(399)));
        assert_eq!(store.carry_out(other, at(500)).await.unwrap(), refused(1, "it has changed meanwhile"));
        let same = with(Chosen::as_of(RunId(1), seen));
        assert_eq!(store.carry_out(same, at(500)).await.unwrap(), done());
        assert_eq!(state_of(&store, 1).await, RunState::Dropped);
    });
}

#[test]
fn what_is_worked_on_is_left_alone() {
    let (_folder, path, store) = state();
    wait(async {
        let drop = Command::Drop { runs: vec![Chosen::any(RunId(2)), Chosen::any(RunId(1))] };
        let asked = Asked::place(&path, &[drop], at(450)).unwrap();
        let obeyed = store.obey(at(460), vec![RunId(2)]).await.unwrap();
        assert_eq!(obeyed, Obeyed { zaps: vec![ZapId(1)], more: true });
        let busy = refused(2, "it is being worked on just now");
        assert_eq!(asked.withdraw().unwrap(), [Some(done().and(busy))]);
        assert_eq!(
            (state_of(&store, 1).await, state_of(&store, 2).await),
            (RunState::Dropped, RunState::Pending)
        );
    });
}

/// A dropped write lets others of its buyer go, and is not repeated by a replay that does not say so.
#[test]
fn an_open_write_that_is_dropped_stays_unknown() {
    let (_folder, _path, store) = state();
    wait(async {
        let one = |run| vec![Chosen::any(RunId(run))];
        store.carry_out(Command::Drop { runs: one(1) }, at(500)).await.unwrap();
        let begun = store.begin_attempt(RunId(2), write_of("sale", Some("ada"))).await.unwrap();
        assert_eq!(begun, zaprun_engine::ports::Begun::Yes);
        let how = Replay { once: vec!["sale".to_owned()], ..Replay::default() };
        let replay = |how: &Replay| Command::Replay { runs: one(1), how: how.clone() };
        let answer = store.carry_out(replay(&how), at(501)).await.unwrap();
        assert_eq!(answer, refused(1, "what became of its step `sale` is not known"));
        let how = Replay { from_start: true, new_key: true, repeat: true, ..how };
        assert_eq!(store.carry_out(replay(&how), at(502)).await.unwrap(), done());
        let run = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((run.summary.state, run.steps.len(), run.past.len()), (RunState::Pending, 0, 1));
    });
}

/// A dead run keeps the answers that its later steps read, and is mapped with what it was made with.
#[test]
fn a_replayed_run_goes_on_after_what_is_done() {
    let (_folder, _path, store) = state();
    wait(async {
        let mut first = update(RunId(2), RunState::Pending);
        first.steps = vec![step("ask")];
        store.update_run(first).await.unwrap();
        let mut dead = update(RunId(2), RunState::Dead);
        let failed = zaprun_engine::ports::StepRecord { outcome: StepOutcome::Failed, ..step("tell") };
        dead.steps = vec![failed.clone()];
        store.update_run(dead).await.unwrap();
        let runs = vec![Chosen::any(RunId(2))];
        let answer =
            store.carry_out(Command::Replay { runs, how: Replay::default() }, at(500)).await.unwrap();
        assert_eq!(answer, done());
        let run = store.claim(ZapId(1), at(500), 9, Vec::new()).await.unwrap().remove(0);
        assert_eq!(run.steps, [step("ask")]);
        assert_eq!(run.pinned.as_deref(), Some("c1"));
        let past = store.run(RunId(2)).await.unwrap().unwrap().past;
        assert_eq!(past, [zaprun_engine::ports::StepRecord { response: None, ..failed }]);
    });
}

#[test]
fn what_a_zap_is_made_of_is_kept_by_its_content() {
    let (_folder, path, store) = state();
    wait(async {
        let mut other = identity("a");
        (other.content, other.source) = ("c2".to_owned(), Some(b"name: a".as_slice().into()));
        store.open_zap(other).await.unwrap();
        assert_eq!(store.source(ZapId(1), "c2").await.unwrap().as_deref(), Some(&b"name: a"[..]));
        assert_eq!(store.source(ZapId(1), "c1").await.unwrap(), None, "nobody gave it");
        let copy = SqliteStore::copy_in_memory(&path).unwrap();
        assert!(copy.source(ZapId(1), "c2").await.unwrap().is_some());
    });
}

#[test]
fn many_runs_are_many_portions() {
    let runs = (1..=i64::try_from(MOST_RUNS).unwrap() + 1).map(|run| Chosen::any(RunId(run))).collect();
    let portions = Command::Drop { runs }.in_portions();
    let sizes: Vec<usize> = portions.iter().map(|portion| portion.runs().len()).collect();
    assert_eq!(sizes, [MOST_RUNS, 1]);
}

#[test]
fn what_is_withdrawn_is_not_done() {
    let (_folder, path, store) = state();
    let two = [resolve(1, DONE), resolve(2, DONE)];
    assert_eq!(Asked::place(&path, &two, at(450)).unwrap().withdraw().unwrap(), [None, None]);
    wait(async {
        assert_eq!(obey(&store, 460).await, nothing());
        assert_eq!(state_of(&store, 1).await, RunState::Held);
        // What was done by then is done.
        let asked = Asked::place(&path, &two, at(450)).unwrap();
        obey(&store, 460).await;
        assert_eq!(asked.withdraw().unwrap(), [Some(done()), None]);
    });
}

#[test]
fn answers_that_nobody_fetches_go_away() {
    let (_folder, path, store) = state();
    let forgotten = ask(&path, 1, DONE);
    wait(obey(&store, 460));
    let day = 24 * 3_600;
    let later = |seconds: i64| {
        let asked = Asked::place(&path, &[resolve(1, DONE)], at(450 + seconds)).unwrap();
        drop(asked.withdraw());
    };
    later(day);
    assert_eq!(forgotten.answered(), Ok(1));
    later(day + 1);
    let error = forgotten.answered().unwrap_err();
    assert_eq!(error.to_string(), "the state cannot be written: what was asked is not in the state any more");
}

#[test]
fn what_was_asked_waits_for_the_next_engine() {
    let (_folder, path, store) = state();
    let asked = ask(&path, 1, DONE);
    drop(store);
    let next = open(&path);
    assert_eq!(wait(obey(&next, 460)).zaps, [ZapId(1)]);
    assert_eq!(asked.answered(), Ok(1));
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
fn a_command_that_is_not_known_is_answered_so() {
    let (_folder, path, store) = state();
    let asked = ask(&path, 1, DONE);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("UPDATE asked SET what = '{\"dance\":{}}'", []).unwrap();
    wait(async {
        assert!(obey(&store, 460).await.more);
        let answers = asked.withdraw().unwrap();
        let answer = answers[0].as_ref().unwrap();
        assert_eq!(answer.failed.as_deref(), Some("the engine that runs here does not know this command"));
        assert_eq!(state_of(&store, 1).await, RunState::Held);
    });
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
        assert_eq!(obey(&copy, 460).await, nothing());
        assert_eq!(asked.answered(), Ok(0), "a dry run answers nobody");
    });
}

#[test]
fn where_nothing_can_be_asked_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let place = |path: &Path| Asked::place(path, &[resolve(1, DONE)], at(450)).unwrap_err();
    assert!(matches!(place(&path), StoreError::Missing { .. }));
    std::fs::write(&path, "name: not a database\n".repeat(999)).unwrap();
    assert!(matches!(place(&path), StoreError::Unusable { .. }));
    let (_folder, path, store) = state();
    drop(store);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 4711;").unwrap();
    drop(newer);
    assert!(place(&path).to_string().contains("newer zaprun"));
}
