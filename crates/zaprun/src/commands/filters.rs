//! `zaprun filters`

use std::fmt::Write;

use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::filters::{self, FilterSpec, Param, ParamType};

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::output::{Paint, Table, Tone};

/// Explain the filters that expressions may use
///
/// Without a name it lists all; with one it shows its parameters and examples.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The filter
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let Some(name) = &args.name else {
        let mut table = Table::new(&context.printer, &["filter", "what it does"]);
        for filter in filters::all() {
            let mut names = vec![filter.name];
            names.extend(filter.aliases);
            table.toned([(names.join(", "), Tone::Good), (filter.summary.to_owned(), Tone::Plain)]);
        }
        context.printer.data(&table.render())?;
        return Ok(Exit::Fine);
    };
    let Some(filter) = filters::find(name) else {
        let error = CommandError::usage(format!("there is no filter `{name}`"));
        return Err(error.hint(match did_you_mean(name, filters::names()) {
            Some(like) => format!("did you mean `{like}`?"),
            None => "`zaprun filters` lists all".to_owned(),
        }));
    };
    context.printer.data(&explain(filter, context.printer.out()))?;
    Ok(Exit::Fine)
}

fn explain(filter: &FilterSpec, paint: Paint) -> String {
    let mut out = format!("{}\n{}\n", paint.bold(&filter.signature()), filter.summary);
    // Writing to a text cannot fail; nor below.
    if !filter.aliases.is_empty() {
        let _ = writeln!(out, "also called {}", filter.aliases.join(", "));
    }
    if !filter.input.is_empty() {
        let kinds: Vec<String> = filter.input.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "takes {}", kinds.join(" or "));
    }
    if let Some(output) = filter.output.words() {
        let _ = writeln!(out, "gives {output}");
    }
    if filter.over_lists {
        let _ = writeln!(out, "of a list, takes each item");
    }
    if !filter.params.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("parameters"));
        let width = filter.params.iter().map(|param| param.name.len()).max().unwrap_or(0);
        for param in filter.params {
            let _ = writeln!(out, "  {:width$}  {}{}", param.name, param.doc, details(param));
            let _ = writeln!(out, "  {:width$}  {}", "", paint.dim(param.ty.words()));
        }
    }
    if !filter.examples.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("examples"));
        for example in filter.examples {
            let _ = writeln!(out, "  {} {} {}", example.expression, paint.dim("→"), example.result);
            if !matches!(example.context, "" | "{}") {
                let _ = writeln!(out, "    {}", paint.dim(&format!("with {}", example.context)));
            }
        }
    }
    out
}

fn details(param: &Param) -> String {
    match param.ty {
        ParamType::Choice(words) => format!(" (one of {})", words.join(", ")),
        _ => String::new(),
    }
}
