//! The page about filters and tests.

use super::Page;
use super::markdown::{Doc, prose, sentence, word, words};
use crate::expression::tests_table::TESTS;
use crate::filters::{self, Example, FilterSpec, Param, ParamType};

/// The page.
pub(super) fn page() -> Page {
    let mut doc = Doc::new("Filters");
    doc.block(
        "`{{ value | filter(…) }}`. The examples run as tests. `zaprun filters` lists them, `zaprun filters NAME` \
         explains one.",
    );
    let row =
        |filter: &FilterSpec| [format!("[{}](#{})", word(filter.name), filter.name), prose(filter.summary)];
    doc.table(["filter", "what it does"], filters::all().map(row));
    for filter in filters::all() {
        one(&mut doc, filter);
    }
    doc.section("Tests");
    doc.block("`{{ value is test }}`, `{{ value is not test }}`.");
    let row = |test: &crate::expression::tests_table::TestSpec| {
        let params: Vec<&str> = test.params.iter().map(|param| param.name).collect();
        let params = if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) };
        [word(&format!("{}{params}", test.name)), prose(test.summary)]
    };
    doc.table(["test", "holds"], TESTS.iter().map(row));
    Page::new("filters", "What can be done with a value.", doc)
}

fn one(doc: &mut Doc, filter: &FilterSpec) {
    doc.section(&word(filter.name));
    let mut about = vec![sentence(filter.summary)];
    if !filter.input.is_empty() {
        let kinds: Vec<String> = filter.input.iter().map(ToString::to_string).collect();
        about.push(format!("Takes {}.", kinds.join(" or ")));
    }
    if let Some(output) = filter.output.words() {
        about.push(format!("Gives {output}."));
    }
    if filter.over_lists {
        about.push("Of a list, takes each item.".to_owned());
    }
    if !filter.aliases.is_empty() {
        about.push(format!("Also called {}.", words(filter.aliases.iter().copied(), "and")));
    }
    doc.block(&about.join(" "));
    if !filter.params.is_empty() {
        doc.block(&word(&filter.signature()));
        let row = |param: &Param| {
            let meaning = format!("{}{}", prose(param.doc), choices(param));
            [word(param.name), param.ty.words().to_owned(), meaning]
        };
        doc.table(["parameter", "takes", "meaning"], filter.params.iter().map(row));
    }
    doc.list(filter.examples.iter().map(example));
}

fn choices(param: &Param) -> String {
    match param.ty {
        ParamType::Choice(known) => format!(": {}", words(known.iter().copied(), "or")),
        _ => String::new(),
    }
}

fn example(example: &Example) -> String {
    let with = match example.context {
        "" | "{}" => String::new(),
        context => format!(", with {}", word(context)),
    };
    format!("{} → {}{with}", word(example.expression), word(example.result))
}
