//! What waits for a person, through the whole program: after a zap was off, and over its limits.

use std::time::Duration;

use jiff::Timestamp;

use crate::harness::{Lab, SALES, shown};

/// The CRM writes whole seconds, and no event tells that one has passed: what happens from now on is not dated back to
/// before.
fn next_second() {
    let now = Timestamp::now();
    let next = Timestamp::from_second(now.as_second() + 1).unwrap();
    std::thread::sleep(Duration::try_from(next.duration_since(now)).unwrap());
}

/// A zap that has run, was off while two orders were sold, and is on again.
fn off_and_on(catch_up: &str) -> Lab {
    let zap = SALES.replace("every: 1s,", &format!("every: 1s, {catch_up}"));
    let lab = Lab::new(&[&zap]);
    lab.once(0);
    lab.zap(&format!("{zap}enabled: false\n"));
    lab.once(0).says("0 new, 0 delivered");
    next_second();
    lab.sales(2);
    next_second();
    lab.zap(&zap);
    lab
}

#[test]
fn a_zap_that_was_off_holds_what_happened_until_a_person_sends_it() {
    let lab = off_and_on("");
    let ran = lab.once(1).says("0 new, 0 delivered, 2 held");
    assert_eq!(ran.told("2 events held for a person"), 1, "{}", ran.err);
    assert!(lab.received().is_empty());
    let listed = lab.zaprun(&["runs", "list", "--status", "held"]).expect(0);
    let caught_up = "caught_up: it happened while the zap was switched off";
    assert_eq!(listed.out.matches(caught_up).count(), 2, "{}", listed.out);
    lab.zaprun(&["runs", "resolve", "1", "--as", "done"]).expect(0);
    let ran = lab.once(0).says("0 new, 1 delivered");
    assert_eq!(ran.told("held for a person"), 0, "it was told once: {}", ran.err);
    assert_eq!(lab.received().len(), 1);
    lab.sales(1);
    lab.once(0).says("1 new, 1 delivered");
}

#[test]
fn a_zap_that_was_off_may_send_or_drop_instead() {
    let lab = off_and_on("catch_up: send,");
    lab.once(0).says("2 new, 2 delivered");
    let lab = off_and_on("catch_up: drop,");
    let ran = lab.once(0).says("0 new, 0 delivered, 2 dropped");
    assert_eq!(ran.told("2 events dropped"), 1, "{}", ran.err);
    assert_eq!(lab.counts().get("dropped"), Some(&2));
}

/// An overlay switches as the zap itself does, and `--only` switches nothing off.
#[test]
fn what_only_leaves_out_is_not_off() {
    let lab = Lab::new(&[SALES, &SALES.replace("name: sales", "name: others")]);
    lab.once(0);
    lab.zaprun(&["run", "--once", "--only", "others"]).expect(0);
    lab.write("zaprun.off.yaml", "zaps: { others: { enabled: false } }\n");
    next_second();
    lab.sales(1);
    lab.zaprun(&["run", "--once", "--only", "others"]).expect(0);
    lab.zaprun(&["--env", "off", "run", "--once", "--only", "sales"]).expect(0);
    next_second();
    lab.sales(1);
    next_second();
    lab.once(1).says("1 new, 1 delivered, 1 held");
    let mut runs: Vec<String> = lab
        .runs()
        .iter()
        .map(|run| format!("{} {}", run["zap"].as_str().unwrap(), run["state"].as_str().unwrap()))
        .collect();
    runs.sort();
    assert_eq!(runs, ["others delivered", "others held", "sales delivered", "sales delivered"]);
}

#[test]
fn what_is_over_a_limit_is_held_and_let_through_by_a_person() {
    let lab = Lab::new(&[&format!("{SALES}limits: {{ writes_per_hour: 2 }}\n")]);
    lab.sales(4);
    let ran = lab.once(1).says("4 new, 2 delivered, 2 held");
    assert_eq!(ran.told("its limit `writes_per_hour` is reached"), 1, "{}", ran.err);
    let told = lab.zaprun(&["runs", "show", "3"]).expect(0);
    let why = told.out.lines().map(str::trim).find(|line| line.starts_with("why")).unwrap();
    insta::assert_snapshot!(shown(why), @"why       limit: the zap has made 2 writes in the last hour, which is its limit; `zaprun runs resolve 3 --as done` lets it through");
    // It is remembered beyond the process.
    lab.sales(1);
    lab.once(1).says("1 new, 0 delivered, 1 held");
    lab.zaprun(&["runs", "resolve", "3", "--as", "done"]).expect(0);
    lab.zaprun(&["runs", "resolve", "4", "--as", "failed"]).expect(0);
    lab.once(1).says("0 new, 1 delivered, 1 dead");
    assert_eq!(lab.received().len(), 3);
}
