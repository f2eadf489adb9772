//! The quick start of the README, step by step.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use zaprun_sandbox::{Control, Event, Generator};

use crate::harness::{Lab, Program};

/// What `zaprun sandbox` prints for a shell to take.
fn exports(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A GET of this machine, without a client's help.
fn get(url: &str) -> String {
    use std::io::{Read, Write};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut line = std::net::TcpStream::connect(host).unwrap();
    write!(line, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn from_an_empty_folder_to_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::in_folder(folder.path());
    program.run(&["init"]).expect(0);
    for file in [
        "zaprun.yaml",
        "zaps/new-sale.yaml",
        ".gitignore",
        "schemas/project.schema.json",
        "schemas/overlay.schema.json",
        "schemas/zap.schema.json",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    program
        .run(&["validate", "--strict"])
        .expect(0)
        .says("KONNEKTIVE_LOGIN_ID, KONNEKTIVE_PASSWORD, SINK_URL");
    program.run(&["schema", "--check"]).expect(0);

    let sandbox = program.start(&["sandbox", "--listen", "127.0.0.1:0", "--history", "60", "--rate", "0"]);
    let exported = exports(&sandbox.wait_for_out("/sink\n"));
    exported.iter().for_each(|(name, value)| program.set(name, value));

    let checked = program.run(&["check"]).expect(0);
    assert!(!checked.out.contains("failed"), "{}", checked.all());
    let sample = program.run(&["sample", "new-sale"]).expect(0);
    assert!(sample.json().as_array().unwrap().iter().all(|row| row["orderId"].is_string()));
    let table = program.run(&["sample", "new-sale", "--format", "table"]).expect(0);
    assert!(table.out.starts_with("orderId"), "{}", table.out);

    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let at = |line: &str| readme.find(line).unwrap();
    // The first run says from when on records are new; before it a dry run has nothing to show.
    assert!(at("zaprun run --once  ") < at("zaprun run --once --dry-run"));
    // Nothing of the three days before is news to a zap that starts now.
    program.run(&["run", "--once", "--dry-run"]).expect(0).says("0 new, 0 would be sent");
    assert!(!folder.path().join("state").exists());
    program.run(&["run", "--once"]).expect(0).says("0 new, 0 delivered");
    program.run(&["runs", "list"]).expect(0).says("no runs");

    let zap = folder.path().join("zaps/new-sale.yaml");
    let text = fs::read_to_string(&zap).unwrap();
    assert!(text.contains("start: now"));
    let days_ago = jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date()
        .saturating_sub(jiff::Span::new().days(5));
    fs::write(&zap, text.replace("start: now", &format!("start: {days_ago}"))).unwrap();
    fs::remove_dir_all(folder.path().join("state")).unwrap();
    program.run(&["run", "--once"]).expect(0);
    let listed = program.run(&["runs", "list", "--format", "json", "--limit", "1000"]).expect(0).json();
    let runs = listed["runs"].as_array().unwrap();
    assert!(!runs.is_empty() && runs.iter().all(|run| run["state"] == "delivered"), "{runs:?}");
    let page = get(&format!("{}?format=json", exported["SINK_URL"]));
    let arrived: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(arrived["accepted"].as_u64(), Some(runs.len() as u64));
    assert_eq!(arrived["duplicates"], 0);

    sandbox.signal("TERM");
    sandbox.wait().expect(0);
}

#[test]
fn init_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    fs::write(folder.path().join(".gitignore"), "mine\n").unwrap();
    fs::create_dir(folder.path().join("zaps")).unwrap();
    fs::write(folder.path().join("zaps/new-sale.yaml"), "# mine\n").unwrap();
    program.run(&["init"]).expect(0).says("kept");
    assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(folder.path().join("zaps/new-sale.yaml")).unwrap(), "# mine\n");

    fs::write(folder.path().join("zaprun.yaml"), "version: 1 # mine\n").unwrap();
    let again = program.run(&["init"]).expect(2);
    assert!(again.err.contains("exists already"), "{}", again.err);
    assert_eq!(fs::read_to_string(folder.path().join("zaprun.yaml")).unwrap(), "version: 1 # mine\n");
}

#[test]
fn init_makes_the_folder_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    program.run(&["init", "my shop"]).expect(0).says("cd 'my shop'");
    program.run(&["validate", "--strict", "-C", "my shop"]).expect(0);
}

#[test]
fn a_sample_where_there_is_none_is_an_example() {
    let lab = Lab::new(&[crate::harness::SALES]);
    let sample = lab.zaprun(&["sample", "sales"]).expect(0);
    assert!(sample.err.contains("this is an example"), "{}", sample.err);
    let sample = sample.says("ask again");
    assert_eq!(sample.json()[0]["orderStatus"], "COMPLETE", "a list, as of real records");
    let table = lab.zaprun(&["sample", "sales", "--format", "table"]).expect(0);
    assert!(table.out.starts_with("orderId"), "{}", table.out);
    assert!(!Path::new(&lab.path("state")).exists(), "looking leaves no trace");
    lab.zaprun(&["sample", "sails"]).expect(2).says("did you mean `sales`?");
}

/// Business as the sandbox makes it, in all its variety, through the zaps of this repository.
#[test]
fn the_example_zaps_take_whatever_business_brings() {
    let mut lab = Lab::new(&[]);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    lab.write("zaprun.yaml", fs::read(repository.join("zaprun.yaml")).unwrap());
    lab.change("rate: 2/s", "rate: 1000/s");
    for zap in ["accounting/refund-to-books", "chat/declined-card-to-chat", "data-sources/new-sale-to-sheet"]
    {
        let text = fs::read_to_string(repository.join(format!("zaps/{zap}.yaml"))).unwrap();
        lab.write(
            &format!("zaps/{zap}.yaml"),
            text.replace("start: now", &format!("start: {}", lab.yesterday())),
        );
    }
    let (crm, sink) = (lab.crm_url(), format!("{}/sink", lab.crm_url()));
    let canaries = crate::harness::CANARIES;
    for (name, value) in [
        ("KONNEKTIVE_URL", crm.as_str()),
        ("KONNEKTIVE_LOGIN_ID", canaries[0]),
        ("KONNEKTIVE_PASSWORD", canaries[1]),
        ("SHEET_URL", &sink),
        ("SHEET_TOKEN", canaries[2]),
        ("CHAT_WEBHOOK_URL", &format!("{sink}/{}", canaries[3])),
        ("BOOKS_URL", &sink),
        ("BOOKS_TOKEN", canaries[2]),
    ] {
        lab.program().set(name, value);
    }
    // The connections of the other zaps, which are not here.
    for name in ["WAREHOUSE", "ESP", "TRACKER", "CHURN"] {
        lab.program().set(&format!("{name}_URL"), &sink);
        lab.program().set(&format!("{name}_TOKEN"), canaries[2]);
    }
    for name in
        ["WAREHOUSE_HOOK_TOKEN", "LEADFORM_SECRET", "ALERTS_SECRET", "HELPDESK_PASSWORD", "PHONEDESK_SECRET"]
    {
        lab.program().set(name, canaries[2]);
    }
    let business = make_business(&lab.crm(), 150);
    lab.once(0);
    let counts = lab.counts();
    assert!(counts.keys().all(|state| state == "delivered" || state == "filtered"), "{counts:?}");
    assert!(business > 0 && lab.crm().sink_summary().duplicates == 0);
    let refunded = lab.received().iter().filter(|one| one.path == "/sink/credit-notes").count();
    assert_eq!(refunded, business);
}

/// Lets business happen; how many refunds it brought.
fn make_business(control: &Control, events: usize) -> usize {
    let mut generator = Generator::new(7);
    let refunds = |event: Event| match event {
        Event::Refunded { transaction_ids, .. } => transaction_ids.len(),
        _ => 0,
    };
    (0..events).filter_map(|_| generator.step(control)).map(refunds).sum()
}
