//! One attempt of one step: admission, sending, and what follows from the outcome.

use super::book::{Kept, Trace};
use super::breaker::{Admission, Breaker, Effect, Health, Ticket, after};
use super::facts::show;
use super::journey::{Ended, Journey, Unit, reason};
use super::keep;
use super::policy::{Facts, Verdict, classify, next_attempt};
use super::shared::Phase;
use crate::measure::{Class, Measure};
use crate::ports::{BegunAttempt, Reply, RunState, SendOutcome, StepOutcome, StoreError, Turn};
use crate::report::Event;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::mapping::MapError;
use zaprun_core::request::{HttpRequest, Method, Request};
use zaprun_core::zap::{ResponseFacts, Scope, response_json};

/// When a parked run comes back where its breaker gives no time.
const PARKED: Duration = Duration::from_secs(60);

/// Whether a request may go out now.
enum Leave {
    Given(Ticket, Turn),
    /// Its target is at fault or busy.
    Shut {
        until: Timestamp,
        reason: String,
        fault: bool,
    },
    /// The engine is stopping.
    Stopping,
    /// Its zap has done as much as it may.
    Braked(Ended),
}

impl Journey<'_> {
    /// Sends once, unless the target is at fault or the engine is stopping, and draws the consequences.
    pub(super) async fn attempt(
        &mut self,
        unit: Unit<'_>,
        request: &Request,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        if let Some(tap) = &self.lane.shared.tap {
            tap.about(self.run.id, &unit.action.id, unit.element, request);
        }
        match request {
            Request::Http(request) => self.attempt_http(unit, request, scope).await,
            Request::Crm(request) => self.write(unit, request, scope).await,
            Request::Find(request) => self.find(unit, request, scope).await,
        }
    }

    async fn attempt_http(
        &mut self,
        unit: Unit<'_>,
        request: &HttpRequest,
        scope: &mut Scope,
    ) -> Result<Ended, StoreError> {
        let shared = &self.lane.shared;
        // There is one breaker per action, made from the same list.
        let Some(breaker) = self.lane.breaker(unit.place) else { return self.stay().await };
        let (ticket, turn) = match self.leave(unit, breaker, request).await? {
            Leave::Given(ticket, turn) => (ticket, turn),
            Leave::Shut { until, reason, fault } => {
                if fault {
                    self.retrying_since = None;
                }
                return self.park(breaker.target(), &reason, until).await;
            }
            Leave::Stopping => return self.stay().await,
            Leave::Braked(ended) => return Ok(ended),
        };
        let breaker = Arc::clone(breaker);
        // Only now: a run that waits for its turn has sent nothing, and a kill must not hold it.
        if !unit.action.repeats_safely() {
            self.begin(unit).await?;
        }
        let sent_at = shared.clock.now();
        let outcome = self.lane.links.sender.send_in_turn(request, turn).await;
        // Until the outcome is judged the request is not in question any more; where it stays so, that is said below.
        let open = self.open.take();
        let facts = Facts {
            repeats_safely: unit.action.repeats_safely(),
            has_success: unit.action.has_success(),
            reads_body: unit.action.reads_body(),
        };
        let verdict = classify(&outcome, facts, |reply| accepts(unit, scope, reply));
        let effect = ticket.report(self.run.id, health(&outcome, &verdict), shared.clock.now());
        shared.announce(&breaker, &effect);
        let class = verdict.as_ref().map_or(Class::Broken, Class::of);
        self.count_attempt(unit, breaker.target(), class, sent_at);
        match verdict {
            Ok(Verdict::Done) => Ok(self.done(unit, &outcome, scope)),
            Ok(Verdict::Uncertain { reason: why }) => {
                let trace = self.trace(&outcome);
                self.fail(unit, why.clone(), trace);
                self.open = open;
                self.end(RunState::Held, reason("uncertain", why)).await?;
                Ok(Ended::Resting)
            }
            Ok(verdict) => {
                let trace = self.trace(&outcome);
                self.failed(unit, trace, verdict, &effect, breaker.target()).await
            }
            Err(error) => {
                let why = self.mapping(&error);
                let trace = self.trace(&outcome);
                Ok(self.dead(unit, trace, why))
            }
        }
    }

    /// Waits for the request's turn, and looks then whether it may still go: whoever went before may have learnt that
    /// the target is at fault or busy.
    async fn leave(
        &mut self,
        unit: Unit<'_>,
        breaker: &Arc<Breaker>,
        request: &HttpRequest,
    ) -> Result<Leave, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        if shared.phases.now() == Phase::Stopping {
            return Ok(Leave::Stopping);
        }
        let ticket = match breaker.admit(shared.clock.now()) {
            Admission::Send(ticket) => ticket,
            Admission::Park { until, reason, fault } => return Ok(Leave::Shut { until, reason, fault }),
        };
        if request.method != Method::Get
            && let Some(ended) = self.brake(unit).await?
        {
            self.quit(ticket, breaker, Health::Silent);
            return Ok(Leave::Braked(ended));
        }
        if self.book.is_open() {
            self.save().await?;
        }
        let turn = tokio::select! {
            biased;
            () = shared.phases.stopped() => return Ok(Leave::Stopping),
            turn = self.lane.links.sender.turn_for(request, self.run.zap) => turn,
        };
        if ticket.is_probe() {
            return Ok(Leave::Given(ticket, turn));
        }
        Ok(match breaker.admit(shared.clock.now()) {
            Admission::Send(ticket) => Leave::Given(ticket, turn),
            Admission::Park { until, reason, fault } => Leave::Shut { until, reason, fault },
        })
    }

    /// Counts an attempt that began then and has ended now.
    pub(super) fn count_attempt(&self, unit: Unit<'_>, target: &str, class: Class, began: Timestamp) {
        let shared = &self.lane.shared;
        // A clock that was set back counts as no time passed.
        let took = Duration::try_from(shared.clock.now().duration_since(began)).unwrap_or_default();
        let (zap, step) = (&self.lane.zap.name, &unit.action.id);
        shared.observer.measure(Measure::Attempt { zap, step, target, class, took });
    }

    /// Makes it durable that a request is about to leave which may not be repeated.
    async fn begin(&mut self, unit: Unit<'_>) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        let begun = BegunAttempt {
            step: unit.action.id.clone(),
            element: unit.element.map(str::to_owned),
            at: shared.clock.now(),
            write: None,
        };
        // Without a serial there is nothing to wait for.
        shared.insist(|| shared.store.begin_attempt(self.run.id, begun.clone())).await?;
        self.open = Some(begun);
        Ok(())
    }

    fn done(&mut self, unit: Unit<'_>, outcome: &SendOutcome, scope: &mut Scope) -> Ended {
        let reply = match outcome {
            SendOutcome::Reply(reply) => Some(reply),
            SendOutcome::NotSent { .. } | SendOutcome::Unauthorised { .. } | SendOutcome::Unknown { .. } => {
                None
            }
        };
        let response = reply
            .filter(|_| unit.action.reads_response())
            .map(|reply| keep::response(&*self.lane.shared.mask, response_json(&seen(reply))));
        show(scope, &unit.action.id, unit.element, StepOutcome::Done, response.as_deref());
        let trace = self.trace(outcome);
        let kept = Kept { reply: trace.reply, response, why: None };
        self.settle(unit, StepOutcome::Done, trace.status, self.attempts.saturating_add(1), kept);
        Ended::Done
    }

    /// Draws the consequences of an attempt that was not accepted.
    pub(super) async fn failed(
        &mut self,
        unit: Unit<'_>,
        trace: Trace,
        verdict: Verdict,
        effect: &Effect,
        target: &str,
    ) -> Result<Ended, StoreError> {
        match verdict {
            Verdict::Refused { reason: why } => Ok(self.dead(unit, trace, reason("refused", why))),
            Verdict::Retry { reason: why, .. }
            | Verdict::Forbidden { reason: why }
            | Verdict::ConnectionFault { reason: why }
                if effect.condemned =>
            {
                let why = format!("{why}, again and again, while other runs were accepted");
                Ok(self.dead(unit, trace, reason("refused", why)))
            }
            Verdict::Forbidden { reason: why } if effect.park.is_none() => {
                Ok(self.dead(unit, trace, reason("refused", why)))
            }
            Verdict::Retry { reason: why, retry_after, .. } if effect.park.is_none() => {
                // An outage does not use up `retry.for` of those that failed just before it either.
                self.retrying_since =
                    self.retrying_since.max(effect.recovered_at.filter(|_| self.retrying_since.is_some()));
                self.retry(unit, trace, why, retry_after).await
            }
            Verdict::Retry { reason: why, .. }
            | Verdict::Forbidden { reason: why }
            | Verdict::ConnectionFault { reason: why } => {
                self.fail(unit, why.clone(), trace);
                // Neither is `retry.for` while the target is at fault.
                self.retrying_since = None;
                let until = effect.park.unwrap_or_else(|| after(self.lane.shared.clock.now(), PARKED));
                self.park(target, &why, until).await
            }
            // Settled by the caller.
            Verdict::Done | Verdict::Uncertain { .. } => Ok(Ended::Done),
        }
    }

    /// Waits for the next try, or gives up when the time is over.
    async fn retry(
        &mut self,
        unit: Unit<'_>,
        trace: Trace,
        why: String,
        retry_after: Option<Duration>,
    ) -> Result<Ended, StoreError> {
        let now = self.lane.shared.clock.now();
        let since = *self.retrying_since.get_or_insert(now);
        // A clock that was set back counts as no time passed.
        let elapsed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let failed = self.attempts.saturating_add(1);
        let wait = next_attempt(&unit.action.retry, failed, elapsed, retry_after, self.seed(unit));
        let Some(wait) = wait else {
            // A first failure may end it; nobody would guess why.
            let why = match retry_after {
                Some(asked) if elapsed < unit.action.retry.for_ => {
                    format!("{why} and asks to wait {}s, longer than is left of `retry.for`", asked.as_secs())
                }
                _ => why,
            };
            return Ok(self.dead(unit, trace, reason("expired", why)));
        };
        self.fail(unit, why.clone(), trace);
        self.attempts = failed;
        let next = after(now, wait);
        let why = reason("retrying", keep::text(&*self.lane.shared.mask, why));
        let ended = self.wait(why.clone(), next).await?;
        self.lane.shared.observer.see(Event::Retrying {
            run: self.lane.name(&self.run),
            step: unit.action.id.clone(),
            reason: why,
            attempts: failed,
            next,
        });
        Ok(ended)
    }

    fn trace(&self, outcome: &SendOutcome) -> Trace {
        match outcome {
            SendOutcome::Reply(reply) => {
                Trace { status: Some(reply.status), reply: keep::reply(&*self.lane.shared.mask, &reply.body) }
            }
            SendOutcome::NotSent { .. } | SendOutcome::Unauthorised { .. } | SendOutcome::Unknown { .. } => {
                Trace { status: None, reply: None }
            }
        }
    }

    /// Differs between runs, steps and attempts, so that retries of one outage spread.
    fn seed(&self, unit: Unit<'_>) -> u64 {
        let (high, low) = self.run.key_base.as_u64_pair();
        let place = u64::try_from(unit.place).unwrap_or_default();
        high ^ low.rotate_left(17) ^ (place << 32) ^ u64::from(self.attempts)
    }
}

fn accepts(unit: Unit<'_>, scope: &Scope, reply: &Reply) -> Result<bool, MapError> {
    unit.action.accepts(scope, unit.element, &seen(reply))
}

/// An answer as expressions see it.
fn seen(reply: &Reply) -> ResponseFacts<'_> {
    ResponseFacts { status: reply.status, headers: &reply.headers, body: &reply.body }
}

/// What an outcome says about the target, whatever it means for the run.
fn health(outcome: &SendOutcome, verdict: &Result<Verdict, MapError>) -> Health {
    match (outcome, verdict) {
        (SendOutcome::NotSent { retryable: false, .. }, _) => Health::Silent,
        (_, Ok(Verdict::Retry { reason, ill: true, .. } | Verdict::Uncertain { reason })) => {
            Health::Ill(reason.clone())
        }
        (_, Ok(Verdict::Retry { retry_after, .. })) => Health::Busy(*retry_after),
        (_, Ok(Verdict::Forbidden { reason })) => Health::Forbidden(reason.clone()),
        (_, Ok(Verdict::ConnectionFault { reason })) => Health::Fault(reason.clone()),
        (_, Ok(Verdict::Done | Verdict::Refused { .. }) | Err(_)) => Health::Well,
    }
}
