//! Several runs that sell to one buyer: no look of one is outdated by another's write.

use super::desk::Fate;
use super::kit::World;
use super::writes::SALE;
use crate::ports::{RunState, StepOutcome};
use crate::testing::{MemoryRun, Moment};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// A sale that charges what the customer has on file.
const ON_FILE: &str = r#"
name: on-file
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    map: { campaignId: "12", paySource: ACCTONFILE, customerId: $.custom1, product1_id: "1" }
"#;

/// A sale of a lead that is there already.
const NAMED: &str = r#"
name: named
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    map: { campaignId: "12", orderId: $.custom2, billShipSame: true, product1_id: "1" }
"#;

const HOUR: Duration = Duration::from_secs(3_600);

/// A world in which `b0@example.com` is customer 70 and has the lead `L0`, and so on.
fn world() -> World {
    let world = World::new(&[SALE, ON_FILE, NAMED]);
    for buyer in 0..2 {
        let email = format!("b{buyer}@example.com");
        world.desk.customer(&format!("7{buyer}"), &email);
        world.desk.lead(&format!("L{buyer}"), &email);
    }
    world
}

/// A run that sells to a buyer by way of a zap.
fn sell(world: &World, zap: usize, run: &str, buyer: usize) {
    let record = json!({
        "orderId": run, "orderType": "NEW_SALE", "orderStatus": "COMPLETE", "firstName": "Ann",
        "emailAddress": format!("b{buyer}@example.com"), "custom1": format!("7{buyer}"), "custom2": format!("L{buyer}"),
    });
    world.records(zap, &[record]);
}

fn charges(world: &World, buyer: usize) -> usize {
    let email = format!("b{buyer}@example.com");
    world.desk.orders().values().filter(|order| order.email == email).map(|order| order.charges.len()).sum()
}

/// The order that a delivered run says it has sold.
fn sold(run: &MemoryRun) -> String {
    let step =
        run.steps.iter().find(|step| step.step == "sell" && step.outcome == StepOutcome::Done).unwrap();
    let reply: serde_json::Value = serde_json::from_slice(step.reply.as_ref().unwrap()).unwrap();
    reply["orderId"].as_str().unwrap().to_owned()
}

fn seconds(times: &[u64]) -> impl DoubleEndedIterator<Item = Duration> + use<> {
    times.iter().copied().map(Duration::from_secs).collect::<Vec<_>>().into_iter()
}

/// Both look before either has sold; the second waits for its turn until the first is through.
#[test]
fn a_look_is_not_older_than_the_sale_of_another_run() {
    for zap in [1, 2] {
        let mut world = world();
        world.desk.at_once(1);
        world.desk.takes(seconds(&[1; 60]));
        sell(&world, zap, "A", 0);
        sell(&world, zap, "B", 0);
        world.for_long(HOUR);
        assert_eq!(world.desk.sold_twice(), 0, "{zap}");
        let orders: BTreeSet<String> = ["A", "B"]
            .iter()
            .map(|id| world.run(id))
            .filter(|run| run.state == RunState::Delivered)
            .map(|run| sold(&run))
            .collect();
        // A lead is sold once; what is on file can be charged for each of two requests.
        assert_eq!(orders.len(), if zap == 2 { 1 } else { 2 }, "{zap}");
        assert_eq!(charges(&world, 0), orders.len(), "{zap}");
    }
}

/// A sale whose answer is lost does not take another's order for its own.
#[test]
fn a_sale_that_never_happened_is_not_reported_as_delivered() {
    for others in [[1, 1], [0, 1], [1, 0], [2, 1], [1, 2], [0, 2], [2, 0]] {
        for lost in [[Fate::Lost, Fate::Done], [Fate::Done, Fate::Lost], [Fate::AnswerLost, Fate::Lost]] {
            let mut world = world();
            world.desk.at_once(1);
            world.desk.takes(seconds(&[1; 60]));
            world.desk.fates(&lost);
            for (run, zap) in ["A", "B"].into_iter().zip(others) {
                sell(&world, zap, run, 0);
            }
            world.for_long(2 * HOUR);
            truth(&world, &["A", "B"].map(|run| (run.to_owned(), 0))).unwrap();
        }
    }
}

/// Where nothing tells that two runs sell to one buyer, at least no order is claimed by both: a person decides.
#[test]
fn an_order_is_one_runs_even_where_nobody_knows_the_buyer() {
    let mut held = 0;
    for zaps in [[0, 1], [1, 0]] {
        for lost in [[Fate::Lost, Fate::Done], [Fate::Done, Fate::Lost]] {
            let mut world = world();
            world.desk.hide_buyers();
            world.desk.at_once(1);
            world.desk.takes(seconds(&[1; 60]));
            world.desk.fates(&lost);
            for (run, zap) in ["A", "B"].into_iter().zip(zaps) {
                sell(&world, zap, run, 0);
            }
            world.for_long(2 * HOUR);
            let runs = ["A", "B"].map(|id| world.run(id));
            let delivered: Vec<String> =
                runs.iter().filter(|run| run.state == RunState::Delivered).map(sold).collect();
            let distinct: BTreeSet<&String> = delivered.iter().collect();
            assert_eq!(distinct.len(), delivered.len(), "{zaps:?} {lost:?} {delivered:?}");
            held += runs.iter().filter(|run| run.state == RunState::Held).count();
        }
    }
    assert!(held > 0, "it was never in doubt");
}

/// What must hold once all is quiet.
fn truth(world: &World, runs: &[(String, usize)]) -> Result<(), TestCaseError> {
    prop_assert_eq!(world.desk.sold_twice(), 0, "an order was sold that was sold already");
    let mut orders = BTreeSet::new();
    let mut delivered = [0_usize; 2];
    for (id, buyer) in runs {
        let run = world.run(id);
        prop_assert!(
            matches!(run.state, RunState::Delivered | RunState::Dead),
            "{:?} {:?}",
            run.state,
            run.reason
        );
        if run.state == RunState::Delivered {
            delivered[*buyer] += 1;
            prop_assert!(orders.insert(sold(&run)), "two runs say that they sold one order");
        }
        prop_assert!(run.begun.is_none());
    }
    for (buyer, delivered) in delivered.into_iter().enumerate() {
        prop_assert_eq!(charges(world, buyer), delivered);
    }
    Ok(())
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Done),
        1 => Just(Fate::Declined),
        3 => Just(Fate::AnswerLost),
        2 => (1_u64..850).prop_map(|seconds| Fate::Late(Duration::from_secs(seconds))),
        3 => Just(Fate::Lost),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Stopped),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Runs of one buyer that know him by his e-mail, as a customer or by a lead, interleaved in every way: each charge
    /// is one run's, and each run that says so has its own.
    #[test]
    fn every_charge_is_one_runs(
        fates in proptest::collection::vec(fate(), 0..8),
        blind in 0_usize..4,
        at_once in 1_usize..4,
        takes in proptest::collection::vec(prop_oneof![2 => Just(0_u64), 3 => 1_u64..20], 0..60),
        lives in proptest::collection::vec((proptest::option::weighted(0.5, (1_usize..40, any::<bool>())), 0_i64..1_800), 0..4),
        runs in proptest::collection::vec((0_usize..3, 0_usize..2), 2..6),
    ) {
        let mut world = world();
        let names: Vec<(String, usize)> =
            runs.iter().enumerate().map(|(number, (_, buyer))| (format!("R{number}"), *buyer)).collect();
        for ((zap, buyer), (run, _)) in runs.iter().zip(&names) {
            sell(&world, *zap, run, *buyer);
        }
        world.desk.fates(&fates);
        world.desk.blind(blind);
        world.desk.takes(takes.into_iter().map(Duration::from_secs));
        for (crash, pause) in lives {
            world.desk.at_once(at_once);
            world.calls.calm();
            if let Some((nth, before)) = crash {
                world.calls.crash_at(nth, if before { Moment::Before } else { Moment::After });
            }
            let _ = world.once();
            world.clock.advance(SignedDuration::from_secs(pause));
        }
        world.desk.at_once(at_once);
        world.calls.calm();
        world.for_long(40 * HOUR);
        truth(&world, &names)?;
    }
}
