//! A process that dies at every call it makes, and the next one that takes over.

use super::support::{Rig, Spec};
use crate::ports::Fate;
use crate::testing::{FakeRow, Moment};
use std::collections::BTreeSet;

/// Sales, leads, look-ups and two pages, for two zaps.
fn account() -> Rig {
    let mut rig = Rig::with("sales", Spec::of("new_sale"));
    rig.deploy("leads", Spec::of("new_lead"));
    rig.insert(FakeRow::order("BEFORE", "2026-09-16 11:00:00"));
    rig.poll();
    rig.later(60);
    (0..205).for_each(|number| rig.insert(rig.sale(&format!("S{number:03}"))));
    rig.insert(rig.sale("L").with("orderStatus", "PARTIAL"));
    rig.insert(FakeRow::order("BOUGHT", "2026-09-10 12:00:00").with("dateUpdated", rig.now()));
    rig.insert(FakeRow::sale(1, "BOUGHT", &rig.now()));
    rig.insert(FakeRow::order("SHIPPED", "2026-09-10 12:00:00").with("dateUpdated", rig.now()));
    rig.insert(FakeRow::sale(2, "SHIPPED", "2026-09-10 12:05:00"));
    rig
}

/// Everything that matters in the end: ledger entries with their fates, and runs.
type Outcome = (BTreeSet<String>, Vec<String>, Vec<String>);

fn outcome(rig: &Rig) -> Outcome {
    let mut entries = BTreeSet::new();
    for name in ["sales", "leads"] {
        for (key, fate) in rig.store.ledger(rig.id(name)) {
            entries.insert(format!("{name} {key} {fate:?}"));
        }
    }
    (entries, rig.fired_sorted("sales"), rig.fired_sorted("leads"))
}

#[test]
fn a_crash_at_every_call_leaves_the_same_runs() {
    let undisturbed = account();
    undisturbed.calls.calm();
    undisturbed.poll();
    let calls = undisturbed.calls.made();
    let expected = outcome(&undisturbed);
    assert_eq!(expected.1.len(), 206, "205 sales and a lead of last week that bought");
    assert!(expected.0.contains(&format!("sales new_sale:SHIPPED {:?}", Fate::Prime)));
    assert!(calls > 12, "{calls}");
    for nth in 1..=calls {
        for moment in [Moment::Before, Moment::After] {
            let rig = account();
            rig.calls.crash_at(nth, moment);
            assert!(rig.try_poll().is_none(), "it dies at call {nth}");
            rig.calls.calm();
            rig.later(60);
            rig.poll();
            assert_eq!(outcome(&rig), expected, "after a crash {moment:?} call {nth}");
        }
    }
}

#[test]
fn a_process_that_dies_again_and_again_gets_there() {
    let undisturbed = account();
    undisturbed.poll();
    let expected = outcome(&undisturbed);
    let rig = account();
    for nth in 1.. {
        rig.calls.crash_at(nth, if nth % 2 == 0 { Moment::Before } else { Moment::After });
        rig.later(1);
        if rig.try_poll().is_some() {
            break;
        }
    }
    rig.calls.calm();
    assert_eq!(outcome(&rig), expected);
}

#[test]
fn a_crash_in_the_first_run_keeps_its_boundary() {
    let first = || {
        let rig = Rig::with("sales", Spec::of("new_sale"));
        rig.insert(FakeRow::order("BEFORE", "2026-09-16 11:00:00"));
        rig
    };
    let calls = {
        let rig = first();
        rig.poll();
        rig.calls.made()
    };
    for nth in 2..=calls {
        let rig = first();
        rig.calls.crash_at(nth, Moment::Before);
        assert!(rig.try_poll().is_none());
        rig.calls.calm();
        rig.later(300);
        rig.insert(rig.sale("MEANWHILE"));
        rig.later(300);
        rig.poll();
        assert_eq!(rig.fired("sales"), ["MEANWHILE"], "after a crash at call {nth}");
    }
}
