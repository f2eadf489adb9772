//! Copying the state while it is in use, and putting a copy back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::{LEADS, Lab, SALES};

/// A zap that moves money.
const REFUNDING: &str = r#"name: refunding
trigger: { type: konnektive.orders, connection: crm, order_type: cancelled, every: 1s, start: START }
actions:
  - { id: refund, type: konnektive.refund_order, connection: crm, map: { orderId: $.orderId, fullRefund: true } }
"#;

#[test]
fn a_backup_under_load_is_whole_and_brings_all_back() {
    let lab = Lab::new(&[SALES, LEADS]);
    let engine = lab.start(&["run", "--log-format", "text"]);
    lab.sales(30);
    lab.wait_for_sink(5);
    let backed = lab.zaprun(&["state", "backup", "copy.db"]).expect(0).says("copy.db: ");
    assert!(backed.err.contains("it knows what happened up to"), "{}", backed.all());
    lab.wait_for_sink(30);
    lab.zaprun(&["state", "check"]).expect(0).says("whole, ");
    lab.zaprun(&["state", "restore", "copy.db"]).expect(1).says("another zaprun is running");
    lab.stop(engine).expect(0);
    assert_eq!(fs::metadata(lab.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    lab.zaprun(&["state", "check", "copy.db"]).expect(0).says("copy.db: whole, ");
    lab.zaprun(&["state", "backup", "copy.db"])
        .expect(1)
        .says("copy.db is there already; nothing was written");

    // The state is broken, and the copy takes its place.
    let state = lab.path("state/zaprun.db");
    let mut bytes = fs::read(&state).unwrap();
    let length = bytes.len();
    bytes[100..length / 2].fill(0xa5);
    fs::write(&state, bytes).unwrap();
    lab.zaprun(&["state", "check"]).expect(1).says("damaged");
    lab.once(1);
    let restored = lab.zaprun(&["state", "restore", "copy.db"]).expect(0);
    let restored =
        restored.says("is now what").says("the former state is kept as").says("will be sent again");
    assert!(!restored.err.contains("moves money"), "{}", restored.all());
    lab.zaprun(&["state", "check"]).expect(0);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 30)].into());
    // What was sent again had the key that it had before.
    let mut keys: Vec<String> = lab.received().iter().map(|sent| sent.key().unwrap().to_owned()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 30);
}

#[test]
fn a_restore_says_which_zaps_move_money() {
    let lab = Lab::new(&[SALES, REFUNDING]);
    lab.once(0);
    lab.zaprun(&["state", "backup", "copy.db"]).expect(0);
    let restored = lab.zaprun(&["state", "restore", "copy.db"]).expect(0);
    restored.says("`refunding` moves money").says("`enabled: false`");
}

#[test]
fn what_is_not_there_or_no_copy_is_told() {
    let lab = Lab::new(&[SALES]);
    lab.zaprun(&["state", "backup", "copy.db"]).expect(1).says("nothing has run here yet");
    lab.zaprun(&["state", "check"]).expect(1).says("nothing has run here yet");
    lab.once(0);
    lab.zaprun(&["state", "restore", "copy.db"]).expect(1).says("there is no copy at");
    lab.write("copy.db", "hello");
    lab.zaprun(&["state", "restore", "copy.db"]).expect(1).says("it is not a state of zaprun");
    lab.zaprun(&["state", "check", "copy.db"]).expect(1);
    lab.zaprun(&["state", "check"]).expect(0);
}
