//! The action of a new zap.

use super::{sample, scalar};
use crate::crm::{Endpoint, LOOKUPS, Lookup, Param, ParamType};
use crate::record::{FieldType, Schema};
use crate::reference::actions;
use crate::reference::examples::{self, ACTIONS};
use crate::trigger;
use crate::yaml::{Entry, Kind, NodeId, Tree};

/// Writes an action.
pub(super) struct Writer {
    /// The rows that the trigger reads, where it reads the CRM.
    pub(super) schema: Option<&'static Schema>,
    /// Anything may arrive.
    pub(super) anything: bool,
    /// What is read of the record, with a value for the test.
    pub(super) read: Vec<(String, String)>,
    pub(super) placeholders: Vec<String>,
}

impl Writer {
    pub(super) fn http(&mut self, kind: &str) -> String {
        let mut text =
            "    json:\n      event: \"{{ event.id }}\"\n      at: \"{{ event.at }}\"\n".to_owned();
        if let Some(kind) = trigger::kind(kind) {
            let key = kind.key_field();
            text.push_str(&format!("      {key}: $.{key}\n"));
            self.read.push((key.to_owned(), sample(key, &ParamType::Id)));
        }
        text
    }

    /// A write to the CRM: the parameters of its example.
    pub(super) fn write(&mut self, endpoint: &'static Endpoint) -> String {
        let mut text = "    map:\n".to_owned();
        // The examples are compiled by a test.
        let Some((tree, map)) = example_map(endpoint) else { return text };
        for entry in tree.entries(map) {
            let Some(param) = endpoint.param(&entry.key) else { continue };
            let needed = endpoint.requires(&entry.key);
            let Some(line) = self.value(&tree, entry, param, "map", needed) else { continue };
            text.push_str(&format!("      {}: {line}\n", entry.key));
        }
        text
    }

    /// The value of a parameter; nothing where the example only shows what else can be written.
    fn value(
        &mut self,
        tree: &Tree,
        entry: &Entry,
        param: &Param,
        part: &str,
        needed: bool,
    ) -> Option<String> {
        match &tree.node(entry.value).kind {
            Kind::Map(_) | Kind::List(_) if !needed => None,
            Kind::Text { value, .. } if is_template(value) => Some(self.of_record(&entry.key, param, part)),
            Kind::Text { value, .. } => Some(scalar(value)),
            Kind::Number(digits) => Some(digits.to_string()),
            Kind::Bool(truth) => Some(truth.to_string()),
            _ => Some(self.of_record(&entry.key, param, part)),
        }
    }

    /// What the record has by that name, or something to be replaced.
    fn of_record(&mut self, name: &str, param: &Param, part: &str) -> String {
        let field = self.schema.and_then(|schema| schema.field(name));
        let fits = field.is_some_and(|field| !matches!(field.ty, FieldType::List(_) | FieldType::Any));
        if self.anything || fits {
            self.read.push((name.to_owned(), sample(name, &param.ty)));
            let fallback = match self.schema {
                Some(schema) if !schema.always_has(name) => " | default('')",
                _ => "",
            };
            return format!("\"{{{{ record.{name}{fallback} }}}}\"");
        }
        self.placeholders.push(format!("{part}.{name}"));
        format!("{} # put yours here", sample(name, &param.ty))
    }

    /// A look-up: by an id that the record has, else by days.
    pub(super) fn query(&mut self) -> String {
        let by_id = |lookup: &&&'static Lookup| {
            let own = self.schema.is_some_and(|schema| *lookup.endpoint.schema() == *schema);
            !own && lookup.ids.iter().any(|id| self.has(id))
        };
        let found = LOOKUPS.iter().find(by_id).copied();
        let id = found.and_then(|lookup| {
            let id = lookup.ids.iter().find(|id| self.has(id))?;
            Some((lookup, lookup.param(id)?))
        });
        match id {
            Some((lookup, param)) => {
                let value = self.of_record(param.name, param, "by");
                format!("    find: {}\n    by: {{ {}: {value} }}\n", lookup.find, param.name)
            }
            None => "    find: transactions\n    by: { txnType: SALE, responseType: SUCCESS }\n    \
                     from: \"{{ event.at | date_add('-1d') }}\"\n"
                .to_owned(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.anything || self.schema.is_some_and(|schema| schema.field(name).is_some())
    }
}

/// The map of an endpoint's example.
fn example_map(endpoint: &Endpoint) -> Option<(Tree, NodeId)> {
    let text = examples::find_whole(ACTIONS, actions::short(endpoint.action));
    let mut sources = crate::source::SourceMap::default();
    let parsed = crate::yaml::parse(&mut sources, "example.yaml", text.as_bytes());
    let tree = parsed.tree?;
    let steps = tree.get(tree.root(), "actions").map_or(&[][..], |actions| tree.items(actions));
    let ours =
        |step: &&NodeId| tree.get(**step, "type").and_then(|kind| tree.text(kind)) == Some(endpoint.action);
    let map = tree.get(*steps.iter().find(ours)?, "map")?;
    Some((tree, map))
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.starts_with("$.")
}
