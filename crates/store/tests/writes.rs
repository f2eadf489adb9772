//! What the port promises of writes to the CRM: open attempts, zaprun's own orders, and a person's word on them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use bytes::Bytes;
use common::{at, event, event_of, identity, page, resolve, step, target, update, wait, write_of};
use zaprun_engine::ports::{
    Begun, Fate, History, NewEvent, OnceOutcome, Own, PageCommitted, Resolution, RunId, RunReason, RunState,
    StepOutcome, Store, Target, Touched, ZapState,
};
use zaprun_store::SqliteStore;

/// A state with a zap and so many pending runs.
async fn with_runs(runs: i64) -> (SqliteStore, ZapState) {
    let store = SqliteStore::in_memory().unwrap();
    let a = store.open_zap(identity("a")).await.unwrap();
    let events = (1..=runs).map(|n| event(&n.to_string(), vec![target(&a, Fate::Fire)])).collect();
    store.commit_page(page(events)).await.unwrap();
    (store, a)
}

#[test]
fn what_is_known_of_a_write_comes_back_as_it_was() {
    wait(async {
        let (store, a) = with_runs(1).await;
        let claimed = async || store.claim(a.id, at(999), 9, Vec::new()).await.unwrap().remove(0);
        let mut attempt = write_of("sale", Some("crm/12/ada"));
        store.begin_attempt(RunId(1), attempt.clone()).await.unwrap();
        assert_eq!(claimed().await.begun, Some(attempt.clone()));
        // A look has seen something, and the run waits for the next one.
        attempt.write.as_mut().unwrap().looked = Some(("two orders".to_owned(), at(360)));
        let mut waits = update(RunId(1), RunState::Pending);
        waits.reason = RunReason { word: "uncertain".to_owned(), detail: "nothing is to be seen".to_owned() };
        waits.begun = Some(attempt.clone());
        store.update_run(waits.clone()).await.unwrap();
        let run = claimed().await;
        assert_eq!((run.begun, run.reason), (Some(attempt.clone()), waits.reason.clone()));
        // Nothing has left yet: between a lead and its sale only the serial is held.
        let mut reserved = attempt;
        let write = reserved.write.as_mut().unwrap();
        (write.params, write.before, write.looked) = (Vec::new(), None, None);
        waits.begun = Some(reserved.clone());
        store.update_run(waits).await.unwrap();
        assert_eq!(claimed().await.begun, Some(reserved.clone()));
        assert_eq!(store.run(RunId(1)).await.unwrap().unwrap().begun, Some(reserved));
        store.update_run(update(RunId(1), RunState::Delivered)).await.unwrap();
        assert_eq!(store.run(RunId(1)).await.unwrap().unwrap().begun, None);
    });
}

#[test]
fn writes_of_one_serial_wait_for_each_other() {
    wait(async {
        let (store, _) = with_runs(3).await;
        let begin = async |run: i64, serial: Option<&str>| {
            store.begin_attempt(RunId(run), write_of("sale", serial)).await.unwrap()
        };
        assert_eq!(begin(1, Some("ada")).await, Begun::Yes);
        assert_eq!(begin(1, Some("ada")).await, Begun::Yes, "it does not wait for itself");
        assert_eq!(begin(2, Some("ada")).await, Begun::Waits(RunId(1)));
        assert_eq!(store.run(RunId(2)).await.unwrap().unwrap().begun, None, "nothing was recorded");
        assert_eq!(begin(2, Some("grace")).await, Begun::Yes);
        assert_eq!(begin(3, None).await, Begun::Yes);
        let open = Own { made: false, sold: false, open: true };
        assert_eq!(store.own("o1", Some("ada".to_owned())).await.unwrap(), open);
        assert_eq!(store.own("o1", Some("bob".to_owned())).await.unwrap(), Own::default());
        assert_eq!(store.own("o1", None).await.unwrap(), Own::default(), "no serial is no other's serial");
        // Held, its outcome is still open.
        let mut held = update(RunId(1), RunState::Held);
        held.begun = Some(write_of("sale", Some("ada")));
        store.update_run(held).await.unwrap();
        assert_eq!(begin(3, Some("ada")).await, Begun::Waits(RunId(1)));
        assert_eq!(store.carry_out(resolve(RunId(1), Resolution::Done), at(500)).await.unwrap().done, 1);
        assert_eq!(begin(3, Some("ada")).await, Begun::Yes);
    });
}

#[test]
fn one_serial_in_common_is_enough_to_wait() {
    wait(async {
        let (store, a) = with_runs(3).await;
        let attempt = |serials: &[&str]| {
            let mut attempt = write_of("sale", None);
            attempt.write.as_mut().unwrap().serials = serials.iter().map(|text| (*text).to_owned()).collect();
            attempt
        };
        let begin = async |run: i64, serials: &[&str]| {
            store.begin_attempt(RunId(run), attempt(serials)).await.unwrap()
        };
        assert_eq!(begin(1, &["ada", "order 1"]).await, Begun::Yes);
        assert_eq!(begin(2, &["order 2"]).await, Begun::Yes);
        assert_eq!(begin(2, &["ada", "order 2"]).await, Begun::Waits(RunId(1)));
        assert_eq!(begin(3, &["order 2"]).await, Begun::Waits(RunId(2)), "who must wait keeps what it has");
        assert_eq!(begin(1, &["ada"]).await, Begun::Yes, "what it holds now takes the place of what it held");
        assert_eq!(begin(3, &["order 1"]).await, Begun::Yes);
        let claimed = store.claim(a.id, at(999), 9, Vec::new()).await.unwrap();
        let held: Vec<_> = claimed.into_iter().map(|run| run.begun.unwrap().write.unwrap().serials).collect();
        assert_eq!(held, [["ada"], ["order 2"], ["order 1"]]);
    });
}

/// A process that ends while it looks has sent nothing; whoever sells to the buyer next need not wait for its zap.
#[test]
fn what_was_held_for_a_look_is_given_back_at_the_next_start() {
    wait(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zaprun.db");
        let open = || SqliteStore::open_engine(&path, &zaprun_store::Options::default()).unwrap();
        let store = open();
        let a = store.open_zap(identity("a")).await.unwrap();
        let events = (1..=5).map(|n| event(&n.to_string(), vec![target(&a, Fate::Fire)])).collect();
        store.commit_page(page(events)).await.unwrap();
        let held = |serial: &str| {
            let mut held = write_of("sale", Some(serial));
            let write = held.write.as_mut().unwrap();
            (write.params, write.before) = (Vec::new(), None);
            held
        };
        store.begin_attempt(RunId(1), held("looks")).await.unwrap();
        // Between a lead and its sale.
        let mut lead = update(RunId(2), RunState::Pending);
        lead.steps = vec![step("sale.lead")];
        lead.begun = Some(held("has a lead"));
        store.update_run(lead).await.unwrap();
        store.begin_attempt(RunId(3), write_of("sale", Some("has left"))).await.unwrap();
        store.close().await.unwrap();
        let store = open();
        let begin = async |run: i64, serial: &str| {
            store.begin_attempt(RunId(run), write_of("sale", Some(serial))).await.unwrap()
        };
        assert_eq!(store.run(RunId(1)).await.unwrap().unwrap().begun, None);
        assert_eq!(begin(4, "looks").await, Begun::Yes);
        assert_eq!(begin(5, "has a lead").await, Begun::Waits(RunId(2)));
        assert_eq!(begin(5, "has left").await, Begun::Waits(RunId(3)));
    });
}

#[test]
fn orders_of_zapruns_own_are_known_again() {
    wait(async {
        let (store, a) = with_runs(2).await;
        let touch = async |run: i64, order: &str, made: bool, depth: u32| {
            let mut done = update(RunId(run), RunState::Pending);
            done.touched = vec![Touched { order: order.to_owned(), made, sold: order == "changed", depth }];
            store.update_run(done).await.unwrap();
        };
        touch(1, "changed", false, 1).await;
        touch(1, "made", true, 2).await;
        // Neither is forgotten.
        touch(2, "made", false, 1).await;
        assert_eq!(store.own("made", None).await.unwrap(), Own { made: true, sold: false, open: false });
        let sold = Own { made: false, sold: true, open: false };
        assert_eq!(store.own("changed", None).await.unwrap(), sold);
        let of_order = |kind: &str, order: &str, own: bool, depth: u32| {
            let targets = vec![Target { own, once: Some("v".to_owned()), ..target(&a, Fate::Fire) }];
            NewEvent {
                order: Some(order.to_owned()),
                depth,
                context: Some(Bytes::from_static(b"{\"headers\":{}}")),
                ..event_of(kind, order, targets)
            }
        };
        let events = vec![
            of_order("new_lead", "made", false, 0),
            of_order("new_lead", "changed", false, 0),
            of_order("new_sale", "made", true, 0),
            of_order("refund", "changed", true, 7),
            of_order("new_lead", "strange", false, 0),
        ];
        let done = store.commit_page(page(events)).await.unwrap();
        assert_eq!(done, PageCommitted { fired: 4, primed: 1, ..PageCommitted::default() });
        // The lead that it made is primed, with what a primed row takes; it comes no second time.
        assert!(store.unknown(a.id, "new_lead", vec!["made".to_owned()]).await.unwrap().is_empty());
        assert_eq!(store.take_once(a.id, "v", RunId(3)).await.unwrap(), OnceOutcome::TakenBy(None));
        let mut depths = Vec::new();
        for run in 3..=6 {
            let run = store.run(RunId(run)).await.unwrap().unwrap();
            assert_eq!(run.event.context.as_deref(), Some(&b"{\"headers\":{}}"[..]));
            depths.push((run.summary.event.to_string(), run.depth));
        }
        let expected =
            [("new_lead:changed", 1), ("new_sale:made", 2), ("refund:changed", 7), ("new_lead:strange", 0)];
        assert_eq!(depths, expected.map(|(event, depth)| (event.to_owned(), depth)));
        assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
    });
}

#[test]
fn the_record_read_again_and_the_reason_to_fail_stay_with_the_run() {
    wait(async {
        let (store, a) = with_runs(1).await;
        let claimed = async || store.claim(a.id, at(999), 9, Vec::new()).await.unwrap().remove(0);
        let mut settled = update(RunId(1), RunState::Pending);
        settled.fresh = Some(Bytes::from_static(b"{\"orderId\":\"1\",\"items\":{}}"));
        store.update_run(settled.clone()).await.unwrap();
        let why = RunReason { word: "declined".to_owned(), detail: "do not honor".to_owned() };
        let mut fails = update(RunId(1), RunState::Pending);
        fails.failing = Some(why.clone());
        store.update_run(fails).await.unwrap();
        let run = claimed().await;
        assert_eq!((run.fresh, run.failing), (settled.fresh.clone(), Some(why.clone())));
        assert_eq!(&run.event.record[..], b"{\"orderId\":\"1\"}");
        let told = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((told.fresh, told.failing), (settled.fresh.clone(), Some(why)));
        store.update_run(update(RunId(1), RunState::Dead)).await.unwrap();
        let told = store.run(RunId(1)).await.unwrap().unwrap();
        assert_eq!((told.fresh, told.failing), (settled.fresh, None), "a person sees what was mapped");
    });
}

#[test]
fn a_person_settles_the_open_step_of_a_held_run() {
    wait(async {
        for (word, outcome) in
            [(Resolution::Done, StepOutcome::Done), (Resolution::Failed, StepOutcome::Failed)]
        {
            let (store, a) = with_runs(1).await;
            let mut held = update(RunId(1), RunState::Held);
            held.steps = vec![step("before")];
            held.begun = Some(write_of("sale", Some("ada")));
            (held.attempts, held.retrying_since) = (2, Some(at(320)));
            store.update_run(held).await.unwrap();
            assert_eq!(store.run(RunId(1)).await.unwrap().unwrap().summary.due_at, None);
            assert_eq!(store.carry_out(resolve(RunId(1), word), at(500)).await.unwrap().done, 1);
            let run = store.claim(a.id, at(500), 9, Vec::new()).await.unwrap().remove(0);
            assert_eq!((run.begun, run.failing), (None, None));
            // Its failures do not count for the next step, and that one reads what came before.
            assert_eq!((run.attempts, run.retrying_since), (0, None));
            assert!(run.steps[0].response.is_some());
            let sale = &run.steps[1];
            assert_eq!(
                (sale.step.as_str(), sale.outcome, sale.attempts, sale.at),
                ("sale", outcome, 3, at(500))
            );
            assert_eq!(
                store.carry_out(resolve(RunId(1), word), at(501)).await.unwrap().done,
                0,
                "it is not held any more"
            );
            // What follows is kept behind it.
            let mut end = update(RunId(1), RunState::Delivered);
            end.steps = vec![step("after")];
            store.update_run(end).await.unwrap();
            let run = store.run(RunId(1)).await.unwrap().unwrap();
            assert_eq!(
                run.steps.iter().map(|s| s.step.as_str()).collect::<Vec<_>>(),
                ["before", "sale", "after"]
            );
            assert_eq!(store.recount().await.unwrap(), store.counts().await.unwrap());
        }
        let nothing = SqliteStore::in_memory().unwrap();
        let answer = nothing.carry_out(resolve(RunId(1), Resolution::Done), at(500)).await.unwrap();
        assert_eq!(answer.refused[0].why, "there is no such run");
    });
}

#[test]
fn a_run_held_without_an_open_step_goes_on_or_is_given_up() {
    wait(async {
        let (store, a) = with_runs(3).await;
        let declined = RunReason { word: "declined".to_owned(), detail: "do not honor".to_owned() };
        for run in 1..=3 {
            let mut held = update(RunId(run), RunState::Held);
            held.reason = RunReason { word: "chain".to_owned(), detail: "4 writes".to_owned() };
            // The last one was to be dead before.
            held.failing = (run == 3).then(|| declined.clone());
            store.update_run(held).await.unwrap();
        }
        store.carry_out(resolve(RunId(1), Resolution::Done), at(500)).await.unwrap();
        store.carry_out(resolve(RunId(2), Resolution::Failed), at(500)).await.unwrap();
        store.carry_out(resolve(RunId(3), Resolution::Failed), at(500)).await.unwrap();
        let runs = store.claim(a.id, at(500), 9, Vec::new()).await.unwrap();
        let given_up = RunReason { word: "chain".to_owned(), detail: "given up by a person".to_owned() };
        assert_eq!(
            runs.iter().map(|run| run.failing.clone()).collect::<Vec<_>>(),
            [None, Some(given_up), Some(declined)]
        );
        assert!(runs.iter().all(|run| run.steps.is_empty() && run.reason.word == "queued"));
    });
}
