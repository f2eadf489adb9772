//! `zaprun init`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::{CommandError, Exit, io_words};
use crate::project::PROJECT_FILE;

const PROJECT: &str = include_str!("zaprun.yaml");
const ZAP: &str = include_str!("new-sale.yaml");
const GITIGNORE: &str = include_str!("gitignore");

/// Start a project: zaprun.yaml, one zap, schemas for your editor
///
/// Writes zaprun.yaml, a zap that posts every new sale to ${SINK_URL}, JSON schemas for your editor and .gitignore.
/// Never overwrites a file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to start it
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    // `-C` names the folder as well as the argument does; both together are one path.
    let folder = context.project.clone().unwrap_or_default().join(&args.folder);
    if fs::symlink_metadata(folder.join(PROJECT_FILE)).is_ok() {
        return Err(CommandError::usage(format!("{} exists already", tidy(&folder.join(PROJECT_FILE))))
            .hint("nothing was written; `zaprun validate` checks what is there"));
    }
    if fs::metadata(&folder).is_ok_and(|found| !found.is_dir()) {
        return Err(CommandError::usage(format!("{} is a file, not a folder", tidy(&folder)))
            .hint("name the folder in which the project is to begin"));
    }
    let mut files = vec![
        (PathBuf::from(PROJECT_FILE), PROJECT.to_owned()),
        (PathBuf::from("zaps/new-sale.yaml"), ZAP.to_owned()),
        (PathBuf::from(".gitignore"), GITIGNORE.to_owned()),
    ];
    let schemas = zaprun_core::schema::schemas();
    files.extend(schemas.into_iter().map(|(name, text)| (Path::new("schemas").join(name), text)));
    let printer = &context.printer;
    let mut kept_gitignore = false;
    for (name, text) in files {
        let path = folder.join(&name);
        let written = write_new(&path, &text).map_err(|error| {
            CommandError::failure(format!("{} cannot be written: {}", tidy(&path), io_words(&error)))
        })?;
        let shown = tidy(&path);
        if written {
            printer.note(&format!("  {} {shown}", printer.err().green("wrote")));
        } else {
            printer.note(&format!("  {}  {shown}, which was there", printer.err().yellow("kept")));
            kept_gitignore |= name.as_os_str() == ".gitignore" && !ignores_state(&path);
        }
    }
    if kept_gitignore {
        printer.hint("add /state/ to .gitignore: what zaprun keeps between runs does not belong in git");
    }
    next_steps(context, &folder);
    Ok(Exit::Fine)
}

/// Whether git passes over what zaprun keeps between runs.
fn ignores_state(gitignore: &Path) -> bool {
    let text = fs::read_to_string(gitignore).unwrap_or_default();
    text.lines().any(|line| matches!(line.trim(), "/state/" | "/state" | "state/" | "state" | "/state/*"))
}

/// Writes a file that is not there, with its folders; says whether it did.
pub(crate) fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn next_steps(context: &Context, folder: &Path) {
    let printer = &context.printer;
    let paint = printer.err();
    let mut steps = vec![
        ("zaprun validate".to_owned(), "checks everything, needs nothing"),
        ("zaprun sandbox".to_owned(), "a CRM to try it on; it prints what to set in another terminal"),
        ("zaprun run".to_owned(), "in that other terminal; Ctrl-C ends it"),
    ];
    let shown = tidy(folder);
    if shown != "." {
        steps.insert(0, (format!("cd {}", shell_word(&shown)), ""));
    }
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    printer.note(&format!("\n{}", paint.bold("next")));
    for (command, why) in steps {
        let why = if why.is_empty() { String::new() } else { paint.dim(&format!("  # {why}")) };
        printer.note(format!("  {command:width$}{why}").trim_end());
    }
}

/// A path without the `./` that nobody types.
fn tidy(path: &Path) -> String {
    let parts: PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    if parts.as_os_str().is_empty() { ".".to_owned() } else { parts.display().to_string() }
}

/// A word as a shell reads it back.
fn shell_word(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+@:%,=~".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        assert!(write_new(&path, "one").unwrap());
        assert!(!write_new(&path, "two").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert!(write_new(&path.join("under-a-file"), "x").is_err());
    }

    #[test]
    fn a_gitignore_that_holds_the_state_is_not_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".gitignore");
        for (text, ignores) in
            [("/state/\n", true), ("target\nstate\n", true), ("# /state/\n", false), ("/states/\n", false)]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(ignores_state(&path), ignores, "{text}");
        }
        assert!(!ignores_state(&folder.path().join("none")));
    }

    #[test]
    fn paths_read_as_a_person_types_them() {
        assert_eq!(tidy(Path::new("./a/./b")), "a/b");
        assert_eq!(tidy(Path::new(".")), ".");
        assert_eq!(shell_word("my shop's"), r"'my shop'\''s'");
        assert_eq!(shell_word("shop"), "shop");
    }
}
