//! How the program ends, and what it leaves alone.

use crate::harness::{Lab, SALES, shown};

#[test]
fn sigterm_under_load_ends_in_order() {
    const ROWS: usize = 300;
    let lab = Lab::new(&[SALES]);
    lab.sales(ROWS);
    lab.fault("sink-slow:100ms");
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(30);
    let ran = lab.stop(engine).expect(0);
    assert!(ran.err.contains("stopping"), "{}", ran.err);
    let sent = lab.received().len();
    assert!(sent < ROWS, "it ended before all was done: {sent}");
    assert_eq!(lab.counts().get("delivered"), Some(&sent), "what was sent is recorded");
    let left = lab.counts()["pending"];
    let closing = format!("{} new, {sent} delivered, {left} still pending", sent + left);
    assert!(ran.err.contains(&closing), "the last line accounts for every run: {closing}\n{}", ran.err);
    lab.crm().clear_faults();
    lab.once(0);
    let sink = lab.crm().sink_summary();
    assert_eq!((sink.received, sink.duplicates), (ROWS as u64, 0), "the rest, and nothing twice");
}

#[test]
fn work_that_outlasts_the_grace_is_left_for_the_next_run() {
    let lab = Lab::new(&[SALES]);
    lab.sales(3);
    lab.fault("sink-hang");
    let engine = lab.start(&["run", "--grace", "500ms"]);
    lab.wait_for_sink(3);
    lab.stop(engine).expect(0);
    assert_eq!(lab.counts(), [("pending".to_owned(), 3)].into());
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 3)].into());
    assert_eq!(lab.crm().sink_summary().distinct_keys, 3);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let lab = Lab::new(&[SALES]);
    lab.sales(3);
    lab.fault("sink-hang");
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(3);
    engine.signal("INT");
    engine.wait_for_err("stopping");
    engine.signal("INT");
    lab.ended(engine.wait()).expect(130);
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 3)].into());
}

#[test]
fn ctrl_c_is_130() {
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run"]);
    lab.wait_for_crm(1);
    engine.signal("INT");
    lab.ended(engine.wait()).expect(130);
}

#[test]
fn a_second_engine_is_refused() {
    let lab = Lab::new(&[SALES]);
    lab.sales(2);
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(2);
    let second = lab.zaprun(&["run", "--once"]).expect(1);
    insta::assert_snapshot!(shown(&second.err), @r"
    error: another zaprun is running on PROJECT/state/zaprun.db (process ID)
    hint: one engine holds a state at a time; `zaprun run --dry-run` and `zaprun runs` only look
    ");
    // Looking is allowed.
    assert_eq!(lab.runs().len(), 2);
    lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
    lab.zaprun(&["sample", "sales"]).expect(0);
    lab.stop(engine).expect(0);
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn the_lease_of_a_killed_engine_is_free() {
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run"]);
    lab.wait_for_crm(1);
    lab.ended(engine.kill());
    lab.once(0);
}

#[test]
fn a_dry_run_on_a_fresh_project_leaves_no_trace() {
    let lab = Lab::new(&[SALES]);
    lab.sales(2);
    let ran = lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    sales new_sale:A833BDCDB6
      post
        POST {api}/sales?campaign=12
        idempotency key KEY
        X-Order: order A833BDCDB6
        content-type: application/json
        {
          "order": "A833BDCDB6",
          "total": 49.99,
          "email": "buyer0@example.test",
          "fixed": 19.90,
          "items": [
            {
              "product": "15271",
              "name": "Vitality Kit",
              "qty": 1,
              "price": 49.99
            }
          ]
        }
    sales new_sale:027A617D22
      post
        POST {api}/sales?campaign=12
        idempotency key KEY
        X-Order: order 027A617D22
        content-type: application/json
        {
          "order": "027A617D22",
          "total": 49.99,
          "email": "buyer1@example.test",
          "fixed": 19.90,
          "items": [
            {
              "product": "15271",
              "name": "Vitality Kit",
              "qty": 1,
              "price": 49.99
            }
          ]
        }

    --- stderr
    TIME  INFO dry run of 1 zap on a copy of PROJECT/state/zaprun.db: nothing is sent or recorded
    TIME  INFO first run: nothing is there from before its start; 2 new zap="sales"
    TIME  INFO 2 new, 2 would be sent
    "#);
    assert!(lab.received().is_empty());
    assert!(!lab.path("state").exists(), "{:?}", lab.state().keys());
}

#[test]
fn a_dry_run_shows_only_what_is_new_and_changes_nothing() {
    let lab = Lab::new(&[SALES]);
    lab.sales(2);
    lab.once(0);
    let news = lab.crm().sale("news@example.test").unwrap();
    let before = lab.state();
    for _ in 0..2 {
        let ran = lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
        assert_eq!(ran.out.matches("POST {api}/sales").count(), 1, "{}", ran.out);
        assert!(ran.out.contains(&news), "{}", ran.out);
    }
    assert_eq!(lab.state(), before, "not a byte of the state changed");
    assert_eq!(lab.received().len(), 2);
    lab.once(0);
    assert_eq!(lab.received().len(), 3);
}

#[test]
fn a_state_that_is_damaged_is_left_as_it_is() {
    let lab = Lab::new(&[SALES]);
    let damaged: &[u8] = b"this was a database once, before the disk had its day";
    lab.write("state/zaprun.db", damaged);
    let ran = lab.zaprun(&["run", "--once"]).expect(1);
    assert!(ran.err.contains("hint: nothing was changed"), "{}", ran.err);
    assert_eq!(lab.state().values().collect::<Vec<_>>(), [damaged]);
    lab.zaprun(&["runs", "list"]).expect(1);
    assert_eq!(lab.crm().crm_count(), 0);
}

#[test]
fn a_state_of_others_is_not_readable_by_all() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    lab.once(0);
    for path in lab.state().keys() {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
}

#[test]
fn a_disk_that_fills_up_loses_nothing() {
    const ROWS: usize = 200;
    let lab = Lab::new(&[SALES]);
    lab.sales(ROWS);
    // A limit on the size of files stands for a disk that is full: a write beyond it fails.
    let ran = lab.ended(lab.start_limited(256, &["run", "--once"]).wait()).expect(1);
    insta::assert_snapshot!(shown(ran.err.lines().last().unwrap()), @"error: the state cannot be written: the disk failed: disk I/O error");
    assert!(lab.received().is_empty(), "what cannot be recorded is not sent");
    // With more room it fails while it reads, and with yet more while it sends.
    for blocks in [1_200, 2_000] {
        let engine = lab.start_limited(blocks, &["run", "--grace", "500ms"]);
        engine.wait_for_err("the state cannot be written");
        lab.stop(engine).expect(0);
    }
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), ROWS)].into());
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, ROWS as u64);
    assert_eq!(sink.duplicates, sink.same_bodies);
}

#[test]
fn logs_for_machines() {
    let lab = Lab::new(&[SALES]);
    lab.sales(1);
    // A warning about the project is a line like the others.
    lab.change("    may_receive: personal\n", "");
    let ran = lab.zaprun(&["run", "--once", "--log-format", "json"]).expect(0);
    let lines: Vec<serde_json::Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let warned = lines.first().unwrap();
    assert_eq!((warned["level"].as_str(), warned["code"].as_str()), (Some("WARN"), Some("ZR1003")));
    assert_eq!(warned["file"], "zaps/sales.yaml");
    let delivered = lines.iter().find(|line| line["run"] == 1).unwrap();
    assert_eq!((delivered["level"].as_str(), delivered["zap"].as_str()), (Some("INFO"), Some("sales")));
    assert!(delivered["event"].as_str().unwrap().starts_with("new_sale:"), "{delivered}");
    assert_eq!(lab.zaprun(&["run", "--once", "--quiet"]).expect(0).all(), "--- stdout\n\n--- stderr\n");
}

#[test]
fn a_dry_run_for_machines() {
    let lab = Lab::new(&[SALES]);
    lab.sales(2);
    let ran = lab.zaprun(&["run", "--once", "--dry-run", "--log-format", "json"]).expect(0);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{}", ran.out);
    assert!(lines.iter().all(|line| line["zap"] == "sales"), "{}", ran.out);
}

#[test]
fn flags_may_come_from_the_environment() {
    let mut lab = Lab::new(&[SALES]);
    lab.sales(1);
    let folder = lab.path("").display().to_string();
    lab.program().set("ZAPRUN_PROJECT", &folder);
    lab.program().set("ZAPRUN_ONCE", "true");
    lab.zaprun(&["run"]).expect(0);
    assert_eq!(lab.received().len(), 1);
}
