//! From a zap as written to a [`Zap`].

mod action;
mod alert;
mod body;
mod branches;
mod connection;
mod crm;
mod find;
mod outline;
mod params;
mod privacy;

pub use alert::compile_alerts;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Zap;
use super::action::{Action, ReadsOf};
use super::documents::Documents;
use super::project::{ConnectionFacts, ProjectFacts};
use super::scope::{self, STEPS};
use super::trigger::{self, Trigger};
use crate::definition;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expression::{Access, Fact, Key, Names, Shape, TABLES, Type, members_read};
use crate::mapping::Compiler;
use crate::pointer;
use crate::property;
use crate::record::ReadSet;
use crate::table::{Table, Tables};
use crate::yaml::{Kind, Spanned, Tree};

/// A zap that was compiled, or why not.
#[derive(Debug)]
pub struct Compiled {
    /// The zap; nothing when it has an error.
    pub zap: Option<Zap>,
    /// Findings, errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles one zap. Never fails: what cannot be compiled is a finding, and all of them are found at once.
pub fn compile(definition: &definition::Zap, tree: &Tree, project: &ProjectFacts) -> Compiled {
    compile_with(definition, tree, project, &Documents::default())
}

/// Compiles one zap with the files that it names.
pub fn compile_with(
    definition: &definition::Zap,
    tree: &Tree,
    project: &ProjectFacts,
    documents: &Documents,
) -> Compiled {
    let mut compiler = Compiler::new(tree, &project.tables);
    let connection = connection::facts(definition, project);
    let zap = build(&mut compiler, definition, project, &connection, documents);
    let name = definition.name.value.as_str();
    let mut diagnostics: Vec<Diagnostic> =
        compiler.findings.into_iter().map(|finding| finding.zap(name)).collect();
    pointer::fill(tree, &mut diagnostics);
    let zap = zap.filter(|_| diagnostics.iter().all(|finding| finding.severity == Severity::Warning));
    Compiled { zap, diagnostics }
}

fn build(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    project: &ProjectFacts,
    connection: &ConnectionFacts,
    documents: &Documents,
) -> Option<Zap> {
    let outline = outline::of_trigger(compiler, &definition.trigger.value, documents);
    let trigger = match &definition.trigger.value {
        definition::Trigger::Orders(_)
        | definition::Trigger::Transactions(_)
        | definition::Trigger::Customers(_) => {
            trigger::crm::compile(compiler, &definition.trigger, &connection.settings)
                .map(|trigger| Trigger::Crm(Box::new(trigger)))
        }
        definition::Trigger::Webhook(webhook) => {
            trigger::webhook::compile(compiler, webhook, &outline, &connection.settings)
                .map(|trigger| Trigger::Webhook(Box::new(trigger)))
        }
        definition::Trigger::Http(http) => {
            let vars = (&project.vars, &project.vars_shape);
            trigger::http::compile(compiler, http, &outline, vars, &connection.settings)
                .map(|trigger| Trigger::Http(Box::new(trigger)))
        }
        definition::Trigger::Schedule(schedule) => {
            trigger::schedule::compile(schedule).map(|trigger| Trigger::Schedule(Box::new(trigger)))
        }
        definition::Trigger::Unread => None,
    };
    let record = trigger::crm::schema(&definition.trigger)
        .map_or_else(|| outline.clone(), |schema| Shape::Record(schema).into());
    let arrives =
        matches!(definition.trigger.value, definition::Trigger::Webhook(_) | definition::Trigger::Unread);
    let names = scope::names(record, project.vars_shape.clone(), &connection.value, arrives)
        .with_tables(&project.tables)
        .given(&wanted(&trigger));

    let filter = definition.filter.as_ref().map(|written| {
        compiler.condition(written.node, &names).map(|condition| (condition, written.value.clone()))
    });
    // All that follows is for records that have passed.
    let names = match &filter {
        Some(filter) => names.given_by(filter.as_ref().map(|(condition, _)| condition)),
        None => names,
    };
    let (names, lets) = lets(compiler, definition, names);
    let all = actions(compiler, definition, (project, documents), names.clone());
    let properties = properties(compiler, definition, names);

    let record = scope::RECORD;
    let reads_raw = compiler.reads.iter().any(|access| access.root == scope::RECORD_RAW);
    let reads_context = arrives && compiler.reads.iter().any(|access| access.root == scope::EVENT);
    let reads = members_read(&compiler.reads, record).map_or(ReadSet::All, |names| {
        ReadSet::Only(names.iter().map(|name| name.to_string().into()).collect())
    });
    let trigger = trigger?;
    let (actions, on_failure) = all?;
    Some(Zap {
        name: definition.name.as_str().to_owned(),
        formerly: definition.formerly.as_ref().map(|name| name.as_str().to_owned()),
        description: definition.description.as_ref().map(|text| text.value.clone()),
        expect_every: definition.expect_every.as_ref().map(|every| every.value.0),
        enabled: definition.enabled.as_ref().is_none_or(|enabled| enabled.value),
        selection: trigger.selection(),
        content: content(compiler, definition, project, connection),
        trigger,
        actions,
        on_failure,
        filter: whole(filter)?,
        lets: lets?,
        properties: properties?,
        outline,
        own_words: property::own_words(compiler.tree),
        reads,
        reads_raw,
        reads_context,
        vars: project.vars.clone(),
        connection: connection.value.clone(),
        settings: connection.settings.clone(),
    })
}

/// What is so of every record that the trigger takes: what `where` asks for.
fn wanted(trigger: &Option<Trigger>) -> Vec<Fact> {
    match trigger {
        Some(Trigger::Crm(trigger)) => trigger.facts(scope::RECORD),
        _ => Vec::new(),
    }
}

type Lets = Vec<(Arc<str>, crate::mapping::Mapping)>;

/// Compiles `let`, each value seeing those before it; gives the names with all of them.
fn lets(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    mut names: Names,
) -> (Names, Option<Lets>) {
    let tree = compiler.tree;
    let mut lets = Some(Vec::new());
    let mut members: Vec<(Arc<str>, Type)> = Vec::new();
    // What is no map of names has its finding, and may have meant any.
    if definition.lets.is_some_and(|lets| !matches!(tree.node(lets.0).kind, Kind::Map(_))) {
        names = names.with("let", Shape::Any);
    }
    for entry in definition.lets.as_ref().map_or(&[][..], |lets| tree.entries(lets.0)) {
        let name: Arc<str> = Arc::from(&*entry.key);
        let mapping = compiler.mapping(entry.value, &names, &format!("let.{name}"));
        let of = mapping.as_ref().map_or_else(Type::any, crate::mapping::Mapping::of);
        members.push((Arc::clone(&name), of));
        names = names.with("let", Shape::members(members.iter().cloned()));
        if let Some(mapping) = &mapping {
            names = names.telling(scope::LET, vec![Key::Name(Arc::clone(&name))], mapping.facts());
        }
        match (mapping, &mut lets) {
            (Some(mapping), Some(lets)) => lets.push((name, mapping)),
            _ => lets = None,
        }
    }
    (names, lets)
}

/// Compiles the steps, each seeing those before it: `actions`, then `on_failure`.
fn actions(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    facts: (&ProjectFacts, &Documents),
    mut names: Names,
) -> Option<(Vec<Action>, Vec<Action>)> {
    let mut steps: Vec<(Arc<str>, Type)> = Vec::new();
    // Conditions under which steps are done, and their answers.
    let mut same: Vec<(String, Vec<Key>)> = Vec::new();
    let mut open = definition.open_steps.contains(&compiler.tree.root());
    if open {
        names = names.with("steps", Shape::Any);
    }
    let mut list = |compiler: &mut Compiler<'_>, written: &[Spanned<definition::Action>], key: &str| {
        if key == "on_failure" && !open {
            // The run was given up at any of them: it failed, and those after it were not come to.
            same.clear();
            steps = definition.actions.iter().map(|action| action::step_given_up(&action.value)).collect();
            names = names.clone().with("steps", Shape::members(steps.iter().cloned()));
        }
        let mut actions = Some(Vec::new());
        for (at, written) in written.iter().enumerate() {
            let action = action::compile(compiler, &written.value, &names, &format!("{key}[{at}]"), facts);
            // Of one with mistakes nobody knows when it is skipped, and nothing after it is doubted for that.
            let known = action.is_some();
            match (action, &mut actions) {
                (Some((mut action, reads)), Some(actions)) => {
                    let of = |reads: &[Access]| {
                        let ids = steps.iter().map(|(id, _)| &**id);
                        ids.filter(|id| reads_of_step(reads, id).0).map(str::to_owned).collect()
                    };
                    action.reads_of = ReadsOf { gate: of(&reads.gate), all: of(&reads.all) };
                    if let Some(when) = &action.when
                        && !action.continue_on_error
                        && action.each.is_none()
                    {
                        let response = ["response"].map(|name| Key::Name(Arc::from(name)));
                        let path = [Key::Name(Arc::from(action.id.as_str()))].into_iter().chain(response);
                        same.push((when.words(), path.collect::<Vec<Key>>()));
                    }
                    actions.push(action);
                }
                _ => actions = None,
            }
            let of = action::step_type(&written.value, known);
            steps.push((Arc::from(written.value.id().as_str()), of.into()));
            open |= definition.open_steps.contains(&written.value.id().node);
            let known = match open {
                true => Shape::Any,
                false => Shape::members(steps.iter().cloned()),
            };
            names = names.clone().with("steps", known);
            // A step under the same condition is only done where the other was.
            for (condition, path) in &same {
                names = names.clone().there_where(condition, STEPS, path.clone());
            }
        }
        actions
    };
    let actions = list(compiler, &definition.actions, "actions");
    let on_failure = list(compiler, &definition.on_failure, "on_failure");
    let (mut actions, mut on_failure) = actions.zip(on_failure)?;
    for action in actions.iter_mut().chain(&mut on_failure) {
        let (response, body) = reads_of_step(&compiler.reads, &action.id);
        action.reads_response |= response;
        action.reads_body |= body;
    }
    Some((actions, on_failure))
}

/// Compiles the properties, which see all that a run comes to. What they read, runs need not.
fn properties(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    names: Names,
) -> Option<Vec<property::Property>> {
    let written = definition.actions.iter().chain(&definition.on_failure).map(|action| &action.value);
    let steps =
        written.map(|action| (Arc::<str>::from(action.id().as_str()), action::step_type(action, false)));
    let names = names.with("steps", Shape::members(steps));
    let reads = std::mem::take(&mut compiler.reads);
    let properties = property::compile(compiler, definition, names);
    compiler.reads = reads;
    properties
}

/// Whether anything reads the answer of a step, and whether it reads the body.
fn reads_of_step(reads: &[Access], id: &str) -> (bool, bool) {
    let mut response = false;
    let mut body = false;
    for access in reads.iter().filter(|access| access.root == STEPS) {
        let mut path = access.path.iter();
        let this =
            |key: Option<&Key>, wanted: &str| matches!(key, Some(Key::Name(name)) if **name == *wanted);
        match path.next() {
            Some(Key::Name(name)) if **name != *id => continue,
            Some(Key::Name(_)) => {}
            _ => return (true, true),
        }
        match path.next() {
            key if this(key, "outcome") => {}
            key if this(key, "response") => {
                response = true;
                let member = path.next();
                body |= !(this(member, "status") || this(member, "headers"));
            }
            _ => return (true, true),
        }
    }
    (response, body)
}

/// `None` when the part was written and has findings.
#[expect(clippy::option_option, reason = "written or not, and then good or not")]
fn whole<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |part| part.map(Some))
}

/// Hash of the zap as written, its tests and properties aside, and of what it sees of the project.
fn content(
    compiler: &Compiler<'_>,
    definition: &definition::Zap,
    project: &ProjectFacts,
    connection: &ConnectionFacts,
) -> String {
    let tree = compiler.tree;
    let mut hasher = blake3::Hasher::new();
    for entry in tree.entries(tree.root()).iter().filter(|entry| !property::BESIDE.contains(&&*entry.key)) {
        hasher.update(entry.key.as_bytes());
        hash_node(tree, entry.value, &mut hasher);
    }
    // Days are written in the zone of the account that a step writes to.
    let accounts =
        definition.actions.iter().chain(&definition.on_failure).filter_map(|step| match &step.value {
            definition::Action::Crm(_, write) => Some(&write.connection.value),
            definition::Action::Query(query) => Some(&query.connection.value),
            definition::Action::Http(_) | definition::Action::Unread(_) => None,
        });
    let accounts = accounts.map(|name| project.connection(name).value);
    for value in [project.vars.clone(), connection.value.clone()].into_iter().chain(accounts) {
        hasher.update(value.to_json().unwrap_or_default().as_bytes());
    }
    for table in tables_read(&compiler.reads, &project.tables) {
        hasher.update(table.name().as_bytes());
        hasher.update(table.hash().as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

/// The look-up tables that a zap reads, each once, by name.
fn tables_read<'a>(reads: &[Access], tables: &'a Tables) -> Vec<&'a Table> {
    let names =
        reads.iter().filter(|access| access.root == TABLES).filter_map(|access| match access.path.first() {
            Some(Key::Name(name)) => Some(&**name),
            _ => None,
        });
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().filter_map(|name| tables.get(name)?).map(|table| &**table).collect()
}

/// Every node enters with its kind and length, so that no two trees give the same bytes.
fn hash_node(tree: &Tree, node: crate::yaml::NodeId, hasher: &mut blake3::Hasher) {
    let mut part = |tag: &[u8], text: &str| {
        hasher.update(tag);
        hasher.update(&text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    };
    match &tree.node(node).kind {
        Kind::Null => part(b"0", ""),
        Kind::Bool(truth) => part(b"b", if *truth { "1" } else { "0" }),
        Kind::Number(digits) => part(b"n", digits),
        Kind::Text { value, .. } | Kind::Hole(value) => part(b"t", value),
        Kind::List(items) => {
            part(b"l", &items.len().to_string());
            for item in items {
                hash_node(tree, *item, hasher);
            }
        }
        Kind::Map(entries) => {
            part(b"m", &entries.len().to_string());
            for entry in entries {
                hasher.update(&entry.key.len().to_le_bytes());
                hasher.update(entry.key.as_bytes());
                hash_node(tree, entry.value, hasher);
            }
        }
    }
}
