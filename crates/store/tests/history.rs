//! What becomes of history: its end, a person's end in it, and finding what a value occurs in.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use bytes::Bytes;
use common::{at, event_of, identity, page, step, target, update, wait, write_of};
use jiff::civil::date;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zaprun_engine::ports::{
    Answer, AttemptRecord, BackfillStep, Brake, Chosen, Command, Fate, History, NewEvent, OnceOutcome, Part,
    RunId, RunReason, RunState, Spend, Spent, Store, ZapState,
};
use zaprun_store::{EntryFate, Options, SqliteStore};

const EMAIL: &str = "Ada.Lovelace@example.test";

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open_engine(path, &Options::default()).unwrap()
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

/// A sale of Ada's, whose record names her.
fn hers(kind: &str, id: &str, zap: &ZapState) -> NewEvent {
    let record = format!(
        "{{\"orderId\":\"{id}\",\"emailAddress\":\"{EMAIL}\",\"firstName\":\"Augusta\",\"phoneNumber\":\"5550107\"}}"
    );
    NewEvent {
        record: Bytes::from(record),
        context: Some(Bytes::from(format!("{{\"query\":{{\"e\":\"{EMAIL}\"}}}}"))),
        ..event_of(kind, id, vec![target(zap, Fate::Fire)])
    }
}

/// A run that has left traces of her wherever there may be any.
async fn ended(store: &SqliteStore, run: i64, state: RunState) {
    let (step_of, element) = ("sale".to_owned(), Some(EMAIL.to_owned()));
    let spend =
        Spend { run: RunId(run), step: step_of, element, writes_per_hour: Some(9), money: None, at: at(340) };
    assert_eq!(store.spend(spend).await, Ok(Spent::Yes));
    store.begin_attempt(RunId(run), write_of("sale", Some(&format!("crm 12 {EMAIL}")))).await.unwrap();
    let mut first = update(RunId(run), RunState::Pending);
    first.fresh = Some(Bytes::from(format!("{{\"emailAddress\":\"{EMAIL}\",\"firstName\":\"Augusta\"}}")));
    first.steps = vec![zaprun_engine::ports::StepRecord {
        element: Some(EMAIL.to_owned()),
        reply: Some(Bytes::from(format!("{{\"to\":\"{EMAIL}\",\"phone\":\"5550107\"}}"))),
        response: Some(Bytes::from(format!("{{\"body\":\"{EMAIL}\"}}"))),
        why: Some(RunReason { word: "refused".to_owned(), detail: format!("no {EMAIL}") }),
        ..step("sale")
    }];
    first.failed = vec![AttemptRecord {
        step: "sale".to_owned(),
        element: None,
        number: 1,
        at: at(390),
        status: Some(400),
        error: format!("{EMAIL} is not welcome"),
        reply: Some(Bytes::from(format!("Augusta <{EMAIL}>"))),
    }];
    store.update_run(first).await.unwrap();
    let mut last = update(RunId(run), state);
    last.reason = RunReason { word: "refused".to_owned(), detail: format!("{EMAIL} is not welcome") };
    store.update_run(last).await.unwrap();
}

fn holds(path: &Path, text: &str) -> Vec<String> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let found = |file: &PathBuf| {
        let bytes = std::fs::read(file).unwrap_or_default().to_ascii_lowercase();
        let text = text.to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files.filter(found).map(|file| file.display().to_string()).collect()
}

fn erase(runs: &[i64]) -> Command {
    Command::Erase {
        runs: runs.iter().map(|run| Chosen::any(RunId(*run))).collect(),
        values: vec![EMAIL.to_owned(), EMAIL.to_lowercase()],
    }
}

/// Every byte of the files, by a run that was delivered, one that was dead, and keys that are the address itself.
#[test]
fn a_person_who_is_forgotten_is_in_no_byte_of_the_state() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let zap = store.open_zap(identity("a")).await.unwrap();
        let events =
            vec![hers("new_sale", "1", &zap), hers("new_sale", "2", &zap), hers("webhook", EMAIL, &zap)];
        store.commit_page(page(events)).await.unwrap();
        assert_eq!(store.take_once(zap.id, EMAIL, RunId(1)).await.unwrap(), OnceOutcome::Taken);
        for (run, state) in [(1, RunState::Delivered), (2, RunState::Dead), (3, RunState::Delivered)] {
            ended(&store, run, state).await;
        }
        assert!(!holds(&path, EMAIL).is_empty() && !holds(&path, "Augusta").is_empty());
        let answer = store.carry_out(erase(&[1, 2, 3]), at(500)).await.unwrap();
        assert_eq!(answer, Answer { done: 3, ..Answer::default() });
        store.scrub().await.unwrap();
        for text in [EMAIL, "Augusta", "5550107", "Lovelace"] {
            assert_eq!(holds(&path, text), [""; 0], "{text}");
        }
        // What dedupes still does.
        let again = vec![hers("webhook", EMAIL, &zap)];
        assert_eq!(store.unknown(zap.id, "webhook", vec![EMAIL.to_owned()]).await.unwrap(), [""; 0]);
        assert_eq!(store.commit_page(page(again)).await.unwrap().known, 1);
        let taken = store.take_once(zap.id, EMAIL, RunId(2)).await.unwrap();
        assert_eq!(taken, OnceOutcome::TakenBy(Some(RunId(1))));
        // What happened is still told.
        let dead = store.run(RunId(2)).await.unwrap().unwrap();
        assert_eq!((dead.summary.state, dead.summary.reason.word.as_str()), (RunState::Dropped, "erased"));
        assert_eq!((dead.steps.len(), dead.attempts.len()), (1, 1));
        assert!(dead.event.record.is_empty() && dead.fresh.is_none());
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
}

#[test]
fn a_run_that_waits_keeps_what_it_needs() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let b = store.open_zap(identity("b")).await.unwrap();
        let mut event = hers("new_sale", "1", &a);
        event.targets.push(target(&b, Fate::Fire));
        store.commit_page(page(vec![event])).await.unwrap();
        store.update_run(update(RunId(1), RunState::Delivered)).await.unwrap();
        let answer = store.carry_out(erase(&[1, 2]), at(500)).await.unwrap();
        let why: Vec<&str> = answer.refused.iter().map(|refused| refused.why.as_str()).collect();
        assert_eq!(answer.done, 0);
        assert!(why[0].contains("of the same event, still waits"), "{why:?}");
        assert!(store.run(RunId(1)).await.unwrap().unwrap().event.record.starts_with(b"{"));
    });
}

#[test]
fn what_is_over_goes_and_what_dedupes_stays() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let ids = ["1", "2", "3", "4"];
        let events = ids.map(|id| hers("new_sale", id, &a)).to_vec();
        store.commit_page(page(events.clone())).await.unwrap();
        store.take_once(a.id, "x", RunId(1)).await.unwrap();
        for (run, state) in [(1, RunState::Delivered), (2, RunState::Dead), (3, RunState::Held)] {
            ended(&store, run, state).await;
        }
        assert_eq!(store.prune(at(400), 9).await.unwrap(), 0, "it ended just then");
        assert_eq!(store.prune(at(401), 9).await.unwrap(), 1, "only what is over");
        assert!(store.run(RunId(1)).await.unwrap().is_none());
        let counts = store.counts().await.unwrap();
        assert_eq!(counts.pruned, [("a".to_owned(), 1)]);
        assert_eq!(store.recount().await.unwrap(), counts);
        assert_eq!(store.commit_page(page(events)).await.unwrap().known, 4);
        assert_eq!(store.take_once(a.id, "x", RunId(4)).await.unwrap(), OnceOutcome::TakenBy(Some(RunId(1))));
        let status = store.status(true).await.unwrap();
        assert_eq!(status.zaps[0].ledger, Some(status.zaps[0].sum()));
    });
}

/// Its writes still count towards the limit, and tell of nobody.
#[test]
fn a_run_that_went_leaves_nobody_behind() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let other = event_of("new_sale", "2", vec![target(&a, Fate::Fire)]);
        store.commit_page(page(vec![hers("new_sale", "1", &a), other])).await.unwrap();
        ended(&store, 1, RunState::Delivered).await;
        assert_eq!(store.prune(at(401), 9).await.unwrap(), 1);
        store.scrub().await.unwrap();
        assert_eq!(holds(&path, EMAIL), [""; 0]);
        let next = Spend {
            run: RunId(2),
            step: "sale".to_owned(),
            element: None,
            writes_per_hour: Some(1),
            money: None,
            at: at(350),
        };
        assert_eq!(store.spend(next).await, Ok(Spent::Over(Brake::Writes)));
    });
}

/// Neither a backfill nor a dry run takes somebody for news who was forgotten.
#[test]
fn who_was_forgotten_is_not_sent_later() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let mut primed = hers("webhook", EMAIL, &a);
        primed.targets = vec![target(&a, Fate::Prime)];
        store.commit_page(page(vec![primed])).await.unwrap();
        store.carry_out(erase(&[]), at(500)).await.unwrap();
        let ids = || vec![EMAIL.to_owned()];
        assert_eq!(store.without_run(a.id, "webhook", ids()).await.unwrap(), [""; 0]);
        let days = (date(2026, 1, 1), date(2026, 1, 2));
        let backfill = store.place_backfill(a.id, days.0, days.1, at(500)).await.unwrap();
        let step = BackfillStep { id: backfill.id, query: "q".to_owned(), rows: 1, next: None };
        let again = page(vec![hers("webhook", EMAIL, &a)]);
        let done = store.commit_part(again.clone(), Part::Backfill(step)).await.unwrap();
        assert_eq!((done.fired, done.known), (0, 1));
        let copy = SqliteStore::copy_in_memory(&path).unwrap();
        assert_eq!(copy.unknown(a.id, "webhook", ids()).await.unwrap(), [""; 0]);
        assert_eq!(copy.commit_page(again).await.unwrap().known, 1);
    });
}

/// Space of what went is used again: the file does not grow with time.
#[test]
fn space_is_used_again() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let mut sizes = Vec::new();
        for round in 0..6 {
            let ids = (0..200).map(|n| format!("{round}-{n}"));
            let large = |id: String| NewEvent {
                record: Bytes::from(format!("{{\"x\":\"{}\"}}", "y".repeat(2_000))),
                ..event_of("new_sale", &id, vec![target(&a, Fate::Fire)])
            };
            store.commit_page(page(ids.map(large).collect())).await.unwrap();
            for run in store.claim(a.id, at(999), 1_000, Vec::new()).await.unwrap() {
                store.update_run(update(run.id, RunState::Delivered)).await.unwrap();
            }
            while store.prune(at(500), 64).await.unwrap() == 64 {}
            store.scrub().await.unwrap();
            sizes.push(std::fs::metadata(&path).unwrap().len());
        }
        assert!(sizes[5] < sizes[1] + sizes[1] / 2, "{sizes:?}");
    });
}

#[test]
fn a_value_is_found_wherever_it_occurs() {
    let (_folder, path) = place();
    let store = open(&path);
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let b = store.open_zap(identity("b")).await.unwrap();
        let mut primed = hers("new_sale", "0", &a);
        primed.targets = vec![target(&a, Fate::Prime), target(&b, Fate::PrimeUndated)];
        let mut both = hers("new_sale", "1", &a);
        both.targets.push(target(&b, Fate::Fire));
        let other = event_of("new_sale", "2", vec![target(&a, Fate::Fire)]);
        store.commit_page(page(vec![primed, both, other])).await.unwrap();
        let mut answered = update(RunId(3), RunState::Delivered);
        answered.steps = vec![zaprun_engine::ports::StepRecord {
            reply: Some(Bytes::from_static(b"{\"orderId\":\"MADE1\"}")),
            ..step("s")
        }];
        store.update_run(answered).await.unwrap();
        store.update_run(update(RunId(1), RunState::Delivered)).await.unwrap();
        store.prune(at(401), 1).await.unwrap();
        let reader = SqliteStore::open_reader(&path).unwrap();
        let fates = |entries: Vec<zaprun_store::Entry>| {
            let told = |entry: zaprun_store::Entry| match entry.fate {
                EntryFate::Run(run) => format!("{} run {}", entry.zap, run.id),
                EntryFate::Pruned(run) => format!("{} pruned {run}", entry.zap),
                EntryFate::Primed => format!("{} primed", entry.zap),
                EntryFate::Undated => format!("{} undated", entry.zap),
            };
            entries.into_iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(fates(reader.entries("0").await.unwrap()), ["b undated", "a primed"]);
        assert_eq!(fates(reader.entries("1").await.unwrap()), ["a pruned 1", "b run 2"]);
        // Run 2 shares the event of the one that is gone.
        let window = reader.window("ada.lovelace@EXAMPLE.test", None, 100).await.unwrap();
        assert_eq!((window.runs, window.next), (vec![RunId(2)], None));
        assert_eq!(reader.window("MADE1", None, 100).await.unwrap().runs, [RunId(3)]);
        let first = reader.window(EMAIL, None, 1).await.unwrap();
        assert_eq!((first.runs, first.next), (vec![], Some(RunId(2))));
        assert_eq!(store.status(false).await.unwrap().zaps[0].count(RunState::Delivered), 1);
    });
}
