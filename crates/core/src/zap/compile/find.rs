//! A look-up in the CRM.

use super::params::{self, Refusal, Table, Written, constant, head, key_span};
use super::whole;
use crate::crm::{Lookup, day, lookup};
use crate::definition::{Expect, Find, QueryAction};
use crate::diagnostic::{Diagnostic, code};
use crate::expression::{Names, Settings, Shape, Type};
use crate::mapping::{Compiler, Mapping};
use crate::record::{Class, Schema};
use crate::trigger::Endpoint;
use crate::yaml::Spanned;
use crate::zap::action::FindCall;

/// The row that `match:` looks at.
const ITEM: &str = "item";

/// The look-up of a word in `find:`.
pub(super) fn asked(written: &QueryAction) -> &'static Lookup {
    lookup(match written.find.value {
        Find::Orders => Endpoint::Orders,
        Find::Transactions => Endpoint::Transactions,
        Find::Purchases => Endpoint::Purchases,
        Find::Customers => Endpoint::Customers,
    })
}

/// Compiles a look-up; nothing when it has findings.
pub(super) fn compile(
    compiler: &mut Compiler<'_>,
    written: &QueryAction,
    names: &Names,
    place: &str,
    settings: &Settings,
) -> Option<FindCall> {
    let lookup = asked(written);
    let table = Table {
        action: "query",
        schema: format!("query_{}", lookup.find),
        params: lookup.params().collect(),
        settings,
        clears: false,
        required: &|_| false,
        refused: &refused,
    };
    let by = params::compile(compiler, &table, written.by.0, names, &format!("{place}.by"));
    let from = boundary(compiler, written.from.as_ref(), names, &format!("{place}.from"), settings);
    let to = boundary(compiler, written.to.as_ref(), names, &format!("{place}.to"), settings);
    let good = range(compiler, lookup, &by, written, place);
    let matches = written.matches.as_ref().map(|matches| {
        let names = names.clone().with(ITEM, row_shape(lookup.endpoint.schema()));
        let condition = compiler.condition(matches.node, &names);
        // It was just added.
        let slot = names.slot(ITEM).unwrap_or_default();
        free_item(compiler, written, place).then_some(())?;
        condition.map(|condition| (condition, slot))
    });
    good.then_some(())?;
    Some(FindCall {
        connection: written.connection.value.clone(),
        lookup,
        settings: settings.clone(),
        by: by.params?,
        from: whole(from)?,
        to: whole(to)?,
        matches: whole(matches)?,
        one: written.expect.as_ref().is_some_and(|expect| expect.value == Expect::One),
    })
}

/// What a row that was found has: all but what never leaves.
pub(super) fn row_shape(schema: &'static Schema) -> Shape {
    let shown = schema.fields.iter().filter(|field| field.class != Class::Secret);
    Shape::members(shown.map(|field| (field.name, Type::of_field(schema, field))))
}

fn refused(name: &str) -> Option<Refusal> {
    let days = matches!(name, "startDate" | "endDate" | "dateRangeType" | "startTime" | "endTime");
    let pages = matches!(name, "page" | "resultsPerPage" | "sortDir" | "sortBy");
    let help = if days {
        "write the days as `from:` and `to:`, beside `by:`"
    } else {
        "remove it: all pages are read"
    };
    (days || pages).then(|| (&code::UNKNOWN_PARAM, format!("`{name}` is not a filter"), help))
}

/// The first or last day.
#[expect(clippy::option_option, reason = "written or not, and then good or not")]
fn boundary(
    compiler: &mut Compiler<'_>,
    written: Option<&Spanned<String>>,
    names: &Names,
    place: &str,
    settings: &Settings,
) -> Option<Option<Mapping>> {
    let written = written?;
    let mapping = compiler.mapping(written.node, names, place);
    let wrong = mapping.as_ref().and_then(constant).filter(|value| day(value, &settings.zone).is_none());
    if wrong.is_some() {
        let message = format!("`{}` is not a day", written.value);
        let help = "write 2026-09-16, or an instant: \"{{ event.at | date_add('-90d') }}\"";
        compiler.report(
            Diagnostic::new(&code::BAD_FORMAT, message).at(compiler.tree.span(written.node)).help(help),
        );
        return Some(None);
    }
    Some(mapping)
}

/// The CRM wants an id or days.
fn range(
    compiler: &mut Compiler<'_>,
    lookup: &Lookup,
    by: &Written,
    written: &QueryAction,
    place: &str,
) -> bool {
    let mut good = true;
    let by_id = lookup.ids.iter().any(|id| by.has(id) || by.meant.iter().any(|meant| meant == id));
    if written.from.is_none() && !by_id {
        let at = key_span(compiler.tree, place, "by").unwrap_or_else(|| head(compiler.tree, written.by.0));
        let message = format!("without days the CRM looks up {} by an id only", lookup.find);
        let help = format!("add `from:` with the first day, or one of {}", lookup.ids.join(", "));
        compiler.report(Diagnostic::new(&code::QUERY_RANGE, message).at(at).help(help));
        good = false;
    }
    if let (None, Some(to)) = (&written.from, &written.to) {
        let at = key_span(compiler.tree, place, "to").unwrap_or_else(|| compiler.tree.span(to.node));
        compiler.report(
            Diagnostic::new(&code::NO_EFFECT, "`to` says nothing without `from`").at(at).help("add `from:`"),
        );
        good = false;
    }
    good
}

/// Under `each` the element is called `item` unless it is given another name, and `match` calls the row so.
fn free_item(compiler: &mut Compiler<'_>, written: &QueryAction, place: &str) -> bool {
    let taken = written.each.is_some() && written.element.as_ref().is_none_or(|name| name.as_str() == ITEM);
    if let Some(at) = key_span(compiler.tree, place, "each").filter(|_| taken) {
        let message = "in `match`, `item` is the row that was found, not the element of `each`";
        compiler.report(
            Diagnostic::new(&code::TAKEN_NAME, message)
                .at(at)
                .help("give the element another name: `as: line`"),
        );
    }
    !taken
}
