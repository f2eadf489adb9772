//! `runs resolve`: a person settles what nobody else can.

use crate::harness::{Lab, SALES, shown};

/// A sale in two steps, the first of which must not be repeated and has no answer.
fn held() -> Lab {
    let then = "  - { id: then, type: http, connection: api, path: then, json: { order: $.orderId } }\n";
    let zap = SALES.replace("path: sales", "path: sales\n    on_uncertain: hold") + then;
    let lab = Lab::new(&[&zap]);
    lab.sales(1);
    lab.fault("sink-cut");
    lab.once(1);
    lab.crm().clear_faults();
    lab
}

/// The paths that the sink was asked for.
fn paths(lab: &Lab) -> Vec<String> {
    lab.received().into_iter().map(|one| one.path).collect()
}

#[test]
fn without_an_engine_it_is_done_at_once() {
    let lab = held();
    let told = lab.zaprun(&["runs", "show", "1"]).expect(0);
    let open = told.out.split("\n\n").find(|section| section.starts_with("open")).unwrap();
    insta::assert_snapshot!(shown(open), @r"
    open
      post  began at TIME; how it ended is not recorded
    ");
    insta::assert_snapshot!(told.err, @"hint: `zaprun runs resolve 1 --as done` or `--as failed` lets it go on");
    let resolved = lab.zaprun(&["runs", "resolve", "1", "--as", "done"]).expect(0);
    insta::assert_snapshot!(resolved.all(), @r"
    --- stdout

    --- stderr
    run 1: step post counts as done; the next `zaprun run` takes it from there
    ");
    lab.once(0);
    assert_eq!(paths(&lab), ["/sink/sales", "/sink/then"], "what counts as done is not sent again");
    assert_eq!(lab.runs()[0]["state"], "delivered");
    let again = lab.zaprun(&["runs", "resolve", "1", "--as", "failed"]).expect(1);
    insta::assert_snapshot!(again.err, @r"
    error: run 1 is not held, it is delivered
    hint: `zaprun runs list --status held` shows the runs that wait for a person
    ");
}

#[test]
fn a_running_engine_is_asked() {
    let lab = held();
    let polls = lab.crm().crm_count();
    let engine = lab.start(&["run"]);
    // It holds the state when it polls.
    lab.wait_for_crm(polls + 1);
    let resolved = lab.zaprun(&["runs", "resolve", "1", "--as", "done"]).expect(0);
    insta::assert_snapshot!(resolved.err, @"run 1: step post counts as done; the running engine takes it from there");
    lab.wait_for_sink(2);
    lab.stop(engine);
    assert_eq!(paths(&lab), ["/sink/sales", "/sink/then"]);
}

#[test]
fn what_failed_by_a_persons_word_is_dead() {
    let lab = held();
    lab.zaprun(&["runs", "resolve", "1", "--as", "failed"]).expect(0);
    lab.once(1);
    assert_eq!(paths(&lab), ["/sink/sales"]);
    let runs = lab.runs();
    assert_eq!(runs[0]["state"], "dead");
    let why = runs[0]["reason"]["detail"].as_str().unwrap();
    assert!(why.starts_with("failed by a person's word; before: "), "{why}");
}

#[test]
fn what_cannot_be_resolved_is_told() {
    let lab = Lab::new(&[SALES]);
    lab.zaprun(&["runs", "resolve", "1", "--as", "done"]).expect(1).says("nothing has run here yet");
    lab.once(0);
    let unknown = lab.zaprun(&["runs", "resolve", "77", "--as", "done"]).expect(1);
    insta::assert_snapshot!(unknown.err, @r"
    error: there is no run 77
    hint: `zaprun runs list` shows the newest
    ");
    lab.zaprun(&["runs", "resolve", "abc", "--as", "done"]).expect(2).says("a run has a number");
    lab.zaprun(&["runs", "resolve", "1", "--as", "maybe"]).expect(2).says("maybe");
    lab.zaprun(&["runs", "resolve", "1"]).expect(2).says("--as");
}
