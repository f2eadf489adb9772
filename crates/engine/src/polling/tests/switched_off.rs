//! Zaps that were switched off and on again.

use super::support::{Rig, Spec};
use crate::ports::{Clock, RunState, ZapId};
use crate::report::Event;
use crate::testing::{FakeRow, Moment};
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * 60;

/// A zap that has run since noon, is off for a week from an hour later on, and on again since now. Sales: one while no
/// process ran, before it was off; three while it was off; one just now.
fn off_for_a_week(options: &'static str) -> Rig {
    let rig = Rig::with("zap", Spec { options, ..Spec::of("new_sale") });
    rig.poll();
    rig.later(1_800);
    rig.insert(rig.sale("BEFORE"));
    rig.later(1_800);
    rig.switch_off("zap");
    // The engine starts again in the meantime: that is still the same time.
    for day in ["ONE", "TWO", "THREE"] {
        rig.later(2 * DAY);
        rig.insert(rig.sale(day));
        rig.switch_off("zap");
    }
    rig.later(DAY);
    rig.reports.take();
    rig
}

/// The zap's runs by natural id: the state of each, and why.
fn states(rig: &Rig, zap: ZapId) -> BTreeMap<String, (RunState, String)> {
    let runs = rig.store.all_runs().into_iter().filter(|run| run.zap == zap);
    runs.map(|run| (run.event.key.id, (run.state, run.reason.word))).collect()
}

fn expected(state: RunState, word: &str) -> BTreeMap<String, (RunState, String)> {
    let of = |id: &str, state, word: &str| (id.to_owned(), (state, word.to_owned()));
    let mut all: BTreeMap<_, _> = ["ONE", "TWO", "THREE"].into_iter().map(|id| of(id, state, word)).collect();
    all.extend(["BEFORE", "NOW"].map(|id| of(id, RunState::Pending, "queued")));
    all
}

const EACH: [(&str, RunState, &str); 4] = [
    ("", RunState::Held, "caught_up"),
    ("catch_up: hold", RunState::Held, "caught_up"),
    ("catch_up: send", RunState::Pending, "queued"),
    ("catch_up: drop", RunState::Dropped, "caught_up"),
];

/// Held and dropped of each group that was told.
fn groups(rig: &Rig) -> Vec<(u64, u64)> {
    let of = |event| match event {
        Event::CaughtUp { held, dropped, .. } => Some((held, dropped)),
        _ => None,
    };
    rig.events().into_iter().filter_map(of).collect()
}

fn group(state: RunState, number: u64) -> Vec<(u64, u64)> {
    match state {
        RunState::Held => vec![(number, 0)],
        RunState::Dropped => vec![(0, number)],
        _ => Vec::new(),
    }
}

#[test]
fn zap_off_for_a_week_then_on_each_catch_up() {
    for (options, state, word) in EACH {
        let rig = off_for_a_week(options);
        rig.poll();
        rig.later(60);
        rig.insert(rig.sale("NOW"));
        rig.later(60);
        rig.poll();
        assert_eq!(states(&rig, rig.id("zap")), expected(state, word), "{options}");
        assert_eq!(groups(&rig), group(state, 3), "{options}: one alert for the group");
        rig.later(60);
        rig.poll();
        assert_eq!(groups(&rig), [], "{options}: and no other");
    }
}

#[test]
fn zap_off_for_a_week_then_on_each_catch_up_with_a_crash_in_between() {
    for (options, state, word) in EACH {
        let calls = {
            let rig = off_for_a_week(options);
            rig.calls.calm();
            rig.poll();
            rig.calls.made()
        };
        assert!(calls > 4, "{calls}");
        for nth in 1..=calls {
            for moment in [Moment::Before, Moment::After] {
                if (nth, moment) == (1, Moment::Before) {
                    // It is not even known to be on.
                    continue;
                }
                let rig = off_for_a_week(options);
                rig.calls.crash_at(nth, moment);
                assert!(rig.try_poll().is_none(), "it dies at call {nth}");
                rig.calls.calm();
                rig.later(60);
                rig.insert(rig.sale("NOW"));
                rig.later(60);
                rig.poll();
                let case = format!("{options} after a crash {moment:?} call {nth}");
                assert_eq!(states(&rig, rig.id("zap")), expected(state, word), "{case}");
                let told = groups(&rig);
                // A process that dies between telling and noting that it did tells again.
                let again = told.len() == 2 && told.first() == told.last();
                assert!(told == group(state, 3) || again, "{case}: {told:?}");
            }
        }
    }
}

#[test]
fn zap_off_twice_is_two_groups() {
    let rig = off_for_a_week("catch_up: hold");
    // It is on, and dies before it has read anything; then it is off for another day.
    rig.calls.crash_at(2, Moment::Before);
    assert!(rig.try_poll().is_none());
    rig.calls.calm();
    rig.later(60);
    rig.insert(rig.sale("BETWEEN"));
    rig.later(60);
    rig.switch_off("zap");
    rig.later(DAY);
    rig.insert(rig.sale("FOUR"));
    rig.later(DAY);
    rig.poll();
    let states = states(&rig, rig.id("zap"));
    let of = |wanted: RunState| {
        let these = states.iter().filter(|(_, (state, _))| *state == wanted);
        these.map(|(id, _)| id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(RunState::Held), ["FOUR", "ONE", "THREE", "TWO"]);
    assert_eq!(of(RunState::Pending), ["BEFORE", "BETWEEN"], "it was on");
    assert_eq!(groups(&rig), [(3, 0), (1, 0)]);
}

#[test]
fn a_process_that_was_merely_down_catches_up_and_sends() {
    let rig = Rig::with("zap", Spec { options: "catch_up: drop", ..Spec::of("new_sale") });
    rig.poll();
    rig.later(3 * DAY);
    rig.insert(rig.sale("DOWN"));
    rig.later(3 * DAY);
    rig.reports.take();
    rig.poll();
    assert_eq!(states(&rig, rig.id("zap")).get("DOWN"), Some(&(RunState::Pending, "queued".to_owned())));
    assert_eq!(groups(&rig), []);
}

#[test]
fn a_zap_that_has_never_run_has_nothing_to_catch_up_with() {
    let rig = Rig::with("zap", Spec { start: "beginning", ..Spec::of("new_sale") });
    rig.switch_off("zap");
    rig.later(DAY);
    rig.insert(rig.sale("SALE"));
    rig.later(60);
    rig.poll();
    assert_eq!(states(&rig, rig.id("zap")).get("SALE"), Some(&(RunState::Pending, "queued".to_owned())));
}

/// A CRM whose clock is behind dates a sale from after the zap was switched on to before.
#[test]
fn what_happens_after_the_switch_is_sent_whatever_the_crms_clock() {
    for skew in [-600, 600] {
        let rig = Rig::with("zap", Spec { options: "catch_up: drop", ..Spec::of("new_sale") });
        rig.crm.set_skew(Some(jiff::SignedDuration::from_secs(skew)));
        let there = |id: &str| {
            let at = rig.clock.now() + jiff::SignedDuration::from_secs(skew);
            FakeRow::order(id, &super::support::local(at))
        };
        rig.poll();
        rig.later(3_600);
        rig.switch_off("zap");
        rig.later(DAY);
        rig.insert(there("OFF"));
        rig.later(60);
        rig.poll();
        rig.later(30);
        rig.insert(there("ON"));
        rig.later(60);
        rig.poll();
        let states = states(&rig, rig.id("zap"));
        let state = |id: &str| states.get(id).map(|(state, _)| *state);
        assert_eq!((state("OFF"), state("ON")), (Some(RunState::Dropped), Some(RunState::Pending)), "{skew}");
    }
}
