//! `runs drop` and `runs replay`: what a person does with runs that have ended or wait.

use crate::harness::{Lab, SALES, shown};

/// A sale in two steps, of which the sink refuses the second.
fn dead(sales: usize) -> Lab {
    let then =
        "  - { id: then, type: http, connection: api, path: then, json: { order: $.orderId, note: old } }\n";
    let lab = Lab::new(&[&format!("{SALES}{then}")]);
    lab.sales(sales);
    lab.fault("sink-status:404,on=/sink/then");
    lab.once(1);
    lab.crm().clear_faults();
    assert_eq!(lab.counts(), [("dead".to_owned(), sales)].into());
    lab
}

/// What the sink was asked for at a path: the idempotency keys and the bodies.
fn at(lab: &Lab, path: &str) -> Vec<(String, serde_json::Value)> {
    let of_path = lab.received().into_iter().filter(|one| one.path == path);
    of_path.map(|one| (one.header("idempotency-key").unwrap().to_owned(), one.json().unwrap())).collect()
}

#[test]
fn a_dead_run_goes_on_after_what_is_done() {
    let lab = dead(1);
    let asked = lab.zaprun(&["runs", "replay", "1"]).expect(1);
    insta::assert_snapshot!(shown(&asked.err), @r"
    run  state  zap    event                made                  why
      1  dead   sales  new_sale:A833BDCDB6  TIME  refused: the target answered 404
    error: nobody is there to confirm: replay 1 run; nothing was done
    hint: --yes does it without asking
    ");
    let replayed = lab.zaprun(&["runs", "replay", "1", "--yes"]).expect(0);
    insta::assert_snapshot!(replayed.err, @r"
    replayed: 1 run
    the next `zaprun run` takes it from there
    ");
    lab.once(0);
    assert_eq!(at(&lab, "/sink/sales").len(), 1, "what is done is not done again");
    let then = at(&lab, "/sink/then");
    assert_eq!(then.len(), 2);
    assert_eq!(then[0], then[1], "the same request, under the same key");
    let told = lab.zaprun(&["runs", "show", "1"]).expect(0);
    assert!(told.out.contains("steps before it was replayed"), "{}", told.out);
}

#[test]
fn a_run_is_mapped_as_it_was_or_as_it_is_now() {
    let lab = dead(2);
    let text = std::fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    lab.write("zaps/sales.yaml", text.replace("note: old", "note: new"));
    lab.zaprun(&["runs", "replay", "1", "--yes"]).expect(0);
    let latest = lab.zaprun(&["runs", "replay", "2", "--latest", "--dry-run"]).expect(0);
    assert!(latest.err.contains("old") && latest.err.contains("new"), "{}", latest.all());
    latest.says("would replay 1 run; nothing was done");
    lab.zaprun(&["runs", "replay", "2", "--latest", "--yes"]).expect(0);
    lab.once(0);
    let mut notes: Vec<String> =
        at(&lab, "/sink/then")[2..].iter().map(|(_, body)| body["note"].to_string()).collect();
    notes.sort();
    assert_eq!(notes, ["\"new\"", "\"old\""]);
}

#[test]
fn a_running_engine_replays_by_a_filter() {
    let lab = dead(3);
    let polls = lab.crm().crm_count();
    let engine = lab.start(&["run"]);
    // It holds the state when it polls.
    lab.wait_for_crm(polls + 1);
    let replayed = lab.zaprun(&["runs", "replay", "--zap", "sales", "--yes", "--format", "json"]).expect(0);
    insta::assert_snapshot!(replayed.out.trim(), @r#"
    {
      "did": "replayed",
      "count": 3,
      "refused": [],
      "left": 0
    }
    "#);
    lab.wait_for_sink(9);
    lab.stop(engine);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 3)].into());
}

#[test]
fn a_delivered_run_begins_anew_only_by_a_word() {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.once(0);
    let refused = lab.zaprun(&["runs", "replay", "1", "--yes"]).expect(1);
    insta::assert_snapshot!(refused.err, @r"
    warning: run 1 is left as it is: it is delivered, and nothing of it is unfinished
    nothing to replay
    ");
    lab.zaprun(&["runs", "replay", "1", "--from-start", "--yes"]).expect(0);
    lab.once(0);
    lab.zaprun(&["runs", "replay", "1", "--from-start", "--new-key", "--yes"]).expect(0);
    lab.once(0);
    let keys: Vec<String> = at(&lab, "/sink/sales").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[test]
fn a_step_that_must_not_be_repeated_needs_the_words() {
    let lab = Lab::new(&[&SALES.replace("path: sales", "path: sales\n    on_uncertain: hold")]);
    lab.sales(1);
    lab.once(0);
    let refused = lab.zaprun(&["runs", "replay", "1", "--from-start", "--yes"]).expect(1);
    refused.says(
        "its step `post` is done, and must not be done twice; --from-start --new-key repeats it all the same",
    );
    let all = ["runs", "replay", "1", "--from-start", "--new-key", "--yes"];
    let asked = lab.zaprun(&all).expect(1);
    insta::assert_snapshot!(asked.err, @r#"
    error: nobody is there to confirm: 1 step that must not be repeated would be repeated; nothing was done
    hint: --confirm "repeat 1 step" does it without asking
    "#);
    lab.zaprun(&[&all[..], &["--confirm", "repeat 2 steps"]].concat())
        .expect(1)
        .says("these are not the words");
    lab.once(0);
    assert_eq!(at(&lab, "/sink/sales").len(), 1);
    lab.zaprun(&[&all[..], &["--confirm", "repeat 1 step"]].concat()).expect(0);
    lab.once(0);
    assert_eq!(at(&lab, "/sink/sales").len(), 2);
}

#[test]
fn dropped_runs_are_not_sent_and_can_be_brought_back() {
    let lab = dead(3);
    lab.zaprun(&["runs", "drop", "--yes"]).expect(2).says("say which runs");
    lab.zaprun(&["runs", "drop", "1", "--zap", "sales", "--yes"]).expect(2).says("not by both");
    lab.zaprun(&["runs", "drop", "77", "--yes"]).expect(1).says("there is no run 77");
    lab.zaprun(&["runs", "drop", "--zap", "slaes", "--yes"]).expect(1).says("did you mean `sales`?");
    let would =
        lab.zaprun(&["runs", "drop", "--zap", "sales", "--text", "ANSWERED 404", "--dry-run"]).expect(0);
    would.says("would drop 3 runs; nothing was done");
    let dropped = lab.zaprun(&["runs", "drop", "1", "2", "--yes"]).expect(0);
    insta::assert_snapshot!(dropped.err, @"dropped: 2 runs");
    let again = lab.zaprun(&["runs", "drop", "1", "--yes", "--format", "json"]).expect(1).json();
    assert_eq!(again["refused"][0]["why"], "it is dropped already");
    assert_eq!(lab.counts(), [("dead".to_owned(), 1), ("dropped".to_owned(), 2)].into());
    lab.zaprun(&["runs", "replay", "--status", "dropped", "--yes"]).expect(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("dead".to_owned(), 1), ("delivered".to_owned(), 2)].into());
}

#[test]
fn lists_are_filtered_by_time_and_text() {
    let lab = dead(2);
    let list = |args: &[&str]| {
        let all = [&["runs", "list", "--format", "json"], args].concat();
        lab.zaprun(&all).expect(0).json()["runs"].as_array().unwrap().len()
    };
    assert_eq!(list(&["--text", "BUYER1@example.test"]), 1);
    assert_eq!(list(&["--text", "refused"]), 2);
    assert_eq!(list(&["--text", "nobody@example.test"]), 0);
    assert_eq!((list(&["--until", "1h"]), list(&["--since", "1h"])), (0, 2));
}

/// What was sent can be seen after the zap has changed.
#[test]
fn requests_are_shown_as_they_were() {
    let lab = dead(1);
    let text = std::fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    lab.write("zaps/sales.yaml", text.replace("note: old", "note: new"));
    let told = lab.zaprun(&["runs", "show", "1"]).expect(0);
    assert!(told.out.contains("old") && !told.out.contains("new\""), "{}", told.out);
    // With other values of zaprun.yaml it cannot be had again, and that is said.
    lab.change("vars: { channel: \"#orders\" }", "vars: { channel: \"#other\" }");
    lab.zaprun(&["runs", "show", "1"]).expect(0).says("`sales` has changed since this run was made");
    let refused = lab.zaprun(&["runs", "replay", "1", "--yes"]).expect(1);
    refused.says("zaprun.yaml has other `vars` or accounts now; --latest maps it as the zap is now");
}
