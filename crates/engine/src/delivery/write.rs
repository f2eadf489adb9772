//! One write to the CRM: looked at before, journalled before its first byte, never repeated blindly.
//!
//! Before the CRM is looked at, the serials of what the write is about are the run's, durably, and they stay so until
//! its outcome is known: what a look has seen, no other run of zaprun can change before the write leaves.

use super::book::{Kept, Trace};
use super::breaker::{Admission, Breaker, Effect, Health, Ticket, after};
use super::facts::show;
use super::journey::{Ended, Journey, Unit, reason};
use super::keep;
use super::policy::Verdict;
use super::shared::Phase;
use crate::measure::Class;
use crate::ports::{
    Begun, BegunAttempt, BegunWrite, CrmReply, CrmWriter, ReadError, Refusal, RunId, Seen, Sight,
    StepOutcome, StoreError, Touched, Turn, WriteOutcome,
};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::crm::{CREATE_SALE, Repeat, serial};
use zaprun_core::request::CrmRequest;
use zaprun_core::value::Value;
use zaprun_core::zap::Scope;

/// The first look at what became of a write comes so long after it.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(10);

/// What goes before the step itself.
pub(super) const LEAD: &str = "lead";

/// A look may show that a write is about more than it names, and then another look must follow; so many in all.
const LOOKS: usize = 4;

/// Leave to write now, with what the CRM showed before.
struct Leave {
    ticket: Ticket,
    turn: Turn,
    /// Nothing where a repeat is safe.
    before: Option<String>,
}

/// What came of looking before the write.
enum Before {
    /// The CRM was looked at while all serials were held.
    Saw(Sight),
    /// Not now: another run is at it.
    Later(String),
    Failed(ReadError),
    Stopping,
}

/// Whether a write may go out.
enum Door {
    Open(Leave),
    /// The unit ended, or the run rests.
    Ended(Ended),
}

impl Journey<'_> {
    /// Writes to the CRM; where the sale's lead goes first, that before.
    pub(super) async fn write(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let Some(writer) = self.lane.links.writers.get(&request.connection).cloned() else {
            let why = reason("refused", format!("there is no connection `{}`", request.connection));
            return Ok(self.dead(unit, Trace::default(), why));
        };
        let Some(lead) = &request.lead else { return self.write_one(unit, request, &*writer, scope).await };
        let lead_unit = Unit { sub: Some(LEAD), ..unit };
        if self.record_of(&lead_unit.step(), unit.element).is_none() {
            match self.write_one(lead_unit, lead, &*writer, scope).await? {
                // Until it is sold, the lead is open, and another sale of the buyer would take it for its own.
                Ended::Done => self.reserve(unit, lead.serials.clone()),
                Ended::Resting => return Ok(Ended::Resting),
                Ended::Dead(why) => {
                    let kept = Kept { why: Some(why.clone()), ..Kept::default() };
                    self.settle(unit, StepOutcome::Failed, None, 0, kept);
                    return Ok(Ended::Dead(why));
                }
            }
        }
        let lead = self.record_of(&lead_unit.step(), unit.element);
        let order = lead.and_then(|lead| member(lead.response.as_deref(), "orderId"));
        // A person who says that a lead was imported need not know its id; then the sale is found by its buyer.
        if order.is_none() && lead.is_some_and(|lead| lead.why.is_some()) {
            return self.write_one(unit, request, &*writer, scope).await;
        }
        let Some(order) = order else {
            let why = reason("refused", "the lead was imported, and the CRM's answer names no orderId");
            return Ok(self.dead(unit, Trace::default(), why));
        };
        let mut sale = request.clone();
        sale.params.retain(|(name, _)| name != "orderId");
        sale.serials.extend(serial::of_id(&request.connection, "orderId", &order));
        sale.params.push(("orderId".to_owned(), order));
        self.write_one(unit, &sale, &*writer, scope).await
    }

    async fn write_one(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        writer: &dyn CrmWriter,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let Some(breaker) = self.lane.breaker(unit.place).cloned() else { return self.stay().await };
        if let Some(open) = self.open.clone().filter(|open| unit.is_of(open) && open.has_left()) {
            return match self.look_again(unit, request, open, writer, &breaker, scope).await? {
                super::look::Found::Ended(ended) => Ok(ended),
                // It is proven that nothing happened.
                super::look::Found::Nothing => self.send(unit, request, writer, &breaker, scope).await,
            };
        }
        self.send(unit, request, writer, &breaker, scope).await
    }

    async fn send(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        writer: &dyn CrmWriter,
        breaker: &Arc<Breaker>,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let Leave { ticket, turn, before } = match self.door(unit, request, writer, breaker, scope).await? {
            Door::Open(leave) => leave,
            Door::Ended(ended) => return Ok(ended),
        };
        let shared = Arc::clone(&self.lane.shared);
        if let Some(before) = before {
            let serials = self.serials();
            if let Begun::Waits(other) =
                self.begin_write(unit, &request.params, Some(before), serials).await?
            {
                self.quit(ticket, breaker, Health::Silent);
                self.release(unit, request);
                return self.queue(waits_for(other)).await;
            }
        }
        let sent_at = shared.clock.now();
        let outcome = writer.write_in_turn(request, turn).await;
        let effect = ticket.report(self.run.id, health(&outcome), shared.clock.now());
        shared.announce(breaker, &effect);
        self.count_attempt(unit, breaker.target(), class(&outcome, request), sent_at);
        self.consequences(unit, request, outcome, &effect, breaker.target(), scope).await
    }

    /// Everything that comes before the first byte: the breaker, a look at how things are, and the connection's turn.
    async fn door(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        writer: &dyn CrmWriter,
        breaker: &Arc<Breaker>,
        scope: &mut Scope,
    ) -> Result<Door, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        if shared.phases.now() == Phase::Stopping {
            return self.stay().await.map(Door::Ended);
        }
        let ticket = match breaker.admit(shared.clock.now()) {
            Admission::Send(ticket) => ticket,
            Admission::Park { until, reason, fault } => {
                return self.shut(breaker, until, &reason, fault).await.map(Door::Ended);
            }
        };
        if let Some(ended) = self.brake(unit).await? {
            self.quit(ticket, breaker, Health::Silent);
            return Ok(Door::Ended(ended));
        }
        if self.book.is_open() {
            self.save().await?;
        }
        let mut before = None;
        if request.repeat != Repeat::Safe {
            match self.look_before(unit, request, writer).await? {
                Before::Saw(Sight { seen: Seen::Happened { response }, .. }) => {
                    self.quit(ticket, breaker, Health::Well);
                    return Ok(Door::Ended(self.written(unit, request, &as_reply(response), 0, scope)));
                }
                Before::Saw(Sight { seen: Seen::Refused { reason: why }, .. }) => {
                    self.quit(ticket, breaker, Health::Well);
                    return Ok(Door::Ended(self.dead(unit, Trace::default(), reason("refused", why))));
                }
                Before::Saw(Sight { seen: Seen::NotHappened | Seen::Unclear { .. }, state, .. }) => {
                    before = Some(state);
                }
                Before::Later(why) => {
                    self.quit(ticket, breaker, Health::Silent);
                    self.release(unit, request);
                    return self.queue(why).await.map(Door::Ended);
                }
                Before::Failed(error) => {
                    let effect = ticket.report(self.run.id, health_of_read(&error), shared.clock.now());
                    shared.announce(breaker, &effect);
                    self.release(unit, request);
                    return self.unread(unit, &error, &effect, breaker.target()).await.map(Door::Ended);
                }
                Before::Stopping => return self.stay().await.map(Door::Ended),
            }
        }
        let turn = tokio::select! {
            biased;
            () = shared.phases.stopped() => return self.stay().await.map(Door::Ended),
            turn = writer.turn_for(self.run.zap) => turn,
        };
        if !ticket.is_probe()
            && let Admission::Park { until, reason, fault } = breaker.admit(shared.clock.now())
        {
            self.release(unit, request);
            return self.shut(breaker, until, &reason, fault).await.map(Door::Ended);
        }
        Ok(Door::Open(Leave { ticket, turn, before }))
    }

    /// Gives a ticket back of which no use is made, so that where it was the probe, another run may be it.
    pub(super) fn quit(&self, ticket: Ticket, breaker: &Arc<Breaker>, health: Health) {
        let shared = &self.lane.shared;
        let effect = ticket.report(self.run.id, health, shared.clock.now());
        shared.announce(breaker, &effect);
    }

    async fn shut(
        &mut self,
        breaker: &Breaker,
        until: jiff::Timestamp,
        why: &str,
        fault: bool,
    ) -> Result<Ended, StoreError> {
        if fault {
            self.retrying_since = None;
        }
        self.park(breaker.target(), why, until).await
    }

    /// Looks at the CRM while no other run can write for the same. What a look shows the write to be about is taken
    /// too, and then that look proves nothing yet.
    async fn look_before(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        writer: &dyn CrmWriter,
    ) -> Result<Before, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        let mut serials = request.serials.clone();
        for _ in 0..LOOKS {
            if !serials.is_empty()
                && let Begun::Waits(other) = self.begin_write(unit, &[], None, serials.clone()).await?
            {
                return Ok(Before::Later(waits_for(other)));
            }
            let sight = tokio::select! {
                biased;
                () = shared.phases.stopped() => return Ok(Before::Stopping),
                sight = writer.look_for(self.run.zap, request, None) => sight,
            };
            let sight = match sight {
                Ok(sight) => sight,
                Err(error) => return Ok(Before::Failed(error)),
            };
            let held = serials.len();
            for serial in &sight.serials {
                if !serials.contains(serial) {
                    serials.push(serial.clone());
                }
            }
            let settles = matches!(sight.seen, Seen::Happened { .. } | Seen::Refused { .. });
            if settles || serials.len() == held {
                return Ok(Before::Saw(sight));
            }
        }
        Ok(Before::Later("what it is about changes from look to look".to_owned()))
    }

    /// Makes it durable that a write is about to leave which may not be repeated; without `before`, that none of its
    /// serials is anybody else's meanwhile.
    async fn begin_write(
        &mut self,
        unit: Unit<'_>,
        params: &[(String, String)],
        before: Option<String>,
        serials: Vec<String>,
    ) -> Result<Begun, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        let write = BegunWrite { params: params.to_vec(), before, serials, looked: None };
        let begun = self.beginning(unit, write);
        let answer = shared.insist(|| shared.store.begin_attempt(self.run.id, begun.clone())).await?;
        if answer == Begun::Yes {
            self.open = Some(begun);
        }
        Ok(answer)
    }

    /// Holds the serials of a write that has yet to leave, which are held already.
    fn reserve(&mut self, unit: Unit<'_>, serials: Vec<String>) {
        let write = BegunWrite { params: Vec::new(), before: None, serials, looked: None };
        self.open = Some(self.beginning(unit, write));
    }

    fn beginning(&self, unit: Unit<'_>, write: BegunWrite) -> BegunAttempt {
        BegunAttempt {
            step: unit.step().into_owned(),
            element: unit.element.map(str::to_owned),
            at: self.lane.shared.clock.now(),
            write: Some(write),
        }
    }

    /// What is held now.
    fn serials(&self) -> Vec<String> {
        let write = self.open.as_ref().and_then(|open| open.write.as_ref());
        write.map(|write| write.serials.clone()).unwrap_or_default()
    }

    /// Gives back what is held: nothing has left, or nothing of it has happened. Between a lead and its sale what the
    /// lead held stays held.
    fn release(&mut self, unit: Unit<'_>, request: &CrmRequest) {
        match &request.lead {
            Some(lead) => self.reserve(unit, lead.serials.clone()),
            None => self.open = None,
        }
    }

    async fn consequences(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        outcome: WriteOutcome,
        effect: &Effect,
        target: &str,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let (verdict, trace) = match outcome {
            WriteOutcome::Done(reply) => {
                let attempts = self.attempts.saturating_add(1);
                return Ok(self.written(unit, request, &reply, attempts, scope));
            }
            WriteOutcome::Refused { class, reason: why, reply } => {
                let word = match class {
                    Refusal::Validation => "invalid",
                    Refusal::Declined => "declined",
                    Refusal::Redirect => "redirect",
                    Refusal::Error => "refused",
                };
                let trace = Trace { status: None, reply: keep::reply(&*self.lane.shared.mask, &reply.body) };
                return Ok(self.dead(unit, trace, reason(word, why)));
            }
            WriteOutcome::Unknown { reason: why, .. } if request.repeat != Repeat::Safe => {
                let now = self.lane.shared.clock.now();
                self.fail(unit, why.clone(), Trace::default());
                return self.doubt(unit, why, after(now, FIRST_LOOK)).await;
            }
            WriteOutcome::Unknown { reason, retry_after } => {
                (Verdict::Retry { reason, retry_after, ill: true }, Trace::default())
            }
            WriteOutcome::NotSent { reason, retryable: true, retry_after } => {
                (Verdict::Retry { reason, ill: retry_after.is_none(), retry_after }, Trace::default())
            }
            WriteOutcome::NotSent { reason, .. } => (Verdict::Refused { reason }, Trace::default()),
            WriteOutcome::Stopped(error) => (verdict_of(&error), Trace::default()),
        };
        // The CRM said that it did nothing, or nothing reached it.
        self.release(unit, request);
        self.failed(unit, trace, verdict, effect, target).await
    }

    /// A look-up that gave nothing. No write has left.
    pub(super) async fn unread(
        &mut self,
        unit: Unit<'_>,
        error: &ReadError,
        effect: &Effect,
        target: &str,
    ) -> Result<Ended, StoreError> {
        self.failed(unit, Trace::default(), verdict_of(error), effect, target).await
    }

    /// The write was done; what it touched is zaprun's own doing from now on.
    pub(super) fn written(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        reply: &CrmReply,
        attempts: u32,
        scope: &mut Scope,
    ) -> Ended {
        let mask = Arc::clone(&self.lane.shared.mask);
        let named = |name| member(Some(&reply.response), name);
        if let Some(order) = named("orderId").or_else(|| request.param("orderId").map(str::to_owned)) {
            let made = request.param("orderId").is_none() && request.endpoint.makes_order();
            let sold = *request.endpoint == CREATE_SALE;
            self.book.touch(Touched { order, made, sold, depth: self.run.depth.saturating_add(1) });
        }
        let response = keep::response(&*mask, reply.response.to_vec());
        // The lead's answer is needed for the sale; others only where a step reads them.
        let keeps = unit.sub.is_some() || unit.action.reads_response();
        if unit.sub.is_none() {
            show(scope, &unit.action.id, unit.element, StepOutcome::Done, Some(&response));
        }
        let kept =
            Kept { reply: keep::reply(&*mask, &reply.body), response: keeps.then_some(response), why: None };
        self.settle(unit, StepOutcome::Done, None, attempts, kept);
        Ended::Done
    }
}

fn waits_for(other: RunId) -> String {
    format!("run {other} writes for the same buyer or order, and its outcome is not known yet")
}

/// A member of a JSON object, as text.
pub(super) fn member(json: Option<&[u8]>, name: &str) -> Option<String> {
    let text = std::str::from_utf8(json?).ok()?;
    let value = Value::from_json(text).ok()?;
    value.as_object()?.member(name).to_text().ok().filter(|text| !text.is_empty())
}

/// What a failed look or a refusal of the caller means.
pub(super) fn verdict_of(error: &ReadError) -> Verdict {
    let reason = error.to_string();
    match error {
        ReadError::Credentials { .. } | ReadError::Whitelist { .. } => Verdict::ConnectionFault { reason },
        ReadError::Permission { .. } => Verdict::Forbidden { reason },
        ReadError::Transport { retry_after, .. } => {
            Verdict::Retry { reason, retry_after: *retry_after, ill: true }
        }
        ReadError::TooMany { .. } => Verdict::Refused { reason },
        // An unknown error of a read is often gone a little later (contract §1.4).
        ReadError::Vendor { .. } => Verdict::Retry { reason, retry_after: None, ill: false },
    }
}

/// What a read that failed says about the connection.
pub(super) fn health_of_read(error: &ReadError) -> Health {
    match verdict_of(error) {
        Verdict::ConnectionFault { reason } => Health::Fault(reason),
        Verdict::Forbidden { reason } => Health::Forbidden(reason),
        Verdict::Retry { reason, ill: true, .. } => Health::Ill(reason),
        _ => Health::Well,
    }
}

/// What a write's outcome says about the connection, whatever it means for the run.
fn health(outcome: &WriteOutcome) -> Health {
    match outcome {
        WriteOutcome::Done(_) | WriteOutcome::Refused { .. } => Health::Well,
        WriteOutcome::Stopped(error) => health_of_read(error),
        WriteOutcome::NotSent { retryable: false, .. } => Health::Silent,
        WriteOutcome::NotSent { retry_after: Some(asked), .. } => Health::Busy(Some(*asked)),
        WriteOutcome::NotSent { reason, .. } | WriteOutcome::Unknown { reason, .. } => {
            Health::Ill(reason.clone())
        }
    }
}

/// What a write's outcome is counted as.
fn class(outcome: &WriteOutcome, request: &CrmRequest) -> Class {
    match outcome {
        WriteOutcome::Done(_) => Class::Done,
        WriteOutcome::Unknown { .. } if request.repeat != Repeat::Safe => Class::Uncertain,
        WriteOutcome::Unknown { .. } | WriteOutcome::NotSent { retryable: true, .. } => Class::Retry,
        WriteOutcome::Refused { .. } | WriteOutcome::NotSent { .. } => Class::Refused,
        WriteOutcome::Stopped(error) => Class::of(&verdict_of(error)),
    }
}

/// What a look gave, as bytes that a step keeps.
pub(super) fn as_reply(response: Bytes) -> CrmReply {
    CrmReply { body: response.clone(), response }
}
