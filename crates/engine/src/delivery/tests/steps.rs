//! Several steps, `each`, `when`, and dry runs.

use super::kit::{EACH, ONE, THREE, World, answer, body, order, path, reply};
use crate::ports::{RunState, StepOutcome};
use crate::report::Event;
use std::time::Duration;

#[test]
fn steps_run_in_order_and_read_each_other() {
    let world = World::new(&[THREE]);
    world.sales(0, &["A"]);
    world.target.answers(vec![answer(200, "{\"id\":\"from-a\"}")]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A").0, RunState::Delivered);
    assert_eq!(
        world.target.seen(),
        ["/a {\"order\":\"A\"}", "/b {\"order\":\"A\"}", "/c {\"from\":\"from-a\"}"]
    );
    let keys: std::collections::BTreeSet<_> =
        world.target.sent().into_iter().map(|sent| sent.idempotency_key).collect();
    assert_eq!(keys.len(), 3);
}

#[test]
fn a_later_try_goes_on_at_the_unfinished_step() {
    let world = World::new(&[THREE]);
    world.sales(0, &["A"]);
    world.target.answers(vec![answer(200, "{\"id\":\"from-a\"}"), reply(500), reply(503)]);
    world.for_long(Duration::from_secs(600));
    assert_eq!(world.state("A").0, RunState::Delivered);
    let paths: Vec<String> = world.target.sent().iter().map(path).collect();
    assert_eq!(paths, ["/a", "/b", "/b", "/b", "/c"]);
    assert_eq!(body(world.target.sent().last().unwrap()), "{\"from\":\"from-a\"}");
    let attempts: Vec<u32> = world.run("A").steps.iter().map(|step| step.attempts).collect();
    assert_eq!(attempts, [1, 3, 1]);
}

#[test]
fn a_dead_step_stops_the_run() {
    let world = World::new(&[THREE]);
    world.sales(0, &["A"]);
    world.target.answers(vec![reply(200), reply(404)]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A"), (RunState::Dead, "refused".into()));
    assert_eq!(world.target.sent().len(), 2);
    let outcomes: Vec<StepOutcome> = world.run("A").steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [StepOutcome::Done, StepOutcome::Failed]);
}

#[test]
fn a_dead_step_that_may_fail_lets_later_ones_run_and_the_run_ends_dead() {
    let yaml = THREE.replace("    path: /b\n", "    path: /b\n    continue_on_error: true\n");
    for crash in [false, true] {
        let world = World::new(&[&yaml]);
        world.sales(0, &["A"]);
        world.target.answers(vec![reply(200), reply(404)]);
        if crash {
            // claim, a, save, b, save: it dies before the last step is sent.
            world.calls.crash_at(6, crate::testing::Moment::Before);
            assert_eq!(world.once(), None);
            world.calls.calm();
        }
        world.once().unwrap().unwrap();
        assert_eq!(world.state("A"), (RunState::Dead, "refused".into()));
        let paths: Vec<String> = world.target.sent().iter().map(path).collect();
        assert_eq!(paths, ["/a", "/b", "/c"], "crash: {crash}");
    }
}

#[test]
fn skipped_steps_cost_no_write_and_count_as_delivered() {
    let yaml = ONE.to_owned() + "    when: \"{{ record.orderType == 'REFUND' }}\"\n";
    let world = World::new(&[&yaml]);
    world.sales(0, &["A"]);
    let calls = world.calls.made();
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A"), (RunState::Delivered, "skipped".into()));
    assert_eq!(world.calls.made() - calls, 3, "claim, update, claim");
    assert_eq!(world.run("A").steps[0].outcome, StepOutcome::Skipped);
    assert!(world.target.sent().is_empty());
}

#[test]
fn each_element_has_its_own_key_and_record() {
    let world = World::new(&[EACH]);
    world.sales(0, &["A"]);
    world.target.answers(vec![answer(200, "{\"id\":\"first\"}")]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A").0, RunState::Delivered);
    assert_eq!(world.target.sent().iter().filter(|sent| path(sent) == "/line").count(), 3);
    assert_eq!(body(world.target.sent().last().unwrap()), "{\"first\":\"first\"}");
    let keys: std::collections::BTreeSet<_> =
        world.target.sent().into_iter().map(|sent| sent.idempotency_key).collect();
    assert_eq!(keys.len(), 4);
    let steps = world.run("A").steps;
    let elements: Vec<bool> = steps.iter().map(|step| step.element.is_some()).collect();
    assert_eq!(elements, [true, true, true, false, false]);
}

#[test]
fn a_failing_element_is_retried_alone() {
    let world = World::new(&[EACH]);
    world.sales(0, &["A"]);
    world.target.answers(vec![reply(200), reply(500)]);
    world.for_long(Duration::from_secs(600));
    assert_eq!(world.state("A").0, RunState::Delivered);
    let bodies: Vec<String> = world.target.sent().iter().map(body).collect();
    assert_eq!(bodies.len(), 5);
    assert_eq!(bodies[1], bodies[2], "the second element twice");
}

#[test]
fn an_empty_each_is_skipped() {
    let yaml = EACH.replace("    json: { first: \"{{ steps.line.items[0].response.body.id }}\" }\n", "");
    let world = World::new(&[&yaml]);
    let mut bare = order("A");
    bare["items"] = serde_json::json!({});
    world.records(0, &[bare]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A").0, RunState::Delivered);
    assert_eq!(world.target.sent().len(), 1);
    assert_eq!(world.run("A").steps[0].outcome, StepOutcome::Skipped);
}

#[test]
fn a_dry_run_shows_and_sends_nothing() {
    let mut world = World::new(&[THREE]);
    world.dry_run = true;
    world.sales(0, &["A"]);
    world.once().unwrap().unwrap();
    assert!(world.target.sent().is_empty());
    let events = world.events();
    let [Event::WouldSend { run, steps }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(run.event.id, "A");
    let shown: Vec<(&str, usize, bool)> =
        steps.iter().map(|step| (step.step.as_str(), step.requests.len(), step.note.is_some())).collect();
    assert_eq!(shown, [("a", 1, false), ("b", 1, false), ("c", 0, true)]);
    world.once().unwrap().unwrap();
    assert!(world.events().is_empty(), "each record once");
}

#[test]
fn a_stop_starts_no_further_step() {
    let world = World::new(&[THREE]);
    world.sales(0, &["A"]);
    let (shared, lanes) = world.start();
    let stopping = std::sync::Arc::clone(&shared);
    world.target.script(move |_| {
        stopping.phases.stop();
        reply(200)
    });
    world.clock.drive(super::kit::serve(&lanes)).unwrap().unwrap();
    assert_eq!(world.target.sent().len(), 1);
    assert_eq!(world.state("A"), (RunState::Pending, "queued".into()));
    assert_eq!(world.run("A").steps.len(), 1, "the finished step is kept");
    world.target.script(|_| reply(200));
    world.once().unwrap().unwrap();
    assert_eq!(world.target.sent().len(), 3);
}

#[test]
fn an_edited_filter_does_not_stop_a_run_half_way() {
    let mut world = World::new(&[THREE]);
    world.sales(0, &["A", "B"]);
    world
        .target
        .script(|sent| if path(sent) == "/b" || body(sent).contains('B') { reply(500) } else { reply(200) });
    world.once().unwrap().unwrap();
    world.edit(0, &THREE.replace("actions:", "filter: \"{{ record.orderType == 'RECURRING' }}\"\nactions:"));
    world.target.script(|_| reply(200));
    world.for_long(Duration::from_secs(60));
    assert_eq!(world.state("A").0, RunState::Delivered);
    assert_eq!(world.state("B").0, RunState::Filtered, "nothing of it was sent");
}
