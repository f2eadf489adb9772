//! What one lane may cost, and that lanes do not get in each other's way.

use super::kit::{Act, ONE, World, order, path, reply, serve};
use crate::ports::{Clock, RunState, SendOutcome};
use crate::report::Event;
use jiff::SignedDuration;
use std::time::Duration;

fn other(name: &str, connection: &str) -> String {
    ONE.replace("name: one", &format!("name: {name}"))
        .replace("connection: sink", &format!("connection: {connection}"))
        .replace("/post", &format!("/{name}"))
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("N{id:04}")).collect()
}

fn many(world: &World, zap: usize, count: usize) {
    world.records(zap, &ids(count).iter().map(|id| order(id)).collect::<Vec<_>>());
}

fn slow(outcome: SendOutcome, seconds: u64) -> Act {
    Act { outcome, takes: Duration::from_secs(seconds) }
}

#[test]
fn a_backlog_is_worked_off_within_the_window() {
    let mut world = World::new(&[ONE]);
    world.window = 16;
    many(&world, 0, 600);
    let mut number = 0;
    world.target.script(move |_| {
        number += 1;
        // No two come back together.
        Act { outcome: reply(200), takes: Duration::from_millis(1_000 + 37 * (number % 101)) }
    });
    let before = world.calls.made();
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Delivered), 600);
    assert_eq!(world.target.most_in_flight(), 16);
    // A send and a write per run, a claim for every half window, and in the end one whenever a run comes to rest.
    let claims = world.calls.made() - before - 1200;
    assert!(claims <= 600 / 8 + 16 + 2, "{claims} claims");
}

#[test]
fn the_oldest_go_first() {
    let world = World::new(&[ONE]);
    many(&world, 0, 100);
    world.once().unwrap().unwrap();
    let expected: Vec<String> = ids(100).iter().map(|id| format!("/post {{\"order\":\"{id}\"}}")).collect();
    assert_eq!(world.target.seen(), expected);
}

#[test]
fn a_slow_target_does_not_delay_another_zap() {
    let zaps = [other("fast", "x"), other("slow", "y")];
    let world = World::new(&[&zaps[0], &zaps[1]]);
    many(&world, 1, 200);
    many(&world, 0, 200);
    world.target.script(|sent| slow(reply(200), if path(sent) == "/slow" { 3600 } else { 0 }));
    world.for_long(Duration::from_secs(1));
    assert_eq!(world.count(RunState::Delivered), 200);
    assert_eq!(world.target.sent().iter().filter(|sent| path(sent) == "/slow").count(), 64);
}

#[test]
fn a_slow_run_does_not_delay_new_ones_of_its_zap() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world
        .target
        .script(|sent| slow(reply(200), if super::kit::body(sent).contains("\"A\"") { 3600 } else { 0 }));
    let (shared, lanes) = world.start();
    let start = world.clock.now();
    let at = |seconds| start + SignedDuration::from_secs(seconds);
    let news = async {
        world.clock.sleep_until(at(5)).await;
        world.sales(0, &["B"]);
        shared.wakers.ring_all();
        world.clock.sleep_until(at(6)).await;
    };
    world.clock.drive(async {
        tokio::select! {
            () = news => {}
            _ = serve(&lanes) => {}
        }
    });
    assert_eq!(world.state("B").0, RunState::Delivered);
    assert_eq!(world.state("A").0, RunState::Pending);
}

#[test]
fn runs_of_one_natural_id_keep_their_order() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.commit(0, "refund", &[order("A")]);
    world.target.answers(vec![reply(500)]);
    world.once().unwrap().unwrap();
    assert_eq!(world.target.sent().len(), 1, "the second waits for the first, which waits to be retried");
    world.for_long(Duration::from_secs(600));
    assert_eq!(world.count(RunState::Delivered), 2);
    let keys: Vec<String> = world.target.sent().into_iter().map(|sent| sent.idempotency_key).collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_starts_nothing() {
    let world = World::new(&[ONE]);
    many(&world, 0, 100);
    world.target.script(|_| slow(reply(200), 10));
    let (shared, lanes) = world.start();
    let end = world.clock.now() + SignedDuration::from_secs(5);
    let stop = async {
        world.clock.sleep_until(end).await;
        shared.phases.stop();
    };
    let (served, ()) = world.clock.drive(async { tokio::join!(serve(&lanes), stop) }).unwrap();
    served.unwrap();
    assert_eq!(world.count(RunState::Delivered), 64);
    assert_eq!(world.count(RunState::Pending), 36);
    assert_eq!(world.target.sent().len(), 64);
}

#[test]
fn a_target_that_is_down_parks_its_runs_and_recovers() {
    let zaps = [other("up", "x"), other("down", "y")];
    let world = World::new(&[&zaps[0], &zaps[1]]);
    many(&world, 1, 300);
    many(&world, 0, 300);
    let back = world.clock.now() + SignedDuration::from_secs(3600);
    let clock = world.clock.clone();
    world.target.script(move |sent| {
        let down = path(sent) == "/down" && clock.now() < back;
        if down { reply(503) } else { reply(200) }
    });
    let (_, lanes) = world.start();
    assert_eq!(world.clock.drive_until(back, serve(&lanes)), None);
    let tried = world.target.sent().iter().filter(|sent| path(sent) == "/down").count();
    assert!(tried < 64 + 30, "{tried} requests to a target that is down");
    assert_eq!(world.count(RunState::Delivered), 300, "the other zap is not slowed");
    let events = world.events();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::BreakerOpened { .. })).count(), 1);
    let later = back + SignedDuration::from_secs(900);
    assert_eq!(world.clock.drive_until(later, serve(&lanes)), None);
    assert_eq!(world.count(RunState::Delivered), 600);
    let closed =
        |event: &Event| matches!(event, Event::BreakerClosed { target, .. } if target == "connection `y`");
    assert_eq!(world.events().iter().filter(|event| closed(event)).count(), 1);
}

#[test]
fn wrong_credentials_park_all_runs_and_use_up_nothing() {
    let world = World::new(&[ONE]);
    many(&world, 0, 100);
    world.target.script(|_| slow(reply(401), 1));
    let shared = world.for_long(Duration::from_secs(48 * 3600));
    assert_eq!(world.count(RunState::Pending), 100);
    assert!(world.store.all_runs().iter().all(|run| run.attempts == 0));
    // The first window, then a probe at a time: after a minute, and at most one every fifteen.
    let sent = world.target.sent().len();
    assert!(sent <= 64 + 4 * 48 + 5, "{sent}");
    assert_eq!(shared.summary().dead, 0);
    // What waits is left where it is; only the probe is moved about.
    assert!(world.calls.made() < 8 * sent, "{} calls of the ports for {sent} requests", world.calls.made());
    world.target.script(|_| reply(200));
    world.for_long(Duration::from_secs(3600));
    assert_eq!(world.count(RunState::Delivered), 100);
}

#[test]
fn a_record_that_always_gets_403_dies_alone() {
    let world = World::new(&[ONE]);
    many(&world, 0, 50);
    world
        .target
        .script(|sent| if super::kit::body(sent).contains("N0007") { reply(403) } else { reply(200) });
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Delivered), 49);
    assert_eq!(world.state("N0007"), (RunState::Dead, "refused".into()));
}

#[test]
fn a_403_for_everyone_costs_two_runs() {
    let mut world = World::new(&[ONE]);
    world.window = 1;
    many(&world, 0, 20);
    world.target.script(|_| reply(403));
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Dead), 2);
    assert_eq!(world.target.sent().len(), 3);
    world.target.script(|_| reply(200));
    world.clock.advance(SignedDuration::from_secs(61));
    world.once().unwrap().unwrap();
    assert_eq!(world.count(RunState::Delivered), 18);
}

#[test]
fn five_thousand_runs_wait_in_the_store_and_not_in_memory() {
    let world = World::new(&[ONE]);
    many(&world, 0, 5_000);
    world.target.script(|_| slow(reply(200), 1));
    world.for_long(Duration::from_millis(1_500));
    assert_eq!(world.target.most_in_flight(), 64);
    assert!(world.target.sent().len() <= 64 * 3);
}

#[test]
fn a_hanging_run_costs_the_store_nothing() {
    let world = World::new(&[ONE]);
    world.sales(0, &["A"]);
    world.target.script(|_| slow(reply(200), 7_200));
    let before = world.calls.made();
    world.for_long(Duration::from_secs(3_600));
    // One claim, one look at what is due next, one send.
    assert_eq!(world.calls.made() - before, 3);
}

#[test]
fn an_idle_lane_does_nothing() {
    let world = World::new(&[ONE]);
    let before = world.calls.made();
    let (_, lanes) = world.start();
    assert_eq!(world.clock.drive(serve(&lanes)), None, "nothing wakes it");
    assert_eq!(world.calls.made() - before, 2);
}

#[test]
fn a_probe_that_gets_through_wakes_the_other_zaps_of_its_target() {
    let zaps = [other("first", "y"), other("second", "y")];
    let world = World::new(&[&zaps[0], &zaps[1]]);
    many(&world, 0, 10);
    many(&world, 1, 10);
    let back = world.clock.now() + SignedDuration::from_secs(600);
    let clock = world.clock.clone();
    world.target.script(move |_| slow(if clock.now() < back { reply(500) } else { reply(200) }, 2));
    let (_, lanes) = world.start();
    let mut delivered = 0;
    let mut end = back;
    // Runs of both zaps that were parked one by one come back at the latest one probe later.
    for _ in 0..3 {
        end += SignedDuration::from_secs(330);
        assert_eq!(world.clock.drive_until(end, serve(&lanes)), None);
        delivered = world.count(RunState::Delivered);
    }
    assert_eq!(delivered, 20);
}

#[test]
fn an_outage_does_not_use_up_the_time_for_retries() {
    let yaml = ONE.to_owned() + "    retry: { for: 10m, first: 1s, max_delay: 1m }\n";
    let world = World::new(&[&yaml]);
    many(&world, 0, 10);
    let back = world.clock.now() + SignedDuration::from_hours(5);
    let clock = world.clock.clone();
    let mut blips: Vec<String> = (0..4).map(|id| format!("N{id:04}")).collect();
    world.target.script(move |sent| {
        let up = clock.now() >= back;
        let known = blips.iter().position(|id| super::kit::body(sent).contains(id.as_str()));
        match known.filter(|_| up) {
            // Once more after the outage, as any run may fail once.
            Some(blip) => {
                blips.remove(blip);
                reply(503)
            }
            None if up => reply(200),
            None => reply(503),
        }
    });
    world.for_long(Duration::from_secs(6 * 3600));
    assert_eq!(world.count(RunState::Delivered), 10, "{:?}", world.count(RunState::Dead));
}

#[test]
fn a_target_that_is_busy_for_ever_uses_it_up() {
    let yaml = ONE.to_owned() + "    retry: { for: 1h, first: 1s, max_delay: 1m }\n";
    let world = World::new(&[&yaml]);
    many(&world, 0, 5);
    world.target.script(|_| {
        let SendOutcome::Reply(head) = reply(429) else { unreachable!() };
        SendOutcome::Reply(crate::ports::Reply { retry_after: Some(Duration::from_secs(30)), ..head })
    });
    world.for_long(Duration::from_secs(3 * 3600));
    assert_eq!(world.count(RunState::Dead), 5);
    assert_eq!(world.state("N0000").1, "expired");
}

#[test]
fn a_run_that_breaks_its_target_is_dead_in_the_end_and_the_others_are_not() {
    let mut world = World::new(&[ONE]);
    many(&world, 0, 20);
    let bad = ["N0003", "N0004", "N0005", "N0006", "N0007"];
    world.target.script(move |sent| {
        let breaks = bad.iter().any(|id| super::kit::body(sent).contains(id));
        if breaks { reply(500) } else { reply(200) }
    });
    world.window = 1;
    let (_, lanes) = world.start();
    let mut end = world.clock.now();
    // Nothing tells a broken target from a breaking run but another run that gets through.
    for hour in 0..12 {
        end += SignedDuration::from_hours(1);
        assert_eq!(world.clock.drive_until(end, serve(&lanes)), None);
        world.sales(0, &[&format!("X{hour}")]);
    }
    end += SignedDuration::from_hours(1);
    assert_eq!(world.clock.drive_until(end, serve(&lanes)), None);
    assert_eq!(world.count(RunState::Delivered), 15 + 12);
    assert_eq!(world.count(RunState::Dead), 5);
    assert!(world.run("N0003").reason.detail.contains("other runs were accepted"));
}

#[test]
fn an_outage_does_not_use_up_the_time_of_those_that_failed_before_it() {
    let yaml = ONE.to_owned() + "    retry: { for: 30m, first: 10m, max_delay: 10m }\n";
    let mut world = World::new(&[&yaml]);
    world.window = 1;
    many(&world, 0, 120);
    let down = world.clock.now() + SignedDuration::from_secs(1);
    let back = world.clock.now() + SignedDuration::from_hours(1);
    let (clock, mut first, mut later) = (world.clock.clone(), 0, 0);
    world.target.script(move |_| {
        let now = clock.now();
        let fails = if now < down {
            // Every other run fails once, so that none in a row do.
            first += 1;
            first % 2 == 0
        } else {
            later += usize::from(now >= back);
            now < back || later == 30
        };
        if fails { reply(503) } else { reply(200) }
    });
    world.for_long(Duration::from_secs(2 * 3600));
    assert_eq!((world.count(RunState::Delivered), world.count(RunState::Dead)), (120, 0));
}
