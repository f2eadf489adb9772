//! Delays, conditions that end a run, settling, and what is done when a run is given up.

use super::kit::{World, order, reply};
use crate::ports::{RunState, StepOutcome};
use crate::testing::FakeRow;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const DELAYED: &str = r#"
name: delayed
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: chase
    type: http
    connection: sink
    path: /chase
    delay: 60m
    unless: "{{ record.orderStatus == 'REFUNDED' }}"
    json: { order: "{{ record.orderId }}" }
  - id: after
    type: http
    connection: sink
    path: /after
    json: {}
"#;

#[test]
fn a_delay_survives_restarts() {
    let world = World::new(&[DELAYED]);
    world.sales(0, &["A"]);
    world.for_long(30 * MINUTE);
    assert_eq!(world.state("A"), (RunState::Pending, "delayed".into()));
    world.for_long(29 * MINUTE);
    assert!(world.target.sent().is_empty());
    world.for_long(2 * MINUTE);
    assert_eq!(world.target.seen().len(), 2);
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
}

#[test]
fn unless_reads_the_record_again_and_ends_the_run() {
    let world = World::new(&[DELAYED]);
    world.sales(0, &["A"]);
    world.for_long(30 * MINUTE);
    world.crm.change(|table| {
        table.insert(FakeRow::order("A", "2026-09-16 08:00:00").with("orderStatus", "REFUNDED"));
    });
    world.for_long(60 * MINUTE);
    assert!(world.target.sent().is_empty());
    assert_eq!(world.state("A"), (RunState::Delivered, "unless".into()));
    assert!(world.run("A").steps.iter().all(|step| step.outcome == StepOutcome::Skipped));
}

#[test]
fn stop_if_ends_the_run_after_its_step() {
    let yaml = r#"
name: stops
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: ask
    type: http
    connection: sink
    path: /ask
    json: {}
    stop_if: "{{ response.body.id == 'r1' }}"
  - id: act
    type: http
    connection: sink
    path: /act
    json: {}
"#;
    let world = World::new(&[yaml]);
    world.sales(0, &["A"]);
    world.for_long(MINUTE);
    assert_eq!(world.target.seen(), ["/ask {}"]);
    assert_eq!(world.state("A"), (RunState::Delivered, "stopped".into()));
    let outcomes: Vec<StepOutcome> = world.run("A").steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [StepOutcome::Done, StepOutcome::Skipped]);
}

const FAILING: &str = r#"
name: failing
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - id: act
    type: http
    connection: sink
    path: /act
    json: {}
on_failure:
  - id: tell
    type: http
    connection: y
    path: /tell
    json: { step: "{{ failure.step }}", why: "{{ failure.reason }}" }
"#;

#[test]
fn on_failure_runs_once_the_run_is_given_up() {
    let world = World::new(&[FAILING]);
    world.sales(0, &["A"]);
    world.target.script(|request| if super::kit::path(request) == "/act" { reply(400) } else { reply(200) });
    world.for_long(MINUTE);
    assert_eq!(
        world.target.seen(),
        ["/act {}", "/tell {\"step\":\"act\",\"why\":\"the target answered 400\"}"]
    );
    assert_eq!(world.state("A"), (RunState::Dead, "refused".into()));
}

#[test]
fn on_failure_runs_after_the_steps_that_went_on() {
    let world =
        World::new(&[&FAILING.replace("    path: /act\n", "    path: /act\n    continue_on_error: true\n")]);
    world.sales(0, &["A"]);
    world.target.script(|request| if super::kit::path(request) == "/act" { reply(400) } else { reply(200) });
    world.for_long(MINUTE);
    assert_eq!(
        world.target.seen(),
        ["/act {}", "/tell {\"step\":\"act\",\"why\":\"the target answered 400\"}"]
    );
    assert_eq!(world.state("A"), (RunState::Dead, "refused".into()));
}

/// The run rests in between, and may be taken up by another process.
#[test]
fn on_failure_is_told_the_reason_however_long_ago_the_step_failed() {
    let later =
        "  - { id: later, type: http, connection: x, path: /later, delay: 5m, json: {} }\non_failure:";
    let yaml = FAILING
        .replace("    path: /act\n", "    path: /act\n    continue_on_error: true\n")
        .replace("on_failure:", later);
    let world = World::new(&[&yaml]);
    world.sales(0, &["A"]);
    world.target.script(|request| if super::kit::path(request) == "/act" { reply(400) } else { reply(200) });
    world.for_long(MINUTE);
    assert_eq!(world.state("A"), (RunState::Pending, "delayed".into()));
    world.for_long(10 * MINUTE);
    let told = "/tell {\"step\":\"act\",\"why\":\"the target answered 400\"}";
    assert_eq!(world.target.seen(), ["/act {}", "/later {}", told]);
    assert_eq!(world.run("A").reason.detail, "the target answered 400");
}

/// As they see it after a restart.
#[test]
fn on_failure_sees_how_the_step_ended() {
    let yaml = FAILING.replace("{{ failure.step }}", "{{ steps.act.outcome }}");
    let world = World::new(&[&yaml]);
    world.sales(0, &["A"]);
    world.target.script(|request| if super::kit::path(request) == "/act" { reply(400) } else { reply(200) });
    world.for_long(MINUTE);
    assert!(world.target.seen()[1].starts_with("/tell {\"step\":\"failed\""), "{:?}", world.target.seen());
}

#[test]
fn on_failure_goes_on_after_a_restart() {
    let world = World::new(&[FAILING]);
    world.sales(0, &["A"]);
    world.target.script(|request| if super::kit::path(request) == "/act" { reply(400) } else { reply(503) });
    world.for_long(MINUTE);
    assert_eq!(world.run("A").state, RunState::Pending);
    world.target.script(|_| reply(200));
    world.for_long(30 * MINUTE);
    assert_eq!(world.state("A"), (RunState::Dead, "refused".into()));
    let acts = world.target.seen().iter().filter(|seen| seen.starts_with("/act")).count();
    assert_eq!(acts, 1, "what failed is not tried again");
}

/// An order that changed just now.
fn fresh_order() -> serde_json::Value {
    let mut row = order("A");
    row["dateUpdated"] = "2026-09-16 08:00:00".into();
    row
}

#[test]
fn a_run_is_mapped_once_its_order_has_settled() {
    let yaml = r#"
name: settles
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, settle: 30m }
actions:
  - { id: act, type: http, connection: sink, path: /act, json: { amount: $.totalAmount } }
"#;
    let world = World::new(&[yaml]);
    world.records(0, &[fresh_order()]);
    // An upsell joins ten minutes after the sale.
    world.for_long(10 * MINUTE);
    assert_eq!(world.state("A"), (RunState::Pending, "settling".into()));
    world.crm.change(|table| {
        let row = FakeRow::order("A", "2026-09-16 08:00:00").with("dateUpdated", "2026-09-16 08:10:00");
        table.insert(row.with("totalAmount", "39.80").with("custom1", "paid by 4111 1111 1111 1111"));
    });
    world.for_long(25 * MINUTE);
    assert!(world.target.sent().is_empty(), "it has changed meanwhile");
    world.for_long(10 * MINUTE);
    assert_eq!(world.target.seen(), ["/act {\"amount\":39.80}"]);
    let run = world.run("A");
    let fresh = String::from_utf8(run.fresh.expect("both versions are kept").to_vec()).unwrap();
    assert!(fresh.contains(r#""custom1":"[card data removed]""#) && !fresh.contains("4111"), "{fresh}");
}

#[test]
fn an_order_that_never_settles_is_mapped_at_settle_max() {
    let yaml = r#"
name: settles
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale, settle: 30m, settle_max: 1h }
actions:
  - { id: act, type: http, connection: sink, path: /act, json: {} }
"#;
    let world = World::new(&[yaml]);
    world.records(0, &[fresh_order()]);
    for minute in [20, 40] {
        world.for_long(20 * MINUTE);
        world.crm.change(|table| {
            let row = FakeRow::order("A", "2026-09-16 08:00:00");
            table.remove(zaprun_core::trigger::Endpoint::Orders, "A");
            table.insert(row.with("dateUpdated", format!("2026-09-16 08:{minute}:00")));
        });
    }
    assert!(world.target.sent().is_empty());
    world.for_long(21 * MINUTE);
    assert_eq!(world.target.sent().len(), 1);
}
