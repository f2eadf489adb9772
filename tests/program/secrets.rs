//! Secrets stay out of everything that is written, whatever others do with them.
//!
//! That no output and no byte of the state holds one is asserted after every run of every test, see
//! [`Lab::ended`]; here are those who try to bring them out.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::harness::{CANARIES, DECLINES, Lab, REFUNDS, SALES};

/// How a telltale answers, given all that it was told.
type Answer = fn(&str) -> (u16, String);

/// A server that says back, in head and body, what it was told. Its address.
fn telltale(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the process.
    std::thread::spawn(move || listener.incoming().flatten().for_each(|line| tell_back(line, answer)));
    format!("http://{address}")
}

fn tell_back(mut line: TcpStream, answer: Answer) {
    let Some(told) = request(&mut line) else { return };
    let heading = told.lines().find(|line| line.starts_with("authorization")).unwrap_or("none");
    let (status, body) = answer(&told);
    let answer = format!(
        "HTTP/1.1 {status} Told\r\nX-Told: {heading}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever has gone needs no answer.
    let _ = line.write_all(answer.as_bytes());
}

/// A whole request; none if the line ends before it does.
fn request(line: &mut TcpStream) -> Option<String> {
    let mut told = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&told);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        let read = line.read(&mut chunk).ok().filter(|read| *read > 0)?;
        told.extend_from_slice(&chunk[..read]);
    }
}

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
    let telltale = telltale(|told| (422, told.to_owned()));
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
        lab.program().set("CRM_URL", &telltale(answer));
        lab.zaprun(&["run", "--once", "--verbose"]).expect(1);
        lab.zaprun(&["check"]).expect(1);
    }
}
