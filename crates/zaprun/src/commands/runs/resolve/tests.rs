#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::future::{pending, ready};
use std::path::PathBuf;
use std::sync::Mutex;

use async_trait::async_trait;
use tempfile::TempDir;
use zaprun_engine::ports::{
    BegunAttempt, EventKey, Fate, History, NewEvent, PageCommit, RunReason, RunUpdate, StepOutcome, Target,
    ZapIdentity,
};

use jiff::Timestamp;
use zaprun_engine::ports::{Clock, Obeyed, RunId, Store};
use zaprun_store::SqliteStore;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A state with a held run whose step is open, and a pending one.
struct State {
    // Kept for its folder.
    _folder: TempDir,
    path: PathBuf,
}

impl State {
    async fn new() -> (State, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zaprun.db");
        let state = State { _folder: folder, path };
        let store = state.engine();
        let zap = store
            .open_zap(ZapIdentity {
                name: "sales".to_owned(),
                formerly: None,
                selection: "s".to_owned(),
                queries: 1,
                strict: false,
                content: "c".to_owned(),
                source: None,
                git: None,
                first_boundary: at(0),
                now: at(0),
            })
            .await
            .unwrap();
        let target = Target {
            zap: zap.id,
            revision: zap.revision,
            key_base: Default::default(),
            fate: Fate::Fire,
            once: None,
            own: true,
        };
        let event = |id: &str| NewEvent {
            key: EventKey { kind: "new_sale".to_owned(), id: id.to_owned() },
            at: at(1),
            record: b"{}".as_slice().into(),
            seen_at: at(1),
            context: None,
            order: None,
            depth: 0,
            targets: vec![target.clone()],
        };
        let page = PageCommit { events: vec![event("1"), event("2")], cursors: Vec::new() };
        store.commit_page(page).await.unwrap();
        store.update_run(update(1, RunState::Held)).await.unwrap();
        (state, store)
    }

    fn engine(&self) -> SqliteStore {
        SqliteStore::open_engine(&self.path, &zaprun_store::Options::default()).unwrap()
    }

    async fn run(&self, id: i64) -> RunDetail {
        SqliteStore::open_reader(&self.path).unwrap().run(RunId(id)).await.unwrap().unwrap()
    }

    async fn resolve(&self, outcome: Outcome, clock: &Beside) -> Result<By, CommandError> {
        self.resolve_until(outcome, clock, pending()).await
    }

    async fn resolve_until(
        &self,
        outcome: Outcome,
        clock: &Beside,
        interrupted: impl Future<Output = ()>,
    ) -> Result<By, CommandError> {
        let desk = Desk { state: &self.path, clock, patience: PATIENCE };
        super::resolve(&desk, &self.run(1).await, outcome, interrupted).await
    }
}

fn update(run: i64, state: RunState) -> RunUpdate {
    let begun =
        BegunAttempt { step: "pay".to_owned(), element: Some("7".to_owned()), at: at(2), write: None };
    RunUpdate {
        run: RunId(run),
        steps: Vec::new(),
        failed: Vec::new(),
        touched: Vec::new(),
        begun: (state == RunState::Held).then_some(begun),
        failing: None,
        fresh: None,
        state,
        reason: RunReason { word: "uncertain".to_owned(), detail: String::new() },
        due_at: at(3),
        attempts: 0,
        retrying_since: None,
        at: at(3),
    }
}

/// What the engine does while somebody waits.
enum Doing {
    /// It obeys from the so many-th wait on.
    Obeys(u32),
    /// It ends with the first.
    Ends,
    /// The run goes its way first.
    Delivers,
    Hangs,
}

/// A clock on which the engine works while somebody sleeps.
struct Beside {
    now: Mutex<Timestamp>,
    engine: Mutex<Option<SqliteStore>>,
    doing: Doing,
    waits: Mutex<u32>,
}

impl Beside {
    fn new(engine: Option<SqliteStore>, doing: Doing) -> Beside {
        Beside { now: Mutex::new(at(100)), engine: Mutex::new(engine), doing, waits: Mutex::new(0) }
    }

    fn waits(&self) -> u32 {
        *self.waits.lock().unwrap()
    }
}

#[async_trait]
impl Clock for Beside {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep_until(&self, at: Timestamp) {
        *self.now.lock().unwrap() = at;
        *self.waits.lock().unwrap() += 1;
        let Some(engine) = self.engine.lock().unwrap().take() else { return };
        match self.doing {
            Doing::Ends => return engine.close().await.unwrap(),
            Doing::Delivers => {
                engine.update_run(update(1, RunState::Delivered)).await.unwrap();
                obey(&engine, at).await;
            }
            Doing::Obeys(from) if self.waits() >= from => obey(&engine, at).await,
            Doing::Obeys(_) | Doing::Hangs => {}
        }
        *self.engine.lock().unwrap() = Some(engine);
    }
}

async fn obey(engine: &SqliteStore, at: Timestamp) {
    while engine.obey(at, Vec::new()).await.unwrap().more {}
}

fn shown(error: &CommandError) -> String {
    format!("{error}\n{}", error.hints().join("\n"))
}

#[tokio::test]
async fn where_no_engine_runs_it_is_done_at_once() {
    for (outcome, step) in [(Outcome::Done, StepOutcome::Done), (Outcome::Failed, StepOutcome::Failed)] {
        let (state, store) = State::new().await;
        store.close().await.unwrap();
        let clock = Beside::new(None, Doing::Hangs);
        assert_eq!(state.resolve(outcome, &clock).await, Ok(By::Us));
        let run = state.run(1).await;
        assert_eq!((run.summary.state, run.summary.due_at), (RunState::Pending, Some(at(100))));
        assert_eq!((run.steps[0].outcome, run.begun), (step, None));
        // The lease is free again.
        drop(state.engine());
    }
}

#[tokio::test]
async fn it_is_done_once() {
    let (state, store) = State::new().await;
    store.close().await.unwrap();
    let clock = Beside::new(None, Doing::Hangs);
    state.resolve(Outcome::Done, &clock).await.unwrap();
    let error = state.resolve(Outcome::Failed, &clock).await.unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    run 1 is left as it is: it is not held
    `zaprun runs show 1` says what has happened
    ");
    assert_eq!(state.run(1).await.steps.len(), 1);
}

#[tokio::test]
async fn a_running_engine_does_it() {
    let (state, store) = State::new().await;
    let clock = Beside::new(Some(store), Doing::Obeys(3));
    assert_eq!(state.resolve(Outcome::Failed, &clock).await, Ok(By::Engine));
    assert_eq!(clock.waits(), 3);
    let run = state.run(1).await;
    assert_eq!((run.summary.state, run.steps[0].outcome), (RunState::Pending, StepOutcome::Failed));
}

#[tokio::test]
async fn an_engine_that_ends_meanwhile_leaves_it_to_us() {
    let (state, store) = State::new().await;
    let clock = Beside::new(Some(store), Doing::Ends);
    assert_eq!(state.resolve(Outcome::Done, &clock).await, Ok(By::Us));
    assert_eq!(state.run(1).await.summary.state, RunState::Pending);
    drop(state.engine());
}

#[tokio::test]
async fn an_engine_that_does_not_answer_will_not_do_it_later() {
    let (state, store) = State::new().await;
    let clock = Beside::new(Some(store), Doing::Hangs);
    let error = state.resolve(Outcome::Done, &clock).await.unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    the running engine did not answer within 30s; nothing was done
    look at what it logs; once it has ended, the same command does it at once
    ");
    assert_eq!(clock.now(), at(130));
    let engine = clock.engine.into_inner().unwrap().unwrap();
    assert_eq!(engine.obey(at(200), Vec::new()).await.unwrap(), Obeyed::default());
    assert_eq!(state.run(1).await.summary.state, RunState::Held);
}

#[tokio::test]
async fn ctrl_c_takes_it_back() {
    let (state, store) = State::new().await;
    // Waits without end unless it is interrupted.
    struct Still;
    #[async_trait]
    impl Clock for Still {
        fn now(&self) -> Timestamp {
            at(100)
        }
        async fn sleep_until(&self, _: Timestamp) {
            pending::<()>().await;
        }
    }
    let desk = Desk { state: &state.path, clock: &Still, patience: PATIENCE };
    let run = state.run(1).await;
    let error = super::resolve(&desk, &run, Outcome::Done, ready(())).await.unwrap_err();
    assert_eq!(error, CommandError::interrupted());
    assert_eq!(store.obey(at(200), Vec::new()).await.unwrap(), Obeyed::default());
}

#[tokio::test]
async fn what_was_asked_before_is_done_first() {
    let (state, store) = State::new().await;
    let run = state.run(1).await;
    let runs = vec![Chosen::any(RunId(1))];
    let before = Command::Resolve { runs, outcome: Resolution::Failed };
    drop(zaprun_store::Asked::place(&state.path, &[before], at(90)).unwrap());
    store.close().await.unwrap();
    let desk = Desk { state: &state.path, clock: &Beside::new(None, Doing::Hangs), patience: PATIENCE };
    let error = super::resolve(&desk, &run, Outcome::Done, pending()).await.unwrap_err();
    assert!(error.to_string().contains("it has changed meanwhile"), "{error}");
    assert_eq!(state.run(1).await.steps[0].outcome, StepOutcome::Failed);
}

#[tokio::test]
async fn a_run_that_went_on_meanwhile_stays_as_it_is() {
    let (state, store) = State::new().await;
    let clock = Beside::new(Some(store), Doing::Delivers);
    let error = state.resolve(Outcome::Failed, &clock).await.unwrap_err();
    assert!(error.to_string().contains("run 1 is left as it is"), "{error}");
    let run = state.run(1).await;
    assert_eq!((run.summary.state, run.steps.len()), (RunState::Delivered, 0));
}

#[tokio::test]
async fn only_a_held_run_takes_a_persons_word() {
    let (state, store) = State::new().await;
    assert!(held(state.run(1).await).is_ok());
    let error = held(state.run(2).await).unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    run 2 is not held, it is pending
    `zaprun runs list --status held` shows the runs that wait for a person
    ");
    let reader = SqliteStore::open_reader(&state.path).unwrap();
    let error = find(&reader, &state.path, 77).await.unwrap_err();
    insta::assert_snapshot!(shown(&error), @r"
    there is no run 77
    `zaprun runs list` shows the newest
    ");
    drop(store);
}

#[tokio::test]
async fn what_was_done_is_said() {
    let (state, _store) = State::new().await;
    let open = state.run(1).await;
    let chained = RunDetail { begun: None, ..open.clone() };
    let lines = [
        said(&open, Outcome::Done, By::Engine),
        said(&open, Outcome::Failed, By::Us),
        said(&chained, Outcome::Done, By::Us),
        said(&chained, Outcome::Failed, By::Engine),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    run 1: step pay[7] counts as done; the running engine takes it from there
    run 1: step pay[7] counts as failed; the next `zaprun run` takes it from there
    run 1: it is let through; the next `zaprun run` takes it from there
    run 1: it is given up; the running engine takes it from there
    ");
}
