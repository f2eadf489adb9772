//! What a run waits for before a step: the order to settle, a delay, and whether it is still wanted then.

use super::breaker::after;
use super::journey::{Ended, Flow, Journey, ON, REST, Unit, reason};
use super::keep;
use crate::ports::{PageRequest, ReadError, RunReason, RunState, StoreError};
use bytes::Bytes;
use jiff::Timestamp;
use std::time::Duration;
use zaprun_core::record::{ReadSet, Row};
use zaprun_core::trigger::{Narrowing, Query};
use zaprun_core::value::Value;
use zaprun_core::zap::{CrmTrigger, Scope};

/// A record that could not be read again is tried again after this.
const REREAD_AFTER: Duration = Duration::from_secs(30);

/// A run that waits for another's write looks again after a quarter of its age, within these: the other may be held
/// until a person comes.
const QUEUED: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// Whether a step is due.
pub(super) enum Due {
    /// Yes.
    Now,
    /// The run rests until it is.
    Later,
    /// `unless:` holds: the run ends here.
    Never(RunReason),
    /// `unless:` has no answer.
    Broken(RunReason),
}

/// What reading a record again gave.
enum Reread {
    /// The row as it is now.
    Row(Bytes),
    /// There is none any more, or the trigger does not read the CRM: the record is what it was.
    Same,
    /// Not now; the run rests.
    Resting,
}

impl Journey<'_> {
    /// Waits until the order has been quiet for as long as the trigger says, and takes what it is by then.
    pub(super) async fn ripen(&mut self) -> Result<Flow, StoreError> {
        let Some(trigger) = self.lane.zap.trigger.crm() else { return Ok(ON) };
        let begun = !self.run.steps.is_empty() || self.open.is_some() || self.failing.is_some();
        let Some(settle) = trigger.settle.filter(|_| !begun && self.run.fresh.is_none()) else {
            return Ok(ON);
        };
        let now = self.lane.shared.clock.now();
        let latest = after(self.run.created_at, settle.most);
        let quiet_at = |row: &[u8]| quiet_since(trigger, row).map(|since| after(since, settle.quiet));
        // Nobody asks the CRM about an order that was seen just now.
        let first = quiet_at(&self.run.event.record).unwrap_or(self.run.created_at).min(latest);
        if now < first {
            self.wait(reason("settling", "until the order has been quiet"), first).await?;
            return Ok(REST);
        }
        let row = match self.reread(trigger).await? {
            Reread::Resting => return Ok(REST),
            Reread::Same => self.run.event.record.clone(),
            Reread::Row(row) => row,
        };
        let due = quiet_at(&row).unwrap_or(now).min(latest);
        if now < due {
            self.wait(reason("settling", "the order has changed meanwhile"), due).await?;
            return Ok(REST);
        }
        self.book.renew(row.clone());
        self.run.fresh = Some(row);
        Ok(ON)
    }

    /// A lead that zaprun itself made is no news, unless the trigger says so. While a write is open that may be making
    /// it, nobody knows yet.
    pub(super) async fn own_doing(&mut self) -> Result<Flow, StoreError> {
        let Some(trigger) = self.lane.zap.trigger.crm().filter(|trigger| !trigger.own) else { return Ok(ON) };
        let Ok(row) = Row::decode(&self.run.event.record, trigger.schema(), &ReadSet::All) else {
            return Ok(ON);
        };
        let Some(order) = trigger.order(&row) else { return Ok(ON) };
        let serial = zaprun_core::crm::serial::of_row(&trigger.connection, &row);
        let shared = &self.lane.shared;
        let own = shared.insist(|| shared.store.own(&order, serial.clone())).await?;
        if own.made {
            self.end(RunState::Filtered, reason("own", "zaprun made this lead itself")).await?;
            return Ok(REST);
        }
        if own.open {
            self.queue("zaprun may be making this lead itself just now".to_owned()).await?;
            return Ok(REST);
        }
        Ok(ON)
    }

    /// Waits for another run's write.
    pub(super) async fn queue(&mut self, why: String) -> Result<Ended, StoreError> {
        let now = self.lane.shared.clock.now();
        let age = Duration::try_from(now.duration_since(self.run.created_at)).unwrap_or_default();
        // Two that each hold what the other waits for give it back and come again; not at the same moment.
        let spread = Duration::from_millis(self.run.key_base.as_u64_pair().1 % 1_000);
        let due = after(now, (age / 4).clamp(QUEUED.0, QUEUED.1) + spread);
        self.wait(reason("queued", why), due).await
    }

    /// Whether a step is due, and still wanted.
    pub(super) async fn pause(&mut self, unit: Unit<'_>, scope: &Scope) -> Result<Due, StoreError> {
        let action = unit.action;
        let tried = self.attempts > 0 || self.retrying_since.is_some() || self.open.is_some();
        if tried {
            return Ok(Due::Now);
        }
        if let Some(delay) = action.delay {
            let due = after(self.done_at.unwrap_or(self.run.created_at), delay);
            if self.lane.shared.clock.now() < due {
                self.wait(reason("delayed", format!("step `{}` waits", action.id)), due).await?;
                return Ok(Due::Later);
            }
        }
        if !action.has_unless() {
            return Ok(Due::Now);
        }
        let fresh = match self.lane.zap.trigger.crm() {
            None => None,
            Some(trigger) => match self.reread(trigger).await? {
                Reread::Resting => return Ok(Due::Later),
                Reread::Same => None,
                Reread::Row(row) => match self.view(&row) {
                    Ok(record) => Some(record),
                    Err(why) => return Ok(Due::Broken(why)),
                },
            },
        };
        Ok(match action.unless(scope, fresh.as_ref()) {
            Ok(false) => Due::Now,
            Ok(true) => Due::Never(reason("unless", format!("`unless` of `{}` holds", action.id))),
            Err(error) => Due::Broken(self.mapping(&error)),
        })
    }

    fn view(&self, row: &[u8]) -> Result<Value, RunReason> {
        self.lane.zap.record(row).map_err(|error| self.mapping(&error))
    }

    /// Reads the run's record again, by its id.
    async fn reread(&mut self, trigger: &CrmTrigger) -> Result<Reread, StoreError> {
        let shared = std::sync::Arc::clone(&self.lane.shared);
        let Some(crm) = self.lane.links.crms.get(&trigger.connection) else { return Ok(Reread::Same) };
        let Some(first) = trigger.queries().into_iter().next() else { return Ok(Reread::Same) };
        let id = self.run.event.key.id.clone();
        let request = PageRequest {
            query: Query { params: vec![(trigger.key_field(), id.clone())], ..first },
            narrowing: Narrowing::default(),
            window: None,
            page: 1,
            per_page: 25,
            ascending: true,
        };
        match crm.page(&request).await {
            Ok(page) => {
                let this = |row: &&Bytes| {
                    let row = Row::decode(row, trigger.schema(), &trigger.fields()).ok();
                    row.and_then(|row| trigger.key(&row)).as_deref() == Some(id.as_str())
                };
                let row = page.rows.iter().find(this).cloned();
                Ok(row.map_or(Reread::Same, |row| Reread::Row(keep::row(row, trigger.schema()))))
            }
            Err(error) => {
                let wait = match &error {
                    ReadError::Transport { retry_after: Some(asked), .. } => REREAD_AFTER.max(*asked),
                    _ => REREAD_AFTER,
                };
                let why = format!("the record cannot be read again: {error}");
                self.wait(reason("retrying", why), after(shared.clock.now(), wait)).await?;
                Ok(Reread::Resting)
            }
        }
    }
}

/// When an order last changed, as far as its row tells. A CRM whose clock is ahead makes a run wait longer, but never
/// beyond `settle_max`.
fn quiet_since(trigger: &CrmTrigger, row: &[u8]) -> Option<Timestamp> {
    let row = Row::decode(row, trigger.schema(), &ReadSet::of(["dateUpdated"])).ok()?;
    Some(row.moment("dateUpdated", &trigger.zone)?.at)
}
