//! `zaprun schema`

use std::fs;
use std::path::{Path, PathBuf};

use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::schema::schemas;

use crate::context::Context;
use crate::error::{CommandError, Exit, io_words};
use crate::output::count;

/// Print or write the JSON schemas of everything a person writes
///
/// Editors read them by the `# yaml-language-server: $schema=…` line at the head of a file. Without arguments it lists
/// their names; with a name it prints that schema.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The schema to print: project, zap, actions/create_sale
    #[arg(value_name = "NAME", conflicts_with_all = ["write", "check"])]
    name: Option<String>,

    /// Write all schemas into a folder
    #[arg(long, value_name = "DIR", env = "ZAPRUN_WRITE", conflicts_with = "check")]
    write: Option<PathBuf>,

    /// Fail when the schemas in a folder are not those of this version [default: schemas/ of the project]
    #[arg(long, value_name = "DIR", env = "ZAPRUN_CHECK", num_args = 0..=1)]
    check: Option<Option<PathBuf>>,
}

const ENDING: &str = ".schema.json";

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if let Some(folder) = &args.write {
        return write(context, folder);
    }
    if let Some(folder) = &args.check {
        let folder = match folder {
            Some(folder) => folder.clone(),
            None => context.find_project()?.join("schemas"),
        };
        return check(context, &folder);
    }
    let names = schemas().into_iter().map(|(file, _)| file.trim_end_matches(ENDING));
    let Some(wanted) = &args.name else {
        let listed: String = names.map(|name| format!("{name}\n")).collect();
        context.printer.data(&listed)?;
        return Ok(Exit::Fine);
    };
    let name = wanted.trim_end_matches(ENDING);
    match schemas().into_iter().find(|(file, _)| file.trim_end_matches(ENDING) == name) {
        Some((_, text)) => {
            context.printer.data(&text)?;
            Ok(Exit::Fine)
        }
        None => {
            let error = CommandError::usage(format!("there is no schema `{wanted}`"));
            let names: Vec<&str> = names.collect();
            Err(error.hint(match did_you_mean(name, names.iter().copied()) {
                Some(like) => format!("did you mean {like}?"),
                None => "`zaprun schema` lists them".to_owned(),
            }))
        }
    }
}

fn write(context: &Context, folder: &Path) -> Result<Exit, CommandError> {
    let cannot = |path: &Path, error: &std::io::Error| {
        CommandError::failure(format!("{} cannot be written: {}", path.display(), io_words(error)))
    };
    for (file, text) in schemas() {
        let path = folder.join(file);
        // Those of actions have a folder of their own.
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
        fs::write(&path, text).map_err(|error| cannot(&path, &error))?;
        context.printer.note(&format!("wrote {}", path.display()));
    }
    Ok(Exit::Fine)
}

fn check(context: &Context, folder: &Path) -> Result<Exit, CommandError> {
    let mut stale = Vec::new();
    for (file, text) in schemas() {
        match fs::read_to_string(folder.join(file)) {
            Ok(committed) if committed == text => {}
            Ok(_) => stale.push(format!("{file} is not what this version writes")),
            Err(error) => stale.push(format!("{file} cannot be read: {}", io_words(&error))),
        }
    }
    if stale.is_empty() {
        context
            .printer
            .note(&format!("{} up to date", count(schemas().len() as u64, "schema is", "schemas are")));
        return Ok(Exit::Fine);
    }
    stale.iter().for_each(|line| context.printer.report(line));
    context.printer.hint(&format!("`zaprun schema --write {}` writes them", folder.display()));
    Ok(Exit::Findings)
}
