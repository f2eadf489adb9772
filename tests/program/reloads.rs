//! A running program that takes the project as it has become.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{BUYERS, CANARIES, Going, Lab, SALES};
use crate::watched;
use crate::webhooks::{address, post_to, when_open};

/// Another secret of the CRM's user.
const NEW_PASSWORD: &str = "canary-password-9b2e";

/// Asks for a reload and waits for the line that tells of it.
fn hang_up(engine: &Going, told: &str) -> String {
    engine.signal("HUP");
    engine.wait_for_err(told)
}

/// The same zap with another content.
fn edited(zap: &str, number: usize) -> String {
    zap.replace("    json:\n", &format!("    json:\n      edition: \"{number}\"\n"))
}

#[test]
fn a_hangup_runs_what_the_project_is_now() {
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run"]);
    lab.sales(1);
    lab.wait_for_sink(1);
    lab.zap(&edited(SALES, 2));
    lab.zap(BUYERS);
    hang_up(&engine, "reloaded: 1 added (buyers), 1 changed (sales), 0 unchanged");
    // The new zap takes the first sale, both take the second.
    lab.wait_for_sink(2);
    lab.sales(1);
    lab.wait_for_sink(4);
    hang_up(&engine, "nothing to reload: the project is as it runs");
    fs::remove_file(lab.path("zaps/buyers.yaml")).unwrap();
    hang_up(&engine, "reloaded: 1 removed (buyers), 1 unchanged");
    let ran = lab.stop(engine).expect(0);
    assert_eq!(ran.told("reloaded:"), 2, "{}", ran.all());
    let editions = lab.received().into_iter().filter(|one| one.path.ends_with("sales"));
    let editions: Vec<_> = editions.map(|one| one.json().unwrap()["edition"].clone()).collect();
    assert_eq!(editions, [serde_json::Value::Null, "2".into()]);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 4)].into());
}

#[test]
fn runs_of_a_set_that_came_by_a_reload_are_replayed_as_they_were() {
    let noting = |note: &str| {
        format!(
            "{SALES}  - {{ id: then, type: http, connection: api, path: then, json: {{ order: $.orderId, note: {note} }} }}\n"
        )
    };
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run"]);
    engine.wait_for_err("zap");
    lab.zap(&noting("old"));
    lab.change("state: sqlite", "history: 30d\nstate: sqlite");
    hang_up(&engine, "reloaded: 1 changed (sales), 0 unchanged");
    lab.fault("sink-status:404,on=/sink/then");
    lab.sales(1);
    lab.wait_for_sink(2);
    lab.crm().clear_faults();
    lab.zap(&noting("new"));
    engine.signal("HUP");
    engine.wait_for_err_times("reloaded: 1 changed (sales), 0 unchanged", 2);
    lab.zaprun(&["runs", "replay", "1", "--yes"]).expect(0).says("replayed: 1 run");
    lab.wait_for_sink(3);
    lab.stop(engine).expect(0);
    let then = lab.received().into_iter().filter(|one| one.path == "/sink/then");
    let notes: Vec<_> = then.map(|one| one.json().unwrap()["note"].clone()).collect();
    assert_eq!(notes, ["old", "old"]);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 1)].into());
}

#[test]
fn what_cannot_run_leaves_what_runs_alone() {
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run", "--log-format", "json"]);
    lab.sales(1);
    lab.wait_for_sink(1);
    lab.write("zaps/broken.yaml", "name: broken\ntrigger: { type: konnektive.order }\nactions: []\n");
    lab.change("${API_TOKEN}", "${file:no-such-file}");
    let told = hang_up(&engine, "\"reload\":\"refused\"");
    assert!(told.contains("zaps/broken.yaml") && told.contains("no-such-file"), "all of it is told\n{told}");
    // A connection that cannot be wired, where all is well written.
    fs::remove_file(lab.path("zaps/broken.yaml")).unwrap();
    lab.change("${file:no-such-file}", "${file:token}");
    lab.write("token", "a\u{1}b");
    engine.signal("HUP");
    engine.wait_for_err_times("\"reload\":\"refused\"", 2);
    lab.sales(1);
    lab.wait_for_sink(2);
    lab.write("token", CANARIES[2]);
    hang_up(&engine, "\"reload\":\"done\"");
    lab.change("state/zaprun.db", "elsewhere/zaprun.db");
    engine.signal("HUP");
    let told = engine.wait_for_err_times("\"reload\":\"refused\"", 3);
    assert!(told.contains("which needs a restart"), "{told}");
    lab.stop(engine).expect(0);
    assert!(!lab.path("elsewhere").exists());
    lab.change("elsewhere/zaprun.db", "state/zaprun.db");
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
}

#[test]
fn a_password_in_a_file_is_exchanged_without_a_restart() {
    let lab = Lab::new(&[SALES]);
    let secrets = tempfile::tempdir().unwrap();
    let file = secrets.path().join("password");
    fs::write(&file, format!("{}\n", CANARIES[1])).unwrap();
    lab.change("${CRM_PASSWORD}", &format!("${{file:{}}}", file.display()));
    let engine = lab.start(&["run", "--watch"]);
    lab.sales(2);
    lab.wait_for_sink(2);
    lab.crm().set_password(NEW_PASSWORD);
    lab.sales(2);
    engine.wait_for_err("the CRM refused the credentials");
    // As an editor or a secret's agent does it.
    fs::write(secrets.path().join("new"), NEW_PASSWORD).unwrap();
    fs::rename(secrets.path().join("new"), &file).unwrap();
    engine.wait_for_err("1 connection changed (crm)");
    lab.sales(1);
    lab.wait_for_sink(5);
    let ran = lab.stop(engine).expect(0);
    assert!(!ran.all().contains(NEW_PASSWORD));
    assert_eq!(ran.told("refused the credentials"), 1, "{}", ran.all());
    let bad = lab.crm().crm_requests().iter().filter(|request| request.bad_login).count();
    assert!((1..=3).contains(&bad), "{bad} bad logins: as many as were under way");
    assert_eq!(lab.counts(), [("delivered".to_owned(), 5)].into());
    assert_eq!(lab.crm().sink_summary().duplicates, 0);
}

/// Writes a note on each buyer; many zaps that do so use one connection.
fn notes(number: usize) -> String {
    format!(
        "name: notes{number}\ntrigger: {{ type: webhook, connection: form, path: /n, key: \"{{{{ record.id }}}}\" }}\n\
         actions:\n  - {{ id: note, type: konnektive.add_note, connection: crm, map: {{ customerId: \
         \"{{{{ record.customer }}}}\", message: \"from zap {number}\" }} }}\n"
    )
}

#[test]
fn a_refused_login_is_not_tried_by_everybody() {
    let zaps: Vec<String> = (0..4).map(notes).collect();
    let mut all: Vec<&str> = zaps.iter().map(String::as_str).collect();
    all.push(SALES);
    let lab = Lab::new(&all);
    lab.change(
        "vars: {",
        "  form:\n    type: webhook\n    verify: { token: { header: X-Token, value: \"${API_TOKEN}\" } }\n\
         listen: { webhooks: 127.0.0.1:0 }\nvars: {",
    );
    let order = lab.sales(1).remove(0);
    let customer = lab.crm().customer_of(&order).unwrap();
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    lab.wait_for_sink(1);
    lab.crm().set_password(NEW_PASSWORD);
    for id in 0..30 {
        let body = format!("{{\"id\": {id}, \"customer\": \"{customer}\"}}");
        assert_eq!(when_open(|| post_to(&address, "/n", CANARIES[2], &body)), Some(202));
    }
    engine.wait_for_err("the CRM refused the credentials");
    // Each of them has been looked at by now, or waits unseen; none has asked the CRM since.
    let bad = lab.crm().crm_requests().iter().filter(|request| request.bad_login).count();
    assert!((1..=3).contains(&bad), "{bad} bad logins: as many as were under way");
    let mut program = lab.counts();
    assert_eq!(program.remove("pending"), Some(120), "{program:?}");
    // Mended, and told so.
    lab.change("${CRM_PASSWORD}", "${file:password}");
    lab.write("password", NEW_PASSWORD);
    hang_up(&engine, "1 connection changed (crm)");
    let ran = lab.stop(engine).expect(0);
    assert_eq!(ran.told("refused the credentials"), 1, "{}", ran.all());
    assert_eq!(ran.told("is at fault"), 0, "one alert\n{}", ran.all());
}

#[test]
fn a_turned_link_and_an_editors_rename_are_changes() {
    let lab = Lab::new(&[]);
    // The zaps as a ConfigMap shows them.
    let version = |name: &str, text: &str| {
        lab.write(&format!("zaps/{name}/sales.yaml"), text.replace("START", &lab.yesterday().to_string()));
        symlink(name, lab.path("zaps/..data_tmp")).unwrap();
        fs::rename(lab.path("zaps/..data_tmp"), lab.path("zaps/..data")).unwrap();
    };
    version("..one", SALES);
    symlink("..data/sales.yaml", lab.path("zaps/sales.yaml")).unwrap();
    let engine = lab.start(&["run", "--watch"]);
    lab.sales(1);
    lab.wait_for_sink(1);
    version("..two", &edited(SALES, 2));
    engine.wait_for_err("reloaded: 1 changed (sales)");
    lab.sales(1);
    lab.wait_for_sink(2);
    let project = fs::read_to_string(lab.path("zaprun.yaml")).unwrap();
    lab.write(".zaprun.yaml.swp", project.replace("#orders", "#sales"));
    fs::rename(lab.path(".zaprun.yaml.swp"), lab.path("zaprun.yaml")).unwrap();
    engine.wait_for_err_times("reloaded: 1 changed (sales)", 2);
    // Half of a file, as it may be met; then the whole.
    lab.write("zaps/buyers.yaml", BUYERS.split_at(60).0);
    engine.wait_for_err("not reloaded");
    lab.zap(BUYERS);
    engine.wait_for_err("reloaded: 1 added (buyers)");
    lab.wait_for_sink(4);
    lab.stop(engine).expect(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 4)].into());
}

#[test]
fn reloads_under_load_send_nothing_twice() {
    const ROWS: usize = 200;
    let lab = Lab::new(&[SALES]);
    let orders: BTreeSet<String> = lab.sales(ROWS).into_iter().collect();
    lab.fault("sink-slow:20ms");
    let engine = lab.start(&["run"]);
    for number in 1..=8 {
        lab.wait_for_sink(number * 15);
        lab.zap(&edited(SALES, usize::try_from(number).unwrap()));
        engine.signal("HUP");
        engine.wait_for_err_times("reloaded:", usize::try_from(number).unwrap());
    }
    lab.wait_for_sink(ROWS as u64);
    lab.stop(engine).expect(0);
    let sink = lab.crm().sink_summary();
    assert_eq!((sink.received, sink.duplicates), (ROWS as u64, 0), "no request was sent twice");
    let arrived: BTreeSet<String> =
        lab.bodies().iter().map(|body| body["order"].as_str().unwrap().into()).collect();
    assert_eq!(arrived, orders);
    let editions: BTreeSet<String> = lab.bodies().iter().map(|body| body["edition"].to_string()).collect();
    assert!(editions.len() > 3, "runs were made by several editions: {editions:?}");
    assert_eq!(lab.counts(), [("delivered".to_owned(), ROWS)].into());
}

#[test]
fn killed_right_after_a_reload_it_loses_nothing() {
    const ROWS: usize = 150;
    let lab = Lab::new(&[SALES]);
    lab.sales(ROWS);
    lab.fault("sink-slow:10ms");
    for number in 1..=4 {
        let engine = lab.start(&["run"]);
        // The sink counts on, and may have enough from before.
        engine.wait_for_err("running 1 zap");
        lab.wait_for_sink(number * 30);
        lab.zap(&edited(SALES, usize::try_from(number).unwrap()));
        hang_up(&engine, "reloaded:");
        lab.ended(engine.kill());
    }
    for _ in 0..5 {
        lab.zaprun(&["run", "--once"]);
        if !lab.counts().contains_key("pending") {
            break;
        }
    }
    assert_eq!(lab.counts(), [("delivered".to_owned(), ROWS)].into());
    let sink = lab.crm().sink_summary();
    assert_eq!(sink.distinct_keys, ROWS as u64, "what was sent again after a kill carries the same key");
}

const HOOK: &str = "\
name: NAME
trigger: { type: webhook, connection: form, path: /hooks/NAME, key: \"{{ record.id }}\" }
actions:
  - { id: send, type: http, connection: api, path: leads, json: { lead: $.id, edition: \"EDITION\" } }
";

#[test]
fn no_webhook_is_turned_away_by_a_reload() {
    let hook =
        |name: &str, edition: usize| HOOK.replace("NAME", name).replace("EDITION", &edition.to_string());
    let lab = Lab::new(&[&hook("stays", 0), &hook("goes", 0)]);
    lab.change(
        "vars: {",
        "  form:\n    type: webhook\n    verify: { token: { header: X-Token, value: \"${API_TOKEN}\" } }\n\
         listen: { webhooks: 127.0.0.1:0 }\nvars: {",
    );
    let engine = lab.start(&["run"]);
    let address = address(&engine);
    let post = |address: &str, path: &str, id: usize| {
        post_to(address, path, CANARIES[2], &format!("{{\"id\": \"L{id}\"}}"))
    };
    assert_eq!(when_open(|| post(&address, "/hooks/stays", 0)), Some(202));
    let (done, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for caller in 1..=4_usize {
            let (done, answers, post, address) = (&done, &answers, &post, &address);
            scope.spawn(move || {
                let mut id = caller * 100_000;
                while !done.load(Ordering::SeqCst) {
                    id += 1;
                    answers.lock().unwrap().push(post(address, "/hooks/stays", id));
                }
            });
        }
        for edition in 1..=10 {
            lab.zap(&hook("stays", edition));
            engine.signal("HUP");
            engine.wait_for_err_times("reloaded:", edition);
        }
        done.store(true, Ordering::SeqCst);
    });
    let answers = answers.into_inner().unwrap();
    assert!(answers.iter().all(|answer| *answer == Some(202)), "{answers:?}");
    // Routes come and go.
    fs::remove_file(lab.path("zaps/goes.yaml")).unwrap();
    lab.zap(&hook("comes", 0));
    hang_up(&engine, "reloaded: 1 added (comes), 1 removed (goes), 1 unchanged");
    assert_eq!(post(&address, "/hooks/goes", 1), Some(404));
    assert_eq!(post(&address, "/hooks/comes", 1), Some(202));
    // And the address.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    lab.change("127.0.0.1:0", &other.local_addr().unwrap().to_string());
    let told = hang_up(&engine, "not reloaded");
    assert!(told.contains("webhooks cannot be taken at"), "{told}");
    assert_eq!(post(&address, "/hooks/comes", 2), Some(202), "it listens where it did");
    let new = other.local_addr().unwrap().to_string();
    drop(other);
    hang_up(&engine, &format!("webhooks arrive at http://{new}"));
    engine.wait_for_err_times("reloaded:", 12);
    assert_eq!(post(&new, "/hooks/comes", 3), Some(202));
    lab.wait_for_sink(answers.len() as u64 + 4);
    lab.stop(engine).expect(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), answers.len() + 4)].into());
}

#[test]
fn runs_of_a_zap_that_is_switched_off_wait_and_are_told_of() {
    let lab = Lab::new(&[SALES, BUYERS]);
    lab.fault("sink-503");
    lab.sales(1);
    let engine = lab.start(&["run"]);
    lab.wait_for_sink(2);
    lab.change("state: sqlite", "zaps: { sales: { enabled: false } }\nstate: sqlite");
    hang_up(
        &engine,
        "reloaded: 1 removed (sales), 1 unchanged, 1 pending run of `sales` wait until it runs again",
    );
    lab.crm().clear_faults();
    let taken = |lab: &Lab, path: &str| {
        lab.received().iter().any(|one| one.path.ends_with(path) && one.status == Some(200))
    };
    lab.wait_until(|lab| taken(lab, "buyers"));
    lab.change("zaps: { sales: { enabled: false } }\n", "");
    hang_up(&engine, "reloaded: 1 added (sales), 1 unchanged");
    lab.wait_until(|lab| taken(lab, "sales"));
    lab.stop(engine).expect(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
}

#[test]
fn what_watches_the_program_watches_what_runs_now() {
    let lab = watched::lab(&[SALES]);
    let engine = lab.start(&["run"]);
    let address = watched::address(&engine);
    lab.zap(BUYERS);
    hang_up(&engine, "reloaded: 1 added (buyers), 1 unchanged");
    let shown = watched::metrics(&address);
    assert!(shown.contains("zaprun_trigger_overdue{zap=\"sales\"} 0"), "{shown}");
    assert!(shown.contains("zaprun_trigger_overdue{zap=\"buyers\"} 0"), "{shown}");
    assert!(
        shown.contains("zaprun_actions_total{zap=\"buyers\",step=\"post\",outcome=\"done\"} 0"),
        "{shown}"
    );
    fs::remove_file(lab.path("zaps/sales.yaml")).unwrap();
    hang_up(&engine, "reloaded: 1 removed (sales), 1 unchanged");
    let shown = watched::metrics(&address);
    assert!(!shown.contains("zaprun_trigger_overdue{zap=\"sales\"}"), "{shown}");
    assert!(shown.contains("zaprun_trigger_overdue{zap=\"buyers\"} 0"), "{shown}");
    lab.change("address: 127.0.0.1:0", "address: 127.0.0.1:1");
    hang_up(&engine, "`listen.admin` has changed, which needs a restart");
    watched::metrics(&address);
    lab.stop(engine).expect(0);
}

#[test]
fn whoever_is_told_of_alerts_may_change() {
    let lab = Lab::new(&[SALES]);
    let engine = lab.start(&["run"]);
    lab.fault("sink-status:400,first=1");
    lab.sales(1);
    lab.wait_for_sink(1);
    lab.change(
        "vars: {",
        "alerts:\n  to:\n    - { id: desk, connection: hook, json: { text: \"{{ alert.kind }}\" } }\nvars: {",
    );
    hang_up(&engine, "reloaded: 1 unchanged");
    lab.wait_for_sink(2);
    assert_eq!(lab.received().last().unwrap().json().unwrap()["text"], "dead");
    lab.stop(engine).expect(0);
}
