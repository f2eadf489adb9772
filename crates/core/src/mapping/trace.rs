//! Which mapping made which part of a request.

use super::{Mapped, Mapping, Part};
use crate::expression::{Access, Text};
use crate::value::Value;
use crate::yaml::NodeId;
use crate::zap::IS_FIXED;

/// A part of a request, and what of the zap made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The part: `json.items[0].sku`, `query.id`, `map.emailAddress`, `path`.
    pub at: String,
    /// The node of the zap's tree that made it.
    pub node: NodeId,
    /// What it is there: in `json` any value, elsewhere its text.
    pub value: Value,
    /// Whether it is the same for every record.
    pub fixed: bool,
}

/// What gathers the sources of a request, or does not.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Vec<Source>>);

impl Trace {
    /// One that gathers.
    pub(crate) fn on() -> Trace {
        Trace(Some(Vec::new()))
    }

    /// What was gathered since this was last asked.
    pub(crate) fn take(&mut self) -> Vec<Source> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A part that is one text.
    pub(crate) fn text(&mut self, at: &str, node: NodeId, fixed: bool, text: &str) {
        if let Some(sources) = &mut self.0 {
            sources.push(Source { at: at.to_owned(), node, value: Value::text(text), fixed });
        }
    }

    /// The address, which is told first, although it is made last.
    pub(crate) fn address(&mut self, at: &str, node: NodeId, fixed: bool, text: &str) {
        if let Some(sources) = &mut self.0 {
            sources.insert(0, Source { at: at.to_owned(), node, value: Value::text(text), fixed });
        }
    }

    /// A body as JSON.
    pub(crate) fn json(&mut self, at: &str, mapped: &Mapped<'_>) {
        if let Some(sources) = &mut self.0 {
            values(at, mapped, sources);
        }
    }

    /// Names and values, all of which leave as text.
    pub(crate) fn pairs(&mut self, at: &str, mapped: &Mapped<'_>) {
        let (Some(sources), Mapped::Object(members, _)) = (&mut self.0, mapped) else { return };
        for (name, value) in members {
            let mut found = Vec::new();
            values(&member(at, name), value, &mut found);
            for source in &mut found {
                // A repeated name has no numbers in its values' names where it has one value only.
                let Value::List(items) = &source.value else { continue };
                if let [only] = &**items {
                    source.value = only.clone();
                }
            }
            if let ([only], Mapped::List(..)) = (found.as_mut_slice(), value) {
                only.at = member(at, name);
            }
            // What is null or empty leaves its name out.
            sources.extend(found.into_iter().filter(|source| !source.value.is_missing()).flat_map(spread));
        }
    }
}

/// A list within a pair repeats the name.
fn spread(source: Source) -> Vec<Source> {
    let text = |value: &Value| value.to_text().map_or_else(|_| value.clone(), Value::text);
    match &source.value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| Source {
                at: format!("{}[{index}]", source.at),
                value: text(item),
                ..source.clone()
            })
            .collect(),
        value => vec![Source { value: text(value), ..source }],
    }
}

fn values(at: &str, mapped: &Mapped<'_>, sources: &mut Vec<Source>) {
    match mapped {
        Mapped::Constant(constant) => {
            let value = constant.0.value.clone();
            sources.push(Source { at: at.to_owned(), node: constant.1.node, value, fixed: true });
        }
        Mapped::Value(value, Some(mapping)) => sources.push(mapping.source(at, value.clone())),
        // Only what is taken out of a list that has its source has none of its own.
        Mapped::Value(_, None) | Mapped::Cleared => {}
        // What is empty has no part of which more could be told.
        Mapped::List(items, mapping) if items.is_empty() => {
            sources.push(mapping.source(at, Value::list(Vec::new())));
        }
        Mapped::Object(members, mapping) if members.is_empty() => {
            sources.push(mapping.source(at, Value::object(Vec::new())));
        }
        Mapped::List(items, _) => {
            for (index, item) in items.iter().enumerate() {
                values(&format!("{at}[{index}]"), item, sources);
            }
        }
        Mapped::Object(members, _) => {
            for (name, value) in members {
                values(&member(at, name), value, sources);
            }
        }
    }
}

/// The name of a member of a part: `json.order`, or `json["a b"]` where it is no plain word.
pub fn member(at: &str, name: &str) -> String {
    let plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    if !name.is_empty() && name.chars().all(plain) {
        format!("{at}.{name}")
    } else {
        let mut quoted = Vec::new();
        crate::value::write_json_text(name, &mut quoted);
        format!("{at}[{}]", String::from_utf8_lossy(&quoted))
    }
}

impl Mapping {
    /// The node of the zap's tree that it was compiled from.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    fn source(&self, at: &str, value: Value) -> Source {
        Source { at: at.to_owned(), node: self.node, value, fixed: self.is_fixed() }
    }

    /// Whether it is the same for every record.
    pub(crate) fn is_fixed(&self) -> bool {
        match &self.part {
            Part::Constant(_) | Part::Clear | Part::Text(Text::Literal(_)) => true,
            Part::Text(text) => is_fixed(text.reads()),
            Part::List(_) | Part::Object { .. } | Part::Each(_) | Part::If(_) => false,
        }
    }
}

impl Mapped<'_> {
    /// The node that made it, and whether it is the same for every record; nothing for lists and maps of several.
    pub(crate) fn origin(&self) -> Option<(NodeId, bool)> {
        match self {
            Mapped::Constant(constant) => Some((constant.1.node, true)),
            Mapped::Value(_, mapping) => mapping.map(|mapping| (mapping.node, mapping.is_fixed())),
            Mapped::List(..) | Mapped::Object(..) | Mapped::Cleared => None,
        }
    }
}

/// Whether what is read is the same for every record.
pub(crate) fn is_fixed(reads: &[Access]) -> bool {
    reads.iter().all(|access| IS_FIXED.contains(&access.root))
}
