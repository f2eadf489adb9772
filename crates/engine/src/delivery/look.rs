//! Finding out what became of a write whose answer was lost.

use super::book::Trace;
use super::breaker::{Admission, Breaker, after};
use super::journey::{Ended, Journey, Unit, reason};
use super::shared::Phase;
use super::write::{FIRST_LOOK, as_reply, health_of_read, member};
use crate::ports::{BegunAttempt, BegunWrite, CrmWriter, RunState, Seen, Sight, StoreError};
use crate::report::Event;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use zaprun_core::crm::{CREATE_SALE, Repeat};
use zaprun_core::request::CrmRequest;
use zaprun_core::zap::{OnUncertain, Scope};

/// Looks come no further apart than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Two looks that prove something are at least so far apart.
const APART: SignedDuration = SignedDuration::from_secs(10);

/// What looking came to.
pub(super) enum Found {
    /// The unit ended, or the run rests.
    Ended(Ended),
    /// Nothing happened, and that is proven: it may be sent again.
    Nothing,
}

impl Journey<'_> {
    /// Looks at what became of an open write, and settles it where that can be told.
    pub(super) async fn look_again(
        &mut self,
        unit: Unit<'_>,
        request: &CrmRequest,
        open: BegunAttempt,
        writer: &dyn CrmWriter,
        breaker: &Arc<Breaker>,
        scope: &mut Scope,
    ) -> Result<Found, StoreError> {
        let shared = Arc::clone(&self.lane.shared);
        // Only what has left is looked for.
        let Some(write) = open.write.clone() else { return self.stay().await.map(Found::Ended) };
        let before = write.before.clone().unwrap_or_default();
        if shared.phases.now() == Phase::Stopping {
            return self.stay().await.map(Found::Ended);
        }
        let now = shared.clock.now();
        let ticket = match breaker.admit(now) {
            Admission::Send(ticket) => ticket,
            Admission::Park { until, reason: why, .. } => {
                let why = format!("{}: {why}", breaker.target());
                return self.wait(reason("uncertain", why), until).await.map(Found::Ended);
            }
        };
        // What was sent, which an edited zap may render otherwise today.
        let sent = CrmRequest { params: write.params.clone(), ..request.clone() };
        let sight = tokio::select! {
            biased;
            () = shared.phases.stopped() => return self.stay().await.map(Found::Ended),
            sight = writer.look_for(self.run.zap, &sent, Some(&before)) => sight,
        };
        let now = shared.clock.now();
        let Sight { state, seen, .. } = match sight {
            Ok(sight) => {
                let effect = ticket.report(self.run.id, super::breaker::Health::Well, now);
                shared.announce(breaker, &effect);
                sight
            }
            Err(error) => {
                let effect = ticket.report(self.run.id, health_of_read(&error), now);
                shared.announce(breaker, &effect);
                let due = effect.park.unwrap_or_else(|| self.next_look(&open, now));
                let why = format!("what became of it cannot be looked up: {error}");
                return self.doubt(unit, why, due).await.map(Found::Ended);
            }
        };
        match self.unclaimed(&sent, seen).await? {
            Seen::Happened { response } => {
                let attempts = self.attempts.saturating_add(1);
                Ok(Found::Ended(self.written(unit, &sent, &as_reply(response), attempts, scope)))
            }
            Seen::Refused { reason: why } => {
                Ok(Found::Ended(self.dead(unit, Trace::default(), reason("refused", why))))
            }
            Seen::NotHappened if request.repeat != Repeat::Never => Ok(self.nothing_happened()),
            Seen::NotHappened => {
                // Where money is at stake, a write may still be on its way; only time and a second look are proof.
                let proven = settled(&open, request.settle_after, now)
                    && write.looked.as_ref().is_some_and(|(earlier, at)| {
                        *earlier == state
                            && settled(&open, request.settle_after, *at)
                            && now.duration_since(*at) >= APART
                    });
                if proven {
                    return Ok(self.nothing_happened());
                }
                let looked = match &write.looked {
                    // An equal earlier look that counts stays the one to compare with.
                    Some((earlier, at)) if *earlier == state && settled(&open, request.settle_after, *at) => {
                        Some((state, *at))
                    }
                    _ => Some((state, now)),
                };
                self.wait_on(open, BegunWrite { looked, ..write }, request, now).await
            }
            Seen::Unclear { reason: why } if settled(&open, request.settle_after, now) => {
                let may_repeat =
                    unit.action.on_uncertain == OnUncertain::Retry && request.repeat != Repeat::Never;
                if may_repeat {
                    return Ok(self.nothing_happened());
                }
                self.end(RunState::Held, reason("uncertain", why)).await?;
                Ok(Found::Ended(Ended::Resting))
            }
            Seen::Unclear { .. } => self.wait_on(open, write, request, now).await,
        }
    }

    /// An order that another step says it has sold is not this step's, whatever it looks like: a buyer may be known by
    /// ways that no serial joins.
    async fn unclaimed(&self, sent: &CrmRequest, seen: Seen) -> Result<Seen, StoreError> {
        let order = match &seen {
            Seen::Happened { response } if *sent.endpoint == CREATE_SALE => member(Some(response), "orderId"),
            _ => None,
        };
        let Some(order) = order else { return Ok(seen) };
        let shared = &self.lane.shared;
        let own = shared.insist(|| shared.store.own(&order, None)).await?;
        let reason = format!("order {order} of the same buyer was sold by another step of zaprun's");
        Ok(if own.sold { Seen::Unclear { reason } } else { seen })
    }

    /// Waits for a look, and says so: as long as it waits, nobody knows whether money has moved.
    pub(super) async fn doubt(
        &mut self,
        unit: Unit<'_>,
        why: String,
        next: Timestamp,
    ) -> Result<Ended, StoreError> {
        let why = self.masked(reason("uncertain", why));
        let ended = self.wait(why.clone(), next).await?;
        self.lane.shared.observer.see(Event::Uncertain {
            run: self.lane.name(&self.run),
            step: unit.step().into_owned(),
            reason: why,
            next,
        });
        Ok(ended)
    }

    /// The write counts as one attempt that failed.
    fn nothing_happened(&mut self) -> Found {
        // The serials stay held until the next attempt has begun or the step has ended.
        if let Some(write) = self.open.as_mut().and_then(|open| open.write.as_mut()) {
            write.before = None;
            write.looked = None;
        }
        self.attempts = self.attempts.saturating_add(1);
        Found::Nothing
    }

    /// Waits for the next look.
    async fn wait_on(
        &mut self,
        open: BegunAttempt,
        write: BegunWrite,
        request: &CrmRequest,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let settles_at = after(open.at, request.settle_after);
        let mut due = self.next_look(&open, now);
        if now < settles_at {
            due = due.min(settles_at);
        }
        self.open = Some(BegunAttempt { write: Some(write), ..open });
        let why = reason("uncertain", "nothing of it is to be seen so far");
        self.wait(why, due).await.map(Found::Ended)
    }

    /// Looks follow each other more and more slowly: each waits about as long as all before.
    fn next_look(&self, open: &BegunAttempt, now: Timestamp) -> Timestamp {
        let waited = Duration::try_from(now.duration_since(open.at)).unwrap_or_default();
        after(now, waited.clamp(FIRST_LOOK, LONGEST_PAUSE))
    }
}

/// Whether so much time has passed since the attempt began that its effect would have to be there.
fn settled(open: &BegunAttempt, settle_after: Duration, at: Timestamp) -> bool {
    at >= after(open.at, settle_after)
}
