//! A look-up in the CRM, for the steps after it.

use super::book::{Kept, Trace};
use super::breaker::{Admission, Health};
use super::facts::show;
use super::journey::{Ended, Journey, Unit, reason};
use super::keep;
use super::shared::Phase;
use super::write::{health_of_read, verdict_of};
use crate::measure::Class;
use crate::ports::{StepOutcome, StoreError};
use std::sync::Arc;
use zaprun_core::request::FindRequest;
use zaprun_core::zap::Scope;

impl Journey<'_> {
    /// Looks up, and judges what was found.
    pub(super) async fn find(
        &mut self,
        unit: Unit<'_>,
        request: &FindRequest,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        let Some(writer) = self.lane.links.writers.get(&request.connection) else {
            let why = reason("refused", format!("there is no connection `{}`", request.connection));
            return Ok(self.dead(unit, Trace::default(), why));
        };
        let Some(breaker) = self.lane.breaker(unit.place).cloned() else { return self.stay().await };
        if shared.phases.now() == Phase::Stopping {
            return self.stay().await;
        }
        let ticket = match breaker.admit(shared.clock.now()) {
            Admission::Send(ticket) => ticket,
            Admission::Park { until, reason, .. } => {
                return self.park(breaker.target(), &reason, until).await;
            }
        };
        if self.book.is_open() {
            self.save().await?;
        }
        let asked_at = shared.clock.now();
        let rows = tokio::select! {
            biased;
            () = shared.phases.stopped() => return self.stay().await,
            rows = writer.find_for(self.run.zap, request) => rows,
        };
        let health = rows.as_ref().map_or_else(health_of_read, |_| Health::Well);
        let effect = ticket.report(self.run.id, health, shared.clock.now());
        shared.announce(&breaker, &effect);
        let class = rows.as_ref().map_or_else(|error| Class::of(&verdict_of(error)), |_| Class::Done);
        self.count_attempt(unit, breaker.target(), class, asked_at);
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return self.unread(unit, &error, &effect, breaker.target()).await,
        };
        let response = match unit.action.found(scope, unit.element, &rows) {
            Ok(response) => keep::response(&*shared.mask, response),
            Err(error) => {
                let why = reason("refused", error.to_string());
                return Ok(self.dead(unit, Trace::default(), why));
            }
        };
        show(scope, &unit.action.id, unit.element, StepOutcome::Done, Some(&response));
        let kept = Kept {
            reply: keep::reply(&*shared.mask, &response),
            response: unit.action.reads_response().then_some(response),
            why: None,
        };
        self.settle(unit, StepOutcome::Done, None, self.attempts.saturating_add(1), kept);
        Ok(Ended::Done)
    }
}
