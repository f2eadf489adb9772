//! Waiting for a turn: nothing is begun, and nothing goes out that should not any more.

use super::kit::{Act, HOLD, ONE, World, answer, reply, serve};
use crate::ports::{Clock, Reply, RunState, SendOutcome};
use jiff::SignedDuration;
use std::time::Duration;

/// A world in which requests go out one at a time, and the first answers this after so long.
fn queue(yaml: &str, first: SendOutcome, takes: Duration) -> World {
    let mut world = World::new(&[yaml]);
    world.target.one_at_a_time();
    world.sales(0, &["A", "B", "C", "D", "E"]);
    let mut first = Some(first);
    world.target.script(move |_| match first.take() {
        Some(outcome) => Act { outcome, takes },
        None => reply(200).into(),
    });
    world
}

#[test]
fn a_kill_holds_only_what_was_being_sent() {
    let world = queue(HOLD, reply(200), Duration::from_secs(3600));
    world.for_long(Duration::from_secs(60));
    assert_eq!(world.target.sent().len(), 1);
    assert_eq!(world.store.all_runs().iter().filter(|run| run.begun.is_some()).count(), 1);
    let mut after = world;
    after.target.one_at_a_time();
    after.once().unwrap().unwrap();
    assert_eq!((after.count(RunState::Held), after.count(RunState::Delivered)), (1, 4));
}

#[test]
fn a_stop_sends_away_those_who_wait() {
    let world = queue(HOLD, reply(200), Duration::from_secs(20));
    let (shared, lanes) = world.start();
    let stop = async {
        world.clock.sleep_until(world.clock.now() + SignedDuration::from_secs(5)).await;
        shared.phases.stop();
    };
    let work = async { tokio::join!(serve(&lanes), stop) };
    world.clock.drive(work).unwrap().0.unwrap();
    assert_eq!(world.target.sent().len(), 1);
    assert_eq!((world.count(RunState::Delivered), world.count(RunState::Pending)), (1, 4));
    assert!(world.store.all_runs().iter().all(|run| run.begun.is_none()));
}

#[test]
fn whoever_waited_goes_out_only_where_the_target_still_takes_it() {
    let SendOutcome::Reply(head) = reply(429) else { unreachable!() };
    let busy = SendOutcome::Reply(Reply { retry_after: Some(Duration::from_secs(120)), ..head });
    for first in [reply(401), busy] {
        let world = queue(ONE, first, Duration::from_secs(2));
        world.for_long(Duration::from_secs(30));
        assert_eq!(world.target.sent().len(), 1);
        assert_eq!(world.count(RunState::Pending), 5);
        world.for_long(Duration::from_secs(3600));
        assert_eq!(world.count(RunState::Delivered), 5);
    }
}

#[test]
fn a_wait_beyond_the_end_is_the_end() {
    let yaml = ONE.to_owned() + "    retry: { for: 10m }\n";
    let world = World::new(&[&yaml]);
    world.sales(0, &["A"]);
    let SendOutcome::Reply(head) = reply(429) else { unreachable!() };
    world
        .target
        .answers(vec![SendOutcome::Reply(Reply { retry_after: Some(Duration::from_secs(1200)), ..head })]);
    world.for_long(Duration::from_secs(3600));
    assert_eq!(world.state("A"), (RunState::Dead, "expired".into()));
    assert_eq!(world.target.sent().len(), 1);
}

#[test]
fn what_later_steps_read_is_kept_without_secrets() {
    struct Hide;
    impl crate::delivery::Mask for Hide {
        fn mask<'a>(&self, bytes: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
            String::from_utf8_lossy(bytes).replace("hunter2", "***").into_bytes().into()
        }
    }
    let mut world = World::new(&[super::kit::THREE]);
    world.mask = std::sync::Arc::new(Hide);
    world.sales(0, &["A"]);
    world.target.answers(vec![answer(200, "{\"id\":\"r7\",\"echo\":\"hunter2\"}")]);
    world.once().unwrap().unwrap();
    assert_eq!(world.target.seen().last().unwrap(), "/c {\"from\":\"r7\"}");
    let kept = world.run("A").steps[0].response.clone().unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("hunter2"));
}

#[test]
fn a_run_that_waits_often_is_one_pending_run() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.target.answers(vec![reply(500), reply(500), reply(429)]);
    assert_eq!(world.for_long(Duration::from_secs(3600)).summary().pending, 0, "it was delivered");
    world.sales(0, &["B"]);
    world.target.script(|_| reply(429));
    assert_eq!(world.for_long(Duration::from_secs(3600)).summary().pending, 1);
}
