//! `zaprun state rekey`

use std::path::{Path, PathBuf};

use clap::ArgGroup;
use clap::builder::BoolishValueParser;
use zaprun_core::definition::Secret;
use zaprun_http::{SealError, StateKey};
use zaprun_store::{Options, Resealed, Sealed, SqliteStore};

use crate::commands::runs::state_error;
use crate::context::Context;
use crate::env;
use crate::error::{CommandError, Exit, io_words};
use crate::loading::{Opened, open};
use crate::output::count;

/// Seal the kept refresh tokens under a new key
///
/// Keys are named, never typed: by the variable or the file that holds them. Refused while zaprun runs. All of them are
/// sealed anew, or none: after a broken-off run, run it again. Then let `state_key` in zaprun.yaml be the new one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit: 0 all is sealed under the new key, 1 it is not and nothing was changed, 2 no project.",
    group(ArgGroup::new("old").args(["old_key_env", "old_key_file"])),
    group(ArgGroup::new("new").args(["new_key_env", "new_key_file"]).required(true))
)]
pub(crate) struct Args {
    /// The variable that holds the old key [default: the project's `state_key`]
    #[arg(long, value_name = "NAME", env = "ZAPRUN_OLD_KEY_ENV")]
    old_key_env: Option<String>,

    /// The file that holds the old key
    #[arg(long, value_name = "FILE", env = "ZAPRUN_OLD_KEY_FILE")]
    old_key_file: Option<PathBuf>,

    /// The variable that holds the new key
    #[arg(long, value_name = "NAME", env = "ZAPRUN_NEW_KEY_ENV")]
    new_key_env: Option<String>,

    /// The file that holds the new key
    #[arg(long, value_name = "FILE", env = "ZAPRUN_NEW_KEY_FILE")]
    new_key_file: Option<PathBuf>,

    /// Throw away what neither key opens: its connection goes on with the `refresh_token` that the project names
    #[arg(long, env = "ZAPRUN_DISCARD", value_parser = BoolishValueParser::new())]
    discard: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let opened = open(context)?;
    let new = named(args.new_key_env.as_deref(), args.new_key_file.as_deref(), "new")?.ok_or_else(|| {
        CommandError::usage("there is no new key").hint("name it: --new-key-env, --new-key-file")
    })?;
    let old = old_key(args, &opened)?;
    let exists = SqliteStore::open_reader(&opened.state);
    exists.map_err(|error| state_error(&error, &opened.state))?;
    let store = SqliteStore::open_engine(&opened.state, &Options::default());
    let store = store.map_err(|error| state_error(&error, &opened.state))?;
    let told = context.block_on(async {
        let failed = |error| state_error(&error, &opened.state);
        let kept = store.all_sealed().await.map_err(failed)?;
        let plan = Plan::of(kept, &old, &new, args.discard)?;
        store.reseal(plan.resealed.clone()).await.map_err(failed)?;
        plan.verify(&store.all_sealed().await.map_err(failed)?, &new)?;
        store.close().await.map_err(failed)?;
        Ok::<_, CommandError>(plan)
    })?;
    let many = told.resealed.iter().filter(|(_, sealed)| sealed.is_some()).count();
    context.printer.note(&format!("{} sealed under the new key", count(many as u64, "secret", "secrets")));
    for name in told.resealed.iter().filter(|(_, sealed)| sealed.is_none()).map(|(name, _)| name) {
        context.printer.warning(&format!("what was kept of `{name}` is thrown away"));
    }
    context.printer.hint("let `state_key` in zaprun.yaml be the new key before the next `zaprun run`");
    Ok(Exit::Fine)
}

fn old_key(args: &Args, opened: &Opened) -> Result<StateKey, CommandError> {
    match named(args.old_key_env.as_deref(), args.old_key_file.as_deref(), "old")? {
        Some(key) => Ok(key),
        None => match &opened.state_key {
            Some(key) => parsed(key.expose(), "`state_key`"),
            None => Err(CommandError::failure("the project has no `state_key`, and no old key is named")
                .hint("name it: --old-key-env, --old-key-file")),
        },
    }
}

/// The key that a variable or a file holds, where one is named.
fn named(variable: Option<&str>, file: Option<&Path>, which: &str) -> Result<Option<StateKey>, CommandError> {
    if let Some(name) = variable {
        let text = env::variable(name)
            .ok_or_else(|| CommandError::failure(format!("the {which} key: `{name}` is not set")))?;
        return parsed(&text, &format!("the {which} key in `{name}`")).map(Some);
    }
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file).map_err(|error| {
        let reason = io_words(&error);
        CommandError::failure(format!("the {which} key: {} cannot be read: {reason}", file.display()))
    })?;
    parsed(&text, &format!("the {which} key in {}", file.display())).map(Some)
}

fn parsed(text: &str, what: &str) -> Result<StateKey, CommandError> {
    StateKey::parse(text).map_err(|error| CommandError::failure(format!("{what} cannot be used: {error}")))
}

/// What takes the place of what is kept.
#[derive(Debug, Clone)]
struct Plan {
    resealed: Vec<Resealed>,
    texts: Vec<(String, Secret)>,
}

impl Plan {
    fn of(kept: Vec<Sealed>, old: &StateKey, new: &StateKey, discard: bool) -> Result<Plan, CommandError> {
        let mut plan = Plan { resealed: Vec::new(), texts: Vec::new() };
        for Sealed { name, sealed, .. } in kept {
            // One that an earlier run sealed under the new key already is sealed once more.
            let opened = old.open(&name, &sealed).or_else(|_| new.open(&name, &sealed));
            match opened {
                Ok(text) => {
                    let anew =
                        new.seal(&name, &text).map_err(|error| CommandError::failure(error.to_string()))?;
                    plan.resealed.push((name.clone(), Some(anew)));
                    plan.texts.push((name, text));
                }
                Err(SealError::Other) if discard => plan.resealed.push((name, None)),
                Err(error) => {
                    return Err(CommandError::failure(format!(
                        "what is kept of `{name}` cannot be opened with the old key: {error}; nothing was changed"
                    ))
                    .hint("where its key is lost, `--discard` throws it away; then a person must authorise anew"));
                }
            }
        }
        Ok(plan)
    }

    /// That the state now holds what it held, under the new key.
    fn verify(&self, kept: &[Sealed], new: &StateKey) -> Result<(), CommandError> {
        let holds = |(name, text): &(String, Secret)| {
            let sealed = kept.iter().find(|kept| kept.name == *name);
            sealed.is_some_and(|kept| new.open(name, &kept.sealed).as_ref() == Ok(text))
        };
        match self.texts.iter().all(holds) && kept.len() == self.texts.len() {
            true => Ok(()),
            false => {
                Err(CommandError::failure("the state does not hold what was sealed anew; restore a copy"))
            }
        }
    }
}
