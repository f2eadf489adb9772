//! A polled API of a zap that was switched off and on again.

use super::{PAGES, Rig};
use crate::ports::{Clock, OffZap, RunState, Store};
use crate::report::Event;
use crate::testing::Moment;
use jiff::SignedDuration;

const DAY: i64 = 24 * 60 * 60;

/// Off for a week from now on, with an item of it; then on.
fn off_for_a_week(more: &str) -> Rig {
    let rig = Rig::running(more);
    rig.add([1]);
    rig.later(60);
    let off = OffZap { name: "zap".to_owned(), formerly: None, now: rig.clock.now() };
    rig.clock.drive(rig.store.switched_off(off)).unwrap().unwrap();
    rig.later(7 * DAY);
    rig.add([2]);
    rig.later(60);
    rig.calls.calm();
    rig
}

/// Ids and states of the runs.
fn states(rig: &Rig) -> Vec<(String, RunState)> {
    let mut runs: Vec<_> =
        rig.store.all_runs().into_iter().map(|run| (run.event.key.id, run.state)).collect();
    runs.sort();
    runs
}

fn groups(rig: &Rig) -> Vec<(u64, u64)> {
    let of = |event| match event {
        Event::CaughtUp { held, dropped, .. } => Some((held, dropped)),
        _ => None,
    };
    rig.reports.take().into_iter().filter_map(of).collect()
}

/// Items with a time, and items without one: of those nobody knows whether they are from before, or from while it was
/// off.
#[test]
fn api_off_for_a_week_then_on_each_catch_up() {
    let (fire, hold, drop) = (RunState::Pending, RunState::Held, RunState::Dropped);
    for (catch_up, meanwhile, group) in
        [("", hold, vec![(1, 0)]), ("catch_up: send", fire, vec![]), ("catch_up: drop", drop, vec![(0, 1)])]
    {
        for dated in [true, false] {
            let more = format!("{}\n  {catch_up}", if dated { PAGES } else { "start: now" });
            let rig = off_for_a_week(&more);
            rig.poll();
            let first = if dated { fire } else { meanwhile };
            let mut wanted = vec![("1".to_owned(), first), ("2".to_owned(), meanwhile)];
            assert_eq!(states(&rig), wanted, "{more}");
            let both = |(held, dropped): &(u64, u64)| {
                if dated { (*held, *dropped) } else { (held * 2, dropped * 2) }
            };
            assert_eq!(groups(&rig), group.iter().map(both).collect::<Vec<_>>(), "{more}");
            rig.add([3]);
            rig.later(300);
            rig.poll();
            wanted.push(("3".to_owned(), fire));
            assert_eq!(states(&rig), wanted, "{more}: it is on");
            assert_eq!(groups(&rig), [], "{more}");
        }
    }
}

/// Once the first poll since is whole, what comes is sent, also where nobody was told of the rest yet.
#[test]
fn an_undated_item_after_a_crash_is_as_new_as_it_is() {
    let calls = {
        let rig = off_for_a_week("catch_up: drop");
        rig.poll();
        rig.calls.made()
    };
    for nth in 2..=calls {
        for moment in [Moment::Before, Moment::After] {
            let rig = off_for_a_week("catch_up: drop");
            rig.calls.crash_at(nth, moment);
            assert!(rig.try_poll().is_none(), "it dies at call {nth}");
            rig.calls.calm();
            let read = rig
                .cursor()
                .is_some_and(|cursor| rig.clock.now().duration_since(cursor) < SignedDuration::from_secs(60));
            rig.later(60);
            rig.add([3]);
            rig.poll();
            let third = if read { RunState::Pending } else { RunState::Dropped };
            let wanted = [("1", RunState::Dropped), ("2", RunState::Dropped), ("3", third)];
            let wanted = wanted.map(|(id, state)| (id.to_owned(), state));
            assert_eq!(states(&rig), wanted, "after a crash {moment:?} call {nth}");
            assert!(!groups(&rig).is_empty(), "after a crash {moment:?} call {nth}");
        }
    }
}
