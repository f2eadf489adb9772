//! `zaprun new`

mod ask;

use std::fmt::Display;
use std::io::{IsTerminal, stdin};
use std::path::Path;

use zaprun_core::definition::{Connection, Name};
use zaprun_core::diagnostic::{Diagnostic, Severity, did_you_mean};
use zaprun_core::load::File;
use zaprun_core::reference::starter::{
    Starter, action_types, connection_of_action, connection_of_trigger, events_of, start, trigger_types,
};

use crate::commands::init::write_new;
use crate::context::Context;
use crate::error::{CommandError, Exit, io_words};
use crate::loading::{self, Loading};
use crate::output::{clean, count};
use crate::render::{Findings, Format};
use ask::{Asker, Terminal};

/// Write a new zap
///
/// Any trigger with any action: as the reference's examples have them, with a test, under zaps/. On a terminal it asks
/// for what no flag says. Nothing is overwritten. A zap that writes to the CRM is switched off at first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 written, 2 bad usage.\n\nExample: zaprun new sale-to-sheet --trigger konnektive.orders --order-type new_sale --connection crm --action http --to sheet"
)]
pub(crate) struct Args {
    /// Its name: small letters, digits and hyphens
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// The type of its trigger: konnektive.orders, webhook, schedule …
    #[arg(long, value_name = "TYPE", env = "ZAPRUN_TRIGGER")]
    trigger: Option<String>,

    /// For konnektive.orders: the state that an order reaches, new_sale for example
    #[arg(long, value_name = "KIND", env = "ZAPRUN_ORDER_TYPE")]
    order_type: Option<String>,

    /// For konnektive.transactions: decline, refund or chargeback
    #[arg(long, value_name = "KIND", env = "ZAPRUN_TRANSACTION_TYPE")]
    transaction_type: Option<String>,

    /// The connection that the trigger reads, or by which it is called
    #[arg(long, value_name = "CONNECTION", env = "ZAPRUN_CONNECTION")]
    connection: Option<String>,

    /// The type of its action: http, konnektive.create_lead …
    #[arg(long, value_name = "TYPE", env = "ZAPRUN_ACTION")]
    action: Option<String>,

    /// The connection that the action calls
    #[arg(long, value_name = "CONNECTION", env = "ZAPRUN_TO")]
    to: Option<String>,

    /// The folder under zaps/ to write it to
    #[arg(long, value_name = "FOLDER", env = "ZAPRUN_FOLDER")]
    folder: Option<String>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let root = context.find_project()?;
    let project = loading::load_tests(&root, context.env.as_deref(), false);
    loading::readable(context, &project)?;
    let terminal = stdin().is_terminal() && context.printer.is_live();
    let mut terminal = terminal.then(|| Terminal::new(context.printer));
    let asker = terminal.as_mut().map(|terminal| terminal as &mut dyn Asker);
    let starter = Choosing { project: &project, asker, missing: Vec::new() }.choose(args)?;
    let path = path(args.folder.as_deref(), &starter.name)?;
    let there = || CommandError::usage(format!("{path} is there already"));
    if root.join(&path).symlink_metadata().is_ok() {
        return Err(there());
    }
    let starter = Starter { schema: schema(&path), ..starter };
    let started = start(&starter);
    check(context, &root, &path, &started.text)?;
    match write_new(&root.join(&path), &started.text) {
        Ok(true) => {}
        Ok(false) => return Err(there()),
        Err(error) => {
            return Err(CommandError::failure(format!("{path} cannot be written: {}", io_words(&error))));
        }
    }
    context.printer.data(&format!("{}\n", clean(&path)))?;
    next(context, &starter.name, &started.placeholders);
    Ok(Exit::Fine)
}

fn next(context: &Context, name: &str, placeholders: &[String]) {
    if !placeholders.is_empty() {
        let values = count(placeholders.len() as u64, "value is there only", "values are there only");
        let names = placeholders.join(", ");
        context.printer.note(&format!("{values} to be replaced: {names}"));
    }
    if !context.printer.is_quiet() {
        context.printer.hint(&format!("`zaprun render {name} --test \"an example\"` shows what it sends"));
    }
}

/// The file that a zap of a name is written to.
fn path(folder: Option<&str>, name: &str) -> Result<String, CommandError> {
    let folder = folder.unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.first() == Some(&"zaps") {
        parts.remove(0);
    }
    let bad = |part: &&str| {
        part.starts_with('.')
            || **part == *"fixtures"
            || part.contains(['\\', ':'])
            || part.chars().any(char::is_control)
    };
    if folder.starts_with('/') || parts.iter().any(bad) {
        return Err(CommandError::usage(format!("`{folder}` is no folder for zaps")).hint(
            "name a folder under zaps/, such as chat; zaps are not read out of fixtures/ and hidden folders",
        ));
    }
    let folder: String = parts.iter().map(|part| format!("{part}/")).collect();
    Ok(format!("zaps/{folder}{name}.yaml"))
}

/// The way from a file to the schema of zaps.
fn schema(path: &str) -> String {
    let up = "../".repeat(path.matches('/').count());
    format!("{up}schemas/zap.schema.json")
}

/// What is written is valid beside all else: it is read before it is written.
fn check(context: &Context, root: &Path, path: &str, text: &str) -> Result<(), CommandError> {
    let file = File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let project = loading::load_tests_and(root, context.env.as_deref(), file);
    let ours = |finding: &&Diagnostic| {
        finding.severity == Severity::Error
            && finding.span.is_some_and(|span| project.sources.file(span.file).path == path)
    };
    let errors: Vec<Diagnostic> = project.findings.iter().filter(ours).cloned().collect();
    if errors.is_empty() {
        return Ok(());
    }
    let findings = Findings { sources: &project.sources, diagnostics: &errors, prefix: "" };
    context.printer.report(&findings.render(Format::Text, &context.printer));
    Err(CommandError::failure("such a zap is not valid in this project; nothing was written"))
}

/// What a zap is to be, by flags, and by answers where there is somebody to ask.
struct Choosing<'a> {
    project: &'a Loading,
    asker: Option<&'a mut dyn Asker>,
    /// Flags that nobody gave, and what they take.
    missing: Vec<(String, String)>,
}

impl Choosing<'_> {
    fn choose(mut self, args: &Args) -> Result<Starter, CommandError> {
        let name = self.name(args.name.as_deref())?;
        let trigger = self.one("trigger", "what starts it?", args.trigger.as_deref(), &trigger_types())?;
        let event = match trigger.and_then(events_of) {
            Some((key, events)) => {
                let given = [("order_type", &args.order_type), ("transaction_type", &args.transaction_type)];
                let given =
                    given.into_iter().find(|(flag, _)| *flag == key).and_then(|(_, given)| given.as_deref());
                self.one(&key.replace('_', "-"), "when?", given, &events)?
            }
            None => None,
        };
        let connection = match trigger.map(connection_of_trigger) {
            Some(Some(kind)) => {
                self.connection("connection", "by which connection?", args.connection.as_deref(), kind)?
            }
            _ => None,
        };
        let action = self.one("action", "what does it do?", args.action.as_deref(), &action_types())?;
        let to = match action {
            Some(action) => {
                let kind = connection_of_action(action);
                self.connection("to", "by which connection?", args.to.as_deref(), kind)?
            }
            None => None,
        };
        match (name, trigger, action, to) {
            (Some(name), Some(trigger), Some(action), Some(to)) if self.missing.is_empty() => {
                Ok(Starter { name, trigger, event, connection, action, to, schema: String::new() })
            }
            _ => Err(self.incomplete()),
        }
    }

    fn incomplete(&self) -> CommandError {
        let names: Vec<&str> = self.missing.iter().map(|(flag, _)| flag.as_str()).collect();
        let are = if names.len() == 1 { "is" } else { "are" };
        let error = CommandError::usage(format!("{} {are} missing", names.join(", ")));
        let hint =
            |(flag, words): &(String, String)| (!words.is_empty()).then(|| format!("{flag} takes {words}"));
        self.missing.iter().filter_map(hint).fold(error, CommandError::hint)
    }

    fn name(&mut self, given: Option<&str>) -> Result<Option<String>, CommandError> {
        let good = |name: &str| -> Result<(), String> {
            name.parse::<Name>()?;
            let taken = self.project.files.iter().find(|file| file.name.as_deref() == Some(name));
            match taken {
                None => Ok(()),
                Some(file) => {
                    Err(format!("{} has a zap `{name}` already", self.project.sources.file(file.file).path))
                }
            }
        };
        if let Some(name) = given {
            let hint = "a name is small letters, digits and hyphens: sale-to-sheet";
            return good(name)
                .map(|()| Some(name.to_owned()))
                .map_err(|why| CommandError::usage(why).hint(hint));
        }
        match &mut self.asker {
            Some(asker) => asker.text("what is it called?", &good).map(Some),
            None => {
                self.missing.push(("NAME".to_owned(), String::new()));
                Ok(None)
            }
        }
    }

    /// One of some words; nothing, and noted, where nobody says which.
    fn one<'w>(
        &mut self,
        flag: &str,
        question: &str,
        given: Option<&str>,
        words: &[&'w str],
    ) -> Result<Option<&'w str>, CommandError> {
        if let Some(given) = given {
            // The prefix of those of the CRM goes without saying.
            let full = format!("konnektive.{given}");
            let known = words
                .iter()
                .find(|word| **word == given)
                .or_else(|| words.iter().find(|word| **word == full));
            return match known {
                Some(word) => Ok(Some(*word)),
                None => Err(unknown(flag, given, words)),
            };
        }
        match &mut self.asker {
            Some(asker) => asker.choice(question, words).map(|at| words.get(at).copied()),
            None => {
                self.missing.push((format!("--{flag}"), words.join(", ")));
                Ok(None)
            }
        }
    }

    fn connection(
        &mut self,
        flag: &str,
        question: &str,
        given: Option<&str>,
        kind: &str,
    ) -> Result<Option<String>, CommandError> {
        let definition = self.project.project.as_ref().map(|project| &project.definition);
        let Some(definition) = definition else {
            return Err(CommandError::failure("zaprun.yaml is not valid")
                .hint("`zaprun validate` says what is wrong"));
        };
        let names: Vec<&str> = definition
            .connections
            .iter()
            .filter(|(_, connection)| type_of(&connection.value) == kind)
            .map(|(name, _)| name)
            .collect();
        if names.is_empty() {
            return Err(CommandError::failure(format!("zaprun.yaml has no connection of type {kind}"))
                .hint("add one under `connections:`; `zaprun reference project` shows how"));
        }
        // Where there is one only, it is meant.
        if let ([only], None) = (names.as_slice(), given) {
            return Ok(Some((*only).to_owned()));
        }
        Ok(self.one(flag, question, given, &names)?.map(str::to_owned))
    }
}

fn type_of(connection: &Connection) -> &'static str {
    match connection {
        Connection::Konnektive(_) => "konnektive",
        Connection::Http(_) => "http",
        Connection::Webhook(_) => "webhook",
    }
}

fn unknown<W: Display + AsRef<str>>(flag: &str, given: &str, words: &[W]) -> CommandError {
    let error = CommandError::usage(format!("--{flag} does not know `{given}`"));
    match did_you_mean(given, words.iter().map(AsRef::as_ref)) {
        Some(like) => error.hint(format!("did you mean `{like}`?")),
        None => {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            error.hint(format!("it takes {}", words.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests;
