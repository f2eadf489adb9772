//! `zaprun runs show`

mod json;
mod text;

use zaprun_core::zap::Zap;
use zaprun_engine::delivery::Recall;
use zaprun_engine::ports::{RunDetail, RunState};

use super::list::Format;
use super::render::{Rendered, render};
use super::{find, parse_id, read_state, state_error};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::open_whole;
use crate::recall::Recaller;

/// Show one run: its record, requests, replies and why it is where it is
///
/// The requests are rendered again from the stored record and the zap as it was then, which gives what was sent as long as
/// `vars` and accounts have not changed. Shows personal data: it is your own terminal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run, as `runs list` numbers it
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: i64,

    /// How to write it
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

/// What can be said of a run's requests.
enum Requests {
    Rendered(Vec<Rendered>),
    Unknown(String),
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let (root, loading, opened) = open_whole(context)?;
    let reader = read_state(&opened)?;
    let run = context.block_on(find(&reader, &opened.state, args.id))?;
    let as_it_was = match loading.zaps.iter().any(|zap| zap.content == run.content) {
        true => None,
        false => {
            let source = context.block_on(async {
                let source = reader.source(&run.summary.zap, &run.content).await;
                source.map_err(|error| state_error(&error, &opened.state))
            })?;
            let recaller = Recaller::of(&root, context.env.as_deref());
            source.and_then(|source| recaller.zap(&run.content, &source).ok())
        }
    };
    let requests = requests(&loading.zaps, as_it_was.as_ref(), &run);
    let text = match args.format {
        Format::Json => json::render(&run, &requests),
        Format::Text => text::render(&run, &requests, context.printer.out()),
    };
    context.printer.data(&opened.masker.text(&text))?;
    if run.summary.state == RunState::Held && args.format == Format::Text && !context.printer.is_quiet() {
        let id = run.summary.id;
        context.printer.hint(&format!("`zaprun runs resolve {id} --as done` or `--as failed` lets it go on"));
    }
    Ok(Exit::Fine)
}

fn requests(zaps: &[Zap], as_it_was: Option<&Zap>, run: &RunDetail) -> Requests {
    let name = &run.summary.zap;
    if run.event.record.is_empty() {
        return Requests::Unknown("what they were made of was erased".to_owned());
    }
    if let Some(zap) = as_it_was {
        return rendered(zap, run);
    }
    match zaps.iter().find(|zap| zap.name == *name) {
        None => Requests::Unknown(format!("the project has no valid zap `{name}` now")),
        Some(zap) if zap.content != run.content => {
            Requests::Unknown(format!("`{name}` has changed since this run was made"))
        }
        Some(zap) => rendered(zap, run),
    }
}

fn rendered(zap: &Zap, run: &RunDetail) -> Requests {
    match render(zap, run) {
        Ok(rendered) => Requests::Rendered(rendered),
        Err(error) => Requests::Unknown(error.to_string()),
    }
}

/// The attempts of all steps of a run that has ended, those of the step in work for any other.
pub(super) fn attempts(run: &RunDetail) -> u32 {
    match run.summary.state {
        RunState::Pending => run.summary.attempts,
        _ => {
            run.steps.iter().map(|step| step.attempts).fold(0, u32::saturating_add).max(run.summary.attempts)
        }
    }
}

#[cfg(test)]
mod tests;
