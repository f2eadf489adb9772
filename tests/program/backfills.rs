//! `zaprun backfill`: by itself, and handed to a running engine.

use jiff::SignedDuration;

use crate::harness::{Lab, SALES, START};

/// Sales from now on only.
fn from_now() -> String {
    SALES.replace(START, "now").replace("every: 1s", "every: 1s, sweep: 1s")
}

/// Sales of so many days ago.
fn sold(lab: &Lab, days: i64, count: usize) {
    let now = lab.crm().with(|state| state.now());
    lab.crm().with(|state| state.pin(Some(now.saturating_sub(SignedDuration::from_hours(24 * days)))));
    lab.sales(count);
    lab.crm().with(|state| state.pin(None));
}

fn day(lab: &Lab, days: i64) -> String {
    let now = lab.crm().with(|state| state.now());
    now.saturating_sub(SignedDuration::from_hours(24 * days)).date().to_string()
}

#[test]
fn what_was_before_is_sent_once() {
    let lab = Lab::new(&[&from_now()]);
    sold(&lab, 40, 3);
    sold(&lab, 5, 4);
    lab.once(0).says("0 new");
    let (from, to) = (day(&lab, 60), day(&lab, 2));
    let backfill =
        |more: &[&str]| lab.zaprun(&[&["backfill", "sales", "--from", &from, "--to", &to], more].concat());
    let tried = backfill(&["--dry-run"]).expect(0);
    assert_eq!(tried.out, "7 of 7 records would be sent\n");
    assert_eq!(lab.runs().len(), 0, "nothing is recorded");
    backfill(&["--yes"]).expect(0).says("7 new of 7 records; the next `zaprun run` sends them");
    lab.once(0).says("7 delivered");
    assert_eq!(lab.received().len(), 7);
    backfill(&[]).expect(0).says("0 new of 7 records; 7 had a run before");
    lab.once(0);
    assert_eq!(lab.received().len(), 7, "nothing twice");
    let narrow =
        lab.zaprun(&["backfill", "sales", "--from", &day(&lab, 40), "--to", &day(&lab, 39), "--dry-run"]);
    assert_eq!(narrow.expect(0).out, "0 of 3 records would be sent\n", "`--to` is the day after the last");
}

#[test]
fn a_running_engine_is_handed_the_work_and_delivers() {
    let lab = Lab::new(&[&from_now()]);
    sold(&lab, 5, 4);
    lab.once(0);
    let engine = lab.start(&["run"]);
    engine.wait_for_err("running 1 zap");
    let from = day(&lab, 20);
    let ran = lab.zaprun(&["backfill", "sales", "--from", &from, "--to", &day(&lab, 2)]).expect(0);
    ran.says("4 new of 4 records; the running engine sends them");
    lab.wait_for_sink(4);
    let told = lab.stop(engine).expect(0);
    assert!(told.err.contains("is done: 4 records, 4 new"), "{}", told.err);
}

#[test]
fn one_that_is_killed_goes_on_where_it_was() {
    let lab = Lab::new(&[&from_now()]);
    sold(&lab, 45, 5);
    sold(&lab, 5, 5);
    lab.once(0);
    let (from, to) = (day(&lab, 60), day(&lab, 2));
    lab.fault("slow:300ms,on=order/query");
    let seen = lab.crm().crm_count();
    let going = lab.start(&["backfill", "sales", "--from", &from, "--to", &to]);
    lab.wait_for_crm(seen + 4);
    lab.ended(going.kill());
    lab.crm().clear_faults();
    // An engine takes it up, since it lies in the state.
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(10);
    engine.wait_for_err("is done: ");
    lab.stop(engine).expect(0);
    assert_eq!(lab.crm().sink_summary().repeats, 0);
    lab.zaprun(&["backfill", "sales", "--stop"]).expect(0).says("no backfill of `sales` is going on");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let lab = Lab::new(&[&from_now()]);
    let ran = |args: &[&str], code| lab.zaprun(&[&["backfill"], args].concat()).expect(code);
    ran(&["sale", "--from", "2026-01-01"], 2).says("did you mean `sales`?");
    ran(&["sales"], 2).says("--from");
    ran(&["sales", "--from", "yesterday"], 2).says("write a day like 2026-01-31");
    ran(&["sales", "--from", "2026-01-02", "--to", "2026-01-02"], 2)
        .says("`--to` is the day after the last one");
    ran(&["sales", "--from", "2099-01-01"], 2).says("has begun");
    lab.crm().with(|state| state.pin(None));
    lab.fault("auth");
    ran(&["sales", "--from", "2026-01-01"], 1).says("its place is kept");
}

#[test]
fn a_zap_that_is_switched_off_is_no_other_ones_backfill() {
    let off = SALES.replace("name: sales", "name: another\nenabled: false");
    let lab = Lab::new(&[&off, &from_now()]);
    sold(&lab, 5, 2);
    lab.once(0);
    let ran = |zap: &str, code| {
        let (from, to) = (day(&lab, 20), day(&lab, 2));
        lab.zaprun(&["backfill", zap, "--from", &from, "--to", &to, "--dry-run"]).expect(code)
    };
    assert_eq!(ran("sales", 0).out, "2 of 2 records would be sent\n");
    ran("another", 1).says("`another` is switched off: nobody would deliver what is found");
}
