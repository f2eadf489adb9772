//! Finding what happened to a value, forgetting a person, how the zaps stand, and when history is over.

use crate::harness::{LEADS, Lab, SALES, shown};

#[test]
fn why_finds_a_value_in_every_zap() {
    let lab = Lab::new(&[SALES, LEADS]);
    let orders = lab.sales(2);
    lab.once(0);
    let by_order = lab.zaprun(&["runs", "why", &orders[0], "--fast", "--format", "json"]).expect(0).json();
    let found = by_order["found"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["zap"], &found[0]["state"]), (&"sales".into(), &"delivered".into()));
    let by_email = lab.zaprun(&["runs", "why", "BUYER1@example.test", "--format", "json"]).expect(0).json();
    assert_eq!(by_email["complete"], true);
    assert_eq!(by_email["found"].as_array().unwrap().len(), 1);
    let nothing = lab.zaprun(&["runs", "why", "nobody@example.test"]).expect(1);
    insta::assert_snapshot!(nothing.err, @"nothing that is kept has it");
}

#[test]
fn what_was_there_before_is_told_too() {
    let lab = Lab::new(&[&SALES.replace("start: START", "start: now")]);
    lab.crm().with(|state| {
        let hour_ago = state.now().saturating_sub(jiff::SignedDuration::from_hours(1));
        state.pin(Some(hour_ago));
    });
    let orders = lab.sales(1);
    lab.crm().with(|state| state.pin(None));
    lab.once(0);
    let told = lab.zaprun(&["runs", "why", &orders[0]]).expect(0);
    told.says("primed").says("it was there before the zap began");
}

#[test]
fn a_person_is_forgotten_in_every_byte() {
    let lab = Lab::new(&[SALES]);
    lab.sales(2);
    lab.once(0);
    let holds = |text: &str| {
        lab.state().iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    assert!(holds("buyer0@example.test"));
    lab.zaprun(&["forget", "buyer0"]).expect(2).says("is no e-mail address");
    let would = lab.zaprun(&["forget", "buyer0@example.test", "--dry-run"]).expect(0);
    would.says("would erase what tells of a person in 1 run; nothing was done");
    lab.zaprun(&["forget", "buyer0@example.test"]).expect(1).says("--yes does it without asking");
    assert!(holds("buyer0@example.test"));
    lab.zaprun(&["forget", "Buyer0@example.test", "--yes"]).expect(0).says("erased: 1 run");
    assert!(!holds("buyer0@example.test"));
    assert!(holds("buyer1@example.test"), "others stay");
    lab.zaprun(&["runs", "why", "buyer0@example.test"]).expect(1);
    // Nothing is sent anew, and what is left can be looked at.
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
    let told = lab.zaprun(&["runs", "show", "1"]);
    let other = lab.zaprun(&["runs", "show", "2"]);
    assert!(told.all().contains("was erased") != other.all().contains("was erased"));
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
}

#[test]
fn a_running_engine_forgets() {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.once(0);
    let polls = lab.crm().crm_count();
    let engine = lab.start(&["run"]);
    // It holds the state when it polls.
    lab.wait_for_crm(polls + 1);
    lab.zaprun(&["forget", "buyer0@example.test", "--yes"]).expect(0).says("erased: 1 run");
    let email = b"buyer0@example.test";
    let state = lab.state();
    let holding: Vec<_> =
        state.iter().filter(|(_, bytes)| bytes.windows(email.len()).any(|window| window == email)).collect();
    assert!(holding.is_empty(), "{:?}", holding.iter().map(|(path, _)| path).collect::<Vec<_>>());
    lab.stop(engine);
}

#[test]
fn status_adds_up_and_says_what_needs_a_person() {
    let lab = Lab::new(&[SALES, LEADS]);
    lab.zaprun(&["status"]).expect(1).says("nothing has run here yet");
    lab.sales(3);
    lab.fault("sink-status:404,first=1");
    lab.once(1);
    let report = lab.zaprun(&["status", "--json"]).expect(1).json();
    let zaps = report["zaps"].as_array().unwrap();
    let sales = zaps.iter().find(|zap| zap["zap"] == "sales").unwrap();
    assert_eq!((&sales["delivered"], &sales["dead"], &sales["ledger"]), (&2.into(), &1.into(), &3.into()));
    assert_eq!((&sales["adds_up"], &sales["overdue"]), (&true.into(), &false.into()));
    let told = lab.zaprun(&["status"]).expect(1);
    insta::assert_snapshot!(shown(&told.err), @"warning: `sales`: 1 run needs a person; `zaprun runs list --zap sales --status held,dead`");
    lab.zaprun(&["runs", "drop", "--zap", "sales", "--yes"]).expect(0);
    assert_eq!(lab.zaprun(&["status", "--json"]).expect(0).json()["well"], true);
}

/// What is over goes with the next run; what is young stays.
#[test]
fn history_ends_and_counts_stay_exact() {
    let lab = Lab::new(&[SALES]);
    lab.change("state: sqlite", "history: 1h\nstate: sqlite");
    lab.sales(2);
    lab.once(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
    lab.zaprun(&["validate"]).expect(0);
    lab.change("history: 1h", "history: 30m");
    lab.zaprun(&["validate"]).expect(1).says("`history` must be at least 1h");
}
