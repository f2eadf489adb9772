#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use zaprun_core::load::{File, Input};
use zaprun_core::rehearsal::Occasion;

use super::compare::Given;
use super::report::{KeyPlan, PartPlan, RecordChange, RecordPlan, StepPlan, TriggerPlan, ZapPlan};
use super::*;
use crate::loading::load_input;

const PROJECT: &str = "version: 1
connections:
  crm: { type: konnektive, login_id: \"${L}\", password: \"${P}\", timezone: America/New_York }
  api: { type: http, base_url: \"${U}\", may_receive: personal }
  form: { type: webhook, verify: none }
listen: { webhooks: 127.0.0.1:8080 }
";

/// What can be made of a name and an address, short of telling how long they are.
const MADE: &str = r#"name: made
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
let: { who: "{{ record.firstName }} {{ record.lastName }}" }
actions:
  - id: send
    type: http
    connection: api
    allow: [personal]
    path: "people/{{ record.lastName }}"
    query: { mail: $.emailAddress, order: $.orderId }
    headers: { X-Who: "{{ let.who | upper }}" }
    json:
      order: $.orderId
      who: "{{ let.who }}"
      upper: "{{ record.emailAddress | upper }}"
      hash: "{{ record.emailAddress | lower | sha256 }}"
      part: "{{ record.lastName | truncate_chars(4) }}"
      host: "{{ record.emailAddress | split('@') | last }}"
      code: "{{ let.who | b64 }}"
      whole: $
      each: { $each: "{{ [record.firstName, record.lastName] }}", $map: "<{{ item }}>" }
      text: "Dear {{ record.firstName | titlecase }}, {{ record.totalAmount }} is due"
      total: "{{ record.totalAmount }}"
  - id: lead
    type: konnektive.create_lead
    connection: crm
    map:
      campaignId: 7
      firstName: "{{ record.firstName | upper }}"
      lastName: $.lastName
      emailAddress: "{{ record.emailAddress | norm_email }}"
      custom1: "{{ record.orderId }}"
"#;

/// The same of what arrives, where no schema tells what is personal.
const ARRIVES: &str = r#"name: arrives
trigger: { type: webhook, connection: form, path: /hooks/x, key: "{{ record.id }}" }
actions:
  - id: send
    type: http
    connection: api
    json: { id: $.id, what: "{{ record.note | upper }}", deep: $.inner.secret, code: "{{ record.note | b64 }}" }
"#;

fn loaded(zaps: &[(&str, &str)]) -> Loading {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
    let zaps = zaps.iter().map(|(path, text)| file(path, text)).collect();
    let loading = load_input(
        &Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps,
            tables: Vec::new(),
            env: None,
        },
        None,
    );
    assert_eq!(loading.findings, []);
    loading
}

/// All that a plan shows of a record that is new to a zap.
fn told(loading: &Loading, name: &str, record: &str) -> String {
    let sides = zaps::of_project(loading);
    let side = sides.iter().find(|side| side.name == name).unwrap();
    let occasion = Occasion { record: Some(record.as_bytes().to_vec()), ..Occasion::default() };
    let given = Given { from: "it".to_owned(), occasion, case: None, known: false };
    let plan = compare::compare(&given, None, side.edition(), &mut StandIns::default()).unwrap();
    let report = Report {
        zaps: vec![ZapPlan { records: vec![plan], ..ZapPlan::new(name, Change::Added) }],
        ..Report::default()
    };
    format!("{}\n{}", markdown::render(&report), pretty(&report))
}

/// Without the names of what is hidden, which may differ where the texts are of another shape.
fn unnamed(told: &str) -> String {
    regex::Regex::new("‹[^›]*›").unwrap().replace_all(told, "‹›").into_owned()
}

fn sale(first: &str, last: &str, mail: &str) -> String {
    format!(
        r#"{{"orderId":"D6C8C390A7","orderStatus":"COMPLETE","orderType":"NEW_SALE","dateCreated":"2026-09-16 14:25:31",
        "firstName":"{first}","lastName":"{last}","emailAddress":"{mail}@mail.example","totalAmount":"49.90"}}"#
    )
}

/// A name that is nobody else's, and no word of the zap's or of the program's.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[QXZ][a-z]{5,9}", "[QXZ][a-zé]{5,9}", "[qxz][a-z]{5,9}", "[QXZ]{6,9}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whoever reads a plan learns nothing of who the buyer is.
    #[test]
    fn a_plan_is_the_same_whoever_the_buyer_is(
        one in ("[QXZ][a-zé]{5,9}", "[QXZ][a-z]{5,9}", "[qxz][a-z]{5,9}"),
        other in ("[QXZ][a-zé]{5,9}", "[QXZ][a-z]{5,9}", "[qxz][a-z]{5,9}"),
    ) {
        let zaps = loaded(&[("zaps/made.yaml", MADE)]);
        let tell = |(first, last, mail): &(String, String, String)| told(&zaps, "made", &sale(first, last, mail));
        let (one_told, other_told) = (tell(&one), tell(&other));
        for value in [&one.0, &one.1, &one.2] {
            prop_assert!(!one_told.to_lowercase().contains(&value.to_lowercase()), "{value} in {one_told}");
        }
        prop_assert_eq!(unnamed(&one_told), unnamed(&other_told));
        // What is not personal stays to be seen.
        prop_assert!(one_told.contains("D6C8C390A7") && one_told.contains("49.90"), "{one_told}");
        prop_assert!(one_told.contains("‹firstName› ‹lastName›"), "{one_told}");
    }

    /// Nor of what arrives, of which nobody knows what is personal.
    #[test]
    fn nothing_that_arrives_is_seen(note in name(), secret in name()) {
        let zaps = loaded(&[("zaps/arrives.yaml", ARRIVES)]);
        let record = format!(r#"{{"id":7,"note":"{note}","inner":{{"secret":"{secret}"}}}}"#);
        let told = told(&zaps, "arrives", &record);
        for value in [&note, &secret] {
            prop_assert!(!told.to_lowercase().contains(&value.to_lowercase()), "{value} in {told}");
        }
    }
}

#[test]
fn the_same_person_has_the_same_stand_in() {
    let mut stand_ins = StandIns::default();
    let (one, other) = (stand_ins.of("a"), stand_ins.of("b"));
    assert_eq!((one.as_str(), other.as_str()), ("‹personal 1›", "‹personal 2›"));
    assert_eq!(stand_ins.of("a"), one);
}

/// A report with everything that could break out of Markdown.
fn hostile() -> Report {
    let bad = "``` </details> | <b> @team \n# x `y` \u{1b}[2J".to_owned();
    let part = PartPlan {
        part: bad.clone(),
        old: Some(bad.clone()),
        new: Some(bad.clone()),
        old_written: Some(bad.clone()),
        new_written: None,
    };
    let step = StepPlan {
        step: bad.clone(),
        element: Some(bad.clone()),
        change: "changes",
        reason: Some(bad.clone()),
        parts: vec![part],
    };
    let record = RecordPlan {
        record: bad.clone(),
        change: RecordChange::Changes,
        reason: Some(bad.clone()),
        steps: vec![step],
    };
    let key = KeyPlan { key: bad.clone(), old: Some(bad.clone()), new: None };
    let mut zap = ZapPlan::new(&bad, Change::Changed);
    zap.file = Some(bad.clone());
    zap.notes = vec![bad.clone()];
    zap.edited = vec![bad.clone()];
    zap.trigger = Some(TriggerPlan { changes: vec![key], effects: vec![bad.clone()] });
    zap.records = vec![record];
    zap.tried = 1;
    Report {
        against: Against { name: bad.clone(), commit: Some("0123456789abcdef".to_owned()) },
        notes: vec![bad.clone()],
        project: vec![bad],
        zaps: vec![zap],
    }
}

#[test]
fn nothing_breaks_out_of_a_comment() {
    let told = markdown::render(&hostile());
    let (mut fence, mut open) = (None::<String>, 0_i32);
    for line in told.lines() {
        assert!(!line.contains('\u{1b}'), "{line:?}");
        if let Some(closing) = &fence {
            if line == closing {
                fence = None;
            }
            continue;
        }
        if line.starts_with("```") && line.ends_with("diff") {
            fence = Some(line.trim_end_matches("diff").to_owned());
            continue;
        }
        // Outside of code, only our own tags.
        let bare: String = without_code(line);
        let bare = ["<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>"]
            .iter()
            .fold(bare, |line, tag| line.replace(tag, ""));
        let bare = bare.strip_prefix("> ").unwrap_or(&bare);
        assert!(!bare.contains(['<', '>']), "{line:?}");
        assert!(!bare.contains("@team"), "{line:?}");
        open += i32::from(line.contains("<details>")) - i32::from(line == "</details>");
        assert!((0..=1).contains(&open), "{told}");
    }
    assert_eq!((fence, open), (None, 0), "{told}");
    // Each row of the table has its four cells.
    let rows: Vec<&str> = told.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.iter().all(|row| row.replace("\\|", "").matches('|').count() == 5), "{rows:#?}");
}

/// A line without what stands in backticks, as CommonMark reads it.
fn without_code(line: &str) -> String {
    let line = &line.replace("\\`", "");
    let mut bare = String::new();
    let mut rest = line.as_str();
    while let Some(at) = rest.find('`') {
        bare.push_str(&rest[..at]);
        let run = rest[at..].chars().take_while(|sign| *sign == '`').count();
        let ticks = "`".repeat(run);
        let after = &rest[at + run..];
        let mut from = 0;
        let end = loop {
            let Some(found) = after[from..].find(&ticks).map(|found| found + from) else { break None };
            let longer = after[found..].chars().take_while(|sign| *sign == '`').count();
            if longer == run {
                break Some(found);
            }
            from = found + longer;
        };
        match end {
            Some(end) => rest = &after[end + run..],
            None => {
                bare.push_str(&ticks);
                rest = after;
            }
        }
    }
    bare + rest
}

#[test]
fn a_comment_is_never_too_long() {
    let long = |number: usize| {
        let parts = (0..200).map(|at| PartPlan {
            part: format!("json.field{at}"),
            old: None,
            new: Some("x".repeat(60)),
            old_written: None,
            new_written: None,
        });
        let step = StepPlan {
            step: "send".to_owned(),
            element: None,
            change: "sends",
            reason: None,
            parts: parts.collect(),
        };
        let record = RecordPlan {
            record: "it".to_owned(),
            change: RecordChange::Fires,
            reason: None,
            steps: vec![step],
        };
        ZapPlan { records: vec![record], ..ZapPlan::new(&format!("zap-{number}"), Change::Added) }
    };
    let report = Report { zaps: (0..9).map(long).collect(), ..Report::default() };
    let told = markdown::render(&report);
    assert!(told.chars().count() < 65_536, "{}", told.len());
    assert!(told.contains("too long for a comment: run `zaprun plan`"), "{told}");
}

#[test]
fn records_are_a_number_or_a_file() {
    assert_eq!("20".parse(), Ok(Wanted::Stored(20)));
    assert_eq!("a.json".parse(), Ok(Wanted::File("a.json".into())));
    assert_eq!("./20".parse(), Ok(Wanted::File("./20".into())));
    for bad in ["", "0", "10001", "99999999999999999999"] {
        assert!(bad.parse::<Wanted>().is_err(), "{bad}");
    }
}
