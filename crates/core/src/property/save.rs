//! A failure as a fixture and a test of the zap, which fails until the zap is mended.

use super::judge::End;
use super::search::Failure;
use crate::rehearsal::{Answer, Replies};
use crate::source::SourceMap;
use crate::value::Value;
use crate::yaml::{self, Kind};
use crate::zap::Zap;

/// What is written for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The fixture's name within the folder `fixtures` beside the zap; none where the test has no record.
    pub fixture: Option<(String, String)>,
    /// The test's name.
    pub name: String,
    /// The test, a map of YAML without indentation.
    test: Vec<String>,
}

impl Saved {
    /// What is written for a failure of a zap; nothing where it is no matter of one record.
    pub fn of(zap: &Zap, failure: &Failure) -> Option<Saved> {
        if failure.times == 0 {
            return None;
        }
        let json = |value: &Value| value.to_json().unwrap_or_default();
        let given = &failure.given;
        let subject = failure.subject.as_deref().unwrap_or("the run");
        let name = short(&format!("case: {} {subject}: {}", failure.law.name, failure.message), 120);
        let hash = blake3::hash(format!("{} {name}", zap.name).as_bytes()).to_hex();
        let file = format!("{}-case-{}.json", zap.name, hash.get(..8).unwrap_or_default());
        let mut test = vec![format!("name: {}", json(&Value::text(name.as_str())))];
        let fixture = given.record.as_ref().map(|record| {
            test.push(format!("record: fixtures/{file}"));
            (file, pretty(record))
        });
        let parts = [("headers", &given.headers), ("query", &given.query), ("vars", &given.vars)];
        for (key, part) in parts {
            test.extend(part.as_ref().map(|part| format!("{key}: {}", json(part))));
        }
        test.extend(given.tick.map(|tick| format!("at: \"{tick}\"")));
        if !given.replies.is_empty() {
            test.push("replies:".to_owned());
            let told = |(id, replies): &(String, Replies)| format!("  {id}: {}", json(&shown(replies)));
            test.extend(given.replies.iter().map(told));
        }
        test.push(format!("expect: {}", expected(zap, failure)?));
        Some(Saved { fixture, name, test })
    }

    /// Whether a zap, or a file of tests, has a test of that name.
    pub fn is_in(&self, text: &str) -> bool {
        let Some(tree) = yaml::parse(&mut SourceMap::default(), "zap", text.as_bytes()).tree else {
            return false;
        };
        let tests = tree.get(tree.root(), "tests").map_or(&[][..], |tests| tree.items(tests));
        let name = |test: &yaml::NodeId| tree.get(*test, "name").and_then(|name| tree.text(name));
        tests.iter().any(|test| name(test) == Some(&self.name))
    }

    /// The text of a zap, or of a file of tests, with the test added; everything else stays as it is. Nothing where its
    /// tests are written in a way to which nothing can be added so.
    pub fn added_to(&self, text: &str) -> Option<String> {
        let tree = yaml::parse(&mut SourceMap::default(), "zap", text.as_bytes()).tree?;
        let tests = tree.get(tree.root(), "tests");
        let items = tests.map_or(&[][..], |tests| tree.items(tests));
        let mut added = text.to_owned();
        // Lines end as they do elsewhere in the file.
        let ended = |lines: String| if text.contains("\r\n") { lines.replace('\n', "\r\n") } else { lines };
        if !added.ends_with('\n') {
            added.push_str(&ended("\n".to_owned()));
        }
        let before = items.len();
        match (tests, items.last()) {
            (None, _) => added.push_str(&ended(format!("\ntests:\n{}", self.item("  ")))),
            (Some(_), Some(last)) => {
                let span = tree.span(*last);
                let line = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
                let lead = text.get(line..span.start)?;
                let indent = lead.strip_suffix("- ").filter(|blank| blank.trim().is_empty())?;
                let end = span.start + text.get(span.start..)?.find('\n').unwrap_or(text.len() - span.start);
                let end = span.end.max(end);
                let end = end + added.get(end..)?.find('\n').map_or(0, |at| at + 1);
                let end = if text.get(..span.end).is_some_and(|before| before.ends_with('\n')) {
                    span.end
                } else {
                    end
                };
                added.insert_str(end, &ended(self.item(indent)));
            }
            (Some(_), None) => return None,
        }
        // What was added is a test more, and nothing else.
        let again = yaml::parse(&mut SourceMap::default(), "zap", added.as_bytes()).tree?;
        let tests = again
            .get(again.root(), "tests")
            .filter(|tests| matches!(again.node(*tests).kind, Kind::List(_)))?;
        let last = again.items(tests).last().and_then(|last| again.get(*last, "name"));
        let named = last.and_then(|name| again.text(name)) == Some(&self.name);
        (again.items(tests).len() == before + 1 && named).then_some(added)
    }

    /// A file of tests of its own.
    pub fn alone(&self, zap: &str) -> String {
        format!("zap: {zap}\ntests:\n{}", self.item("  "))
    }

    fn item(&self, indent: &str) -> String {
        let mut lines = String::new();
        for (at, line) in self.test.iter().enumerate() {
            lines.push_str(indent);
            lines.push_str(if at == 0 { "- " } else { "  " });
            lines.push_str(line);
            lines.push('\n');
        }
        lines
    }
}

/// What the test expects: of a run that is given up that its step is done, which is what fails; of any other what
/// becomes of it, since laws and properties are checked with every test. Nothing of a run that is given up and breaks a
/// property beside: what gives it up is a failure of its own.
fn expected(zap: &Zap, failure: &Failure) -> Option<String> {
    let is_step = |id: &&str| zap.actions.iter().chain(&zap.on_failure).any(|action| action.id == *id);
    let named = failure.subject.as_deref().filter(is_step).filter(|_| failure.law.name != "property");
    let step = named.or_else(|| zap.actions.first().map(|action| action.id.as_str()))?;
    // Of the record that is saved, which is more than the bare one that is shown.
    let sent = failure.sends.iter().any(|id| id == step);
    match failure.end {
        _ if failure.law.name == "given up" => Some(format!("{{ {step}: done }}")),
        End::Filtered => Some("filtered".to_owned()),
        End::Delivered if sent => Some(format!("{{ {step}: done }}")),
        End::Delivered => Some(format!("{{ {step}: skipped }}")),
        End::Dead | End::Ignored => None,
    }
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn shown(replies: &Replies) -> Value {
    match replies {
        Replies::All(answers) => first(answers),
        Replies::Each(elements) => Value::list(elements.iter().map(|answers| first(answers)).collect()),
    }
}

/// What the first attempt is answered; records that are made up meet no further ones.
fn first(answers: &[Answer]) -> Value {
    answers.first().map(reply).unwrap_or_default()
}

fn reply(answer: &Answer) -> Value {
    let parsed = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        Value::from_json(&text).unwrap_or_else(|_| Value::text(&*text))
    };
    match answer {
        Answer::Http { status, headers, body } => {
            let headers =
                headers.iter().map(|(name, value)| (name.as_str().into(), Value::text(value.as_str())));
            Value::object(vec![
                ("status".into(), Value::from(i64::from(*status))),
                ("headers".into(), Value::object(headers.collect())),
                ("body".into(), parsed(body)),
            ])
        }
        Answer::Crm(reply) => Value::Object(reply.clone()),
        Answer::Rows(rows) => {
            Value::object(vec![("rows".into(), Value::list(rows.iter().map(|row| parsed(row)).collect()))])
        }
        Answer::Refused(reason) => Value::object(vec![("refused".into(), Value::text(reason.as_str()))]),
        // Tests with faults are no examples of records.
        Answer::Fault(_) => Value::Null,
    }
}

/// JSON with a line for each member of the record.
pub(super) fn pretty(record: &Value) -> String {
    let Some(object) = record.as_object() else { return record.to_json().unwrap_or_default() + "\n" };
    if object.is_empty() {
        return "{}\n".to_owned();
    }
    let member = |(name, value): (&std::sync::Arc<str>, &Value)| {
        let name = Value::text(name.clone()).to_json().unwrap_or_default();
        format!("  {name}: {}", value.to_json().unwrap_or_default())
    };
    let members: Vec<String> = object.iter().map(member).collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}
