//! The store against its model, through crashes, second engines and take-overs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod model;

use common::{at, wait};
use model::{
    COMMANDS, FATES, KINDS, Model, More, NAMES, Step, all_ids, begun, command, days, off_zap, open_zap,
    serial_of, spend_of, swept, told, zap_id,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::fmt::Debug;
use std::path::PathBuf;
use tempfile::TempDir;
use zaprun_engine::ports::{BackfillId, History, RunId, Store, StoreError};
use zaprun_store::{Asked, Options, SqliteStore};

/// Steps mostly meet on the first few runs.
const WORKED_ON: i64 = 4;
/// So many different orders occur.
const ORDERS: u8 = 2;

struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        let named = (0..NAMES.len(), option::weighted(0.3, 0..NAMES.len()));
        let open = (named.clone(), 0..3u8, 0..2u8, any::<bool>(), 100..450i64).prop_map(
            |((name, formerly), selection, content, strict, now)| Step::OpenZap {
                name,
                formerly,
                selection,
                content,
                strict,
                now,
            },
        );
        let off =
            (named, 100..450i64).prop_map(|((name, formerly), now)| Step::SwitchOff { name, formerly, now });
        if model.zaps() == 0 {
            return open.boxed();
        }
        let zap = 0..model.zaps();
        // At times one that is not there.
        let run = prop_oneof![4 => 1..=model.runs().clamp(1, WORKED_ON), 1 => 0..=model.runs() + 1].boxed();
        let busy = btree_set(run.clone(), 0..3);
        let runs = vec(run.clone(), 1..3);
        let target = (zap.clone(), 0..u8::try_from(FATES.len()).unwrap(), option::of(0..2u8), any::<bool>());
        let event = (0..KINDS.len(), 0..4u8, option::of(0..ORDERS), 0..2u32, vec(target, 0..3));
        let cursor = (zap.clone(), 0..2u8, 100..1_000i64);
        let backfill = (0..=model.backfills() + 1).boxed();
        prop_oneof![
            3 => open,
            2 => off,
            1 => zap.clone().prop_map(|zap| Step::TellAbsences { zap }),
            8 => (vec(event.clone(), 0..5), vec(cursor, 0..3))
                .prop_map(|(events, cursors)| Step::Commit { events, cursors }),
            6 => (vec(event, 0..5), option::weighted(0.7, backfill.clone()), any::<bool>())
                .prop_map(|(events, backfill, last)| Step::Part { events, backfill, last }),
            2 => (zap.clone(), 0..KINDS.len()).prop_map(|(zap, kind)| Step::WithoutRun { zap, kind }),
            3 => (zap.clone(), 0..2i8).prop_map(|(zap, days)| Step::Place { zap, days }),
            2 => zap.clone().prop_map(|zap| Step::NextBackfill { zap }),
            1 => backfill.prop_map(|backfill| Step::EndBackfill { backfill }),
            1 => (0..2u8, 0..9u64).prop_map(|(query, late)| Step::KeepSwept { query, late }),
            2 => (zap.clone(), 0..KINDS.len()).prop_map(|(zap, kind)| Step::Unknown { zap, kind }),
            5 => (zap.clone(), 250..450i64, 0..6usize, busy.clone())
                .prop_map(|(zap, now, limit, busy)| Step::Claim { zap, now, limit, busy }),
            2 => busy.clone().prop_map(|busy| Step::NextDue { busy }),
            10 => (run.clone(), option::weighted(0.8, option::weighted(0.8, 0..2u8)))
                .prop_map(|(run, write)| Step::Begin { run, write }),
            6 => spend(run.clone()),
            2 => (0..ORDERS, option::of(0..2u8)).prop_map(|(order, serial)| Step::Own { order, serial }),
            12 => (run.clone(), 0..4u8, 250..450i64, 0..3usize, more())
                .prop_map(|(run, state, due, steps, more)| Step::Update { run, state, due, steps, more }),
            3 => (runs.clone(), 0..COMMANDS).prop_map(|(runs, what)| Step::Ask { runs, what }),
            3 => (250..450i64, busy).prop_map(|(now, busy)| Step::Obey { now, busy }),
            6 => (runs, 0..COMMANDS).prop_map(|(runs, what)| Step::CarryOut { runs, what }),
            2 => (zap, 0..2u8, run.clone()).prop_map(|(zap, value, run)| Step::TakeOnce { zap, value, run }),
            1 => run.prop_map(|run| Step::Detail { run }),
            2 => (390..520i64, 0..4usize).prop_map(|(before, most)| Step::Prune { before, most }),
            2 => Just(Step::Counts),
            2 => Just(Step::Crash),
            1 => Just(Step::SecondEngine),
            1 => Just(Step::TakeOver),
        ]
        .boxed()
    }

    fn apply(model: Model, step: &Step) -> Model {
        model.apply(step)
    }

    /// Shrinking may remove what made a zap known.
    fn preconditions(model: &Model, step: &Step) -> bool {
        let known = |zap: usize| zap < model.zaps();
        match step {
            Step::Commit { events, cursors } => {
                events.iter().all(|(.., targets)| targets.iter().all(|(zap, ..)| known(*zap)))
                    && cursors.iter().all(|(zap, ..)| known(*zap))
            }
            Step::Part { events, .. } => {
                events.iter().all(|(.., targets)| targets.iter().all(|(zap, ..)| known(*zap)))
            }
            Step::TellAbsences { zap }
            | Step::Unknown { zap, .. }
            | Step::WithoutRun { zap, .. }
            | Step::Place { zap, .. }
            | Step::NextBackfill { zap }
            | Step::Claim { zap, .. }
            | Step::TakeOnce { zap, .. } => known(*zap),
            _ => true,
        }
    }
}

fn spend(run: impl Strategy<Value = i64>) -> impl Strategy<Value = Step> {
    let price = (0..2u8, option::weighted(0.9, 0..4u32), 1..9u32);
    let unit = (run, 0..2u8, option::of(0..2u8));
    (unit, option::weighted(0.7, 1..4u32), option::weighted(0.6, price), 250..9_000i64).prop_map(
        |((run, step, element), most, cost, now)| Step::Spend { run, step, element, most, cost, now },
    )
}

fn more() -> impl Strategy<Value = More> {
    let touch = option::weighted(0.6, (0..ORDERS, any::<bool>(), 0..5u32));
    let rarely = || prop::bool::weighted(0.2);
    (touch, option::weighted(0.4, any::<bool>()), rarely(), rarely())
        .prop_map(|(touch, keep, failing, fresh)| More { touch, keep, failing, fresh })
}

struct Real {
    folder: TempDir,
    store: Option<SqliteStore>,
    before: Model,
}

impl Real {
    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_engine(&self.path(), &Options::default())
    }

    fn step(&mut self, step: &Step) -> String {
        match step {
            Step::Crash => {
                // Dropped without closing: what a dying process leaves, but for its unfinished orders.
                self.store = None;
                self.store = Some(self.open().unwrap());
                return String::new();
            }
            Step::Ask { runs, what } => {
                let asked = Asked::place(&self.path(), &[command(runs, *what)], at(450)).unwrap();
                assert_eq!(asked.answered(), Ok(0));
                return String::new();
            }
            Step::SecondEngine => {
                assert!(matches!(self.open(), Err(StoreError::Busy { holder: Some(_), .. })));
                return String::new();
            }
            Step::TakeOver => {
                std::fs::remove_file(self.folder.path().join("state.db.lock")).unwrap();
                let second = self.open().unwrap();
                let first = self.store.replace(second).unwrap();
                wait(async {
                    assert_eq!(first.counts().await.unwrap_err(), StoreError::Fenced);
                    assert_eq!(
                        first.commit_page(common::page(Vec::new())).await.unwrap_err(),
                        StoreError::Fenced
                    );
                });
                return String::new();
            }
            _ => {}
        }
        wait(ask(self.store.as_ref().unwrap(), step, &self.before))
    }
}

async fn ask(store: &SqliteStore, step: &Step, before: &Model) -> String {
    let run_ids = |busy: &std::collections::BTreeSet<i64>| busy.iter().map(|id| RunId(*id)).collect();
    match step {
        Step::OpenZap { .. } => said(store.open_zap(open_zap(step).unwrap()).await),
        Step::SwitchOff { .. } => said(store.switched_off(off_zap(step).unwrap()).await),
        Step::TellAbsences { zap } => {
            let absences = store.absences(zap_id(*zap)).await.unwrap();
            store.absences_told(zap_id(*zap), absences.clone()).await.unwrap();
            format!("{absences:?}")
        }
        Step::Commit { .. } => said(store.commit_page(before.page(step).unwrap()).await),
        Step::Part { .. } => {
            said(store.commit_part(before.page(step).unwrap(), before.part_of(step).unwrap()).await)
        }
        Step::WithoutRun { zap, kind } => {
            said(store.without_run(zap_id(*zap), KINDS[*kind], all_ids()).await)
        }
        Step::Place { zap, days: number } => {
            let (first, last) = days(*number);
            said(store.place_backfill(zap_id(*zap), first, last, at(500)).await)
        }
        Step::NextBackfill { zap } => said(store.next_backfill(vec![zap_id(*zap)]).await),
        Step::EndBackfill { backfill } => said(store.end_backfill(BackfillId(*backfill), at(500)).await),
        Step::KeepSwept { query, late } => {
            let swept = swept(*query, *late);
            store.keep_swept(swept.clone()).await.unwrap();
            said(store.swept(&swept.connection, &swept.query).await)
        }
        Step::Unknown { zap, kind } => said(store.unknown(zap_id(*zap), KINDS[*kind], all_ids()).await),
        Step::Claim { zap, now, limit, busy } => {
            said(store.claim(zap_id(*zap), at(*now), *limit, run_ids(busy)).await)
        }
        Step::NextDue { busy } => said(store.next_due(before.zap_ids(), run_ids(busy)).await),
        Step::Begin { run, write } => said(store.begin_attempt(RunId(*run), begun(*write)).await),
        Step::Spend { .. } => said(store.spend(spend_of(step).unwrap()).await),
        Step::Own { order, serial } => said(store.own(&order.to_string(), serial_of(*serial)).await),
        Step::Update { .. } => said(store.update_run(before.update_of(step).unwrap()).await),
        Step::Obey { now, busy } => said(store.obey(at(*now), run_ids(busy)).await),
        Step::CarryOut { runs, what } => said(store.carry_out(command(runs, *what), at(500)).await),
        Step::TakeOnce { zap, value, run } => {
            said(store.take_once(zap_id(*zap), &value.to_string(), RunId(*run)).await)
        }
        Step::Detail { run } => {
            let detail = store.run(RunId(*run)).await.unwrap();
            format!("{:?}", detail.map(told))
        }
        Step::Prune { before, most } => format!("{}", store.prune(at(*before), *most).await.unwrap()),
        Step::Counts => {
            let counts = store.counts().await.unwrap();
            assert_eq!(store.recount().await.unwrap(), counts);
            let sweeps = store.sweeps().await.unwrap();
            for (at, zap) in before.zap_ids().into_iter().enumerate() {
                assert_eq!(store.pending(zap).await, Ok(before.pending(at)));
            }
            for zap in store.status(true).await.unwrap().zaps {
                assert_eq!(zap.ledger, Some(zap.sum()), "{zap:?}");
            }
            format!("{counts:?} {sweeps:?}")
        }
        Step::Ask { .. } | Step::Crash | Step::SecondEngine | Step::TakeOver => String::new(),
    }
}

fn said<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Refused { .. }) => "refused".to_owned(),
        Err(other) => format!("unexpected: {other:?}"),
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Real;
    type Reference = Reference;

    fn init_test(model: &Model) -> Real {
        let mut real = Real { folder: TempDir::new().unwrap(), store: None, before: model.clone() };
        real.store = Some(real.open().unwrap());
        real
    }

    fn apply(mut real: Real, after: &Model, step: Step) -> Real {
        assert_eq!(real.step(&step), after.answer, "after {step:?}");
        real.before = after.clone();
        real
    }

    /// Whatever the last step was about: nothing else has changed.
    fn check_invariants(real: &Real, model: &Model) {
        let store = real.store.as_ref().unwrap();
        wait(async {
            for run in 1..=model.runs().min(WORKED_ON) {
                let detail = store.run(RunId(run)).await.unwrap().map(told);
                assert_eq!(detail, model.detail(run), "run {run}");
            }
            for order in 0..ORDERS {
                let (order, serial) = (order.to_string(), serial_of(Some(order)));
                assert_eq!(store.own(&order, serial.clone()).await, Ok(model.own(&order, serial)));
            }
        });
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_store_does_what_its_model_does(sequential 1..60 => Real);
}
