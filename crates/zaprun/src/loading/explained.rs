//! What `validate --explain` says is true: each code's bad example has that finding, its good one has none.
//!
//! An example is a few lines of a file. [`Place`] says of which; the rest of a small project is put around them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;

use zaprun_core::diagnostic::{CODES, Code};
use zaprun_core::load::{File, Input, Overlay};
use zaprun_core::rehearsal::Fixtures;
use zaprun_core::variables::Lookup;

use super::{Beside, Loading, load_with};
use crate::project::Stray;

/// Where the first lines of an example stand; what follows a comment with a path is that file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Keys of a zap.
    Zap,
    /// Keys of its trigger.
    Trigger,
    /// Keys of its action.
    Action,
    /// Members of the action's `json:`.
    Json,
    /// Keys of its test.
    Test,
    /// Keys of zaprun.yaml.
    Project,
    /// Keys of the connection `crm` in it.
    Crm,
    /// Keys of the connection `form`, which calls zaprun.
    Form,
    /// A connection of its own.
    Connection,
}

/// Which keys stand where. A key that is in none of them is a member of `json:`.
const KEYS: &[(Place, &str)] = &[
    (
        Place::Zap,
        "name formerly owner description enabled trigger filter fillter let actions on_failure tests",
    ),
    (
        Place::Trigger,
        "every order_type orders_type transaction_type where cron items once_per start settle also catch_up evry",
    ),
    (
        Place::Action,
        "id type method url path headers query json form text map each as when retry connection body success find \
         allow_hosts unless on_uncertain settle_after by from allow schema",
    ),
    (Place::Test, "record expect at vars"),
    (Place::Project, "version connections listen state history policy zaps state_key"),
    (Place::Crm, "base_url login_id password timezone currency concurrency rate"),
    (Place::Form, "verify"),
    (Place::Connection, "esp"),
];

/// Codes whose keys are also words of another place.
const ELSEWHERE: &[(&str, Place)] =
    &[("ZR0112", Place::Action), ("ZR0713", Place::Trigger), ("ZR0714", Place::Trigger)];

const ZAP: &[(Place, &str)] = &[
    (Place::Zap, "name: example\n"),
    (Place::Trigger, "type: konnektive.orders\n"),
    (Place::Trigger, "connection: crm\n"),
    (Place::Trigger, "order_type: new_sale\n"),
    (Place::Action, "id: send\n"),
    (Place::Action, "type: http\n"),
    (Place::Action, "connection: api\n"),
    (Place::Json, "order: $.orderId\n"),
];

/// A trigger of polled items, for the codes that only such a trigger can have.
const POLLED: &[(Place, &str)] = &[
    (Place::Trigger, "type: http\n"),
    (Place::Trigger, "connection: api\n"),
    (Place::Trigger, "items: $.rows\n"),
    (Place::Trigger, "key: \"{{ record.id }}\"\n"),
];

const PROJECT: &[(Place, &str)] = &[
    (Place::Project, "version: 1\n"),
    (Place::Crm, "type: konnektive\n"),
    (Place::Crm, "login_id: ${KONNEKTIVE_LOGIN_ID}\n"),
    (Place::Crm, "password: ${KONNEKTIVE_PASSWORD}\n"),
    (Place::Crm, "timezone: America/New_York\n"),
    (Place::Form, "type: webhook\n"),
    (Place::Form, "verify: { token: { header: X-Token, value: \"${FORM_TOKEN}\" } }\n"),
    (Place::Project, "vars: { channel: \"#orders\", region: eu, status: open, nothing: null }\n"),
    (Place::Project, "listen: { webhooks: 127.0.0.1:8080 }\n"),
];

const CONNECTIONS: &str = "  api: { type: http, base_url: https://api.example.com, may_receive: personal }\n\
     \x20 books: { type: http, base_url: https://books.example.com }\n\
     \x20 slack: { type: http, base_url: \"${SLACK_WEBHOOK_URL}\" }\n\
     \x20 crm_push: { type: webhook, verify: { token: { header: X-Push, value: \"${PUSH_TOKEN}\" } } }\n";

/// Codes that need the values of variables, as `run` does.
const RUN: &[&str] = &["ZR0602", "ZR0603", "ZR0606"];

/// An example's files by path, and what it says of the command and its variables.
#[derive(Default)]
struct Example {
    files: Vec<(String, Vec<u8>)>,
    env: Option<String>,
    set: BTreeMap<String, String>,
    unset: Vec<String>,
}

/// The lines of `text`, each top-level key with those that belong to it.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        let inner = line.starts_with([' ', '\t', '-', '#', '}', ']']);
        match blocks.last_mut().filter(|_| inner) {
            Some(block) => *block += &format!("{line}\n"),
            None => blocks.push(format!("{line}\n")),
        }
    }
    blocks
}

fn key(block: &str) -> &str {
    let first = block.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    first.split(':').next().unwrap_or_default().trim_matches('"')
}

fn place(code: &Code, block: &str) -> Place {
    let elsewhere = ELSEWHERE.iter().find(|(id, _)| *id == code.id).map(|(_, place)| *place);
    let known = KEYS.iter().find(|(_, keys)| keys.split_whitespace().any(|known| known == key(block)));
    elsewhere.or(known.map(|(place, _)| *place)).unwrap_or(Place::Json)
}

/// `base` with the blocks laid over it: one of the same key at the same place is replaced.
fn laid(code: &Code, base: &[(Place, &str)], over: &str) -> Vec<(Place, String)> {
    let over: Vec<(Place, String)> =
        blocks(over).into_iter().map(|block| (place(code, &block), block)).collect();
    let says = |at: Place, word: &str| over.iter().any(|(place, block)| *place == at && key(block) == word);
    let polled = over.iter().any(|(at, _)| *at == Place::Trigger) && ["ZR0713", "ZR0714"].contains(&code.id);
    let base = base
        .iter()
        .filter(|(at, _)| !(polled && *at == Place::Trigger))
        .chain(POLLED.iter().filter(|_| polled));
    let kept = base.filter(|(at, block)| {
        // A whole trigger, list of actions or body takes the place of its parts.
        let whole = match at {
            Place::Trigger => says(Place::Zap, "trigger"),
            Place::Action => says(Place::Zap, "actions"),
            Place::Json => {
                let get = over.iter().any(|(_, block)| block.trim() == "method: GET");
                get || ["json", "form", "text", "map", "find"].iter().any(|body| says(Place::Action, body))
                    || says(Place::Zap, "actions")
            }
            Place::Crm | Place::Form => says(Place::Project, "connections"),
            Place::Zap | Place::Test | Place::Project | Place::Connection => false,
        };
        let addressed = *at == Place::Action && key(block) == "connection" && says(Place::Action, "url");
        !whole && !addressed && !says(*at, key(block))
    });
    let mut all: Vec<(Place, String)> = kept.map(|(at, block)| (*at, (*block).to_owned())).collect();
    // A write to the CRM goes through its connection.
    let crm = over.iter().any(|(at, block)| *at == Place::Action && block.starts_with("type: konnektive."));
    for (at, block) in &mut all {
        if crm && *at == Place::Action && block.starts_with("connection:") {
            "connection: crm\n".clone_into(block);
        }
    }
    all.extend(over);
    all
}

fn at(all: &[(Place, String)], place: Place, indent: usize) -> String {
    let blocks = all.iter().filter(|(at, _)| *at == place).flat_map(|(_, block)| block.lines());
    blocks.map(|line| format!("{:indent$}{line}\n", "")).collect()
}

fn zap(code: &Code, text: &str) -> String {
    // What is no map of keys is the whole file.
    if text.lines().next().is_some_and(|line| line.starts_with('#') && !text.contains(':')) {
        return text.to_owned();
    }
    let all = laid(code, ZAP, text);
    let mut out = at(&all, Place::Zap, 0);
    let trigger = at(&all, Place::Trigger, 2);
    let (action, json, test) =
        (at(&all, Place::Action, 4), at(&all, Place::Json, 6), at(&all, Place::Test, 4));
    if !trigger.is_empty() {
        out += &format!("trigger:\n{trigger}");
    }
    if !action.is_empty() {
        out += &format!("actions:\n  -{}", &action[3..]);
    }
    if !json.is_empty() {
        out += &format!("    json:\n{json}");
    }
    if !test.is_empty() {
        let record = if test.contains("    record:") || test.contains("    at:") { "" } else { RECORD };
        let expect = if test.contains("    expect:") { "" } else { EXPECT };
        out += &format!("tests:\n  - name: a sale\n{record}{test}{expect}");
    }
    out
}

const RECORD: &str = "    record: { orderId: \"B2\", orderType: NEW_SALE, orderStatus: COMPLETE }\n";
const EXPECT: &str = "    expect: { send: done }\n";

fn project(code: &Code, text: &str) -> String {
    let all = laid(code, PROJECT, text);
    let mut out = at(&all, Place::Project, 0);
    let (crm, form, more) =
        (at(&all, Place::Crm, 4), at(&all, Place::Form, 4), at(&all, Place::Connection, 2));
    if !crm.is_empty() {
        out += &format!("connections:\n  crm:\n{crm}  form:\n{form}{CONNECTIONS}{more}");
    }
    out
}

/// The path that a comment names: `# zaps/b.yaml`.
fn path(line: &str) -> Option<&str> {
    let path = line.strip_prefix("# ")?;
    let ends = [".yaml", ".yml", ".csv", ".json"].iter().any(|ending| path.ends_with(ending));
    (ends && !path.contains(' ')).then_some(path)
}

fn example(code: &Code, text: &str) -> Example {
    let mut example = Example::default();
    let mut parts: Vec<(Option<&str>, String)> = vec![(None, String::new())];
    for line in text.lines() {
        if let Some(path) = path(line) {
            parts.push((Some(path), String::new()));
            continue;
        }
        if let Some((_, env)) = line.split_once("zaprun run --env ") {
            example.env = Some(env.trim().to_owned());
            continue;
        }
        // `# NAME=value` and `# NAME is not set` say what the environment holds.
        if let Some((_, comment)) = line.rsplit_once("# ") {
            if let Some((name, value)) = comment.split_once('=').filter(|(name, _)| !name.contains(' ')) {
                example.set.insert(name.to_owned(), value.to_owned());
            }
            example.unset.extend(comment.strip_suffix(" is not set").map(str::to_owned));
        }
        let (_, part) = parts.last_mut().unwrap();
        *part += &format!("{line}\n");
    }
    let mut files: Vec<(String, String)> = Vec::new();
    for (path, part) in parts {
        let of_project = || {
            let places = blocks(&part).iter().map(|block| place(code, block)).collect::<Vec<_>>();
            places
                .iter()
                .all(|at| matches!(at, Place::Project | Place::Crm | Place::Form | Place::Connection))
        };
        match path {
            None if part.trim().is_empty() => {}
            None if of_project() => files.push(("zaprun.yaml".to_owned(), project(code, &part))),
            None => files.push(("zaps/example.yaml".to_owned(), zap(code, &part))),
            Some("zaprun.yaml") => files.push(("zaprun.yaml".to_owned(), project(code, &part))),
            Some(path)
                if path.starts_with("zaps/")
                    && path.matches('/').count() == 1
                    && !path.ends_with(".test.yaml") =>
            {
                files.push((path.to_owned(), zap(code, &part)));
            }
            Some(path) => files.push((path.to_owned(), part)),
        }
    }
    if !files.iter().any(|(path, _)| path == "zaprun.yaml") {
        files.push(("zaprun.yaml".to_owned(), project(code, "")));
    }
    if !files.iter().any(|(path, _)| path.starts_with("zaps/")) {
        files.push(("zaps/example.yaml".to_owned(), zap(code, "")));
    }
    // What cannot be shown in a page of text.
    let written =
        |text: String| text.replace("<NUL>", "\0").replace("… +", &"1 + ".repeat(2000)).into_bytes();
    example.files = files.into_iter().map(|(path, text)| (path, written(text))).collect();
    example
}

impl Fixtures for Example {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.files.iter().find(|(known, _)| known == path);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| "no such file".to_owned())
    }
}

impl Lookup for Example {
    fn variable(&self, name: &str) -> Option<String> {
        if self.unset.iter().any(|unset| unset == name) {
            return None;
        }
        let of_address = || format!("{}x", if name.ends_with("_URL") { "https://example.com/" } else { "" });
        Some(self.set.get(name).cloned().unwrap_or_else(of_address))
    }

    fn file(&self, path: &str) -> Result<String, String> {
        match path {
            "/run/secrets/konnektive" => Ok("x".to_owned()),
            _ => Err("no such file or directory".to_owned()),
        }
    }
}

impl Example {
    /// What lies among its files and is not read.
    fn strays(&self) -> Vec<Stray> {
        let paths = self.files.iter().map(|(path, _)| path).filter(|path| path.ends_with(".yml"));
        let stray =
            |path: &String| Stray { path: path.clone(), reason: "not read".to_owned(), help: "rename it" };
        paths.map(stray).collect()
    }

    fn load(&self, code: &Code) -> Loading {
        let files = |take: &dyn Fn(&str) -> bool| -> Vec<File> {
            let taken = self.files.iter().filter(|(path, _)| take(path));
            taken.map(|(path, bytes)| File { path: path.clone(), content: Ok(bytes.clone()) }).collect()
        };
        let overlay = |path: &str| path.starts_with("zaprun.") && path != "zaprun.yaml";
        let env = |file: File| Overlay { env: file.path.split('.').nth(1).unwrap().to_owned(), file };
        let tests = |path: &str| path.ends_with(".test.yaml");
        let zaps = |path: &str| path.starts_with("zaps/") && path.ends_with(".yaml") && !tests(path);
        let mut input = Input {
            project: files(&|path| path == "zaprun.yaml").remove(0),
            overlays: files(&overlay).into_iter().map(env).collect(),
            zaps: files(&|path| zaps(path)),
            tables: files(&|path| path.starts_with("tables/")),
            env: self.env.clone(),
        };
        unwritable(code, &mut input);
        let lookup = RUN.contains(&code.id).then_some(self as &dyn Lookup);
        let beside = Beside { tests: files(&tests), strays: self.strays() };
        load_with(&input, &beside, self, lookup, true)
    }

    fn shown(&self) -> String {
        self.files
            .iter()
            .map(|(path, text)| format!("-- {path}\n{}", String::from_utf8_lossy(text)))
            .collect()
    }
}

/// What an example can tell of but not hold: bytes that are no text, and a file of a megabyte.
fn unwritable(code: &Code, input: &mut Input) {
    for file in &mut input.zaps {
        let Ok(bytes) = &mut file.content else { continue };
        let text = String::from_utf8_lossy(bytes).into_owned();
        match code.id {
            "ZR0101" if text.contains("UTF-16") => {
                let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
                *bytes = [0xff, 0xfe].into_iter().chain(wide).collect();
            }
            "ZR0102" if text.contains("10 MB") => bytes.resize(10 * 1024 * 1024, b'#'),
            _ => {}
        }
    }
}

#[test]
fn every_bad_example_has_its_finding_and_every_good_one_none() {
    let mut wrong = Vec::new();
    for code in CODES {
        let (bad, good) = (example(code, code.bad), example(code, code.good));
        let found = |example: &Example| {
            let findings = example.load(code).findings;
            findings.iter().map(|finding| (finding.code.id, finding.message.clone())).collect::<Vec<_>>()
        };
        let (in_bad, in_good) = (found(&bad), found(&good));
        if !in_bad.iter().any(|(id, _)| *id == code.id) {
            wrong.push(format!("{} is not in its bad example: {in_bad:?}\n{}", code.id, bad.shown()));
        }
        if !in_good.is_empty() {
            wrong.push(format!("{}: the good example is not good: {in_good:?}\n{}", code.id, good.shown()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
