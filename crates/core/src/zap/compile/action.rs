//! One step.

use std::sync::Arc;

use super::privacy::{self, Flows};
use super::{body, outline};
use super::{crm, find, whole};
use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Access, Condition, Gap, Key, Names, Shape, TABLES, Type};
use crate::mapping::Compiler;
use crate::request::Method;
use crate::value::Kind as ValueKind;
use crate::yaml::{NodeId, Spanned};
use crate::zap::action::{Action, Call, Http, OnUncertain, Payload, Retry};
use crate::zap::documents::Documents;
use crate::zap::project::ProjectFacts;
use crate::zap::scope::{self, RESPONSE};
use crate::zap::target;

/// What a step reads of the steps before it.
#[derive(Default)]
pub(super) struct Reads {
    /// In what decides whether it is done at all.
    pub(super) gate: Vec<Access>,
    /// In all of it.
    pub(super) all: Vec<Access>,
}

/// Compiles one step; nothing when it has findings.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    written: &definition::Action,
    names: &Names,
    place: &str,
    (project, documents): (&ProjectFacts, &Documents),
) -> Option<(Action, Reads)> {
    // What is read of the step itself is dropped on the way.
    let before = compiler.reads.iter().filter(|access| access.root < scope::STEP).count();
    let common = written.common();
    let step =
        Shape::members([("id", Shape::Scalar(ValueKind::Text)), ("key", Shape::Scalar(ValueKind::Text))]);
    let outer = names.clone().with("step", step);

    let each = common.each.map(|node| compiler.mapping(node.0, &outer, &format!("{place}.each")));
    if let Some(Some(each)) = &each {
        compiler.has_elements(each, "`each`");
    }
    let item = match common.element {
        Some(name) => compiler.loop_name(name.as_str(), compiler.tree.span(name.node)),
        None => Some("item"),
    };
    // With a name that is taken, the others keep their meaning and what they say is still checked.
    let item = item.unwrap_or("item");
    let element =
        each.as_ref().and_then(Option::as_ref).map_or_else(Type::any, crate::mapping::Mapping::element);
    let (inner, slots) = match each {
        Some(_) => {
            let (names, slots) = Compiler::loop_names(&outer, item, element);
            (names, Some(slots))
        }
        None => (outer.clone(), None),
    };

    let when = common.when.map(|when| compiler.condition(when.node, &inner));
    let inner = match &when {
        Some(when) => inner.given_by(when.as_ref()),
        None => inner,
    };
    let gate = of_steps(&compiler.reads, before);
    let unless = common.unless.map(|unless| compiler.condition(unless.node, &outer));
    let reads_before = compiler.reads.len();
    let with_response = outer.with("response", response_shape(written));
    let success = match written {
        definition::Action::Http(http) => {
            http.success.as_ref().map(|success| compiler.condition(success.node, &with_response))
        }
        definition::Action::Unread(unread) => {
            unread.success.as_ref().map(|success| compiler.condition(success.node, &with_response))
        }
        definition::Action::Crm(..) | definition::Action::Query(_) => None,
    };
    let stop_if = common.stop_if.map(|stop_if| compiler.condition(stop_if.node, &with_response));
    let reads_body = reads_response_body(compiler.reads.get(reads_before..).unwrap_or_default());
    // What `success` and `stop_if` read of the step's own answer is no other step's.
    compiler.reads.retain(|access| access.root < scope::STEP || access.root == TABLES);

    let call = match written {
        definition::Action::Http(http) => {
            self::http(compiler, http, &inner, place, success, (project, documents))
                .map(|http| Call::Http(Box::new(http)))
        }
        definition::Action::Crm(endpoint, write) => {
            let account = project.connection(&write.connection.value).settings;
            crm::compile(compiler, endpoint, write, &inner, place, &account)
                .map(|crm| Call::Crm(Box::new(crm)))
        }
        definition::Action::Query(query) => {
            let account = project.connection(&query.connection.value).settings;
            find::compile(compiler, query, &inner, place, &account).map(|find| Call::Find(Box::new(find)))
        }
        definition::Action::Unread(unread) => {
            for (key, node) in unread.mapped() {
                let place = format!("{place}.{key}");
                match compiler.tree.entries(node.0) {
                    // Fields of the CRM may be cleared.
                    fields if key == "map" => fields.iter().for_each(|field| {
                        compiler.parameter(field.value, &inner, &format!("{place}.{}", field.key));
                    }),
                    _ => {
                        compiler.mapping(node.0, &inner, &place);
                    }
                }
            }
            None
        }
    };
    let reads = Reads { gate, all: of_steps(&compiler.reads, before) };
    let action = Action {
        id: common.id.as_str().to_owned(),
        retry: retry(common.retry),
        on_uncertain: on_uncertain(written),
        continue_on_error: common.continue_on_error.is_some_and(|choice| choice.value),
        delay: common.delay.map(|delay| delay.value.0),
        call: call?,
        unless: whole(unless)?,
        when: whole(when)?,
        each: whole(each)?.zip(slots),
        reads_response: common.stop_if.is_some(),
        stop_if: whole(stop_if)?,
        reads_body,
        // Filled in by whoever knows the steps.
        reads_of: crate::zap::ReadsOf::default(),
        place: place.to_owned(),
    };
    Some((action, reads))
}

/// What is read of `steps` after the first so many reads.
fn of_steps(reads: &[Access], before: usize) -> Vec<Access> {
    let kept = reads.iter().filter(|access| access.root < scope::STEP).skip(before);
    kept.filter(|access| access.root == scope::STEPS).cloned().collect()
}

/// What is known of a step once it was come to, and of when it is skipped where that is `known`.
pub(super) fn step_type(written: &definition::Action, known: bool) -> Shape {
    let common = written.common();
    let may_lack =
        known && (common.when.is_some() || common.continue_on_error.is_some_and(|choice| choice.value));
    scope::step_type(common.id.as_str(), common.each.is_some(), response_shape(written), may_lack)
}

/// What is known of a step where the run was given up: it may have failed, and may not have been come to.
pub(super) fn step_given_up(written: &definition::Action) -> (Arc<str>, Type) {
    let id: Arc<str> = Arc::from(written.id().as_str());
    let each = written.common().each.is_some();
    let of = scope::step_type(&id, each, response_shape(written), true);
    (Arc::clone(&id), Type::from(of).with_gap(Gap::Step(id)))
}

/// What is known of a step's answer.
fn response_shape(written: &definition::Action) -> Shape {
    let text = || Type::scalar(ValueKind::Text);
    match written {
        definition::Action::Http(_) => scope::response_shape(),
        definition::Action::Crm(endpoint, _) => {
            let ids = endpoint.reply.iter().map(|field| {
                let named = if field.always { text() } else { text().with_gap(Gap::Optional) };
                (field.name, named)
            });
            Shape::members([("result", text()), ("message", Type::any())].into_iter().chain(ids))
        }
        definition::Action::Query(query) => {
            let row: Type = find::row_shape(find::asked(query).endpoint.schema()).into();
            let one = query.expect.as_ref().is_some_and(|expect| expect.value == definition::Expect::One);
            Shape::members([
                (
                    "rows",
                    if one { Type::list_of(row.clone()) } else { Type::list_of(row.clone()).perhaps_empty() },
                ),
                ("row", if one { row } else { row.with_gap(Gap::NotFound) }),
                ("total", Type::scalar(ValueKind::Number)),
            ])
        }
        definition::Action::Unread(_) => Shape::Any,
    }
}

fn on_uncertain(written: &definition::Action) -> OnUncertain {
    let (choice, standard) = match written {
        definition::Action::Http(http) => (http.on_uncertain.as_ref(), OnUncertain::Retry),
        definition::Action::Crm(_, crm) => (crm.on_uncertain.as_ref(), OnUncertain::Hold),
        definition::Action::Query(_) | definition::Action::Unread(_) => (None, OnUncertain::Retry),
    };
    match choice.map(|choice| choice.value) {
        Some(definition::OnUncertain::Hold) => OnUncertain::Hold,
        Some(definition::OnUncertain::Retry) => OnUncertain::Retry,
        None => standard,
    }
}

fn http(
    compiler: &mut Compiler<'_>,
    http: &definition::HttpAction,
    inner: &Names,
    place: &str,
    success: Option<Option<Condition>>,
    (project, documents): (&ProjectFacts, &Documents),
) -> Option<Http> {
    compiler.flows.clear();
    let method = http.method.as_ref().map_or(Method::Post, |method| target::method(method.value));
    let target = target::Written::of(http);
    let address = target::address(compiler, &target, inner, place);
    let mut mapped = |node: Option<NodeId>, key: &str| {
        node.map(|node| compiler.mapping(node, inner, &format!("{place}.{key}")))
    };
    let query = mapped(http.query.map(|map| map.0), "query");
    let address_flows = std::mem::take(&mut compiler.flows);
    let mut mapped = |node: Option<NodeId>, key: &str| {
        node.map(|node| compiler.mapping(node, inner, &format!("{place}.{key}")))
    };
    let headers = mapped(http.headers.map(|map| map.0), "headers");
    let json = mapped(http.json.map(|node| node.0), "json");
    let form = mapped(http.form.map(|map| map.0), "form");
    let text = mapped(http.text.as_ref().map(|text| text.node), "text");
    for pairs in [&query, &headers, &form].into_iter().flatten().flatten() {
        compiler.are_pairs(pairs);
    }
    target::headers(compiler, &target);
    if let Some(schema) = http.schema {
        let wanted = outline::schema(compiler, schema, documents);
        match (http.json, json.as_ref().and_then(Option::as_ref)) {
            (Some(_), Some(mapping)) => {
                wanted.iter().for_each(|wanted| body::check(compiler, mapping, wanted));
            }
            (Some(_), None) => {}
            (None, _) => {
                let at = super::params::head(compiler.tree, schema.0);
                let finding = Diagnostic::new(&code::NO_EFFECT, "`schema` says nothing without `json`");
                compiler.report(finding.at(at).help("remove it: it is about a body in JSON"));
            }
        }
    }
    let flows = Flows { address: address_flows, content: std::mem::take(&mut compiler.flows) };
    privacy::check(compiler, http, project, &flows);

    let body = match (json, form, text) {
        (Some(json), ..) => Some(Payload::Json(json?)),
        (_, Some(form), _) => Some(Payload::Form(form?)),
        (.., Some(text)) => Some(Payload::Text(text?)),
        _ => None,
    };
    Some(Http {
        method,
        address: address?,
        query: whole(query)?,
        headers: whole(headers)?,
        body,
        success: whole(success)?,
    })
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
