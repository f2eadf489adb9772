//! From an `http` trigger as written to a [`HttpTrigger`].

use std::sync::Arc;
use std::time::Duration;

use super::pages::{Form, Paging, Since};
use super::{HttpTrigger, KeyExpression};
use crate::definition;
use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Frame, Names, Settings, Shape, TABLES, Text, Type};
use crate::mapping::{Compiler, MapError, Mapped, Mapping};
use crate::path::JsonPath;
use crate::request::{Body, HttpRequest, Method};
use crate::value::Value;
use crate::yaml::{NodeId, Spanned};
use crate::zap::action::{Address, checked_headers};
use crate::zap::target;

/// The pause between two polls unless the zap says otherwise.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// How far before the last read the next one begins, unless the zap says otherwise.
const OVERLAP: Duration = Duration::from_secs(15 * 60);

/// What the parts of a trigger are compiled with.
struct Parts<'a> {
    vars: &'a Value,
    vars_shape: &'a Shape,
    settings: &'a Settings,
}

/// Compiles a trigger; nothing when it has findings.
pub(in crate::zap) fn compile(
    compiler: &mut Compiler<'_>,
    written: &definition::HttpTrigger,
    record: &Type,
    vars: (&Value, &Shape),
    settings: &Settings,
) -> Option<HttpTrigger> {
    let parts = Parts { vars: vars.0, vars_shape: vars.1, settings };
    // What the trigger reads of an item is no action's concern.
    let reads = compiler.reads.len();
    let request = request(compiler, written, &parts);
    let items = path(compiler, &written.items, "items", true);
    let names = Names::new().with("record", record.clone()).with("vars", parts.vars_shape.clone());
    let names = names.with_tables(compiler.tables);
    let mut key = |written: &Spanned<String>, place: &str, optional: bool| {
        KeyExpression::compile(compiler, written, &names, place, optional)
    };
    let id = key(&written.key, "key", false);
    let once = written.once_per.as_ref().map(|once| key(once, "once_per", true));
    let at = written.at.as_ref().map(|at| match Text::compile(&at.value, &names) {
        Ok(text) => Some(Arc::new(text)),
        Err(problems) => compiler.refuse(at.node, problems),
    });
    let paging = paging(compiler, written.pagination.as_ref());
    let since = written.since.as_ref().map(|written| since(compiler, &written.value));
    let of_trigger = compiler.reads.split_off(reads);
    compiler.reads.extend(of_trigger.into_iter().filter(|access| access.root == TABLES));

    let (request, items) = (request?, items?);
    let selection = selection(&request, &items, &written.key.value);
    Some(HttpTrigger {
        every: written.every.as_ref().map_or(EVERY, |every| every.value.0),
        beginning: written
            .start
            .as_ref()
            .is_some_and(|start| start.value == definition::HttpStart::Beginning),
        request,
        items,
        key: id?,
        at: whole(at)?,
        once: whole(once)?,
        paging: paging?,
        since: whole(since)?,
        vars: parts.vars.clone(),
        settings: settings.clone(),
        selection,
    })
}

/// `None` when the part was written and has findings.
#[expect(clippy::option_option, reason = "written or not, and then good or not")]
fn whole<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |part| part.map(Some))
}

/// The request, whole: nothing in it but `vars` can vary, and they do not.
fn request(
    compiler: &mut Compiler<'_>,
    written: &definition::HttpTrigger,
    parts: &Parts<'_>,
) -> Option<HttpRequest> {
    let names = Names::new().with("vars", parts.vars_shape.clone()).with_tables(compiler.tables);
    let target = target::Written {
        url: written.url.as_ref(),
        connection: written.connection.as_ref(),
        path: written.path.as_ref(),
        headers: written.headers,
        allow_hosts: &[],
    };
    let address = target::address(compiler, &target, &names, "trigger");
    let mut mapped = |node: Option<NodeId>, key: &str| {
        node.map(|node| Some((node, compiler.mapping(node, &names, &format!("trigger.{key}"))?)))
    };
    let query = whole(mapped(written.query.map(|map| map.0), "query"));
    let headers = whole(mapped(written.headers.map(|map| map.0), "headers"));
    let json = whole(mapped(written.json.map(|node| node.0), "json"));
    target::headers(compiler, &target);
    let (address, query, headers, json) = (address?, query?, headers?, json?);

    let mut render = Render { compiler, parts };
    let query = render.pairs(query.as_ref());
    let headers = render.headers(headers.as_ref());
    let body = json.as_ref().map(|json| render.json(json));
    let place = written.url.as_ref().or(written.path.as_ref()).map(|text| text.node);
    let destination = render.address(&address, place);
    Some(HttpRequest {
        method: written.method.as_ref().map_or(Method::Get, |method| target::method(method.value)),
        destination: destination?,
        query: query?,
        headers: headers?,
        body: whole(body)?,
        // A read needs no key.
        idempotency_key: String::new(),
        chain: 0,
        trace: None,
    })
}

/// Renders the parts of the request; what fails is a finding.
struct Render<'a, 'c> {
    compiler: &'a mut Compiler<'c>,
    parts: &'a Parts<'a>,
}

type Written = (NodeId, Mapping);

impl Render<'_, '_> {
    fn report<T>(&mut self, node: Option<NodeId>, result: Result<T, MapError>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let finding = Diagnostic::new(&code::NO_REQUEST, error.message).maybe_help(error.help);
        let span = node.map(|node| self.compiler.tree.span(node));
        self.compiler.report(Diagnostic { span, ..finding });
        None
    }

    fn eval<'m>(&self, mapping: &'m Mapping) -> Result<Option<Mapped<'m>>, MapError> {
        mapping.eval(&mut vec![self.parts.vars.clone()], self.parts.settings)
    }

    fn pairs(&mut self, written: Option<&Written>) -> Option<Vec<(String, String)>> {
        let Some((node, mapping)) = written else { return Some(Vec::new()) };
        let pairs = self
            .eval(mapping)
            .and_then(|mapped| mapped.map_or(Ok(Vec::new()), |mapped| mapped.into_pairs(mapping.place())));
        self.report(Some(*node), pairs)
    }

    fn headers(&mut self, written: Option<&Written>) -> Option<Vec<(String, String)>> {
        let pairs = self.pairs(written)?;
        self.report(written.map(|(node, _)| *node), checked_headers(pairs, "trigger"))
    }

    fn json(&mut self, (node, mapping): &Written) -> Option<Body> {
        let bytes = self.eval(mapping).and_then(|mapped| {
            let mut bytes = Vec::new();
            let written = mapped.map_or(Ok(()), |mapped| mapped.write_json(&mut bytes));
            written.map(|()| bytes).map_err(|error| MapError::new(mapping.place(), error.to_string()))
        });
        let bytes = self.report(Some(*node), bytes)?;
        Some(Body { content_type: "application/json", bytes })
    }

    fn address(&mut self, address: &Address, node: Option<NodeId>) -> Option<crate::request::Destination> {
        let values = [self.parts.vars.clone()];
        let frame = Frame { values: &values, settings: self.parts.settings };
        self.report(node, address.render(&frame, "trigger"))
    }
}

/// A JSONPath into the answer.
fn path(compiler: &mut Compiler<'_>, written: &Spanned<String>, key: &str, many: bool) -> Option<JsonPath> {
    let path = match JsonPath::parse(&written.value) {
        Ok(path) => path,
        Err(problem) => return compiler.refuse(written.node, vec![problem]),
    };
    if !many && !path.is_singular() {
        let message = format!("`{key}` may lead to several values");
        let finding = Diagnostic::new(&code::BAD_FORMAT, message).at(compiler.tree.span(written.node));
        compiler.report(finding.help("write a path to one value: $.meta.next"));
        return None;
    }
    Some(path)
}

fn paging(compiler: &mut Compiler<'_>, written: Option<&Spanned<definition::Pagination>>) -> Option<Paging> {
    let text = |text: &Spanned<String>| text.value.clone();
    let size = |size: &Spanned<u32>| u64::from(size.value);
    Some(match written.map(|written| &written.value) {
        None => Paging::None,
        Some(definition::Pagination::Page(pages)) => Paging::Number {
            param: text(&pages.param),
            first: pages.first.as_ref().map_or(1, size),
            size: pages.size.as_ref().map(size),
            size_param: pages.size_param.as_ref().map(text),
        },
        Some(definition::Pagination::Offset(pages)) => Paging::Offset {
            param: text(&pages.param),
            size: size(&pages.size),
            size_param: pages.size_param.as_ref().map(text),
        },
        Some(definition::Pagination::Cursor(pages)) => {
            Paging::Cursor { param: text(&pages.param), next: path(compiler, &pages.next, "next", false)? }
        }
        Some(definition::Pagination::Link(pages)) => {
            let next = pages.next.as_ref().map(|next| path(compiler, next, "next", false));
            Paging::Link { next: whole(next)? }
        }
    })
}

fn since(compiler: &mut Compiler<'_>, written: &definition::Since) -> Option<Since> {
    let form = match &written.format {
        None => Form::Iso,
        Some(format) => match Form::parse(&format.value) {
            Some(form) => form,
            None => {
                let message = format!("`{}` is no form of an instant", format.value);
                let finding = Diagnostic::new(&code::BAD_FORMAT, message).at(compiler.tree.span(format.node));
                compiler.report(finding.help("write iso, unix, or a strftime pattern: \"%Y-%m-%d\""));
                return None;
            }
        },
    };
    Some(Since {
        param: written.param.value.clone(),
        form,
        overlap: written.overlap.as_ref().map_or(OVERLAP, |overlap| overlap.value.0),
    })
}

/// What decides which items there are, and what tells them apart. Headers are left out: they say who asks.
fn selection(request: &HttpRequest, items: &JsonPath, key: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    let body = request.body.as_ref().map_or(&[][..], |body| &body.bytes);
    let destination = format!("{:?} {:?}", request.destination, request.query);
    for part in [
        request.method.as_str().as_bytes(),
        destination.as_bytes(),
        body,
        items.source().as_bytes(),
        key.as_bytes(),
    ] {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}
