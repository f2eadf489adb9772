//! What another program asks of the one that holds the state, and what it is answered.
//!
//! A command lies in the state as JSON, under the name of its kind; so does its answer.

use super::{Resolution, RunId, RunReason, RunState, StepOutcome, StepRecord, ZapId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most runs that one command names; whoever asks for more asks several times. Each is one transaction.
pub const MOST_RUNS: usize = 500;

/// The word of a step's reason whose outcome nobody knows, since its run was dropped before it was found out.
pub const UNKNOWN: &str = "unknown";

/// Something to be done with the state by its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Says how the open steps of held runs ended, and lets the runs go on.
    Resolve {
        /// The runs.
        runs: Vec<Chosen>,
        /// What a person says.
        outcome: Resolution,
    },
    /// Gives runs up.
    Drop {
        /// The runs.
        runs: Vec<Chosen>,
    },
    /// Lets runs that have ended go on, or begin anew.
    Replay {
        /// The runs, of one zap.
        runs: Vec<Chosen>,
        /// How.
        how: Replay,
    },
    /// Takes a person out of runs that are over, and keeps of keys that are a value of theirs a hash only.
    Erase {
        /// The runs.
        runs: Vec<Chosen>,
        /// The values, in each spelling.
        values: Vec<String>,
    },
}

impl Command {
    /// The runs that it names.
    pub fn runs(&self) -> &[Chosen] {
        match self {
            Command::Resolve { runs, .. }
            | Command::Drop { runs }
            | Command::Replay { runs, .. }
            | Command::Erase { runs, .. } => runs,
        }
    }

    /// The same for fewer runs each, so that each part is one transaction that delays nobody.
    pub fn in_portions(self) -> Vec<Command> {
        let mut parts: Vec<Vec<Chosen>> = self.runs().chunks(MOST_RUNS).map(<[Chosen]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        let with = |runs| match &self {
            Command::Resolve { outcome, .. } => Command::Resolve { runs, outcome: *outcome },
            Command::Drop { .. } => Command::Drop { runs },
            Command::Replay { how, .. } => Command::Replay { runs, how: how.clone() },
            Command::Erase { values, .. } => Command::Erase { runs, values: values.clone() },
        };
        parts.into_iter().map(with).collect()
    }
}

/// A run as it was when somebody chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The run.
    pub run: RunId,
    /// When it had last changed, in microseconds since 1970 UTC. A run that has changed since is left alone: it is not
    /// what was chosen. `None`: however it is now.
    pub changed_at: Option<i64>,
}

impl Chosen {
    /// A run, however it is by then.
    pub fn any(run: RunId) -> Chosen {
        Chosen { run, changed_at: None }
    }

    /// A run as it is now, which last changed at that instant.
    pub fn as_of(run: RunId, changed_at: Timestamp) -> Chosen {
        Chosen { run, changed_at: Some(changed_at.as_microsecond()) }
    }
}

/// How to replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Mapped as the zap is now; else as it was when the run was made.
    pub latest: bool,
    /// Finished steps are done again; else only what failed and what was never reached.
    pub from_start: bool,
    /// Under idempotency keys that nobody has seen.
    pub new_key: bool,
    /// A person has said that steps may be repeated which must not be, and steps whose outcome nobody knows.
    pub repeat: bool,
    /// Ids of the zap's steps that must not be repeated without that word.
    pub once: Vec<String>,
    /// Ids of steps that are done for the failure of a run: they belong to the failure, and are done again with the next.
    pub on_failure: Vec<String>,
}

impl Replay {
    /// Why a run cannot be replayed so; nothing when it can. `steps` are those that count so far.
    pub fn refusal(&self, state: RunState, steps: &[StepRecord]) -> Option<String> {
        match state {
            RunState::Dead | RunState::Dropped | RunState::Filtered => {}
            RunState::Delivered if self.from_start => {}
            RunState::Delivered => {
                return Some("it is delivered, and nothing of it is unfinished".to_owned());
            }
            RunState::Pending => return Some("it is pending, and goes on by itself".to_owned()),
            RunState::Held => return Some("it is held; resolve or drop it first".to_owned()),
        }
        if self.repeat {
            return None;
        }
        let unknown = steps.iter().find(|step| step.why.as_ref().is_some_and(|why| why.word == UNKNOWN));
        if let Some(step) = unknown {
            return Some(format!("what became of its step `{}` is not known", step.step));
        }
        let once = |step: &&StepRecord| {
            step.outcome == StepOutcome::Done
                // What goes before a step is journalled under its name and a dot.
                && self.once.iter().any(|id| step.step.split('.').next() == Some(id))
        };
        let repeated = steps.iter().find(once).filter(|_| self.from_start);
        repeated.map(|step| format!("its step `{}` is done, and must not be done twice", step.step))
    }

    /// Whether a step that has ended is to be done again.
    pub fn does_again(&self, step: &StepRecord) -> bool {
        self.from_start || step.outcome == StepOutcome::Failed || self.on_failure.contains(&step.step)
    }

    /// Whether what is sent from now on is new to the receiver, and so counts anew towards the zap's limits. Nobody has
    /// let that through: who did spoke of what was to be sent then.
    pub fn counts_anew(&self) -> bool {
        self.from_start || self.new_key
    }

    /// The base of the idempotency keys from now on.
    pub fn key_base(&self, before: Uuid, now: Timestamp) -> Uuid {
        match self.new_key {
            false => before,
            true => Uuid::new_v5(&before, now.as_microsecond().to_string().as_bytes()),
        }
    }
}

/// Why a run cannot be dropped; nothing when it can.
pub fn drop_refusal(state: RunState) -> Option<String> {
    match state {
        RunState::Pending | RunState::Held | RunState::Dead => None,
        RunState::Delivered => Some("it is delivered".to_owned()),
        RunState::Filtered => Some("it is filtered".to_owned()),
        RunState::Dropped => Some("it is dropped already".to_owned()),
    }
}

/// Why a run that was dropped has ended. `was` is its reason until then.
pub fn dropped(was: &RunReason) -> RunReason {
    let before = match was.detail.as_str() {
        "" => was.word.clone(),
        detail => format!("{}: {detail}", was.word),
    };
    RunReason { word: "dropped".to_owned(), detail: format!("by a person; before: {before}") }
}

/// Why a command about a run was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The run.
    pub run: RunId,
    /// Plain words.
    pub why: String,
}

/// What has become of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// For how many runs it was done.
    pub done: u64,
    /// The runs that were left as they are.
    pub refused: Vec<Refused>,
    /// Why nothing at all could be done.
    pub failed: Option<String>,
}

impl Answer {
    /// Counts in what became of one run.
    pub fn add(&mut self, run: RunId, done: Result<(), String>) {
        match done {
            Ok(()) => self.done += 1,
            Err(why) => self.refused.push(Refused { run, why }),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Answer) -> Answer {
        self.done += other.done;
        self.refused.extend(other.refused);
        self.failed = self.failed.or(other.failed);
        self
    }
}

/// What has come of looking for commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obeyed {
    /// Zaps of which other runs may be due now.
    pub zaps: Vec<ZapId>,
    /// There may be more to do.
    pub more: bool,
}
