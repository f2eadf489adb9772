//! Runs: their states, what the engine is handed of them, and what it records.

use super::{RunId, StoredEvent, ZapId};
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

/// A run's state as the person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunState {
    /// Waits or is being worked on.
    Pending,
    /// Every step done or skipped.
    Delivered,
    /// Its filter, or `once_per`, said no.
    Filtered,
    /// Waits for a person.
    Held,
    /// Given up; can be replayed.
    Dead,
    /// Given up by a person.
    Dropped,
}

/// Why a run is in its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReason {
    /// One word. Pending: `queued`, `settling`, `delayed`, `retrying`, `parked`, `uncertain`, `failing`; delivered:
    /// `delivered`, `skipped`, `unless`, `stopped`; filtered: `filter`, `once_per`, `own`; held: `uncertain`, `chain`,
    /// `caught_up`, `limit`; dropped: `caught_up`;
    /// dead: `refused`, `declined`, `invalid`, `redirect`, `expired`, `mapping`.
    pub word: String,
    /// Plain words, masked; empty where the word says all.
    pub detail: String,
}

/// A run handed to the engine.
#[derive(Debug, Clone)]
pub struct ClaimedRun {
    /// Its id.
    pub id: RunId,
    /// Its zap.
    pub zap: ZapId,
    /// Its event.
    pub event: StoredEvent,
    /// Base of its idempotency keys.
    pub key_base: Uuid,
    /// When the run was made.
    pub created_at: Timestamp,
    /// Why it is pending.
    pub reason: RunReason,
    /// How many of zaprun's own writes led to it.
    pub depth: u32,
    /// Why the run will end dead, once its `on_failure` steps are done.
    pub failing: Option<RunReason>,
    /// The record as it was read again once it had settled; mapped instead of the event's.
    pub fresh: Option<Bytes>,
    /// The content of the zap that it is mapped with, where that need not be the present one: a person has asked for
    /// the mapping it was made with.
    pub pinned: Option<String>,
    /// Attempts of the unfinished step (and element) so far.
    pub attempts: u32,
    /// When the first attempt of the unfinished step ended in a retryable failure; `retry.for` counts from here.
    pub retrying_since: Option<Timestamp>,
    /// Steps with an outcome, in the order they were settled.
    pub steps: Vec<StepRecord>,
    /// An attempt whose beginning was recorded and whose end was not: the process died in flight.
    pub begun: Option<BegunAttempt>,
}

/// An attempt recorded before its first byte left, or what is held for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunAttempt {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What is needed to find out what became of it, where the CRM can be asked.
    pub write: Option<BegunWrite>,
}

impl BegunAttempt {
    /// The step that it becomes when a person says how it ended. `was` is why the run was held, `attempts` how many
    /// failed before, `steps` what else has ended.
    pub fn resolved(
        &self,
        resolution: Resolution,
        was: &RunReason,
        attempts: u32,
        steps: &[StepRecord],
        at: Timestamp,
    ) -> StepRecord {
        let (outcome, word) = match resolution {
            Resolution::Done => (StepOutcome::Done, "done"),
            Resolution::Failed => (StepOutcome::Failed, "failed"),
        };
        let detail = format!("{word} by a person's word; before: {}", was.detail);
        StepRecord {
            step: self.step.clone(),
            element: self.element.clone(),
            outcome,
            status: None,
            attempts: attempts.saturating_add(1),
            at,
            reply: None,
            response: self.answer(steps).filter(|_| resolution == Resolution::Done),
            why: Some(RunReason { word: was.word.clone(), detail }),
        }
    }

    /// The ids that later steps may ask a write's answer for, as far as they are known without it: they were sent, or
    /// the lead that went before has them. Nothing for what is no write to the CRM.
    pub fn known_ids(&self, steps: &[StepRecord]) -> Vec<(&'static str, String)> {
        const IDS: [&str; 5] = ["orderId", "customerId", "transactionId", "purchaseId", "fulfillmentId"];
        let Some(write) = &self.write else { return Vec::new() };
        let lead = format!("{}.lead", self.step);
        let lead = steps.iter().find(|step| step.step == lead && step.element == self.element);
        let lead = lead.and_then(|lead| serde_json::from_slice(lead.response.as_ref()?).ok());
        let lead: serde_json::Value = lead.unwrap_or_default();
        let known = |name: &'static str| {
            let sent = write.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let of_lead = || lead.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
            Some((name, sent.or_else(of_lead).filter(|id| !id.is_empty())?))
        };
        IDS.into_iter().filter_map(known).collect()
    }

    fn answer(&self, steps: &[StepRecord]) -> Option<Bytes> {
        self.write.as_ref()?;
        let mut answer = serde_json::Map::from_iter([("result".to_owned(), "SUCCESS".into())]);
        answer.extend(self.known_ids(steps).into_iter().map(|(name, id)| (name.to_owned(), id.into())));
        Some(serde_json::Value::Object(answer).to_string().into())
    }

    /// The step that it becomes when its run is dropped while nobody knows how it ended. `was` is why the run waited.
    pub fn abandoned(&self, was: &RunReason, attempts: u32, at: Timestamp) -> StepRecord {
        let detail = format!("dropped while its outcome was not known; before: {}", was.detail);
        StepRecord {
            step: self.step.clone(),
            element: self.element.clone(),
            outcome: StepOutcome::Failed,
            status: None,
            attempts: attempts.saturating_add(1),
            at,
            reply: None,
            response: None,
            why: Some(RunReason { word: super::UNKNOWN.to_owned(), detail }),
        }
    }

    /// Whether it may have left; else only its serials are held.
    pub fn has_left(&self) -> bool {
        self.write.as_ref().is_none_or(|write| write.before.is_some())
    }
}

/// What is kept of a write to the CRM until its outcome is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunWrite {
    /// The parameters that were sent, without credentials.
    pub params: Vec<(String, String)>,
    /// What the CRM showed before it left: [`crate::ports::Sight::state`]. `None`: nothing has left yet, and only the
    /// serials are held: while the CRM is looked at, and between a lead and its sale.
    pub before: Option<String>,
    /// While this attempt is open no other that has one of these may begin.
    pub serials: Vec<String>,
    /// What the latest look showed, and when, once there was one that may count.
    pub looked: Option<(String, Timestamp)>,
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is recorded.
    Yes,
    /// Another run's attempt that has one of the serials is open: this one must wait, and nothing was recorded.
    Waits(RunId),
}

/// What zaprun knows of an order as its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Own {
    /// One of its steps made the order.
    pub made: bool,
    /// One of its steps sold it.
    pub sold: bool,
    /// A write of that serial is open, which may be making it.
    pub open: bool,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// Sent and accepted.
    Done,
    /// `when` said no, or `each` had no element.
    Skipped,
    /// Given up.
    Failed,
}

/// A finished step, or one finished element of an `each` step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// Outcome.
    pub outcome: StepOutcome,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// Attempts it took.
    pub attempts: u32,
    /// When it ended.
    pub at: Timestamp,
    /// The answer kept for people: at most 8 KiB, masked.
    pub reply: Option<Bytes>,
    /// What later steps read of the answer, as JSON `{status, headers, body}`; dropped when the run ends delivered or
    /// filtered: any other may go on by a person's word.
    pub response: Option<Bytes>,
    /// Why it was given up, or that a person settled it.
    pub why: Option<RunReason>,
}

/// A failed or unfinished attempt, kept so that a person can see what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Step id.
    pub step: String,
    /// Element key under `each`.
    pub element: Option<String>,
    /// From 1.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// What happened in plain words, masked.
    pub error: String,
    /// The answer kept for people: at most 8 KiB, masked.
    pub reply: Option<Bytes>,
}

/// An order that a step made or changed: what happens to it next is zaprun's own doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The order.
    pub order: String,
    /// It did not exist before.
    pub made: bool,
    /// It was sold by the step.
    pub sold: bool,
    /// How many of zaprun's own writes led to what happens to it next.
    pub depth: u32,
}

/// A person's word on a held run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The write happened: the run goes on after the step. One that is held for another reason goes on as it is.
    Done,
    /// It did not: the step has failed. A run that is held for another reason is given up.
    Failed,
}

/// What changes on a run, in one transaction.
#[derive(Debug, Clone)]
pub struct RunUpdate {
    /// The run.
    pub run: RunId,
    /// Steps that ended.
    pub steps: Vec<StepRecord>,
    /// Attempts that failed.
    pub failed: Vec<AttemptRecord>,
    /// Orders that its steps made or changed.
    pub touched: Vec<Touched>,
    /// The attempt whose outcome is still open; `None` clears a begun one.
    pub begun: Option<BegunAttempt>,
    /// See [`ClaimedRun::failing`].
    pub failing: Option<RunReason>,
    /// See [`ClaimedRun::fresh`]; `None` keeps what there is.
    pub fresh: Option<Bytes>,
    /// State from now on.
    pub state: RunState,
    /// Why.
    pub reason: RunReason,
    /// When a pending run is due again; now for `queued`.
    pub due_at: Timestamp,
    /// Attempts of the unfinished step so far.
    pub attempts: u32,
    /// See [`ClaimedRun::retrying_since`].
    pub retrying_since: Option<Timestamp>,
    /// When this happened.
    pub at: Timestamp,
}
