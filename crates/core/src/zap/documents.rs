//! The files that a zap names beside itself: schemas, and samples of records.

use std::collections::BTreeMap;

use crate::definition::{self, Action, Trigger};
use crate::rehearsal::Fixtures;
use crate::source::named_beside;
use crate::yaml::{Kind, NodeId, Tree};

/// How many samples are read for one trigger.
const MANY: usize = 100;

/// The files that a zap names, by the words that name them.
#[derive(Debug, Clone, Default)]
pub struct Documents(BTreeMap<String, Vec<Document>>);

/// A file as it was found.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Its path within the project.
    pub(super) path: String,
    /// Its bytes, or why they cannot be read.
    pub(super) content: Result<Vec<u8>, String>,
}

impl Documents {
    /// Reads what the zap in the file at `path` names. What cannot be read has its finding when the zap is compiled.
    pub fn read(definition: &definition::Zap, tree: &Tree, path: &str, files: &dyn Fixtures) -> Self {
        let mut documents = Documents::default();
        for node in named(definition, tree) {
            let Some(written) = tree.text(node) else { continue };
            let found = match named_beside(path, written) {
                None => Vec::new(),
                Some(pattern) => matching(&pattern, files)
                    .into_iter()
                    .take(MANY)
                    .map(|path| Document { content: files.read(&path), path })
                    .collect(),
            };
            documents.0.insert(written.to_owned(), found);
        }
        documents
    }

    /// The files of a name; nothing when it leads out of the project or to no file.
    pub(super) fn of(&self, written: &str) -> &[Document] {
        self.0.get(written).map_or(&[], Vec::as_slice)
    }
}

/// Where a zap names files.
fn named(definition: &definition::Zap, tree: &Tree) -> Vec<NodeId> {
    let (schema, samples) = match &definition.trigger.value {
        Trigger::Webhook(webhook) => (webhook.schema, webhook.infer_from),
        Trigger::Http(http) => (http.schema, http.infer_from),
        Trigger::Orders(_)
        | Trigger::Transactions(_)
        | Trigger::Customers(_)
        | Trigger::Schedule(_)
        | Trigger::Unread => (None, None),
    };
    let mut nodes: Vec<NodeId> = schema.into_iter().map(|node| node.0).collect();
    if let Some(samples) = samples {
        match &tree.node(samples.0).kind {
            Kind::List(items) => nodes.extend(items),
            _ => nodes.push(samples.0),
        }
    }
    for action in definition.actions.iter().chain(&definition.on_failure) {
        if let Action::Http(http) = &action.value {
            nodes.extend(http.schema.map(|node| node.0));
        }
    }
    nodes
}

/// The paths that a pattern means: a `*` in its last part stands for any text.
fn matching(pattern: &str, files: &dyn Fixtures) -> Vec<String> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let Some((before, after)) = name.split_once('*') else { return vec![pattern.to_owned()] };
    let fits = |file: &String| {
        file.len() >= before.len() + after.len() && file.starts_with(before) && file.ends_with(after)
    };
    let mut names: Vec<String> = files.list(folder).into_iter().filter(fits).collect();
    names.sort();
    names.into_iter().map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") }).collect()
}
