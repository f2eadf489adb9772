//! The reference's example of a trigger, and the record of its test.

use super::{Starter, quoted, scalar, word};
use crate::load::{File, Input, load};
use crate::record::ReadSet;
use crate::reference::examples::{self, PROJECT, RECORDS, TRIGGERS};
use crate::rehearsal::read_tests;
use crate::trigger;
use crate::value::Value;
use crate::zap::{self, ProjectFacts};

/// The reference's example of a kind of event.
pub(super) struct Example {
    text: &'static str,
    record: Value,
    at: Option<jiff::Timestamp>,
    /// The members that the trigger reads.
    fields: Vec<String>,
}

impl Example {
    pub(super) fn of(kind: &str) -> Example {
        let text = examples::find_whole(TRIGGERS, kind);
        let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/example.yaml", text)],
            tables: Vec::new(),
            env: None,
        };
        let mut loaded = load(&input, None);
        let cases = read_tests(&mut loaded, &[], &RECORDS);
        let occasion = cases.first().map(crate::rehearsal::Case::occasion).unwrap_or_default();
        let json = occasion.record.and_then(|record| String::from_utf8(record).ok());
        let record = json.and_then(|json| Value::from_json(&json).ok()).unwrap_or_default();
        let facts = loaded.project.as_ref();
        let facts = facts.map(|project| ProjectFacts::of(&project.definition, &project.tree));
        let zap = loaded.zaps.first().zip(facts).and_then(|(file, facts)| {
            zap::compile(file.definition.as_ref()?, file.tree.as_ref()?, &facts).zap
        });
        let fields = match zap.as_ref().and_then(|zap| zap.trigger.crm()).map(|trigger| trigger.fields()) {
            Some(ReadSet::Only(names)) => names.iter().map(|name| name.to_string()).collect(),
            // Its key, and what tells items apart, are templates over the record.
            _ => read_in(&block(text, "trigger")),
        };
        Example { text, record, at: occasion.tick, fields }
    }

    /// The trigger, with the connection that is wanted.
    pub(super) fn trigger(&self, starter: &Starter) -> String {
        let line = |line: &str| match (line.trim_start().split_once(": "), &starter.connection) {
            (Some(("connection", _)), Some(connection)) => format!("  connection: {}\n", word(connection)),
            (Some(("path", path)), _) if path.starts_with("/hooks/") => {
                format!("  path: /hooks/{}\n", starter.name)
            }
            _ => format!("{line}\n"),
        };
        // What an example selects would keep another account's events out, or let in what nobody asked for, and a second
        // way in hangs on a connection of its own, which the project need not have.
        let mut beside = false;
        let keeps = |line: &&str| {
            if !line.starts_with("    ") {
                let key = line.trim_start().split(':').next().unwrap_or_default();
                let optional = ["where", "settle", "also"].contains(&key);
                beside = optional || key.starts_with("include_");
            }
            !beside
        };
        format!(
            "trigger:\n{}",
            block(self.text, "trigger").lines().filter(keeps).map(line).collect::<String>()
        )
    }

    /// What the test expects: of a call its key, of what the tables describe that it can be made.
    pub(super) fn expected(&self, kind: &str, starter: &Starter) -> String {
        let key = trigger::kind(kind).filter(|_| starter.action == "http").map(trigger::Kind::key_field);
        let record = self.record.as_object();
        let value = key.and_then(|key| Some((key, record?.get(key)?.to_text().ok()?)));
        match value {
            Some((key, value)) => format!("{{ json: {{ {key}: {} }} }}", quoted(&value)),
            None => "done".to_owned(),
        }
    }

    /// What the test gives: of the example's record what the trigger reads, and what the action does.
    pub(super) fn given(&self, read: &[(String, String)]) -> String {
        if let Some(at) = self.at {
            return format!("    at: \"{at}\"\n");
        }
        let mut members: Vec<(String, String)> = Vec::new();
        for (name, value) in self.record.as_object().into_iter().flat_map(crate::value::Object::iter) {
            let wanted = self.fields.iter().any(|field| **field == **name);
            if wanted || read.iter().any(|(read, _)| **read == **name) {
                let text = value.as_text().map(scalar);
                members.push((name.to_string(), text.unwrap_or_else(|| value.to_json().unwrap_or_default())));
            }
        }
        for (name, sample) in read {
            if !members.iter().any(|(known, _)| known == name) {
                members.push((name.clone(), sample.clone()));
            }
        }
        if members.is_empty() {
            return "    record: {}\n".to_owned();
        }
        let member = |(name, value): &(String, String)| format!("      {}: {value}\n", word(name));
        format!("    record:\n{}", members.iter().map(member).collect::<String>())
    }
}

/// The lines below a key at the left edge.
fn block(text: &str, key: &str) -> String {
    let below = text.lines().skip_while(|line| *line != format!("{key}:")).skip(1);
    below.take_while(|line| line.starts_with(' ')).map(|line| format!("{line}\n")).collect()
}

/// The members of the record that templates in a text read.
fn read_in(text: &str) -> Vec<String> {
    let name = |rest: &str| -> String {
        rest.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect()
    };
    text.split("record.").skip(1).map(name).collect()
}
