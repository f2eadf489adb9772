//! Secrets stay out of everything that is written, whatever others do with them.
//!
//! That no output and no byte of the state holds one is asserted after every run of every test, see
//! [`Lab::ended`]; here are those who try to bring them out.

use std::net::TcpListener;

use crate::harness::{CANARIES, DECLINES, Lab, REFUNDS, SALES, serve};

/// How a telltale answers, given all that it was told.
type Answer = fn(&str) -> (u16, String);

/// Everything that shows a run.
fn look_at_all(lab: &Lab) {
    for run in lab.runs() {
        let id = run["id"].to_string();
        lab.zaprun(&["runs", "show", &id]).expect(0);
        lab.zaprun(&["runs", "show", &id, "--format", "json"]).expect(0).json();
    }
    lab.zaprun(&["runs", "list"]).expect(0);
}

#[test]
fn a_target_that_tells_the_token_back_is_not_believed() {
    let mut lab = Lab::new(&[SALES, DECLINES]);
    let telltale = serve(|told| (422, told.to_owned()));
    lab.program().set("SINK_URL", &telltale);
    lab.program().set("HOOK_URL", &format!("{telltale}/{}", CANARIES[3]));
    lab.sales(2);
    let lead = lab.crm().lead("ada@example.test").unwrap();
    lab.crm().decline(&lead).unwrap();
    lab.zaprun(&["run", "--once", "--verbose"]).expect(1);
    assert_eq!(lab.counts(), [("dead".to_owned(), 3)].into());
    look_at_all(&lab);
    let shown = lab.zaprun(&["runs", "show", "1"]).expect(0);
    assert!(shown.out.contains("HTTP/1.1"), "the reply is kept all the same\n{}", shown.out);
}

#[test]
fn a_target_that_is_not_there_is_named_without_its_secret_path() {
    let mut lab = Lab::new(&[DECLINES]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    lab.program().set("HOOK_URL", &format!("http://{free}/{}?key={}", CANARIES[3], CANARIES[2]));
    let lead = lab.crm().lead("ada@example.test").unwrap();
    lab.crm().decline(&lead).unwrap();
    lab.zaprun(&["run", "--once", "--verbose"]).expect(1).says("connection refused");
    look_at_all(&lab);
    lab.zaprun(&["check"]).expect(1);
    lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
}

#[test]
fn a_crm_that_tells_the_password_back_is_not_believed() {
    let answers: [Answer; 2] = [
        |told| (200, serde_json::json!({ "result": "ERROR", "message": told }).to_string()),
        |told| (403, format!("<html>{told}</html>")),
    ];
    for answer in answers {
        let mut lab = Lab::new(&[REFUNDS]);
        lab.program().set("CRM_URL", &serve(answer));
        lab.zaprun(&["run", "--once", "--verbose"]).expect(1);
        lab.zaprun(&["check"]).expect(1);
    }
}
