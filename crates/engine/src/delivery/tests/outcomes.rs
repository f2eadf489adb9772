//! Every row of the table of outcomes, and every state.

use super::kit::{EACH, HOLD, ONE, World, answer, lost, order, reply};
use crate::ports::{Clock, Reply, RunState, SendOutcome, StepOutcome};
use crate::report::Event;
use jiff::SignedDuration;
use std::time::Duration;

fn after_one(yaml: &str, outcome: SendOutcome) -> (World, RunState, String) {
    let world = World::new(&[yaml]);
    world.sales(0, &["A"]);
    world.target.answers(vec![outcome]);
    world.once().unwrap().unwrap();
    let (state, word) = world.state("A");
    (world, state, word)
}

#[test]
fn a_delivery_is_one_write() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    let calls = world.calls.made();
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(world.target.seen(), ["/post {\"order\":\"A\"}"]);
    // claim, send, update, and the look that finds nothing more.
    assert_eq!(world.calls.made() - calls, 4);
    let run = world.run("A");
    assert_eq!(run.steps.len(), 1);
    assert_eq!(
        (run.steps[0].outcome, run.steps[0].status, run.steps[0].attempts),
        (StepOutcome::Done, Some(200), 1)
    );
    assert_eq!(run.steps[0].reply.as_deref(), Some(&b"{\"id\":\"r1\"}"[..]));
    assert_eq!(run.steps[0].response, None, "nobody reads it");
    let events = world.events();
    assert!(
        matches!(&events[..], [Event::Delivered { attempts: 1, lag, .. }] if lag.is_zero()),
        "{events:?}"
    );
}

#[test]
fn each_outcome_has_its_state() {
    use RunState::{Dead, Delivered, Held, Pending};
    let not_sent = |retryable| SendOutcome::NotSent { reason: "no such host".into(), retryable };
    for (outcome, repeatable, held) in [
        (reply(200), (Delivered, "delivered"), (Delivered, "delivered")),
        (reply(302), (Dead, "refused"), (Dead, "refused")),
        (reply(400), (Dead, "refused"), (Dead, "refused")),
        (reply(401), (Pending, "parked"), (Pending, "parked")),
        (reply(403), (Dead, "refused"), (Dead, "refused")),
        (reply(404), (Dead, "refused"), (Dead, "refused")),
        (reply(408), (Pending, "retrying"), (Pending, "retrying")),
        (reply(425), (Pending, "retrying"), (Pending, "retrying")),
        (reply(429), (Pending, "retrying"), (Pending, "retrying")),
        (reply(500), (Pending, "retrying"), (Held, "uncertain")),
        (reply(503), (Pending, "retrying"), (Held, "uncertain")),
        (lost(), (Pending, "retrying"), (Held, "uncertain")),
        (not_sent(true), (Pending, "retrying"), (Pending, "retrying")),
        (not_sent(false), (Dead, "refused"), (Dead, "refused")),
    ] {
        for (yaml, (state, word)) in [(ONE, repeatable), (HOLD, held)] {
            let (world, is, why) = after_one(yaml, outcome.clone());
            assert_eq!((is, why.as_str()), (state, word), "{outcome:?}");
            let run = world.run("A");
            assert_eq!(run.failed.len(), usize::from(state != Delivered));
            assert_eq!(run.begun.is_some(), state == Held, "{outcome:?}");
            let attempts = u32::from(word == "retrying");
            assert_eq!(
                run.attempts, attempts,
                "{outcome:?}: only a retry uses up an attempt of a pending run"
            );
        }
    }
}

#[test]
fn a_dead_run_keeps_the_reply() {
    let (world, ..) = after_one(ONE, answer(422, "{\"error\":\"bad email\"}"));
    let run = world.run("A");
    assert_eq!(run.failed[0].reply.as_deref(), Some(&b"{\"error\":\"bad email\"}"[..]));
    assert_eq!(run.failed[0].status, Some(422));
    assert_eq!(run.steps[0].outcome, StepOutcome::Failed);
    assert!(run.reason.detail.contains("422"));
}

#[test]
fn retries_go_on_with_the_same_key_until_it_works() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.target.answers(vec![reply(500), lost(), reply(429)]);
    world.for_long(Duration::from_secs(3600));
    assert_eq!(world.state("A").0, RunState::Delivered);
    let keys: Vec<String> = world.target.sent().into_iter().map(|request| request.idempotency_key).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]));
    let run = world.run("A");
    assert_eq!(run.failed.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(run.steps[0].attempts, 4);
    assert!(run.failed[1].error.contains("unknown"), "{}", run.failed[1].error);
    let events = world.events();
    let retrying = events.iter().filter(|event| matches!(event, Event::Retrying { .. })).count();
    assert_eq!(retrying, 3);
}

#[test]
fn it_gives_up_when_the_time_is_over() {
    let yaml = ONE.to_owned() + "    retry: { for: 10m, first: 1s, max_delay: 1m }\n";
    let world = World::new(&[&yaml]);
    world.sales(0, &["A"]);
    world.target.script(|_| reply(500));
    let start = world.clock.now();
    world.for_long(Duration::from_secs(3600));
    assert_eq!(world.state("A"), (RunState::Dead, "expired".into()));
    let run = world.run("A");
    let last = run.failed.last().unwrap().at.duration_since(start);
    assert!(last >= SignedDuration::from_secs(600) && last <= SignedDuration::from_secs(660), "{last}");
    assert_eq!(run.steps[0].attempts as usize, run.failed.len());
}

#[test]
fn a_wait_that_is_asked_for_is_kept() {
    let mut world = World::new(&[ONE]);
    world.sales(0, &["A", "B"]);
    let SendOutcome::Reply(head) = reply(429) else { unreachable!() };
    let busy = SendOutcome::Reply(Reply { retry_after: Some(Duration::from_secs(120)), ..head });
    let mut first = Some(busy);
    world.target.script(move |_| first.take().unwrap_or_else(|| reply(200)));
    world.window = 1;
    let start = world.clock.now();
    world.for_long(Duration::from_secs(119));
    assert_eq!(world.target.sent().len(), 1, "the other run waits too");
    assert!(world.run("A").due_at.duration_since(start) >= SignedDuration::from_secs(120));
    world.for_long(Duration::from_secs(10));
    assert_eq!(world.count(RunState::Delivered), 2);
}

#[test]
fn a_wait_beyond_the_end_is_the_end_and_says_so() {
    let world = World::new(&[&(ONE.to_owned() + "    retry: { for: 10m, first: 1s, max_delay: 1m }\n")]);
    world.sales(0, &["A"]);
    let SendOutcome::Reply(head) = reply(429) else { unreachable!() };
    let busy = SendOutcome::Reply(Reply { retry_after: Some(Duration::from_secs(3600)), ..head });
    world.target.script(move |_| busy.clone());
    world.for_long(Duration::from_secs(1));
    assert_eq!(world.state("A"), (RunState::Dead, "expired".into()));
    let detail = world.run("A").reason.detail;
    assert!(detail.contains("asks to wait 3600s, longer than is left of `retry.for`"), "{detail}");
}

#[test]
fn success_decides_between_the_rows() {
    let yaml = ONE.to_owned() + "    success: \"{{ response.body.ok == true }}\"\n";
    for (outcome, state, word) in [
        (answer(200, "{\"ok\":true}"), RunState::Delivered, "delivered"),
        (answer(200, "{\"ok\":false}"), RunState::Dead, "refused"),
        (answer(409, "{\"ok\":true}"), RunState::Delivered, "delivered"),
        (answer(500, "{\"ok\":true}"), RunState::Pending, "retrying"),
        (answer(403, "{\"ok\":true}"), RunState::Dead, "refused"),
        (answer(200, "{}"), RunState::Dead, "mapping"),
    ] {
        let (_, is, why) = after_one(&yaml, outcome.clone());
        assert_eq!((is, why.as_str()), (state, word), "{outcome:?}");
    }
}

#[test]
fn filters_and_once_per_end_runs_without_sending() {
    let yaml = ONE.replace("actions:", "filter: \"{{ record.orderType == 'NEW_SALE' }}\"\nactions:");
    let yaml = yaml.replace("new_sale }", "new_sale, once_per: emailAddress }");
    let world = World::new(&[&yaml]);
    let mut upsell = order("U");
    upsell["orderType"] = "RECURRING".into();
    world.records(0, &[upsell, order("A"), order("B")]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("U"), (RunState::Filtered, "filter".into()));
    // Words with the values that it looked at.
    let detail = world.run("U").reason.detail;
    assert!(detail.contains(", where record."), "{detail}");
    assert_eq!(world.state("A"), (RunState::Delivered, "delivered".into()));
    assert_eq!(world.state("B"), (RunState::Filtered, "once_per".into()));
    assert_eq!(world.target.sent().len(), 1);
    assert!(world.run("U").reason.detail.contains("orderType"));
}

#[test]
fn a_mapping_error_is_dead_at_once_with_one_alert() {
    let world = World::new(&[ONE.replace("record.orderId", "record.phoneNumber").as_str()]);
    world.sales(0, &["A", "B", "C"]);
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Dead), 3);
    assert_eq!(world.state("B").1, "mapping");
    assert!(world.run("B").reason.detail.contains("phoneNumber"), "{}", world.run("B").reason.detail);
    assert_eq!(world.target.sent().len(), 0);
    let events = world.events();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::MappingBroken { .. })).count(), 1);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Dead { .. })).count(), 3);
}

#[test]
fn a_damaged_record_hurts_only_where_it_is_read() {
    let world = World::new(&[ONE, EACH]);
    world.records(0, &[serde_json::json!({"orderId": "A", "items": 7})]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A").0, RunState::Delivered);
    world.records(1, &[serde_json::json!({"orderId": "B", "items": 7})]);
    world.once().unwrap().unwrap();
    assert_eq!(world.state("B"), (RunState::Dead, "mapping".into()));
}

#[test]
fn a_record_that_is_no_json_is_dead() {
    let world = World::new(&[ONE]);
    world.raw(0, "A", b"<html>");
    world.once().unwrap().unwrap();
    assert_eq!(world.state("A"), (RunState::Dead, "mapping".into()));
}

struct Hide;
impl crate::delivery::Mask for Hide {
    fn mask<'a>(&self, bytes: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        String::from_utf8_lossy(bytes).replace("hunter2", "***").into_bytes().into()
    }
}

#[test]
fn secrets_are_masked_in_what_is_kept() {
    let mut world = World::new(&[ONE]);
    world.mask = std::sync::Arc::new(Hide);
    world.sales(0, &["A", "B"]);
    world.target.answers(vec![
        answer(400, "key hunter2 is wrong"),
        SendOutcome::NotSent { reason: "cannot reach https://x/hunter2".into(), retryable: true },
    ]);
    world.once().unwrap().unwrap();
    assert!(!format!("{:?} {:?}", world.store.all_runs(), world.events()).contains("hunter2"));
    assert_eq!(world.run("A").failed[0].reply.as_deref(), Some(&b"key *** is wrong"[..]));
}

#[test]
fn a_reason_is_handed_to_the_steps_of_on_failure_without_secrets() {
    let yaml = format!(
        "{ONE}on_failure:\n  - {{ id: tell, type: http, connection: y, path: /tell, text: '{{{{ failure.reason }}}}' }}\n"
    );
    let mut world = World::new(&[&yaml]);
    world.mask = std::sync::Arc::new(Hide);
    world.sales(0, &["A"]);
    let unsent = SendOutcome::NotSent { reason: "cannot reach https://x/hunter2".into(), retryable: false };
    world.target.answers(vec![unsent, reply(503)]);
    world.once().unwrap().unwrap();
    let run = world.run("A");
    assert_eq!(
        (run.state, run.failing.unwrap().detail.as_str()),
        (RunState::Pending, "cannot reach https://x/***")
    );
    assert_eq!(world.target.seen()[1], "/tell cannot reach https://x/***");
}

#[test]
fn a_value_that_does_not_fit_is_reported_once_per_field() {
    let yaml = ONE.replace("record.orderId }", "record.orderId }}, {{ record.totalAmount }");
    let world = World::new(&[&yaml]);
    let odd = |id: &str| {
        let mut odd = order(id);
        odd["totalAmount"] = "a lot".into();
        odd
    };
    world.records(0, &[odd("A"), odd("B")]);
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Delivered), 2);
    assert_eq!(world.seen.count(|event| matches!(event, Event::RowProblem { .. })), 1);
}
