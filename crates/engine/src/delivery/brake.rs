//! Brakes: what is more than a zap may do is held for a person.

use super::journey::{Ended, Journey, Unit, reason};
use crate::ports::{Brake, Cost, LIMIT, RunState, Spend, Spent, StoreError};
use crate::report::Event;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::sync::PoisonError;

/// Of which brakes a person knows.
#[derive(Debug, Default)]
pub(super) struct Told {
    writes: Option<Timestamp>,
    money: Option<Date>,
}

/// Of writes that are too many a person is told once in so long.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

impl Told {
    /// Whether a person is to be told now.
    fn is_news(&mut self, brake: &Brake, day: Option<Date>, now: Timestamp) -> bool {
        match brake {
            Brake::Writes => {
                let news = self.writes.is_none_or(|told| now.duration_since(told).abs() >= AGAIN);
                if news {
                    self.writes = Some(now);
                }
                news
            }
            Brake::Money { .. } | Brake::Unknown => std::mem::replace(&mut self.money, day) != day,
        }
    }
}

impl Journey<'_> {
    /// Counts a write that is about to leave, unless its zap has done as much as it may: then the run is held.
    pub(super) async fn brake(&mut self, unit: Unit<'_>) -> Result<Option<Ended>, StoreError> {
        let lane = self.lane;
        let limits = &lane.zap.limits;
        // Who is told that a run was given up is told whatever it did before.
        if limits.is_empty() || self.failing.is_some() {
            return Ok(None);
        }
        let at = lane.shared.clock.now();
        let record = self.run.fresh.as_ref().unwrap_or(&self.run.event.record);
        let money = limits.money.as_ref().map(|limit| Cost {
            day: limit.day(at),
            amount: limit.amount(record),
            max: limit.max.clone(),
        });
        let day = money.as_ref().map(|cost| cost.day);
        let spend = Spend {
            run: self.run.id,
            // A lead and its sale are one.
            step: unit.action.id.clone(),
            element: unit.element.map(str::to_owned),
            writes_per_hour: limits.writes_per_hour,
            money,
            at,
        };
        let brake = match lane.shared.insist(|| lane.shared.store.spend(spend.clone())).await? {
            Spent::Yes => return Ok(None),
            Spent::Over(brake) => brake,
        };
        let (limit, why) = self.words(&brake);
        // Nothing of this step has left, or nothing of it has happened.
        self.open.take_if(|open| unit.is_of(open) || !open.has_left());
        // Before it is held: a process that dies in between tells again, rather than never.
        let news = lane.braked.lock().unwrap_or_else(PoisonError::into_inner).is_news(&brake, day, at);
        if news {
            let zap = lane.zap.name.clone();
            lane.shared.observer.see(Event::BrakeTripped { zap, limit, reason: why.clone() });
        }
        let detail = format!("{why}; `zaprun runs resolve {} --as done` lets it through", self.run.id);
        self.end(RunState::Held, reason(LIMIT, detail)).await?;
        Ok(Some(Ended::Resting))
    }

    /// Which limit it is, and what is wrong.
    fn words(&self, brake: &Brake) -> (&'static str, String) {
        let limits = &self.lane.zap.limits;
        let (field, max) = limits
            .money
            .as_ref()
            .map_or_else(Default::default, |limit| (limit.field.as_str(), limit.max.to_string()));
        match brake {
            Brake::Writes => {
                let most = limits.writes_per_hour.unwrap_or_default();
                (
                    "writes_per_hour",
                    format!("the zap has made {most} writes in the last hour, which is its limit"),
                )
            }
            Brake::Money { spent } => {
                ("money", format!("with it `{field}` would be more than {max} today; so far it is {spent}"))
            }
            Brake::Unknown => {
                ("money", format!("`{field}`, which is limited to {max} a day, holds no amount"))
            }
        }
    }
}
