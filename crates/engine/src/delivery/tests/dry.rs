//! Dry runs: what is shown where a step cannot be made, or hangs on an answer that nobody gave.

use super::kit::{EACH, THREE, World};
use crate::ports::RunState;
use crate::report::{Event, WouldSend};

/// A step that cannot be mapped hides neither those before it nor those after it.
#[test]
fn a_dry_run_shows_every_step_beside_one_that_cannot_be_mapped() {
    let yaml = |go_on: bool| {
        THREE
            .replace("steps.a.response.body.id", "record.orderId")
            .replace("  - id: b\n", &format!("  - id: b\n    continue_on_error: {go_on}\n"))
            .replace(
                "path: /b\n    json: { order: \"{{ record.orderId }}\" }",
                "path: /b\n    json: { gone: \"{{ record.couponCode }}\" }",
            )
            + "on_failure:\n  - { id: page, type: http, connection: sink, path: /page, json: { at: \"{{ failure.step }}\" } }\n"
    };
    for (go_on, steps) in [(false, ["a", "b", "page"].as_slice()), (true, ["a", "b", "c", "page"].as_slice())]
    {
        let mut world = World::new(&[&yaml(go_on)]);
        world.dry_run = true;
        world.sales(0, &["A"]);
        world.once().unwrap().unwrap();
        assert!(world.target.sent().is_empty());
        let events = world.events();
        let shown = shown(&events);
        assert_eq!(shown.iter().map(|step| step.step.as_str()).collect::<Vec<_>>(), steps);
        assert_eq!(shown[0].requests.len(), 1);
        let note = shown[1].note.as_deref().unwrap();
        assert!(shown[1].requests.is_empty() && note.starts_with("actions[1].json.gone: "), "{note}");
        assert_eq!(shown.last().unwrap().note.as_deref(), Some("since the run is given up"));
        assert!(
            events
                .iter()
                .any(|event| matches!(event, Event::Dead { reason, .. } if reason.word == "mapping"))
        );
        assert_eq!(world.state("A").0, RunState::Dead);
    }
}

/// What hangs on an answer is marked, also where it can be mapped without.
#[test]
fn a_dry_run_marks_what_hangs_on_answers() {
    let mut world =
        World::new(&[&THREE
            .replace("{{ steps.a.response.body.id }}", "{{ steps.a.response.status | default('none') }}")]);
    world.dry_run = true;
    world.sales(0, &["A"]);
    world.once().unwrap().unwrap();
    let events = world.events();
    let steps = shown(&events);
    assert_eq!(steps[1].note, None);
    let note = steps[2].note.as_deref().unwrap();
    assert!(note.starts_with("depends on the answer to `a`, which was not sent"), "{note}");
}

/// The steps that are shown.
fn shown(events: &[Event]) -> &[WouldSend] {
    for event in events {
        if let Event::WouldSend { steps, .. } = event {
            return steps;
        }
    }
    panic!("{events:?}");
}

#[test]
fn a_filter_that_fails_shows_what_is_sent_then() {
    let mut world = World::new(&[&THREE.replace(
        "actions:",
        "filter: \"{{ record.totalAmount > 5 }}\"\non_failure:\n  - { id: page, type: http, connection: sink, path: /page, json: {} }\nactions:",
    )]);
    world.dry_run = true;
    let mut row = super::kit::order("A");
    row["totalAmount"] = serde_json::Value::Null;
    world.records(0, &[row]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A").0, RunState::Dead);
    assert_eq!(shown(&world.events()).iter().map(|step| step.step.as_str()).collect::<Vec<_>>(), ["page"]);
}

/// A run that has sent something is shown from there on.
#[test]
fn a_dry_run_shows_what_is_left() {
    let mut world = World::new(&[EACH]);
    world.sales(0, &["A"]);
    world.target.answers(vec![super::kit::reply(200), super::kit::reply(500)]);
    world.once().unwrap().unwrap();
    assert_eq!(world.target.sent().len(), 2);
    world.dry_run = true;
    world.for_long(std::time::Duration::from_secs(60));
    let events = world.events();
    let steps = shown(&events);
    assert_eq!(steps.iter().map(|step| step.requests.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(world.target.sent().len(), 2);
}
