//! Reading what can still be read of a definition that has mistakes, so that one mistake hides no other.
//!
//! What does not fit its type has its finding. Here it is set aside, or something that fits stands in for it, and the
//! definition is read again. What is then found in the rest is true; what is only found because of a stand-in is not,
//! and [`Mended::keep`] leaves it out.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::project::unread;
use crate::definition::{Action, TRIGGER_TYPES, UNREAD};
use crate::diagnostic::{Code, Diagnostic, code};
use crate::source::Span;
use crate::yaml::{self, DeError, Entry, Kind, MAX_FINDINGS, NodeId, Style, Tree};

/// A definition that was read in spite of its mistakes. It is there to be looked at, never to be run.
#[derive(Debug, Clone)]
pub struct Mended<T> {
    /// What could be read.
    pub definition: T,
    /// The tree it was read from: that of the file without what does not fit.
    pub tree: Tree,
    /// Where something was set aside or stands in.
    places: Vec<Span>,
    /// Findings that a stand-in may have brought about.
    muted: Vec<(&'static Code, Span)>,
}

impl<T> Mended<T> {
    /// Of the findings about the mended definition those that are true of the written one, and are not `known`.
    pub fn keep(&self, known: &[Diagnostic], mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let told: HashSet<Span> = known.iter().filter_map(|finding| finding.span).collect();
        let within = |outer: &Span, inner: &Span| {
            outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
        };
        findings.retain(|finding| {
            let Some(span) = &finding.span else { return false };
            let mended = self.places.iter().any(|place| within(place, span));
            let muted =
                || self.muted.iter().any(|(code, place)| *code == finding.code && within(place, span));
            !mended && !told.contains(span) && !muted() && !hangs_together(finding.code)
        });
        findings
    }
}

/// Whether a finding hangs on what other keys say: a filter lets only those pass that have a value, and a line allows
/// what is sent. It is told once these are right.
fn hangs_together(code: &Code) -> bool {
    [
        &code::MAY_BE_MISSING,
        &code::PARAM_MAY_BE_MISSING,
        &code::SENSITIVE_SENT,
        &code::PERSONAL_IN_URL,
        &code::PERSONAL_SENT,
    ]
    .contains(&code)
}

/// What reading gave.
pub(super) enum Outcome<T> {
    /// It fits.
    Good(T),
    /// It does not, but for parts of it.
    Mended(Box<Mended<T>>),
    /// Nothing can be said of it.
    Lost,
}

/// Reads a definition. What does not fit and has no finding yet gets one in `findings`, those of the structure. `open`
/// is told the ids of steps that could not be read; the root of the tree, when no step could.
pub(super) fn read<T: DeserializeOwned>(
    tree: &Tree,
    findings: &mut Vec<Diagnostic>,
    open: impl Fn(&mut T, Vec<NodeId>),
) -> Outcome<T> {
    // Nearly always all is well, and no copy is needed.
    let empty = findings.iter().any(|finding| finding.code == &code::EMPTY_VALUE);
    if !empty && let Ok(definition) = yaml::from_node::<T>(tree, tree.root()) {
        return Outcome::Good(definition);
    }
    let mut mender = Mender {
        tree: tree.clone(),
        places: Vec::new(),
        muted: Vec::new(),
        tried: HashSet::new(),
        open: Vec::new(),
    };
    let filled = mender.fill(findings);
    for _ in 0..MAX_FINDINGS {
        match yaml::from_node::<T>(&mender.tree, mender.tree.root()) {
            Ok(definition) if !filled && mender.tried.is_empty() && mender.places.is_empty() => {
                return Outcome::Good(definition);
            }
            Ok(mut definition) => {
                let Mender { tree, places, muted, open: steps, .. } = mender;
                open(&mut definition, steps);
                return Outcome::Mended(Box::new(Mended { definition, tree, places, muted }));
            }
            Err(error) => {
                tell(tree, &error, findings);
                if !mender.mend(&error) {
                    break;
                }
            }
        }
    }
    Outcome::Lost
}

/// Tells of what does not fit, unless something was told of that place. That a key is missing the schema says.
fn tell(tree: &Tree, error: &DeError, findings: &mut Vec<Diagnostic>) {
    let node = error.node.unwrap_or(tree.root());
    let known = tree.ids().any(|id| id == node);
    if !known || findings.len() >= MAX_FINDINGS || (error.missing.is_some() && !findings.is_empty()) {
        return;
    }
    // Of an empty value, or of a map that lacks something, it may be told at the key.
    let keys = above(tree, node).into_iter().filter_map(|above| match above {
        Above::Key(_, entry) => Some(entry.key_span),
        Above::Item(_) => None,
    });
    let places: Vec<Span> = keys.chain([tree.span(node)]).collect();
    let told = |span: Span| {
        let meets = |at: &Span| span.file == at.file && span.start < at.end && at.start < span.end;
        places.iter().any(|at| span == *at || meets(at))
    };
    if !findings.iter().any(|finding| finding.span.is_some_and(told)) {
        findings.push(unread(tree, error));
    }
}

struct Mender {
    tree: Tree,
    places: Vec<Span>,
    muted: Vec<(&'static Code, Span)>,
    /// Nodes that stand in already: one that does not fit either is left out.
    tried: HashSet<NodeId>,
    /// Ids that stand in: the steps after them may be of any name.
    open: Vec<NodeId>,
}

/// Where a node hangs.
enum Above {
    Key(NodeId, Entry),
    Item(NodeId),
}

/// Where a node hangs: in several places when an alias repeats it, and nowhere when it is the root.
fn above(tree: &Tree, node: NodeId) -> Vec<Above> {
    let mut above = Vec::new();
    for id in tree.ids() {
        let entries = tree.entries(id).iter().filter(|entry| entry.value == node);
        above.extend(entries.map(|entry| Above::Key(id, entry.clone())));
        if tree.items(id).contains(&node) {
            above.push(Above::Item(id));
        }
    }
    above
}

impl Mender {
    /// Gives keys without a value one where leaving them out would change what other keys mean; says whether it did.
    fn fill(&mut self, findings: &[Diagnostic]) -> bool {
        let empty: Vec<Span> = findings
            .iter()
            .filter(|finding| finding.code == &code::EMPTY_VALUE)
            .filter_map(|finding| finding.span)
            .collect();
        if empty.is_empty() {
            return false;
        }
        let mut filled = false;
        for map in self.tree.ids() {
            let entries: Vec<Entry> = self.tree.entries(map).to_vec();
            for entry in entries.iter().filter(|entry| empty.contains(&entry.key_span)) {
                let counts = &*entry.key == "as" || stand_in(&entry.key).is_some();
                if counts && self.tree.node(entry.value).kind == Kind::Null {
                    filled |= self.replace(map, entry);
                }
            }
        }
        filled
    }

    /// Makes the place of an error fit, as far as that is known; false when nothing is left to do.
    fn mend(&mut self, error: &DeError) -> bool {
        let node = error.node.unwrap_or(self.tree.root());
        match error.missing {
            Some("find") if self.is_step(node) => self.open_kind(node),
            Some(key) if self.takes_stand_ins(node) => self.add(node, key) || self.set_aside(node),
            _ => self.set_aside(node),
        }
    }

    /// The root, the trigger and the steps: what they must have can be stood in for.
    fn takes_stand_ins(&self, node: NodeId) -> bool {
        let root = self.tree.root();
        node == root || self.tree.get(root, "trigger") == Some(node) || self.is_step(node)
    }

    fn is_step(&self, node: NodeId) -> bool {
        super::action::LISTS.into_iter().any(|list| {
            let list = self.tree.get(self.tree.root(), list);
            list.is_some_and(|list| self.tree.items(list).contains(&node))
        })
    }

    /// Adds a key that must be there.
    fn add(&mut self, node: NodeId, key: &str) -> bool {
        let Some(kind) = stand_in(key) else { return false };
        let value = self.insert(node, key, kind);
        self.open.extend(value.filter(|_| key == "id"));
        true
    }

    /// Adds a key to a map, at a place of no width, so that nothing that was written is taken for it.
    fn insert(&mut self, map: NodeId, key: &str, kind: Kind) -> Option<NodeId> {
        let Kind::Map(mut entries) = self.tree.node(map).kind.clone() else { return None };
        let at = self.tree.span(map);
        let place = Span::new(at.file, at.start, at.start);
        let value = self.tree.add(kind, place);
        self.tried.insert(value);
        entries.push(Entry { key: key.into(), key_span: place, value });
        self.tree.replace(map, Kind::Map(entries));
        self.places.push(place);
        Some(value)
    }

    /// Takes a node that does not fit out of the tree, wherever it hangs.
    fn set_aside(&mut self, node: NodeId) -> bool {
        if self.is_step(node) {
            return self.open_kind(node);
        }
        let mut changed = false;
        for above in above(&self.tree, node) {
            changed |= match above {
                Above::Key(map, entry) => self.replace(map, &entry),
                Above::Item(list) => {
                    self.places.push(self.tree.span(node));
                    let rest = self.tree.items(list).iter().filter(|item| **item != node).copied().collect();
                    self.tree.replace(list, Kind::List(rest));
                    true
                }
            };
        }
        changed
    }

    /// Puts something that fits in the place of a key's value, or leaves the key out.
    fn replace(&mut self, map: NodeId, entry: &Entry) -> bool {
        let at_root = map == self.tree.root();
        let (key, value, span) = (&*entry.key, entry.value, self.tree.span(entry.value));
        let first = self.tried.insert(value);
        match key {
            "trigger" if at_root => match self.other_type(value, TRIGGER_TYPES) {
                Some(meant) => self.put(value, "type", &text(meant)),
                None => self.put(map, key, &text(UNREAD)),
            },
            "actions" | "on_failure" if at_root && first => {
                let one = matches!(self.tree.node(value).kind, Kind::Map(_));
                self.open.extend((!one).then_some(map));
                self.put(map, key, &Kind::List(if one { vec![value] } else { Vec::new() }));
            }
            _ => {
                self.places.push(Span::new(span.file, entry.key_span.start.min(span.start), span.end));
                match stand_in(key).filter(|_| first) {
                    Some(kind) => self.put(map, key, &kind),
                    None => self.remove(map, key),
                }
                self.open.extend(self.tree.get(map, key).filter(|_| key == "id"));
                if key == "as" {
                    let within = self.tree.span(map);
                    let brought_about = [&code::UNKNOWN_NAME, &code::TAKEN_NAME];
                    self.muted.extend(brought_about.map(|code| (code, within)));
                }
            }
        }
        true
    }

    /// The type that a map's `type` likely means, when that is another one.
    fn other_type<'a>(&self, map: NodeId, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let written = self.tree.get(map, "type").and_then(|node| self.tree.text(node))?;
        meant(written, known).filter(|meant| *meant != written)
    }

    /// Gives a key another value at the same place, which is the last to be tried.
    fn put(&mut self, map: NodeId, key: &str, kind: &Kind) {
        let Kind::Map(mut entries) = self.tree.node(map).kind.clone() else { return };
        for entry in entries.iter_mut().filter(|entry| &*entry.key == key) {
            let span = self.tree.span(entry.value);
            entry.value = self.tree.add(kind.clone(), span);
            self.tried.insert(entry.value);
        }
        self.tree.replace(map, Kind::Map(entries));
    }

    fn remove(&mut self, map: NodeId, key: &str) {
        let Kind::Map(mut entries) = self.tree.node(map).kind.clone() else { return };
        entries.retain(|entry| &*entry.key != key);
        self.tree.replace(map, Kind::Map(entries));
    }

    /// Makes a step one of a kind that is likely meant, or of none.
    fn open_kind(&mut self, step: NodeId) -> bool {
        let span = self.tree.span(step);
        if !matches!(self.tree.node(step).kind, Kind::Map(_)) {
            self.places.push(span);
            self.tree.replace(step, Kind::Map(Vec::new()));
        }
        if self.tree.get(step, "type").and_then(|node| self.tree.text(node)) == Some(UNREAD) {
            return false;
        }
        let kind = text(self.other_type(step, Action::kinds()).unwrap_or(UNREAD));
        if self.tree.get(step, "type").is_some() {
            self.put(step, "type", &kind);
        } else {
            self.insert(step, "type", kind);
        }
        true
    }
}

/// What is likely meant: a slip of the pen away, no more, since what follows is checked against it.
fn meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |known: &&str| strsim::osa_distance(written, known);
    known.into_iter().filter(|known| slips(known) <= 2).min_by_key(slips)
}

/// A value that fits where a key must be there, or where leaving it out would change what other keys mean.
fn stand_in(key: &str) -> Option<Kind> {
    Some(match key {
        "trigger" | "let" => text(UNREAD),
        "map" | "by" => Kind::Map(Vec::new()),
        "actions" => Kind::List(Vec::new()),
        "version" => Kind::Number("1".into()),
        "path" => text("/unread"),
        "order_type" => text("new_sale"),
        "transaction_type" => text("decline"),
        "items" => text("$"),
        "key" => text("{{ record }}"),
        "cron" => text("0 0 * * *"),
        "timezone" => text("UTC"),
        "from" | "to" => text("2000-01-01"),
        "name" | "id" | "connection" => text("unread"),
        _ => return None,
    })
}

fn text(value: &str) -> Kind {
    Kind::Text { value: value.into(), style: Style::Double }
}
