//! `zaprun plan`: a project beside a git revision of it, and beside what has run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Lab, SALES, shown};

const CHAT: &str = r#"name: chat
trigger: { type: konnektive.transactions, connection: crm, transaction_type: decline }
filter: "{{ record.totalAmount >= 20 }}"
actions:
  - id: tell
    type: http
    connection: api
    path: chat
    json:
      text: "{{ record.firstName }}: {{ record.totalAmount }} declined"
      mail: $.emailAddress
      hash: "{{ record.emailAddress | sha256 }}"
      order: $.orderId
tests:
  - name: a big one
    record: fixtures/decline.json
    expect: { tell: done }
  - name: a small one
    record: { $from: fixtures/decline.json, totalAmount: "5.00" }
    expect: filtered
"#;

const OLD: &str = r#"name: old
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
actions:
  - { id: post, type: http, connection: api, json: { order: $.orderId } }
"#;

const DECLINE: &str = r#"{"transactionId":900001,"orderId":"A1","txnType":"SALE","responseType":"SOFT_DECLINE",
  "billingCycleNumber":1,"totalAmount":"49.90","firstName":"Zebediah","emailAddress":"zeb@example.test"}"#;

/// A project in a folder of a repository, committed on `main`.
fn committed() -> Lab {
    let lab = Lab::new(&[SALES]);
    lab.write("zaps/chat.yaml", CHAT);
    lab.write("zaps/old.yaml", OLD);
    lab.write("zaps/fixtures/decline.json", DECLINE);
    lab.write(".gitignore", "state/\n");
    git(&lab, &["init", "-q", "-b", "main"]);
    commit(&lab);
    lab
}

fn commit(lab: &Lab) {
    git(lab, &["add", "-A"]);
    git(lab, &["commit", "-q", "--allow-empty", "-m", "a change"]);
}

/// Runs git in the project, with nothing of this machine's settings.
#[track_caller]
fn git(lab: &Lab, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(lab.path(""))
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.test", "-c", "commit.gpgsign=false"])
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Every file of the project, git's own too, but for the state.
fn files(lab: &Lab) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: PathBuf, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => walk(path, found),
                path => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(lab.path(""), &mut found);
    found
}

/// The zap of a name in a plan.
#[track_caller]
fn zap<'p>(plan: &'p Value, name: &str) -> &'p Value {
    let zaps = plan["zaps"].as_array().unwrap();
    zaps.iter().find(|zap| zap["name"] == name).unwrap_or_else(|| panic!("no {name} in {plan:#}"))
}

fn without_commits(text: &str) -> String {
    regex::Regex::new(r"\b[0-9a-f]{10}\b").unwrap().replace_all(&shown(text), "COMMIT").into_owned()
}

/// Changes of every kind.
fn change(lab: &Lab) {
    let chat = CHAT.replace(">= 20", ">= 2").replace("declined\"", "was declined\"");
    lab.write("zaps/chat.yaml", chat.replace("| sha256", "| upper | sha256"));
    std::fs::remove_file(lab.path("zaps/old.yaml")).unwrap();
    lab.write(
        "zaps/new.yaml",
        CHAT.replace("name: chat", "name: new").replace("decline }", "decline, cycles: all }"),
    );
    let sales = std::fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    let renamed = sales.replace("name: sales", "name: orders\nformerly: sales\nenabled: false");
    lab.write(
        "zaps/sales.yaml",
        renamed.replace("order_type: new_sale", "order_type: cancelled, where: { campaignId: 7 }"),
    );
}

#[test]
fn what_is_as_it_was_changes_nothing() {
    let lab = committed();
    let ran = lab.zaprun(&["plan", "--exit-code"]).expect(0);
    assert_eq!(without_commits(&ran.out), "plan against main (COMMIT): 3 unchanged\n");
    // What is only written otherwise is the same too.
    lab.write("zaps/chat.yaml", format!("# a comment\n{CHAT}"));
    lab.zaprun(&["plan", "--exit-code"]).expect(0).says("3 unchanged");
}

#[test]
fn changes_are_shown_and_nothing_is_touched() {
    let lab = committed();
    change(&lab);
    let before = files(&lab);
    let ran = lab.zaprun(&["plan"]).expect(0);
    insta::assert_snapshot!(without_commits(&ran.all()), @r#"
    --- stdout
    plan against main (COMMIT): 1 added, 1 removed, 1 renamed, 1 changed

    ~ chat  changed
      zaps/chat.yaml
      edited: filter, actions[tell].json.text, actions[tell].json.hash
      records: 1 fires now, 1 changes

        test "a big one": changes
          tell changes
            json.text
            - "‹firstName›: 49.90 declined"
            + "‹firstName›: 49.90 was declined"
            json.hash
            - ‹personal 1›
            + ‹personal 2›
              "{{ record.emailAddress | sha256 }}" → "{{ record.emailAddress | upper | sha256 }}"

        test "a small one": fires now
          tell sends
            + method: POST
            + connection: api
            + path: chat
            + json.text: "‹firstName›: 5.00 was declined"
            + json.mail: "‹emailAddress›"
            + json.hash: ‹personal 2›
            + json.order: "A1"

    + new  added
      zaps/new.yaml
      records: 1 fires now, 1 does not fire

        test "a big one": fires now
          tell sends
            + method: POST
            + connection: api
            + path: chat
            + json.text: "‹firstName›: 49.90 declined"
            + json.mail: "‹emailAddress›"
            + json.hash: ‹personal 1›
            + json.order: "A1"

    - old  removed
      zaps/old.yaml
      note: its runs that wait are not delivered; its ledger is kept, should it come back

    ~ orders  renamed from sales, switched off
      zaps/sales.yaml
      trigger
        order_type: new_sale → cancelled
        + where.campaignId: 7
        what counts as new begins where the zap had read up to when this is loaded: older rows that only the new trigger takes are noted, not sent
        an event of `cancelled` is another than one of `new_sale`: what fired as one can fire as the other
      note: no record was tried: neither its tests nor fixtures beside it have one; `--records` gives some
      it is switched off: none of this is sent

    --- stderr
    "#);
    assert!(files(&lab) == before, "neither the working tree nor git's own files are touched");
    lab.zaprun(&["plan", "--exit-code"]).expect(1);
    lab.zaprun(&["plan", "--exit-code", "chat", "-q"]).expect(1);
    lab.zaprun(&["plan", "--exit-code", "chatt"]).expect(2).says("did you mean `chat`?");
    assert!(lab.received().is_empty() && lab.crm().crm_count() == 0, "nothing is asked and nothing is sent");
}

#[test]
fn a_comment_for_a_pull_request_is_a_table_and_details() {
    let lab = committed();
    change(&lab);
    let ran = lab.zaprun(&["plan", "--format", "markdown"]).expect(0);
    insta::assert_snapshot!(without_commits(&ran.out), @r#"
    ### zaprun plan

    Compared with `main` (`COMMIT`): 1 added, 1 removed, 1 renamed, 1 changed.

    | zap | change | trigger | records |
    |---|---|---|---|
    | `chat` | changed |  | 1 fires now, 1 changes |
    | `new` | added |  | 1 fires now, 1 does not fire |
    | `old` | removed |  |  |
    | `orders` | renamed from sales, switched off | `order_type`, `where.campaignId` |  |

    <details><summary><code>chat</code> changed: 1 fires now, 1 changes</summary>

    `zaps/chat.yaml`

    Edited: `filter`, `actions[tell].json.text`, `actions[tell].json.hash`.

    ```diff
    # test "a big one": changes
    # tell changes
    - json.text: "‹firstName›: 49.90 declined"
    + json.text: "‹firstName›: 49.90 was declined"
    - json.hash: ‹personal 1›
    + json.hash: ‹personal 2›

    # test "a small one": fires now
    # tell sends
    + method: POST
    + connection: api
    + path: chat
    + json.text: "‹firstName›: 5.00 was declined"
    + json.mail: "‹emailAddress›"
    + json.hash: ‹personal 2›
    + json.order: "A1"
    ```

    </details>

    <details><summary><code>new</code> added: 1 fires now, 1 does not fire</summary>

    `zaps/new.yaml`

    ```diff
    # test "a big one": fires now
    # tell sends
    + method: POST
    + connection: api
    + path: chat
    + json.text: "‹firstName›: 49.90 declined"
    + json.mail: "‹emailAddress›"
    + json.hash: ‹personal 1›
    + json.order: "A1"
    ```

    </details>

    <details><summary><code>old</code> removed</summary>

    `zaps/old.yaml`

    - its runs that wait are not delivered; its ledger is kept, should it come back

    </details>

    <details><summary><code>orders</code> renamed from sales, switched off</summary>

    `zaps/sales.yaml`

    - no record was tried: neither its tests nor fixtures beside it have one; `--records` gives some

    ```diff
    - order_type: new_sale
    + order_type: cancelled
    + where.campaignId: 7
    # what counts as new begins where the zap had read up to when this is loaded: older rows that only the new trigger takes are noted, not sent
    # an event of `cancelled` is another than one of `new_sale`: what fired as one can fire as the other
    ```

    </details>
    "#);
    let again = lab.zaprun(&["plan", "--format", "markdown"]).expect(0);
    assert_eq!(ran.out, again.out, "the order is always the same");
}

#[test]
fn nothing_personal_is_in_a_plan_however_it_was_made() {
    let lab = committed();
    change(&lab);
    let chat = std::fs::read_to_string(lab.path("zaps/chat.yaml")).unwrap();
    let more = "      part: \"{{ record.emailAddress | truncate_chars(9) }}\"\n      code: \"{{ record.firstName | b64 }}\"\n";
    lab.write(
        "zaps/chat.yaml",
        chat.replace("      order: $.orderId\n", &format!("      order: $.orderId\n{more}")),
    );
    let hash = regex::Regex::new(r"[0-9a-f]{64}").unwrap();
    for format in ["text", "markdown", "json"] {
        let ran = lab.zaprun(&["plan", "--format", format]).expect(0);
        for told in ["Zebediah", "zeb@", "zeb", "ZEB", "WmViZWRpYWg", "example.test"] {
            assert!(!ran.out.contains(told), "{told} in {}", ran.out);
        }
        // The hash of an address is as good as the address to whoever has a list of them.
        assert!(!hash.is_match(&ran.out), "{}", ran.out);
        assert!(ran.out.contains("‹firstName›") && ran.out.contains("‹personal "), "{}", ran.out);
    }
}

#[test]
fn secrets_written_in_plain_stay_hidden() {
    let lab = committed();
    let plain = "    headers: { Authorization: Bearer OLDSECRETTOKEN77 }\n";
    lab.write("zaps/chat.yaml", CHAT.replace("    path: chat\n", &format!("    path: chat\n{plain}")));
    commit(&lab);
    lab.write("zaps/chat.yaml", CHAT);
    for format in ["text", "markdown", "json"] {
        let ran = lab.zaprun(&["plan", "--against", "HEAD", "--format", format]).expect(0);
        assert!(
            ran.all().contains("headers.Authorization") && !ran.all().contains("OLDSECRET"),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn another_revision_is_named_or_found() {
    let lab = committed();
    git(&lab, &["tag", "v1"]);
    git(&lab, &["switch", "-q", "-c", "feature/odd name".replace(' ', "-").as_str()]);
    change(&lab);
    commit(&lab);
    let against = |args: &[&str]| {
        let all: Vec<&str> = ["plan", "--format", "json"].iter().chain(args).copied().collect();
        lab.zaprun(&all).expect(0).json()
    };
    assert_eq!(against(&[])["against"]["name"], "main");
    assert_eq!(zap(&against(&[]), "new")["change"], "added");
    assert_eq!(zap(&against(&["--against", "v1"]), "new")["change"], "added");
    assert_eq!(zap(&against(&["--against", "HEAD"]), "new")["change"], "unchanged");
    // Main goes on meanwhile: what it gained is not what this branch takes away.
    git(&lab, &["switch", "-q", "main"]);
    lab.write("zaps/meanwhile.yaml", OLD.replace("name: old", "name: meanwhile"));
    commit(&lab);
    git(&lab, &["switch", "-q", "-"]);
    let plan = against(&[]);
    assert_eq!(plan["against"]["name"], "where HEAD left main");
    assert!(!plan["zaps"].to_string().contains("meanwhile"), "{plan:#}");
    assert_eq!(zap(&against(&["--against", "main"]), "meanwhile")["change"], "removed");
    for odd in ["nowhere", "--output=x", "-p", "", "main:zaps"] {
        lab.zaprun(&["plan", &format!("--against={odd}")]).expect(2).says("there is no revision");
    }
}

#[test]
fn a_project_may_lie_deep_in_a_repository_with_odd_names() {
    let lab = committed();
    let inner = "shops/a b \"c\" é/zaps/chat.yaml";
    lab.write(inner, CHAT);
    lab.write("shops/a b \"c\" é/zaps/fixtures/decline.json", DECLINE);
    lab.write("shops/a b \"c\" é/zaprun.yaml", std::fs::read(lab.path("zaprun.yaml")).unwrap());
    let folder = "shops/a b \"c\" é";
    lab.zaprun(&["-C", folder, "plan"]).expect(0).says("there was no zaprun.yaml").says("+ chat  added");
    commit(&lab);
    lab.zaprun(&["-C", folder, "plan", "--against", "HEAD"]).expect(0).says("1 unchanged");
    lab.write(inner, CHAT.replace("declined\"", "refused\""));
    let ran = lab.zaprun(&["-C", folder, "plan"]).expect(0).says("~ chat  changed");
    assert!(ran.out.contains("refused") && !ran.out.contains("old"), "{}", ran.out);
}

#[test]
fn what_git_cannot_give_is_told() {
    let lab = Lab::new(&[SALES]);
    lab.zaprun(&["plan"]).expect(2).says("the project is in no git repository").says("plan --deployed");
    git(&lab, &["init", "-q", "-b", "main"]);
    lab.zaprun(&["plan"]).expect(2).says("the repository has no commit to compare with");
    commit(&lab);
    let mut lab = lab;
    lab.program().set("PATH", "/nowhere");
    lab.zaprun(&["plan"]).expect(2).says("git cannot be started").says("install it");
}

#[test]
fn a_shallow_clone_is_compared_with_what_there_is() {
    let lab = committed();
    git(&lab, &["switch", "-q", "-c", "feature"]);
    change(&lab);
    commit(&lab);
    let from = format!("file://{}", lab.path("").display());
    let clone = tempfile::tempdir().unwrap();
    let to = clone.path().join("clone").display().to_string();
    git(&lab, &["clone", "-q", "--depth", "1", "--no-single-branch", "--branch", "feature", &from, &to]);
    let ran = lab.zaprun(&["-C", &to, "plan"]).expect(0);
    ran.says("origin/main: the clone is too shallow").says("+ new  added");
    lab.zaprun(&["-C", &to, "plan", "--against", "HEAD~1"]).expect(2).says("git fetch --unshallow");
}

#[test]
fn a_side_that_is_not_valid_stops_only_what_is_not() {
    let lab = committed();
    lab.write("zaps/chat.yaml", CHAT.replace("record.firstName", "record.firstNme"));
    let ran = lab.zaprun(&["plan"]).expect(1);
    ran.says("! chat  not valid").says("did you mean `firstName`?").says("1 error in the project");
    commit(&lab);
    lab.write("zaps/chat.yaml", CHAT);
    let ran = lab.zaprun(&["plan", "--against", "HEAD"]).expect(0);
    ran.says("the other side has 1 error").says("it was not valid before").says("2 unchanged");
    // Nor does a file that is no YAML at all.
    lab.write("zaps/old.yaml", "name: [old\n");
    lab.zaprun(&["plan", "--against", "HEAD"]).expect(1).says("! zaps/old.yaml  not valid");
}

#[test]
fn hooks_filters_and_the_index_are_left_alone() {
    let lab = committed();
    lab.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n");
    lab.write(".git/hooks/post-index-change", "#!/bin/sh\ntouch hooked\n");
    lab.write(".gitattributes", "*.yaml filter=odd\n");
    git(&lab, &["config", "filter.odd.smudge", "touch smudged; cat"]);
    git(&lab, &["config", "core.fsmonitor", "touch watched; false"]);
    for hook in ["post-checkout", "post-index-change"] {
        let path = lab.path(&format!(".git/hooks/{hook}"));
        assert!(Command::new("chmod").arg("+x").arg(path).status().unwrap().success());
    }
    change(&lab);
    let before = files(&lab);
    lab.zaprun(&["plan"]).expect(0);
    assert!(files(&lab) == before);
}

#[test]
fn records_of_a_file_are_tried_and_hidden() {
    let lab = committed();
    change(&lab);
    let second = DECLINE.replace("900001", "900002").replace("49.90", "9.90");
    lab.write("records.json", format!("[{DECLINE},{second}]"));
    let plan = lab.zaprun(&["plan", "--records", "records.json", "--format", "json"]).expect(0).json();
    let records = zap(&plan, "chat")["records"].as_array().unwrap();
    let told: Vec<_> =
        records.iter().map(|record| (record["record"].as_str(), record["change"].as_str())).collect();
    let expected = [
        (Some("records.json#1 (decline:900001)"), Some("changes")),
        (Some("records.json#2 (decline:900002)"), Some("fires")),
    ];
    assert_eq!(told, expected);
    assert_eq!(zap(&plan, "old")["tried"], 2, "rows of another kind are tried, and not taken");
    lab.zaprun(&["plan", "--records", "nowhere.json"]).expect(2).says("nowhere.json cannot be read");
    lab.zaprun(&["plan", "--records", "0"]).expect(2).says("from 1 to 10000");
}

#[test]
fn records_of_the_state_are_tried() {
    let lab = committed();
    lab.zaprun(&["plan", "--records", "5"]).expect(1).says("no state at");
    let orders = lab.sales(3);
    lab.once(0);
    let before = lab.state();
    let sales = std::fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    lab.write("zaps/sales.yaml", sales.replace("fixed: 19.90", "fixed: 19.95\n      who: $.emailAddress"));
    lab.write("zaps/twice.yaml", sales.replace("name: sales", "name: twice"));
    let plan = lab.zaprun(&["plan", "--records", "2", "--format", "json"]).expect(0).json();
    let records = zap(&plan, "sales")["records"].as_array().unwrap();
    assert_eq!(records.len(), 2, "the newest two: {plan:#}");
    for record in records {
        let label = record["record"].as_str().unwrap();
        assert!(
            label.starts_with("run ") && orders.iter().any(|order| label.contains(order.as_str())),
            "{label}"
        );
        let parts = &record["steps"][0]["parts"];
        assert_eq!((&parts[0]["old"], &parts[0]["new"]), (&"19.90".into(), &"19.95".into()));
        assert_eq!(parts[1]["new"], "\"‹emailAddress›\"");
    }
    // A new zap is tried with what others of the same rows have seen.
    assert_eq!(zap(&plan, "twice")["records"].as_array().unwrap().len(), 2);
    assert!(!plan.to_string().contains("example.test"), "{plan:#}");
    assert!(lab.state() == before, "the state is only looked at");
}

#[test]
fn what_is_deployed_is_found_by_its_commit() {
    let lab = committed();
    lab.zaprun(&["plan", "--deployed"]).expect(1).says("no state at");
    lab.once(0);
    lab.zaprun(&["plan", "--deployed", "--exit-code"]).expect(0).says("3 unchanged");
    change(&lab);
    commit(&lab);
    let plan = lab.zaprun(&["plan", "--deployed", "--format", "json"]).expect(0).json();
    assert_eq!(zap(&plan, "chat")["change"], "changed");
    let parts = &zap(&plan, "chat")["records"][0]["steps"][0]["parts"];
    assert_eq!(parts[0]["part"], "json.text", "the text that ran is had from git: {plan:#}");
    assert_eq!(zap(&plan, "orders")["formerly"], "sales");
    assert_eq!(zap(&plan, "old")["change"], "gone");
    assert_eq!(zap(&plan, "new")["change"], "added");
}

#[test]
fn what_was_deployed_uncommitted_is_not_made_up() {
    let lab = committed();
    lab.write("zaps/chat.yaml", CHAT.replace("declined\"", "refused\""));
    lab.once(0);
    // It is what there is now, whatever git says.
    lab.zaprun(&["plan", "--deployed"]).expect(0).says("3 unchanged");
    lab.write("zaps/chat.yaml", CHAT.replace("decline }", "decline, cycles: all }"));
    let ran = lab.zaprun(&["plan", "--deployed"]).expect(0).says("~ chat  changed");
    ran.says("what is deployed cannot be shown: it is not what commit")
        .says("the trigger selects something else than what is deployed")
        .says("it has read up to");
}

#[test]
fn that_no_record_was_tried_is_said() {
    let lab = Lab::new(&[SALES]);
    git(&lab, &["init", "-q", "-b", "main"]);
    commit(&lab);
    let sales = std::fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    lab.write("zaps/sales.yaml", sales.replace("fixed: 19.90", "fixed: 19.95"));
    lab.zaprun(&["plan"])
        .expect(0)
        .says("no record was tried: neither its tests nor fixtures beside it have one");
}

#[test]
fn files_beside_the_zaps_are_read_from_the_revision_too() {
    let lab = committed();
    lab.write(
        "data/deep/shape.json",
        r#"{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}"#,
    );
    lab.write("data/thing.json", r#"{"id":"t1"}"#);
    lab.write(
        "zaps/poll.yaml",
        "name: poll\ntrigger: { type: http, connection: api, path: things, items: '$.data[*]', key: '{{ record.id }}', schema: ../data/deep/shape.json }\nactions:\n  - { id: post, type: http, connection: api, json: { id: $.id } }\ntests:\n  - { name: a, record: ../data/thing.json, expect: { post: done } }\n",
    );
    commit(&lab);
    lab.zaprun(&["plan", "--against", "HEAD", "--exit-code"]).expect(0).says("4 unchanged");
    // What they hold is a change.
    lab.write(
        "data/deep/shape.json",
        r#"{"type":"object","required":["id"],"properties":{"id":{"type":"number"}}}"#,
    );
    lab.zaprun(&["plan", "--against", "HEAD"]).expect(0);
}

#[test]
fn every_record_of_a_test_is_tried() {
    let lab = committed();
    let tests = "  - name: both\n    records: [{ $from: fixtures/decline.json, totalAmount: \"5.00\" }, { $from: fixtures/decline.json, transactionId: 900002 }]\n    expect: { $totals: { filtered: 1, delivered: 1 } }\n";
    lab.write("zaps/chat.yaml", CHAT.to_owned() + tests);
    commit(&lab);
    lab.write("zaps/chat.yaml", CHAT.replace("declined\"", "refused\"") + tests);
    let plan = lab.zaprun(&["plan", "--against", "HEAD", "--format", "json"]).expect(0).json();
    let records = zap(&plan, "chat")["records"].as_array().unwrap();
    let from: Vec<&str> = records.iter().filter_map(|record| record["record"].as_str()).collect();
    assert!(
        from.contains(&"test \"both\", record 2") && !from.contains(&"test \"both\", record 1"),
        "{from:?}"
    );
}

#[test]
fn free_text_that_tells_of_somebody_is_hidden() {
    let lab = committed();
    let with = |word: &str| {
        CHAT.replace("declined\"", word)
            .replace("order: $.orderId", "note: $.custom1\n      other: $.custom2")
    };
    lab.write("zaps/chat.yaml", with("declined\""));
    commit(&lab);
    lab.write(
        "zaps/chat.yaml",
        with("refused {{ record.custom1 }} {{ record.custom2 }}\"")
            .replace("note: $.custom1", "note: \"{{ record.custom1 | lower }}\""),
    );
    let record = DECLINE.replacen(
        '{',
        r#"{"custom1":"call Bob Smith at bob@smith.example or 212 555 9999","custom2":"gift wrap","#,
        1,
    );
    lab.write("records.json", format!("[{record}]"));
    for format in ["text", "markdown", "json"] {
        let ran = lab
            .zaprun(&["plan", "--against", "HEAD", "--records", "records.json", "--format", format])
            .expect(0);
        let all = ran.all().to_lowercase();
        assert!(!all.contains("smith") && !all.contains("9999") && all.contains("gift wrap"), "{all}");
    }
}

#[test]
fn another_plain_secret_is_a_change_and_stays_hidden() {
    let lab = committed();
    let with = |secret: &str| {
        CHAT.replace(
            "    path: chat\n",
            &format!("    path: chat\n    headers: {{ Authorization: Bearer {secret} }}\n"),
        )
    };
    lab.write("zaps/chat.yaml", with("OLDSECRETTOKEN77"));
    commit(&lab);
    lab.write("zaps/chat.yaml", with("NEWSECRETTOKEN88"));
    for format in ["text", "markdown", "json"] {
        let ran = lab.zaprun(&["plan", "--against", "HEAD", "--format", format]).expect(1);
        let told = &ran.out;
        assert!(told.contains("headers.Authorization") && !told.contains("SECRETTOKEN"), "{told}");
        assert!(!told.contains('\0') && !told.contains("\\u0000"), "{told}");
    }
}

#[test]
fn that_there_is_no_trunk_is_said() {
    let lab = committed();
    git(&lab, &["switch", "-q", "-c", "feature"]);
    change(&lab);
    commit(&lab);
    let from = format!("file://{}", lab.path("").display());
    let clone = tempfile::tempdir().unwrap();
    let to = clone.path().join("clone").display().to_string();
    git(&lab, &["clone", "-q", "--depth", "1", "--branch", "feature", &from, &to]);
    lab.zaprun(&["-C", &to, "plan"]).expect(0).says("there is no main or master");
}
