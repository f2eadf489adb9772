//! Backfills as another program asks for them, and what becomes of primed entries.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{at, event, identity, page, target, wait};
use jiff::civil::date;
use tempfile::TempDir;
use zaprun_engine::ports::{
    BackfillStep, Counts, Fate, History, OnceOutcome, Part, RunId, RunState, Store, StoreError,
};
use zaprun_store::{Backfilling, Options, Placing, SqliteStore};

fn placed(placing: Placing) -> Backfilling {
    match placing {
        Placing::Placed(backfilling) => backfilling,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_program_asks_watches_and_stops() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open_engine(&path, &Options::default()).unwrap();
    let days = (date(2026, 1, 1), date(2026, 3, 31));
    wait(async {
        let ask = |name, selection| Backfilling::place(&path, (name, selection), days, at(500)).unwrap();
        assert!(matches!(ask("a", "s1"), Placing::NoZap));
        let a = store.open_zap(identity("a")).await.unwrap();
        assert!(matches!(ask("a", "s2"), Placing::OtherTrigger));
        let asked = placed(ask("a", "s1"));
        let twice = placed(ask("a", "s1"));
        assert_eq!(asked.progress().unwrap(), twice.progress().unwrap(), "the same days are one request");
        let next = store.next_backfill(vec![a.id]).await.unwrap().unwrap();
        assert_eq!((next.first, next.last, next.places.len()), (days.0, days.1, 0));
        let step =
            BackfillStep { id: next.id, query: "q".to_owned(), rows: 9, next: Some(date(2026, 1, 11)) };
        let news = page(vec![event("1", vec![target(&a, Fate::Fire)])]);
        store.commit_part(news.clone(), Part::Backfill(step.clone())).await.unwrap();
        let progress = asked.progress().unwrap();
        assert_eq!((progress.backfill.rows, progress.backfill.fired, progress.ended), (9, 1, false));
        assert_eq!(progress.backfill.place("q"), date(2026, 1, 11));
        assert_eq!(Backfilling::stop(&path, "a", at(600)).unwrap(), 1);
        assert_eq!(Backfilling::stop(&path, "a", at(600)).unwrap(), 0);
        let progress = asked.progress().unwrap();
        assert!(progress.ended && progress.stopped);
        let refused = store.commit_part(news, Part::Backfill(step)).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
        assert_eq!(store.next_backfill(vec![a.id]).await.unwrap(), None);
        let anew = placed(ask("a", "s1")).progress().unwrap();
        assert_eq!((anew.backfill.rows, anew.ended), (0, false), "it can be asked for again");
    });
}

#[test]
fn a_primed_entry_becomes_a_run_with_its_counts_and_its_value() {
    let store = SqliteStore::in_memory().unwrap();
    wait(async {
        let a = store.open_zap(identity("a")).await.unwrap();
        let primed = |fate, value: &str| {
            let mut target = target(&a, fate);
            target.once = Some(value.to_owned());
            vec![target]
        };
        let old = vec![
            event("dated", primed(Fate::Prime, "x")),
            event("undated", primed(Fate::PrimeUndated, "y")),
            event("left", primed(Fate::Prime, "z")),
        ];
        store.commit_page(page(old)).await.unwrap();
        let backfill = store.place_backfill(a.id, date(2026, 1, 1), date(2026, 1, 9), at(1)).await.unwrap();
        let step = || BackfillStep { id: backfill.id, query: "q".to_owned(), rows: 2, next: None };
        let again =
            || page(vec![event("dated", primed(Fate::Fire, "x")), event("undated", primed(Fate::Fire, "y"))]);
        let done = store.commit_part(again(), Part::Backfill(step())).await.unwrap();
        assert_eq!((done.fired, done.known), (2, 0));
        let done = store.commit_part(again(), Part::Backfill(step())).await.unwrap();
        assert_eq!((done.fired, done.known), (0, 2), "what has a run does not fire again");
        let done = store.commit_page(page(vec![event("left", primed(Fate::Fire, "z"))])).await.unwrap();
        assert_eq!((done.fired, done.known), (0, 1), "and no walk sends what was primed");
        let counts = Counts {
            runs: vec![("a".to_owned(), RunState::Pending, 2)],
            primed: vec![("a".to_owned(), 1)],
            ..Counts::default()
        };
        assert_eq!(store.counts().await.unwrap(), counts);
        assert_eq!(store.recount().await.unwrap(), counts);
        assert_eq!(store.take_once(a.id, "x", RunId(1)).await.unwrap(), OnceOutcome::Taken);
        assert_eq!(store.take_once(a.id, "z", RunId(1)).await.unwrap(), OnceOutcome::TakenBy(None));
    });
}
