//! From a zap as written to a [`Zap`].

use std::sync::Arc;

use super::action::{Action, Http, OnUncertain, Payload, Retry};
use super::project::{ConnectionFacts, ProjectFacts};
use super::scope::{self, RESPONSE, STEPS};
use super::{Zap, target, trigger};
use crate::definition;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expression::{Access, Key, Names, Shape, members_read};
use crate::mapping::Compiler;
use crate::pointer;
use crate::record::ReadSet;
use crate::request::Method;
use crate::value::Kind as ValueKind;
use crate::yaml::{Spanned, Tree};

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
    let mut compiler = Compiler::new(tree);
    let connection = project.connection(&definition.trigger.connection().value);
    let zap = build(&mut compiler, definition, project, &connection);
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
) -> Option<Zap> {
    let trigger = trigger::compile(compiler, &definition.trigger, &connection.settings);
    let record = trigger::schema(&definition.trigger).map_or(Shape::Any, Shape::Record);
    let names = scope::names(record, project.vars_shape.clone());

    let filter = definition.filter.as_ref().map(|written| {
        compiler.condition(written.node, &names).map(|condition| (condition, written.value.clone()))
    });
    let (names, lets) = lets(compiler, definition, names);
    let actions = actions(compiler, definition, names);

    let record = scope::RECORD;
    let reads_raw = compiler.reads.iter().any(|access| access.root == scope::RECORD_RAW);
    let reads = members_read(&compiler.reads, record).map_or(ReadSet::All, |names| {
        ReadSet::Only(names.iter().map(|name| name.to_string().into()).collect())
    });
    let trigger = trigger?;
    Some(Zap {
        name: definition.name.as_str().to_owned(),
        formerly: definition.formerly.as_ref().map(|name| name.as_str().to_owned()),
        description: definition.description.as_ref().map(|text| text.value.clone()),
        enabled: definition.enabled.as_ref().is_none_or(|enabled| enabled.value),
        selection: trigger.selection(),
        content: content(compiler.tree, project, connection),
        trigger,
        actions: actions?,
        filter: whole(filter)?,
        lets: lets?,
        reads,
        reads_raw,
        vars: project.vars.clone(),
        connection: connection.value.clone(),
        settings: connection.settings.clone(),
    })
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
    let mut members: Vec<(Arc<str>, Shape)> = Vec::new();
    for entry in definition.lets.as_ref().map_or(&[][..], |lets| tree.entries(lets.0)) {
        let name: Arc<str> = Arc::from(&*entry.key);
        let mapping = compiler.mapping(entry.value, &names, &format!("let.{name}"));
        let shape = mapping.as_ref().map_or(Shape::Any, crate::mapping::Mapping::shape);
        members.push((Arc::clone(&name), shape));
        names = names.with("let", Shape::members(members.iter().cloned()));
        match (mapping, &mut lets) {
            (Some(mapping), Some(lets)) => lets.push((name, mapping)),
            _ => lets = None,
        }
    }
    (names, lets)
}

fn actions(
    compiler: &mut Compiler<'_>,
    definition: &definition::Zap,
    mut names: Names,
) -> Option<Vec<Action>> {
    let mut actions = Some(Vec::new());
    let mut steps: Vec<(Arc<str>, Shape)> = Vec::new();
    for (at, written) in definition.actions.iter().enumerate() {
        let definition::Action::Http(http) = &written.value;
        let action = action(compiler, http, &names, &format!("actions[{at}]"));
        match (action, &mut actions) {
            (Some(action), Some(actions)) => actions.push(action),
            _ => actions = None,
        }
        steps.push((Arc::from(http.id.as_str()), scope::step_shape(http.each.is_some())));
        names = names.with("steps", Shape::members(steps.iter().cloned()));
    }
    let mut actions = actions?;
    for action in &mut actions {
        let (response, body) = reads_of_step(&compiler.reads, &action.id);
        action.reads_response = response;
        action.reads_body |= body;
    }
    Some(actions)
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

fn action(
    compiler: &mut Compiler<'_>,
    http: &definition::HttpAction,
    names: &Names,
    place: &str,
) -> Option<Action> {
    let step =
        Shape::members([("id", Shape::Scalar(ValueKind::Text)), ("key", Shape::Scalar(ValueKind::Text))]);
    let outer = names.clone().with("step", step);

    let each = http.each.map(|node| compiler.mapping(node.0, &outer, &format!("{place}.each")));
    let item = match &http.element {
        Some(name) => compiler.loop_name(name.as_str(), compiler.tree.span(name.node)),
        None => Some("item"),
    };
    // With a name that is taken, the others keep their meaning and what they say is still checked.
    let item = item.unwrap_or("item");
    let shape =
        each.as_ref().and_then(Option::as_ref).map_or(Shape::Any, crate::mapping::Mapping::element_shape);
    let (inner, slots) = match each {
        Some(_) => {
            let (names, slots) = Compiler::loop_names(&outer, item, shape);
            (names, Some(slots))
        }
        None => (outer.clone(), None),
    };

    let when = http.when.as_ref().map(|when| compiler.condition(when.node, &inner));
    let reads_before = compiler.reads.len();
    let with_response = outer.with("response", scope::response_shape());
    let success = http.success.as_ref().map(|success| compiler.condition(success.node, &with_response));
    let reads_body = reads_response_body(compiler.reads.get(reads_before..).unwrap_or_default());
    // What `success` reads of its own answer is no step's.
    compiler.reads.retain(|access| access.root < scope::STEP);

    let method = http.method.as_ref().map_or(Method::Post, |method| match method.value {
        definition::Method::Get => Method::Get,
        definition::Method::Post => Method::Post,
        definition::Method::Put => Method::Put,
        definition::Method::Patch => Method::Patch,
        definition::Method::Delete => Method::Delete,
    });
    let address = target::address(compiler, http, &inner, place);
    let mut mapped = |node: Option<crate::yaml::NodeId>, key: &str| {
        node.map(|node| compiler.mapping(node, &inner, &format!("{place}.{key}")))
    };
    let query = mapped(http.query.map(|map| map.0), "query");
    let headers = mapped(http.headers.map(|map| map.0), "headers");
    let json = mapped(http.json.map(|node| node.0), "json");
    let form = mapped(http.form.map(|map| map.0), "form");
    let text = mapped(http.text.as_ref().map(|text| text.node), "text");
    target::headers(compiler, http);

    let body = match (json, form, text) {
        (Some(json), ..) => Some(Payload::Json(json?)),
        (_, Some(form), _) => Some(Payload::Form(form?)),
        (.., Some(text)) => Some(Payload::Text(text?)),
        _ => None,
    };
    Some(Action {
        id: http.id.as_str().to_owned(),
        retry: retry(http.retry.as_ref()),
        on_uncertain: match http.on_uncertain.as_ref().map(|choice| choice.value) {
            Some(definition::OnUncertain::Hold) => OnUncertain::Hold,
            Some(definition::OnUncertain::Retry) | None => OnUncertain::Retry,
        },
        continue_on_error: http.continue_on_error.as_ref().is_some_and(|choice| choice.value),
        http: Http { method, address: address?, query: whole(query)?, headers: whole(headers)?, body },
        when: whole(when)?,
        each: whole(each)?.zip(slots),
        success: whole(success)?,
        reads_body,
        reads_response: false,
        place: place.to_owned(),
    })
}

/// `None` when the part was written and has findings.
#[expect(clippy::option_option, reason = "written or not, and then good or not")]
fn whole<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |part| part.map(Some))
}

fn reads_response_body(reads: &[Access]) -> bool {
    reads.iter().filter(|access| access.root == RESPONSE).any(|access| {
        !matches!(access.path.first(), Some(Key::Name(name)) if matches!(&**name, "status" | "headers"))
    })
}

fn retry(written: Option<&Spanned<definition::Retry>>) -> Retry {
    let standard = Retry::default();
    let Some(written) = written else { return standard };
    let or = |written: &Option<Spanned<definition::Duration>>, standard| {
        written.as_ref().map_or(standard, |duration| duration.value.0)
    };
    Retry {
        for_: or(&written.give_up, standard.for_),
        first: or(&written.first, standard.first),
        max_delay: or(&written.max_delay, standard.max_delay),
    }
}

/// Hash of the zap as written, its tests aside, and of what it sees of the project.
fn content(tree: &Tree, project: &ProjectFacts, connection: &ConnectionFacts) -> String {
    let mut hasher = blake3::Hasher::new();
    for entry in tree.entries(tree.root()).iter().filter(|entry| &*entry.key != "tests") {
        hasher.update(entry.key.as_bytes());
        hash_node(tree, entry.value, &mut hasher);
    }
    for value in [&project.vars, &connection.value] {
        hasher.update(value.to_json().unwrap_or_default().as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

/// Every node enters with its kind and length, so that no two trees give the same bytes.
fn hash_node(tree: &Tree, node: crate::yaml::NodeId, hasher: &mut blake3::Hasher) {
    use crate::yaml::Kind;
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
