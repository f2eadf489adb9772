//! `zaprun runs replay`

use std::collections::BTreeMap;

use clap::builder::BoolishValueParser;
use serde::Serialize;
use zaprun_core::zap::Zap;
use zaprun_engine::ports::{
    Answer, Command, History, Replay, RunDetail, RunState, RunSummary, StepOutcome, UNKNOWN,
};
use zaprun_store::SqliteReader;

use super::desk::{By, Desk, Outcome, PATIENCE, interrupted};
use super::list::Format;
use super::pick::{Manner, Pick, chosen};
use super::{read_state, state_error};
use crate::clock::SystemClock;
use crate::commands::plan::{self, RecordPlan};
use crate::confirm::confirm_words;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::loading::{Loading, Opened, open_whole};
use crate::output::{count, pretty};
use crate::recall::Recaller;

/// Let runs that have ended go on, or begin anew
///
/// A dead, dropped or filtered run goes on with what is unfinished: steps that failed, and those that were never reached.
/// It is mapped as it was when it was made, with the connections and `vars` of now; --latest maps it as the zap is now,
/// and shows first what of its requests is different. A delivered run can only be replayed from the start. A held run is
/// resolved or dropped first. By a filter that names no state, dead runs are meant.
///
/// Nothing that costs money is done twice: a step that must not be repeated is done again only with --from-start
/// --new-key, and only after you have typed the words that say so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 replayed, 1 some were not, 2 bad usage or no project, 130 on Ctrl-C.")]
pub(crate) struct Args {
    #[command(flatten)]
    pick: Pick,

    /// Map as the zap is now, not as it was
    #[arg(long, env = "ZAPRUN_LATEST", value_parser = BoolishValueParser::new())]
    latest: bool,

    /// Do finished steps again too
    #[arg(long, env = "ZAPRUN_FROM_START", value_parser = BoolishValueParser::new())]
    from_start: bool,

    /// Send under new idempotency keys: targets take it for something they have not seen
    #[arg(long, env = "ZAPRUN_NEW_KEY", value_parser = BoolishValueParser::new())]
    new_key: bool,

    /// The words that say that steps may be repeated which must not be, for scripts
    #[arg(long, value_name = "WORDS", env = "ZAPRUN_CONFIRM")]
    confirm: Option<String>,

    #[command(flatten)]
    manner: Manner,
}

/// The runs of one zap.
struct Group {
    runs: Vec<RunSummary>,
    how: Replay,
}

/// What would be sent otherwise, for machines.
#[derive(Serialize)]
struct Differs<'a> {
    would: &'a str,
    count: usize,
    runs: Vec<i64>,
    refused: Vec<Refusal<'a>>,
    different: &'a [RecordPlan],
}

#[derive(Serialize)]
struct Refusal<'a> {
    run: i64,
    why: &'a str,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let (root, loading, opened) = open_whole(context)?;
    let reader = read_state(&opened)?;
    let recaller = Recaller::of(&root, context.env.as_deref());
    let mut sorter = Sorter { args, loading: &loading, recaller: &recaller, recorded: BTreeMap::new() };
    let found = context.block_on(args.pick.find(&reader, &opened, &[RunState::Dead]))?;
    let mut sorted = Sorted::default();
    for summary in found {
        let detail = context.block_on(async {
            reader.run(summary.id).await.map_err(|error| state_error(&error, &opened.state))
        })?;
        // It may be gone since.
        let Some(detail) = detail else { continue };
        context.block_on(sorter.sort(&reader, &opened, detail, &mut sorted))?;
    }
    let runs: Vec<RunSummary> = sorted.groups.values().flat_map(|group| group.runs.clone()).collect();
    if args.manner.dry_run && args.manner.format == Format::Json {
        let refused =
            sorted.refused.refused.iter().map(|refused| Refusal { run: refused.run.0, why: &refused.why });
        let differs = Differs {
            would: "replay",
            count: runs.len(),
            runs: runs.iter().map(|run| run.id.0).collect(),
            refused: refused.collect(),
            different: &sorted.different,
        };
        context.printer.data(&opened.masker.text(&pretty(&differs)))?;
        return Ok(Exit::findings(!sorted.refused.refused.is_empty()));
    }
    if args.latest && args.manner.format == Format::Text {
        show(context, &opened, &sorted, runs.len());
    }
    if let Some(exit) = args.manner.agree(context, &opened, "replay", &runs, &sorted.refused)? {
        return Ok(exit);
    }
    if sorted.repeats > 0 {
        let words = format!("repeat {}", count(sorted.repeats, "step", "steps"));
        let question =
            format!("{} that must not be repeated would be repeated", count(sorted.repeats, "step", "steps"));
        confirm_words(args.confirm.as_deref(), &question, &words)?;
    }
    let desk = Desk { state: &opened.state, clock: &SystemClock, patience: PATIENCE };
    let mut all = Outcome { answer: sorted.refused, by: By::Us, left: 0 };
    for group in sorted.groups.into_values() {
        let command = Command::Replay { runs: chosen(&group.runs), how: group.how };
        let outcome = match context.block_on(desk.carry_out(command, interrupted())) {
            Ok(outcome) => outcome,
            Err(error) => {
                // What was done for other zaps is told first.
                if all.answer.done > 0 {
                    args.manner.told(context, "replayed", &all, Some(all.by.next()))?;
                }
                return Err(error);
            }
        };
        all =
            Outcome { answer: all.answer.and(outcome.answer), by: outcome.by, left: all.left + outcome.left };
    }
    let next = all.by.next();
    args.manner.told(context, "replayed", &all, Some(next))
}

/// Says what the present zaps make of the records otherwise.
fn show(context: &Context, opened: &Opened, sorted: &Sorted, runs: usize) {
    let text = plan::records_text(&sorted.different, &context.printer);
    context.printer.note(opened.masker.text(&text).trim_end());
    let same = runs.saturating_sub(sorted.different.len());
    if same > 0 {
        let same = count(same as u64, "run", "runs");
        context.printer.note(&format!("{same}: the same requests as recorded"));
    }
}

/// What has come of the runs.
#[derive(Default)]
struct Sorted {
    /// By the zap's name, and whether its steps may be repeated.
    groups: BTreeMap<(String, bool), Group>,
    refused: Answer,
    /// What the present zap makes of a run's record otherwise.
    different: Vec<RecordPlan>,
    /// How many steps would be repeated that must not be.
    repeats: u64,
}

/// A zap as it was, with its project; or why it cannot be had.
type Recorded = Result<Loading, String>;

struct Sorter<'a> {
    args: &'a Args,
    loading: &'a Loading,
    recaller: &'a Recaller,
    /// By zap and content.
    recorded: BTreeMap<(String, String), Recorded>,
}

impl Sorter<'_> {
    /// Whether a run can be replayed, and how.
    async fn sort(
        &mut self,
        reader: &SqliteReader,
        opened: &Opened,
        run: RunDetail,
        sorted: &mut Sorted,
    ) -> Result<(), CommandError> {
        let key = (run.summary.zap.clone(), run.content.clone());
        if !self.recorded.contains_key(&key) {
            let recorded =
                self.recall(reader, &key).await.map_err(|error| state_error(&error, &opened.state))?;
            self.recorded.insert(key.clone(), recorded);
        }
        if let Err(why) = self.admit(&run, &key, sorted) {
            sorted.refused.add(run.summary.id, Err(why));
        }
        Ok(())
    }

    async fn recall(
        &self,
        reader: &SqliteReader,
        (zap, content): &(String, String),
    ) -> Result<Recorded, zaprun_engine::ports::StoreError> {
        Ok(match reader.source(zap, content).await? {
            Some(source) => self.recaller.load_same(content, &source),
            None => Err("the mapping it was made with is not kept".to_owned()),
        })
    }

    fn admit(&self, run: &RunDetail, key: &(String, String), sorted: &mut Sorted) -> Result<(), String> {
        let args = self.args;
        if run.event.record.is_empty() {
            return Err("its record was erased".to_owned());
        }
        let name = &run.summary.zap;
        let now = self.loading.zaps.iter().find(|zap| zap.name == *name);
        let now =
            now.ok_or_else(|| format!("the project has no valid zap `{name}` now, so nobody would send it"))?;
        if !now.enabled {
            return Err(format!("`{name}` is switched off, so nobody would send it"));
        }
        let recorded = self.recorded.get(key);
        let was =
            recorded.and_then(|recorded| recorded.as_ref().ok()).and_then(|loading| loading.zaps.first());
        let mapped = match (args.latest, now.content == run.content) {
            (true, _) | (_, true) => now,
            (false, false) => match (was, recorded) {
                (Some(was), _) => was,
                (None, Some(Err(why))) => return Err(format!("{why}; --latest maps it as the zap is now")),
                (None, _) => return Err("the mapping it was made with cannot be had".to_owned()),
            },
        };
        let how = self.how(mapped);
        let repeats = repeats(run, &how);
        let how = Replay { repeat: repeats > 0 && args.from_start && args.new_key, ..how };
        if let Some(why) = how.refusal(run.summary.state, &run.steps) {
            let hint = if repeats > 0 { "; --from-start --new-key repeats it all the same" } else { "" };
            return Err(format!("{why}{hint}"));
        }
        if args.latest && now.content != run.content {
            let old = recorded.and_then(|recorded| recorded.as_ref().ok());
            sorted.different.extend(plan::of_run(run, old, self.loading));
        }
        sorted.repeats += repeats;
        let group = sorted
            .groups
            .entry((name.clone(), how.repeat))
            .or_insert_with(|| Group { runs: Vec::new(), how: how.clone() });
        // Runs of other contents may have other steps.
        for (ids, more) in [(&mut group.how.once, how.once), (&mut group.how.on_failure, how.on_failure)] {
            more.into_iter().for_each(|id| {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            });
        }
        group.runs.push(run.summary.clone());
        Ok(())
    }

    fn how(&self, zap: &Zap) -> Replay {
        let once = zap.actions.iter().chain(&zap.on_failure).filter(|action| !action.repeats_safely());
        Replay {
            latest: self.args.latest,
            from_start: self.args.from_start,
            new_key: self.args.new_key,
            repeat: false,
            once: once.map(|action| action.id.clone()).collect(),
            on_failure: zap.on_failure.iter().map(|action| action.id.clone()).collect(),
        }
    }
}

/// How many steps would be done again that must not be, or of which nobody knows how they ended.
fn repeats(run: &RunDetail, how: &Replay) -> u64 {
    let once = |step: &str| how.once.iter().any(|id| step.split('.').next() == Some(id));
    let must_not = |step: &&zaprun_engine::ports::StepRecord| {
        let unknown = step.why.as_ref().is_some_and(|why| why.word == UNKNOWN);
        unknown || how.from_start && step.outcome == StepOutcome::Done && once(&step.step)
    };
    run.steps.iter().filter(must_not).count() as u64
}
