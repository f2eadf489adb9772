//! One step.

use std::time::Duration;

use super::whole;
use crate::definition;
use crate::expression::{Access, Condition, Key, Names, Shape};
use crate::mapping::{Compiler, Mapping};
use crate::request::Method;
use crate::trigger::Endpoint as Read;
use crate::value::Kind as ValueKind;
use crate::yaml::{NodeId, Spanned};
use crate::zap::action::{Action, Call, CrmCall, FindCall, Http, OnUncertain, Payload, Retry};
use crate::zap::scope::{self, RESPONSE};
use crate::zap::target;

/// Compiles one step; nothing when it has findings.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    written: &definition::Action,
    names: &Names,
    place: &str,
) -> Option<Action> {
    let common = written.common();
    let step =
        Shape::members([("id", Shape::Scalar(ValueKind::Text)), ("key", Shape::Scalar(ValueKind::Text))]);
    let outer = names.clone().with("step", step);

    let each = common.each.map(|node| compiler.mapping(node.0, &outer, &format!("{place}.each")));
    let item = match common.element {
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

    let when = common.when.map(|when| compiler.condition(when.node, &inner));
    let unless = common.unless.map(|unless| compiler.condition(unless.node, &outer));
    let reads_before = compiler.reads.len();
    let with_response = outer.clone().with("response", response_shape(written));
    let success = match written {
        definition::Action::Http(http) => {
            http.success.as_ref().map(|success| compiler.condition(success.node, &with_response))
        }
        definition::Action::Crm(..) | definition::Action::Query(_) => None,
    };
    let stop_if = common.stop_if.map(|stop_if| compiler.condition(stop_if.node, &with_response));
    let reads_body = reads_response_body(compiler.reads.get(reads_before..).unwrap_or_default());
    // What `success` and `stop_if` read of the step's own answer is no other step's.
    compiler.reads.retain(|access| access.root < scope::STEP);

    let call = match written {
        definition::Action::Http(http) => self::http(compiler, http, &inner, place, success).map(Call::Http),
        definition::Action::Crm(endpoint, crm) => {
            self::crm(compiler, endpoint, crm, &inner, place).map(Call::Crm)
        }
        definition::Action::Query(query) => self::query(compiler, query, &inner, place).map(Call::Find),
    };
    Some(Action {
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
        place: place.to_owned(),
    })
}

/// What is known of a step's answer.
fn response_shape(_written: &definition::Action) -> Shape {
    scope::response_shape()
}

fn on_uncertain(written: &definition::Action) -> OnUncertain {
    let (choice, standard) = match written {
        definition::Action::Http(http) => (http.on_uncertain.as_ref(), OnUncertain::Retry),
        definition::Action::Crm(_, crm) => (crm.on_uncertain.as_ref(), OnUncertain::Hold),
        definition::Action::Query(_) => (None, OnUncertain::Retry),
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
) -> Option<Http> {
    let method = http.method.as_ref().map_or(Method::Post, |method| match method.value {
        definition::Method::Get => Method::Get,
        definition::Method::Post => Method::Post,
        definition::Method::Put => Method::Put,
        definition::Method::Patch => Method::Patch,
        definition::Method::Delete => Method::Delete,
    });
    let address = target::address(compiler, http, inner, place);
    let mut mapped = |node: Option<NodeId>, key: &str| {
        node.map(|node| compiler.mapping(node, inner, &format!("{place}.{key}")))
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
    Some(Http {
        method,
        address: address?,
        query: whole(query)?,
        headers: whole(headers)?,
        body,
        success: whole(success)?,
    })
}

/// A look may conclude that nothing happened after this long, unless the action says otherwise (delivery, § Sending).
const SETTLE_AFTER: Duration = Duration::from_secs(15 * 60);

fn crm(
    compiler: &mut Compiler<'_>,
    endpoint: &'static crate::crm::Endpoint,
    crm: &definition::CrmAction,
    inner: &Names,
    place: &str,
) -> Option<CrmCall> {
    let map: Mapping = compiler.mapping(crm.map.0, inner, &format!("{place}.map"))?;
    Some(CrmCall {
        connection: crm.connection.value.clone(),
        endpoint,
        map,
        lead_first: crm.lead_first.as_ref().is_none_or(|choice| choice.value == definition::LeadFirst::Auto),
        correlate_in: crm.correlate_in.as_ref().map(|field| field.value.as_str()),
        settle_after: crm.settle_after.as_ref().map_or(SETTLE_AFTER, |after| after.value.0),
    })
}

fn query(
    compiler: &mut Compiler<'_>,
    query: &definition::QueryAction,
    inner: &Names,
    place: &str,
) -> Option<FindCall> {
    let by = compiler.mapping(query.by.0, inner, &format!("{place}.by"));
    let mut day = |written: Option<&Spanned<String>>, key: &str| {
        written.map(|written| compiler.mapping(written.node, inner, &format!("{place}.{key}")))
    };
    let from = day(query.from.as_ref(), "from");
    let to = day(query.to.as_ref(), "to");
    let item = inner.clone().with("item", Shape::Any);
    let matches = query.matches.as_ref().map(|matches| compiler.condition(matches.node, &item));
    Some(FindCall {
        connection: query.connection.value.clone(),
        endpoint: match query.find.value {
            definition::Find::Orders => Read::Orders,
            definition::Find::Transactions => Read::Transactions,
            definition::Find::Purchases => Read::Purchases,
            definition::Find::Customers => Read::Customers,
        },
        by: by?,
        from: whole(from)?,
        to: whole(to)?,
        matches: whole(matches)?,
        one: query.expect.as_ref().is_some_and(|expect| expect.value == definition::Expect::One),
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
