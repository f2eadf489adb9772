//! What steps are answered.

use std::sync::Arc;

use super::one::{Reading, StepInfo, words};
use crate::definition::{Duration, FAULTS, FaultKind, FaultWord, SEEN, StepKind};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::rehearsal::answer::{Answer, Fault, Seen};
use crate::rehearsal::case::Replies;
use crate::source::Span;
use crate::value::{Object, Value};
use crate::yaml::{Kind, NodeId};

/// Headers with lowercase names, as requests and answers are seen.
pub(super) fn lowered(headers: &Value) -> Value {
    let Some(object) = headers.as_object() else { return headers.clone() };
    let lower = |(name, value): (&Arc<str>, &Value)| (Arc::from(name.to_ascii_lowercase()), value.clone());
    Value::object(object.iter().map(lower).collect())
}

impl Reading<'_, '_> {
    /// The replies of a test.
    pub(super) fn replies(&mut self, map: NodeId) -> Vec<(String, Replies)> {
        let mut all = Vec::new();
        for entry in self.tree.entries(map) {
            let Some(step) = self.step(&entry.key, entry.key_span) else { continue };
            let replies = match &self.tree.node(entry.value).kind {
                Kind::List(items) if step.each => {
                    let answers = items.iter().filter_map(|item| self.attempts(*item, step)).collect();
                    Some(Replies::Each(answers))
                }
                _ => self.attempts(entry.value, step).map(Replies::All),
            };
            all.extend(replies.map(|replies| (entry.key.to_string(), replies)));
        }
        all
    }

    /// One answer, or one for each attempt.
    fn attempts(&mut self, node: NodeId, step: StepInfo) -> Option<Vec<Answer>> {
        let Kind::List(items) = &self.tree.node(node).kind else {
            return self.answer(node, step).map(|answer| vec![answer]);
        };
        let many = items.len();
        let answers: Vec<Answer> = items.iter().filter_map(|item| self.answer(*item, step)).collect();
        // What a list lacks is no other attempt's answer.
        (many > 0 && answers.len() == many).then_some(answers)
    }

    fn answer(&mut self, node: NodeId, step: StepInfo) -> Option<Answer> {
        let reply = self.laid(None, node);
        // Anything but a map has a finding of its structure.
        let reply = reply.as_object()?;
        if let Some(reason) = reply.get("refused") {
            self.only(node, reply, &["refused"], step)?;
            return match reason.as_text() {
                Some(reason) => Some(Answer::Refused(reason.to_owned())),
                None => self.refuse(node, "refused", "text"),
            };
        }
        if reply.get("fault").is_some() {
            return self.fault(node, reply, step).map(Answer::Fault);
        }
        match step.kind {
            StepKind::Http => self.http(node, reply, step),
            StepKind::Crm => Some(Answer::Crm(reply.clone())),
            StepKind::Query => {
                self.only(node, reply, &["rows", "refused"], step)?;
                let rows = reply.get("rows").and_then(Value::as_list);
                let rows: Option<Vec<Vec<u8>>> = rows.and_then(|rows| rows.iter().map(row).collect());
                match rows {
                    Some(rows) => Some(Answer::Rows(rows)),
                    None => self.refuse(node, "rows", "a list of records"),
                }
            }
        }
    }

    fn http(&mut self, node: NodeId, reply: &Object, step: StepInfo) -> Option<Answer> {
        self.only(node, reply, &["status", "headers", "body", "refused"], step)?;
        let status = match reply.get("status") {
            None => Some(200),
            Some(status) => status.as_number().and_then(crate::value::Decimal::to_i64),
        };
        let status =
            status.and_then(|status| u16::try_from(status).ok()).filter(|status| (100..600).contains(status));
        let Some(status) = status else { return self.refuse(node, "status", "an HTTP status") };
        let mut headers: Vec<(String, String)> = Vec::new();
        match reply.get("headers").map(lowered) {
            None => {}
            Some(Value::Object(written)) => {
                for (name, value) in written.iter() {
                    match value.to_text() {
                        Ok(text) => headers.push((name.to_string(), text)),
                        Err(_) => return self.refuse(node, "headers", "texts by name"),
                    }
                }
            }
            Some(_) => return self.refuse(node, "headers", "texts by name"),
        }
        let body = match reply.get("body") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Text(text)) => text.as_bytes().to_vec(),
            Some(value) => {
                if !headers.iter().any(|(name, _)| name == "content-type") {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                row(value)?
            }
        };
        Some(Answer::Http { status, headers, body })
    }

    fn fault(&mut self, node: NodeId, reply: &Object, step: StepInfo) -> Option<Fault> {
        let of_step = |fault: &&FaultWord| step.kind == StepKind::Http || !fault.http_only;
        let word = reply.get("fault").and_then(Value::as_text);
        let found = FAULTS.iter().filter(of_step).find(|fault| Some(fault.word) == word);
        let Some(fault) = found else {
            let known: Vec<&str> = FAULTS.iter().filter(of_step).map(|fault| fault.word).collect();
            return self.refuse(node, "fault", &format!("one of {}", words(&known)));
        };
        // What the CRM shows when somebody looks is a matter of writes alone.
        let looks = step.kind == StepKind::Crm;
        let mut keys = vec!["fault", "retry_after"];
        if fault.kind == FaultKind::CutAnswer {
            keys.extend(["status", "body"]);
        }
        let seen = reply.get("seen").filter(|_| looks);
        if looks {
            keys.extend(["seen", "seen_after"]);
        }
        let happened = seen.and_then(Value::as_text) == Some("happened");
        if !happened {
            self.only(node, reply, &keys, step)?;
        }
        let seen = match seen.map(|seen| seen.as_text()) {
            None | Some(Some("not_happened")) => Seen::NotHappened,
            Some(Some("refused")) => Seen::Refused,
            Some(Some("unclear")) => Seen::Unclear,
            Some(Some("happened")) => {
                let answer = reply.iter().filter(|(name, _)| !keys.contains(&&***name));
                let answer = answer.map(|(name, value)| (Arc::clone(name), value.clone())).collect();
                let after = self.duration(node, reply, "seen_after")?.unwrap_or_default();
                Seen::Happened { after, answer: Object::new(answer, None) }
            }
            Some(_) => return self.refuse(node, "seen", &format!("one of {}", words(&SEEN))),
        };
        let status = match reply.get("status") {
            None => 200,
            Some(status) => match status.as_number().and_then(crate::value::Decimal::to_i64) {
                Some(status @ 100..600) => u16::try_from(status).unwrap_or(200),
                _ => return self.refuse(node, "status", "an HTTP status"),
            },
        };
        Some(Fault {
            kind: fault.kind,
            status,
            retry_after: self.duration(node, reply, "retry_after")?,
            seen,
        })
    }

    /// A duration; the outer nothing when what stands there is none.
    #[expect(clippy::option_option, reason = "given or not, and then good or not")]
    fn duration(&mut self, node: NodeId, reply: &Object, key: &str) -> Option<Option<std::time::Duration>> {
        let Some(value) = reply.get(key) else { return Some(None) };
        match value.as_text().and_then(|text| text.parse::<Duration>().ok()) {
            Some(duration) => Some(Some(duration.0)),
            None => self.refuse(node, key, "a duration: 60s"),
        }
    }

    /// Refuses keys that such a reply does not have; nothing when there is one.
    fn only(&mut self, node: NodeId, reply: &Object, keys: &[&str], step: StepInfo) -> Option<()> {
        let unknown = reply.iter().map(|(name, _)| Arc::clone(name)).find(|name| !keys.contains(&&**name));
        let Some(unknown) = unknown else { return Some(()) };
        let at = self.key_of(node, &unknown);
        let message = format!("a reply to {} has no `{unknown}`", step.words());
        let help = match did_you_mean(&unknown, keys.iter().copied()) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("it takes {}", words(keys)),
        };
        self.report(Diagnostic::new(&code::UNKNOWN_KEY, message).at(at).help(help));
        None
    }

    fn refuse<T>(&mut self, node: NodeId, key: &str, wanted: &str) -> Option<T> {
        let at = self.tree.get(node, key).map_or_else(|| self.tree.span(node), |value| self.tree.span(value));
        self.report(Diagnostic::new(&code::WRONG_TYPE, format!("`{key}` of a reply takes {wanted}")).at(at));
        None
    }

    /// Where a key is written; in a reply from a file, where that is named.
    fn key_of(&self, node: NodeId, key: &str) -> Span {
        self.tree.entry(node, key).map_or_else(|| self.tree.span(node), |entry| entry.key_span)
    }
}

/// A value as JSON.
fn row(value: &Value) -> Option<Vec<u8>> {
    let mut json = Vec::new();
    value.write_json(&mut json).ok()?;
    Some(json)
}
