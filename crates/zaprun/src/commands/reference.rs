//! `zaprun reference`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use zaprun_core::diagnostic::did_you_mean;
use zaprun_core::reference::{ENDING, Page, pages};

use crate::context::Context;
use crate::error::{CommandError, Exit, io_words};
use crate::output::{Table, Tone, count};

/// Explain every trigger, action and record, as pages of Markdown
///
/// Without arguments it lists the pages; with a name it prints that page, for example `zaprun reference create_sale`
/// or `zaprun reference triggers/http`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The page to print
    #[arg(value_name = "NAME", conflicts_with_all = ["write", "check"])]
    name: Option<String>,

    /// Write all pages into a folder
    #[arg(long, value_name = "DIR", env = "ZAPRUN_WRITE", conflicts_with = "check")]
    write: Option<PathBuf>,

    /// Fail when the pages in a folder are not those of this version
    #[arg(long, value_name = "DIR", env = "ZAPRUN_CHECK")]
    check: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    if let Some(folder) = &args.write {
        return write(context, folder);
    }
    if let Some(folder) = &args.check {
        return check(context, folder);
    }
    let pages = pages();
    let Some(wanted) = &args.name else {
        let mut table = Table::new(&context.printer, &["page", "about"]);
        for page in pages {
            table.toned([(page.name, Tone::Good), (page.summary, Tone::Plain)]);
        }
        context.printer.data(&table.render())?;
        return Ok(Exit::Fine);
    };
    context.printer.data(&find(&pages, wanted)?.text)?;
    Ok(Exit::Fine)
}

/// The page of a name, whole or without its folder or `konnektive.`.
fn find<'a>(pages: &'a [Page], wanted: &str) -> Result<&'a Page, CommandError> {
    let name = wanted.trim_end_matches(ENDING);
    let short = |page: &&Page| names(page).any(|known| known == name);
    let found: Vec<&Page> = pages.iter().filter(short).collect();
    match found.as_slice() {
        [page] => Ok(page),
        [] => {
            let error = CommandError::usage(format!("there is no page `{wanted}`"));
            let known = pages.iter().flat_map(names);
            Err(error.hint(match did_you_mean(name, known) {
                Some(like) => format!("did you mean {like}?"),
                None => "`zaprun reference` lists them".to_owned(),
            }))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|page| page.name.as_str()).collect();
            let error = CommandError::usage(format!("there are {} pages `{wanted}`", several.len()));
            Err(error.hint(format!("write {}", names.join(" or "))))
        }
    }
}

/// What a page goes by: `actions/konnektive.query`, `konnektive.query`, `query`.
fn names(page: &Page) -> impl Iterator<Item = &str> {
    let short = page.short_name();
    [page.name.as_str(), short].into_iter().chain(short.strip_prefix("konnektive."))
}

fn write(context: &Context, folder: &Path) -> Result<Exit, CommandError> {
    let cannot = |path: &Path, error: &std::io::Error| {
        CommandError::failure(format!("{} cannot be written: {}", path.display(), io_words(error)))
    };
    let pages = pages();
    for page in &pages {
        let path = file(folder, page);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
        }
        fs::write(&path, &page.text).map_err(|error| cannot(&path, &error))?;
    }
    context.printer.note(&format!(
        "wrote {} to {}",
        count(pages.len() as u64, "page", "pages"),
        folder.display()
    ));
    for path in strays(folder, &pages) {
        context.printer.warning(&format!("{} is no page of this version; remove it", path.display()));
    }
    Ok(Exit::Fine)
}

fn check(context: &Context, folder: &Path) -> Result<Exit, CommandError> {
    let pages = pages();
    let mut stale = Vec::new();
    for page in &pages {
        let path = file(folder, page);
        match fs::read_to_string(&path) {
            Ok(committed) if committed == page.text => {}
            Ok(_) => stale.push(format!("{} is not what this version writes", path.display())),
            Err(error) => stale.push(format!("{} cannot be read: {}", path.display(), io_words(&error))),
        }
    }
    stale.extend(
        strays(folder, &pages)
            .iter()
            .map(|path| format!("{} is no page of this version: remove it", path.display())),
    );
    if stale.is_empty() {
        context.printer.note(&format!("{} up to date", count(pages.len() as u64, "page is", "pages are")));
        return Ok(Exit::Fine);
    }
    stale.iter().for_each(|line| context.printer.report(line));
    context.printer.hint(&format!("`zaprun reference --write {}` writes them", folder.display()));
    Ok(Exit::Findings)
}

fn file(folder: &Path, page: &Page) -> PathBuf {
    folder.join(format!("{}{ENDING}", page.name))
}

/// Pages in the folder, or in the folders of pages, that this version does not have.
fn strays(folder: &Path, pages: &[Page]) -> Vec<PathBuf> {
    let files: BTreeSet<PathBuf> = pages.iter().map(|page| file(folder, page)).collect();
    let folders: BTreeSet<&Path> = files.iter().filter_map(|path| path.parent()).collect();
    // What cannot be listed has no page either, which the pages' own files tell.
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut strays: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ENDING.trim_start_matches('.') == ending))
        .filter(|path| !files.contains(path))
        .collect();
    strays.sort();
    strays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_by_whole_and_by_short_names() {
        let pages = pages();
        let found =
            |name: &str| find(&pages, name).map(|page| page.name.clone()).map_err(|error| error.to_string());
        assert_eq!(found("actions/http").as_deref(), Ok("actions/http"));
        assert_eq!(found("create_sale.md").as_deref(), Ok("actions/konnektive.create_sale"));
        assert_eq!(found("konnektive.orders").as_deref(), Ok("triggers/konnektive.orders"));
        assert_eq!(found("http"), Err("there are 2 pages `http`".to_owned()));
        assert_eq!(found("creat_sale"), Err("there is no page `creat_sale`".to_owned()));
    }

    #[test]
    fn what_is_no_page_any_more_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let pages = pages();
        for page in &pages {
            let path = file(folder.path(), page);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &page.text).unwrap();
        }
        assert!(strays(folder.path(), &pages).is_empty());
        let old = folder.path().join("actions/konnektive.gone.md");
        fs::write(&old, "").unwrap();
        fs::write(folder.path().join("actions/notes.txt"), "").unwrap();
        assert_eq!(strays(folder.path(), &pages), [old]);
    }
}
