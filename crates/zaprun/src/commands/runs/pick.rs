//! Which runs a command is about: by number, or by a filter.

use serde::Serialize;
use zaprun_engine::ports::{Answer, Chosen, History, RunFilter, RunState, RunSummary};
use zaprun_store::SqliteReader;

use super::desk::Outcome;
use super::list::{Filter, Format, table};
use super::{find, parse_id, state_error};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::Opened;
use crate::output::{count, pretty};

/// So many runs are shown before somebody confirms; the rest is counted.
const SHOWN: usize = 20;
/// So many refusals are told one by one.
const TOLD: usize = 20;

/// Runs by number, or by a filter.
#[derive(Debug, clap::Args)]
pub(crate) struct Pick {
    /// The runs, as `runs list` numbers them
    #[arg(value_name = "ID", value_parser = parse_id)]
    ids: Vec<i64>,

    #[command(flatten)]
    filter: Filter,
}

impl Pick {
    /// Whether runs are named one by one.
    pub(crate) fn by_number(&self) -> bool {
        !self.ids.is_empty()
    }

    /// The runs; by a filter that names no state, those of `usual` states.
    ///
    /// # Errors
    /// When nothing says which, or one of the numbers is none.
    pub(crate) async fn find(
        &self,
        reader: &SqliteReader,
        opened: &Opened,
        usual: &[RunState],
    ) -> Result<Vec<RunSummary>, CommandError> {
        match (self.ids.is_empty(), self.filter.is_empty()) {
            (true, true) => {
                return Err(CommandError::usage(
                    "say which runs: by number, or by --zap, --status, --since, --until, --text",
                ));
            }
            (false, false) => {
                return Err(CommandError::usage("name runs by number or by a filter, not by both"));
            }
            (false, true) => {
                let mut found = Vec::with_capacity(self.ids.len());
                for id in &self.ids {
                    let run = find(reader, &opened.state, *id).await?.summary;
                    if !found.iter().any(|known: &RunSummary| known.id == run.id) {
                        found.push(run);
                    }
                }
                return Ok(found);
            }
            (true, false) => {}
        }
        let mut filter = RunFilter { limit: usize::MAX, ..self.filter.meant() };
        if filter.states.is_empty() {
            filter.states = usual.to_vec();
        }
        let mut runs = reader.runs(filter).await.map_err(|error| state_error(&error, &opened.state))?;
        if runs.is_empty() {
            self.filter.known_zap(opened, reader).await?;
        }
        // What came first goes first.
        runs.reverse();
        Ok(runs)
    }
}

/// How a command about many runs asks and tells.
#[derive(Debug, clap::Args)]
pub(crate) struct Manner {
    /// Show what would be done, and do nothing
    #[arg(long, env = "ZAPRUN_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) dry_run: bool,

    /// Do not ask
    #[arg(long, env = "ZAPRUN_YES", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) yes: bool,

    /// How to write what was done
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// What would be done, for machines.
#[derive(Serialize)]
struct Would<'a> {
    would: &'a str,
    count: usize,
    runs: Vec<i64>,
    refused: Vec<Refusal<'a>>,
}

/// What was done, for machines.
#[derive(Serialize)]
struct Done<'a> {
    did: &'a str,
    count: u64,
    refused: Vec<Refusal<'a>>,
    /// Runs for which nobody did it in time.
    left: u64,
}

#[derive(Serialize)]
struct Refusal<'a> {
    run: i64,
    why: &'a str,
}

fn refusals(answer: &Answer) -> Vec<Refusal<'_>> {
    answer.refused.iter().map(|refused| Refusal { run: refused.run.0, why: &refused.why }).collect()
}

impl Manner {
    /// Shows what would be done to these runs, and asks whether that is meant; `Some`: the command ends here.
    ///
    /// # Errors
    /// When it is not meant, or nobody can be asked.
    pub(crate) fn agree(
        &self,
        context: &Context,
        opened: &Opened,
        verb: &str,
        runs: &[RunSummary],
        refused: &Answer,
    ) -> Result<Option<Exit>, CommandError> {
        let printer = &context.printer;
        if self.format == Format::Json {
            if self.dry_run {
                let runs: Vec<i64> = runs.iter().map(|run| run.id.0).collect();
                let would = Would { would: verb, count: runs.len(), runs, refused: refusals(refused) };
                printer.data(&opened.masker.text(&pretty(&would)))?;
                return Ok(Some(Exit::findings(!refused.refused.is_empty())));
            }
        } else {
            tell_refused(context, refused);
            let shown = runs.get(..SHOWN).unwrap_or(runs);
            let text = table(shown, printer);
            match self.dry_run {
                true => printer.data(&opened.masker.text(&text))?,
                false if !self.yes => printer.note(opened.masker.text(&text).trim_end()),
                false => {}
            }
            if runs.len() > shown.len() && (self.dry_run || !self.yes) {
                printer.note(&format!("… and {} more", runs.len() - shown.len()));
            }
        }
        let these = format!("{verb} {}", count(runs.len() as u64, "run", "runs"));
        if self.dry_run {
            printer.note(&format!("would {these}; nothing was done"));
            return Ok(Some(Exit::findings(!refused.refused.is_empty())));
        }
        if runs.is_empty() {
            self.say(context, verb, &Answer::default().and(refused.clone()), 0)?;
            return Ok(Some(Exit::findings(!refused.refused.is_empty())));
        }
        confirm(self.yes, &these)?;
        Ok(None)
    }

    /// Says what was done. `next`: what comes then.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn told(
        &self,
        context: &Context,
        did: &str,
        outcome: &Outcome,
        next: Option<&str>,
    ) -> Result<Exit, CommandError> {
        let Outcome { answer, left, .. } = outcome;
        if let Some(why) = &answer.failed {
            return Err(CommandError::failure(why.clone()));
        }
        if self.format == Format::Text {
            tell_refused(context, answer);
        }
        self.say(context, did, answer, *left)?;
        if let Some(next) = next.filter(|_| answer.done > 0 && self.format == Format::Text) {
            context.printer.note(next);
        }
        if *left > 0 {
            context.printer.warning(&format!(
                "{} left as they are: the running engine did not answer in time",
                count(*left, "run", "runs")
            ));
        }
        Ok(Exit::findings(!answer.refused.is_empty() || *left > 0))
    }

    fn say(&self, context: &Context, did: &str, answer: &Answer, left: u64) -> Result<(), CommandError> {
        match self.format {
            Format::Json => {
                let done = Done { did, count: answer.done, refused: refusals(answer), left };
                context.printer.data(&pretty(&done))
            }
            Format::Text => {
                let runs = count(answer.done, "run", "runs");
                context.printer.note(&match answer.done {
                    0 => format!("nothing to {did}"),
                    _ => format!("{did}: {runs}"),
                });
                Ok(())
            }
        }
    }
}

fn tell_refused(context: &Context, answer: &Answer) {
    for refused in answer.refused.iter().take(TOLD) {
        context.printer.warning(&format!("run {} is left as it is: {}", refused.run, refused.why));
    }
    let more = answer.refused.len().saturating_sub(TOLD);
    if more > 0 {
        context.printer.warning(&format!("so are {} more", count(more as u64, "run", "runs")));
    }
}

/// The runs as they are now.
pub(crate) fn chosen(runs: &[RunSummary]) -> Vec<Chosen> {
    runs.iter().map(|run| Chosen::as_of(run.id, run.updated_at)).collect()
}
