//! Bad replies of the CRM: a clear word, no hammering, and nothing lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use zaprun_sandbox::state::TxnType;
use zaprun_sandbox::{Config, CrmFault, Fault, ItemsForm, Shape};

use crate::harness::{LEADS, Lab, REFUNDS, SALES, shown};

/// What a person was told, without the line on how it began.
fn told(err: &str) -> String {
    let lines: Vec<&str> = err.lines().filter(|line| !line.contains("INFO running")).collect();
    shown(&lines.join("\n"))
}

#[test]
fn bad_credentials_stop_the_connection_at_once() {
    let lab = Lab::new(&[SALES, LEADS, REFUNDS]);
    lab.sales(2);
    lab.fault("auth");
    let ran = lab.once(1);
    insta::assert_snapshot!(told(&ran.err), @r#"
    TIME ERROR stopped: the CRM refused the credentials: Could not authenticate credentials connection="crm" hint="check login_id and password of connection `crm`; it must be an API user"
    TIME  INFO 0 new, 0 delivered, 5 failed polls
    "#);
    assert_eq!(lab.crm().crm_count(), 1, "repeated bad logins may lock the user");
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn a_stopped_connection_is_left_alone_while_others_work() {
    let mut lab = Lab::new(&[SALES, REFUNDS]);
    let other = Lab::new(&[]);
    lab.change("  api:\n", &format!("{OTHER_ACCOUNT}  api:\n"));
    lab.program().set("OTHER_URL", &other.crm_url());
    lab.zap(
        &REFUNDS
            .replace("name: refunds", "name: other-refunds")
            .replace("connection: crm", "connection: other"),
    );
    lab.fault("auth");
    let engine = lab.start(&["run"]);
    engine.wait_for_err("stopped: the CRM");
    let asked = lab.crm().crm_count();
    // The other account is read again and again meanwhile.
    other.wait_for_crm(3);
    assert_eq!((asked, lab.crm().crm_count()), (1, 1));
    let ran = lab.stop(engine).expect(0);
    assert_eq!(ran.told("stopped: the CRM"), 1, "{}", ran.err);
}

const OTHER_ACCOUNT: &str = r#"  other:
    type: konnektive
    base_url: ${OTHER_URL}
    login_id: ${CRM_LOGIN}
    password: ${CRM_PASSWORD}
    timezone: America/New_York
    rate: 1000/s
"#;

#[test]
fn an_address_that_is_not_whitelisted_is_shown() {
    let nobody = Config { whitelist: Some(BTreeSet::new()), ..Config::default() };
    let lab = Lab::with(nobody, &[SALES]);
    let ran = lab.once(1);
    insta::assert_snapshot!(told(&ran.err), @r#"
    TIME ERROR stopped: the CRM does not accept this machine's address 127.0.0.1 connection="crm" hint="add 127.0.0.1 to the API user's whitelist in the CRM"
    TIME  INFO 0 new, 0 delivered, 3 failed polls
    "#);
    assert_eq!(lab.crm().crm_count(), 1);
    let checked = lab.zaprun(&["check"]).expect(1);
    insta::assert_snapshot!(shown(&checked.all()), @r"
    --- stdout
    connection  check      result  detail
    crm         login      failed  the CRM does not accept this machine's address 127.0.0.1
    api         reachable  ok      127.0.0.1:PORT, without TLS
    hook        reachable  ok      127.0.0.1:PORT, without TLS

    --- stderr
    hint: add 127.0.0.1 to the API user's whitelist in the CRM
    1 check failed
    ");
}

#[test]
fn a_missing_permission_stops_only_what_needs_it() {
    let lab = Lab::new(&[SALES, REFUNDS]);
    lab.sales(1);
    lab.crm().insert_transaction(|txn| txn.txn_type = TxnType::Refund).unwrap();
    lab.fault("no-permission:on=transactions/query");
    lab.once(1).says("Query Transactions");
    assert_eq!(lab.received().iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["/sink/sales"]);
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.received().len(), 2);
}

#[test]
fn a_reply_that_fails_once_is_asked_for_again() {
    for fault in ["html-504", "truncated", "bare-error", "empty-body", "cut", "lost-answer"] {
        let lab = Lab::new(&[REFUNDS]);
        let order = lab.crm().sale("ada@example.test").unwrap();
        lab.crm().refund(&order).unwrap();
        lab.fault(&format!("{fault}:first=1"));
        let ran = lab.once(0);
        assert_eq!(lab.received().len(), 1, "{fault}\n{}", ran.err);
        assert!(lab.crm().crm_count() >= 2, "{fault}");
        lab.once(0);
        assert_eq!(lab.received().len(), 1, "{fault}");
    }
}

#[test]
fn a_crm_that_stays_down_is_told_and_nothing_is_lost() {
    let lab = Lab::new(&[REFUNDS]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    lab.crm().refund(&order).unwrap();
    lab.fault("html-504");
    let ran = lab.once(1);
    insta::assert_snapshot!(told(&ran.err), @r#"
    TIME  WARN poll failed: the CRM answered HTTP 504 with HTML, not JSON connection="crm" query="transactions/query dateCreated txnType=REFUND responseType=SUCCESS"
    TIME  INFO 0 new, 0 delivered, 1 failed poll
    "#);
    assert_eq!(lab.crm().crm_count(), 4, "tried a few times, and no more");
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
}

#[test]
fn a_page_that_fails_in_mid_walk_moves_nothing_and_loses_nothing() {
    let lab = Lab::new(&[REFUNDS]);
    for _ in 0..201 {
        lab.crm().insert_transaction(|txn| txn.txn_type = TxnType::Refund).unwrap();
    }
    // The first page is good; every try of the second fails.
    let queue = |fault| lab.crm().fault_next(None, Fault::Crm(fault));
    queue(CrmFault::Slow(Duration::from_millis(1)));
    (0..4).for_each(|_| queue(CrmFault::BareError));
    lab.once(1);
    assert_eq!(lab.received().len(), 200, "what was found is kept and sent");
    lab.once(0);
    assert_eq!(lab.received().len(), 201);
    assert_eq!(lab.crm().sink_summary().distinct_keys, 201);
}

#[test]
fn the_forms_of_a_reply_make_no_difference() {
    let bodies = |config: Config, fault: Option<&str>| -> Vec<Value> {
        let lab = Lab::with(config, &[SALES, REFUNDS]);
        let orders = lab.sales(2);
        lab.crm().refund(&orders[0]).unwrap();
        fault.into_iter().for_each(|fault| lab.fault(fault));
        lab.once(0);
        lab.bodies()
    };
    let stable = || Config { unstable_types: false, items: ItemsForm::Map, ..Config::default() };
    let plain = bodies(stable(), None);
    assert_eq!(plain.len(), 3);
    assert_eq!(plain, bodies(Config::default(), None), "types that vary from row to row");
    for fault in ["numbers-as-strings", "items-as-list", "items-as-map"] {
        let odd = bodies(stable(), Some(fault));
        assert_eq!(numbers(&plain), numbers(&odd), "{fault}");
    }
    for shape in [Shape::Y2016, Shape::Y2022] {
        assert_eq!(numbers(&plain), numbers(&bodies(Config { shape, ..stable() }, None)), "{shape:?}");
    }
}

/// The same bodies with the scale of numbers left out: `4.950` and `4.95` are one amount, as the CRM wrote it.
fn numbers(bodies: &[Value]) -> Vec<Value> {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Number(number) => {
                let text = number.to_string();
                let text =
                    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
                Value::String(text.to_owned())
            }
            Value::Array(members) => members.iter().map(plain).collect(),
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
            other => other.clone(),
        }
    }
    bodies.iter().map(plain).collect()
}

#[test]
fn a_page_of_five_megabytes_is_read() {
    let lab = Lab::new(&[SALES]);
    lab.sales(3);
    lab.fault("huge-page:5");
    lab.once(0);
    assert_eq!(lab.received().len(), 3);
}

#[test]
fn a_slow_reply_is_waited_for_up_to_the_timeout() {
    let lab = Lab::new(&[REFUNDS]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    lab.crm().refund(&order).unwrap();
    lab.fault("slow:300ms,first=1");
    lab.once(0);
    assert_eq!((lab.received().len(), lab.crm().crm_count()), (1, 1));

    lab.change("timeout: 10s\n  api", "timeout: 1s\n  api");
    let order = lab.crm().sale("grace@example.test").unwrap();
    lab.crm().refund(&order).unwrap();
    lab.fault("slow:1h,first=1");
    lab.once(0);
    assert_eq!(lab.received().len(), 2, "it was given up and asked for again");
}

#[test]
fn a_reply_that_is_not_utf8_is_told_and_loses_nothing() {
    let lab = Lab::new(&[REFUNDS]);
    let order = lab.crm().sale("ada@example.test").unwrap();
    lab.crm().refund(&order).unwrap();
    lab.fault("non-utf8");
    let ran = lab.once(1);
    insta::assert_snapshot!(told(&ran.err), @r#"
    TIME  WARN poll failed: the CRM answered HTTP 200 with bytes that are not UTF-8 text connection="crm" query="transactions/query dateCreated txnType=REFUND responseType=SUCCESS"
    TIME  INFO 0 new, 0 delivered, 1 failed poll
    "#);
    lab.crm().clear_faults();
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
    assert_eq!(lab.crm().sink_summary().duplicates, 0);
}

#[test]
fn an_absent_crm_is_told() {
    let mut lab = Lab::new(&[REFUNDS]);
    // A port of this machine on which nobody listens: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    lab.program().set("CRM_URL", &format!("http://{free}"));
    let ran = lab.once(1);
    insta::assert_snapshot!(told(&ran.err), @r#"
    TIME  WARN poll failed: the CRM: no connection: connection refused connection="crm" query="transactions/query dateCreated txnType=REFUND responseType=SUCCESS"
    TIME  INFO 0 new, 0 delivered, 1 failed poll
    "#);
    let checked = lab.zaprun(&["check"]).expect(1);
    assert!(checked.out.contains("failed"), "{}", checked.all());
}
