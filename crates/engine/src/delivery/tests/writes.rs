//! Writes to the CRM: once, whatever happens to the answer.

use super::desk::Fate;
use super::kit::World;
use crate::ports::{Resolution, RunState};
use crate::report::Event;
use crate::testing::Moment;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// A sale whose lead goes first.
pub(super) const SALE: &str = r#"
name: sale
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: sell
    type: konnektive.create_sale
    connection: crm
    map:
      campaignId: "12"
      paySource: PREPAID
      product1_id: "1"
      firstName: $.firstName
      lastName: Doe
      emailAddress: $.emailAddress
      phoneNumber: "5550100"
      address1: 1 Main St
      city: Springfield
      state: IL
      postalCode: "62701"
      country: US
      billShipSame: true
"#;

const HOUR: Duration = Duration::from_secs(3_600);

fn world() -> World {
    World::new(&[SALE])
}

fn buyer(world: &World, order: &str, email: &str) {
    let record = json!({
        "orderId": order, "orderType": "NEW_SALE", "orderStatus": "COMPLETE", "firstName": "Ann", "emailAddress": email,
    });
    world.records(0, &[record]);
}

/// What was charged, by e-mail.
fn charges(world: &World, email: &str) -> usize {
    world.desk.orders().values().filter(|order| order.email == email).map(|order| order.charges.len()).sum()
}

fn long(world: &World) {
    world.for_long(2 * HOUR);
}

#[test]
fn the_lead_goes_first_and_the_sale_names_it() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    long(&world);
    assert_eq!(world.desk.writes(), ["leads/import", "order/import"]);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(charges(&world, "a@example.com"), 1);
    let steps: Vec<String> = world.run("A").steps.iter().map(|step| step.step.clone()).collect();
    assert_eq!(steps, ["sell.lead", "sell"]);
}

#[test]
fn a_lost_answer_is_settled_by_a_look() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::AnswerLost]);
    long(&world);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(charges(&world, "a@example.com"), 1);
    assert_eq!(world.desk.writes(), ["leads/import", "order/import"]);
}

/// Each doubt is told when it arises, not with every look.
#[test]
fn an_uncertain_write_is_no_secret() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::Late(Duration::from_secs(600))]);
    long(&world);
    let told: Vec<String> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Uncertain { step, reason, .. } => Some(format!("{step}: {}", reason.detail)),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["sell: the line was cut"]);
}

#[test]
fn a_sale_that_happens_ten_minutes_later_is_not_sent_twice() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::Late(Duration::from_secs(600))]);
    world.for_long(Duration::from_secs(300));
    assert_eq!(world.state("A"), (RunState::Pending, "uncertain".into()));
    long(&world);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(charges(&world, "a@example.com"), 1);
}

#[test]
fn what_did_not_happen_is_sent_again_after_two_equal_looks() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::Lost]);
    world.for_long(Duration::from_secs(14 * 60));
    assert_eq!(world.desk.writes(), ["leads/import", "order/import"], "not before settle_after");
    long(&world);
    assert_eq!(world.desk.writes(), ["leads/import", "order/import", "order/import"]);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(charges(&world, "a@example.com"), 1);
}

#[test]
fn a_decline_ends_the_run_with_the_vendors_words() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::Declined]);
    long(&world);
    assert_eq!(world.state("A"), (RunState::Dead, "declined".into()));
    assert!(world.run("A").reason.detail.contains("Transaction Declined: Card Declined"));
}

#[test]
fn one_buyer_is_served_by_one_run_at_a_time() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    buyer(&world, "B", "A@Example.com");
    world.desk.fates(&[Fate::Late(Duration::from_secs(600))]);
    world.for_long(Duration::from_secs(300));
    let waits = ["A", "B"].map(|id| world.run(id).reason.word);
    assert!(waits.contains(&"uncertain".to_owned()) && waits.contains(&"queued".to_owned()), "{waits:?}");
    long(&world);
    assert_eq!(world.count(RunState::Delivered), 2);
    assert_eq!(charges(&world, "a@example.com") + charges(&world, "A@Example.com"), 2);
}

/// Whether a lead is zaprun's own is known once the answer of the write that may have made it is.
#[test]
fn a_lead_waits_while_zaprun_may_be_making_it() {
    const MAKES: &str = r#"
name: makes
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: lead
    type: konnektive.create_lead
    connection: crm
    map: { campaignId: "12", firstName: $.firstName, lastName: Doe, emailAddress: $.emailAddress }
"#;
    const HEARS: &str = r#"
name: hears
trigger: { type: konnektive.orders, connection: crm, order_type: new_lead }
actions:
  - { id: tell, type: http, connection: sink, path: /tell, json: { lead: $.orderId } }
"#;
    let world = World::new(&[MAKES, HEARS]);
    world.desk.lose_leads(1);
    buyer(&world, "A", "a@example.com");
    world.for_long(Duration::from_secs(5));
    assert_eq!(world.state("A"), (RunState::Pending, "uncertain".into()));
    let made = world.desk.orders().into_keys().next().unwrap();
    let row = |id: &str, email: &str| json!({ "orderId": id, "campaignId": "12", "emailAddress": email });
    world.commit(1, "new_lead", &[row(&made, "A@example.com"), row("F", "f@example.com")]);
    world.for_long(Duration::from_secs(1));
    assert_eq!(world.state(&made), (RunState::Pending, "queued".into()));
    assert_eq!(world.target.seen(), ["/tell {\"lead\":\"F\"}"], "a stranger's lead does not wait");
    long(&world);
    assert_eq!(world.state(&made), (RunState::Filtered, "own".into()));
    assert_eq!(world.target.sent().len(), 1);
}

#[test]
fn blindness_only_delays() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.fates(&[Fate::AnswerLost]);
    world.for_long(Duration::from_secs(5));
    world.desk.blind(4);
    long(&world);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(charges(&world, "a@example.com"), 1);
}

#[test]
fn a_person_settles_what_is_held() {
    for (resolution, state) in [(Resolution::Done, RunState::Delivered), (Resolution::Failed, RunState::Dead)]
    {
        let world = World::new(&[super::kit::HOLD]);
        world.sales(0, &["A"]);
        world.target.answers(vec![super::kit::lost()]);
        world.for_long(HOUR);
        assert_eq!(world.state("A"), (RunState::Held, "uncertain".into()));
        world.store.resolve(world.run("A").id, resolution);
        world
            .clock
            .drive(crate::ports::Store::obey(
                &world.store,
                crate::ports::Clock::now(&world.clock),
                Vec::new(),
            ))
            .unwrap()
            .unwrap();
        world.for_long(HOUR);
        assert_eq!(world.run("A").state, state);
        assert_eq!(world.target.sent().len(), 1, "nothing is sent again");
    }
}

fn resolve(world: &World, run: &str, resolution: Resolution) {
    world.store.resolve(world.run(run).id, resolution);
    let obey = crate::ports::Store::obey(&world.store, crate::ports::Clock::now(&world.clock), Vec::new());
    world.clock.drive(obey).unwrap().unwrap();
    long(world);
}

/// A step that reads what a person has settled finds the ids that are known, and the run says who settled it.
#[test]
fn what_a_person_settles_has_an_answer_and_a_reason() {
    const CONFIRM: &str = r#"
name: confirm
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - { id: c, type: konnektive.confirm_order, connection: crm, map: { orderId: $.orderId } }
  - { id: tell, type: http, connection: sink, path: /tell, json: { order: "{{ steps.c.response.orderId }}" } }
"#;
    let held = || {
        let world = World::new(&[CONFIRM]);
        buyer(&world, "A", "a@example.com");
        world.desk.fates(&[Fate::Lost]);
        long(&world);
        assert_eq!(world.state("A"), (RunState::Held, "uncertain".into()));
        world
    };
    let done = held();
    resolve(&done, "A", Resolution::Done);
    assert_eq!(done.state("A"), (RunState::Delivered, "delivered".into()), "{:?}", done.run("A").reason);
    assert_eq!(done.target.seen(), [r#"/tell {"order":"A"}"#]);
    let why = done.run("A").steps[0].why.clone().unwrap();
    assert_eq!(why.detail, "done by a person's word; before: the CRM does not show it");
    let failed = held();
    resolve(&failed, "A", Resolution::Failed);
    let run = failed.run("A");
    assert_eq!((run.state, run.reason.word.as_str()), (RunState::Dead, "uncertain"));
    assert_eq!(run.reason.detail, "failed by a person's word; before: the CRM does not show it");
}

/// The lead's id is not known then; the sale goes out all the same, and is found by its buyer.
#[test]
fn a_lead_that_a_person_settles_is_sold() {
    let world = world();
    buyer(&world, "A", "a@example.com");
    world.desk.lose_leads(1);
    world.for_long(Duration::from_secs(5));
    // As if no look could tell.
    let id = world.run("A").id;
    world.store.hold(id, "nobody can tell");
    resolve(&world, "A", Resolution::Done);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()), "{:?}", world.run("A").reason);
    assert_eq!(world.desk.writes(), ["leads/import", "order/import"]);
    assert_eq!(charges(&world, "a@example.com"), 1);
}

/// A crash anywhere leaves one charge.
#[test]
fn a_sale_survives_a_crash_anywhere() {
    let calm = world();
    buyer(&calm, "A", "a@example.com");
    long(&calm);
    let calls = calm.calls.made();
    for moment in [Moment::Before, Moment::After] {
        for nth in 1..=calls {
            let world = world();
            buyer(&world, "A", "a@example.com");
            world.calls.calm();
            world.calls.crash_at(nth, moment);
            let _ = world.once();
            world.calls.calm();
            long(&world);
            assert_eq!(charges(&world, "a@example.com"), 1, "call {nth} {moment:?}");
            assert_eq!(world.run("A").state, RunState::Delivered, "call {nth} {moment:?}");
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Done),
        1 => Just(Fate::Declined),
        3 => Just(Fate::AnswerLost),
        3 => (1_u64..850).prop_map(|seconds| Fate::Late(Duration::from_secs(seconds))),
        2 => Just(Fate::Lost),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Stopped),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Each run charges its buyer at most once, whatever becomes of answers, looks and the process; and when all is
    /// well again every run has come to an end that tells the truth.
    #[test]
    fn a_sale_charges_at_most_once(
        fates in proptest::collection::vec(fate(), 0..8),
        blind in 0_usize..6,
        lives in proptest::collection::vec((proptest::option::weighted(0.6, (1_usize..25, any::<bool>())), 0_i64..1_800), 0..6),
        buyers in 1_usize..4,
    ) {
        let world = world();
        for number in 0..buyers {
            buyer(&world, &format!("R{number}"), &format!("b{}@example.com", number % 2));
        }
        world.desk.fates(&fates);
        world.desk.blind(blind);
        for (crash, pause) in lives {
            world.calls.calm();
            if let Some((nth, before)) = crash {
                world.calls.crash_at(nth, if before { Moment::Before } else { Moment::After });
            }
            let _ = world.once();
            world.clock.advance(SignedDuration::from_secs(pause));
        }
        world.calls.calm();
        world.for_long(40 * HOUR);
        let mut sold = [0_usize; 2];
        for number in 0..buyers {
            let run = world.run(&format!("R{number}"));
            prop_assert!(matches!(run.state, RunState::Delivered | RunState::Dead), "{:?} {:?}", run.state, run.reason);
            sold[number % 2] += usize::from(run.state == RunState::Delivered);
        }
        for (who, sold) in sold.iter().enumerate() {
            prop_assert_eq!(charges(&world, &format!("b{who}@example.com")), *sold);
        }
    }
}
