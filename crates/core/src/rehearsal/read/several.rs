//! Records that arrive one after the other.

use super::one::Reading;
use crate::definition::{ARRIVAL_KEYS, Test, TestEvent};
use crate::diagnostic::{Diagnostic, code};
use crate::load::unread;
use crate::rehearsal::case::{Given, Replies};
use crate::yaml::{self, MapRef, NodeId, NodeRef};
use jiff::Timestamp;

impl Reading<'_, '_> {
    /// Each of several records.
    pub(super) fn several(&mut self, test: &Test, records: NodeId) -> Option<Vec<Given>> {
        let alone = [
            ("record", test.record.map(|node| node.0)),
            ("fresh", test.fresh.map(|node| node.0)),
            ("headers", test.headers.map(|map| map.0)),
            ("query", test.query.map(|map| map.0)),
            ("at", test.at.as_ref().map(|at| at.node)),
            ("event", test.event.as_ref().map(|event| event.node)),
        ];
        for (key, node) in alone.iter().filter_map(|(key, node)| Some((*key, (*node)?))) {
            let message = format!("`{key}` and `records` exclude each other");
            let finding = Diagnostic::new(&code::EXCLUSIVE_KEYS, message).at(self.tree.span(node));
            self.report(finding.help(format!("write `{key}:` with the record it belongs to")));
        }
        let shared = test.replies.map_or_else(Vec::new, |replies| self.replies(replies.0));
        let items = self.tree.items(records);
        let all: Vec<Option<Given>> = items.iter().map(|item| self.arrival(*item, &shared)).collect();
        all.into_iter().collect()
    }

    fn arrival(&mut self, node: NodeId, shared: &[(String, Replies)]) -> Option<Given> {
        let entries = self.tree.entries(node);
        let known = |key: &str| ARRIVAL_KEYS.contains(&key);
        if entries.is_empty() || !entries.iter().all(|entry| known(&entry.key)) {
            self.complete(&[("record", Some(node))], node);
            let record = self.value(Some(&NodeRef(node)))?;
            return Some(Given { record, replies: shared.to_vec(), ..Given::default() });
        }
        let of = |key: &str| self.tree.get(node, key);
        let (at, also, event, replies) = (of("at"), of("also"), of("event"), of("replies"));
        let (record, fresh) = (of("record").map(NodeRef), of("fresh").map(NodeRef));
        let (headers, query) = (of("headers").map(MapRef), of("query").map(MapRef));
        let scheduled = matches!(self.zap.trigger.value, crate::definition::Trigger::Schedule(_));
        let given = [
            ("record", record.map(|node| node.0)),
            ("fresh", fresh.map(|node| node.0)),
            ("headers", headers.map(|map| map.0)),
            ("query", query.map(|map| map.0)),
            // Elsewhere it is when the record arrives.
            ("at", at.filter(|_| scheduled)),
        ];
        self.complete(&given, node);
        let at = match at {
            None => None,
            Some(node) => Some(self.instant(node)?),
        };
        if let Some(also) = also.filter(|_| !self.tells()) {
            let finding = Diagnostic::new(&code::TEST_TRIGGER, "the trigger has no `also`");
            self.report(finding.at(self.tree.span(also)).help("remove it, or give the trigger its `also:`"));
        }
        let also = self.value(also.map(NodeRef).as_ref());
        let (record, fresh) = (self.value(record.as_ref()), self.value(fresh.as_ref()));
        let (headers, query) = (self.map(headers.as_ref()), self.map(query.as_ref()));
        let event = match event {
            None => None,
            Some(node) => Some(self.event(node)?),
        };
        let mut laid = replies.map_or_else(Vec::new, |replies| self.replies(replies));
        let rest = shared.iter().filter(|(id, _)| !laid.iter().any(|(own, _)| own == id));
        let rest: Vec<(String, Replies)> = rest.cloned().collect();
        laid.extend(rest);
        Some(Given {
            arrives: at.filter(|_| !scheduled),
            also: also?,
            record: record?,
            fresh: fresh?,
            headers: headers?.map(|headers| super::given::lowered(&headers)),
            query: query?,
            tick: at.filter(|_| scheduled),
            at: event.as_ref().and_then(|event| event.at.as_ref()).map(|at| at.value.0),
            key: event.and_then(|event| event.key).map(|key| key.value),
            vars: None,
            replies: laid,
        })
    }

    /// Whether requests tell the trigger of rows.
    fn tells(&self) -> bool {
        use crate::definition::Trigger;
        match &self.zap.trigger.value {
            Trigger::Orders(trigger) => trigger.also.is_some(),
            Trigger::Transactions(trigger) => trigger.also.is_some(),
            Trigger::Customers(_)
            | Trigger::Webhook(_)
            | Trigger::Http(_)
            | Trigger::Schedule(_)
            | Trigger::Unread => false,
        }
    }

    fn event(&mut self, node: NodeId) -> Option<TestEvent> {
        match yaml::from_node::<TestEvent>(self.tree, node) {
            Ok(event) => Some(event),
            Err(error) => {
                self.findings.push(unread(self.tree, &error));
                None
            }
        }
    }

    fn instant(&mut self, node: NodeId) -> Option<Timestamp> {
        let at = self.tree.text(node).and_then(|text| text.parse().ok());
        if at.is_none() {
            let finding = Diagnostic::new(&code::WRONG_TYPE, "`at` takes an instant");
            let help = "write when it arrives: \"2026-09-16T08:00:00-04:00\"";
            self.report(finding.at(self.tree.span(node)).help(help));
        }
        at
    }

    /// That a list is as long as there are records.
    pub(super) fn as_many(&mut self, node: NodeId, expected: usize, records: usize) -> bool {
        if expected == records {
            return true;
        }
        let message = format!("of {records} records something is expected {expected} times");
        let finding = Diagnostic::new(&code::TEST_PART, message).at(self.tree.span(node));
        self.report(
            finding.help("write one for each record: a map by step, `filtered`, `ignored` or `known`"),
        );
        false
    }
}
