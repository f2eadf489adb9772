//! The polled APIs of a set of zaps, side by side: when each is read, and what is said of it.

use super::Ports;
use super::walk::{KIND, Said, Walk, Walked};
use crate::polling::backoff::{doubled, full_jitter, seed};
use crate::polling::health::Health;
use crate::polling::{FIRST_LOOK, LAST_LOOK, LONGEST_DELAY, Polled, absent, fate_of, later};
use crate::ports::{Absence, Fate, StoreError, ZapState};
use crate::report::{Event, FeedFailure};
use futures::future::try_join_all;
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::Arc;
use zaprun_core::zap::HttpTrigger;

/// A zap for which an API is polled.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its name.
    pub name: String,
    /// Its trigger, as compiled.
    pub trigger: HttpTrigger,
    /// Where it stands, as [`crate::ports::Store::open_zap`] said.
    pub state: ZapState,
}

/// The boundary a zap starts with when it has never run.
pub fn first_boundary(trigger: &HttpTrigger, now: Timestamp) -> Timestamp {
    if trigger.beginning { Timestamp::UNIX_EPOCH } else { now }
}

impl Followed {
    fn is_at_first_boundary(&self) -> bool {
        self.state.boundary == first_boundary(&self.trigger, self.state.opened_at)
    }

    /// What becomes of news: what happened while the zap was switched off is not simply sent. `ours`: when it happened,
    /// by our clock, where it says so; `cursor`: when the last completed poll began.
    pub(super) fn caught_up(&self, ours: Option<Timestamp>, cursor: Option<Timestamp>) -> Fate {
        let absences = &self.state.absences;
        let meanwhile = match ours {
            Some(at) => absences.iter().any(|absence| absence.holds(at)),
            // What nothing dates and the first poll since then shows, was there before.
            None => {
                let unread = |off: &Absence| off.told.is_none() && cursor.is_none_or(|at| at < off.until);
                absences.last().is_some_and(unread)
            }
        };
        if meanwhile { fate_of(self.trigger.catch_up) } else { Fate::Fire }
    }

    /// Whether what is there already fires.
    pub(super) fn takes_all(&self) -> bool {
        self.trigger.beginning && self.is_at_first_boundary()
    }
}

/// Polls APIs for a set of zaps.
pub struct Feeds {
    ports: Ports,
    health: Arc<Health>,
    feeds: Vec<Feed>,
}

/// One zap's API.
struct Feed {
    zap: Followed,
    cursor: Option<Timestamp>,
    seed: u64,
    due_at: Timestamp,
    /// Polls failed since then, so many in a row.
    failing: Option<(Timestamp, u32)>,
    /// The API refuses us since then, tried so many times.
    stopped: Option<(Timestamp, u32)>,
    said: Said,
    /// Nobody was told yet what happened while the zap was switched off.
    untold: bool,
}

impl Feeds {
    /// Polls for these zaps, all of which are due at once. `seed` chooses the jitter of waits.
    pub(crate) fn new(ports: Ports, health: Arc<Health>, zaps: Vec<Followed>, seed: u64) -> Self {
        let feeds = zaps.into_iter().map(|zap| Feed {
            cursor: zap.state.cursors.iter().find(|(query, _)| query == KIND).map(|(_, at)| *at),
            untold: zap.state.absences.iter().any(Absence::is_untold),
            zap,
            seed,
            due_at: Timestamp::MIN,
            failing: None,
            stopped: None,
            said: Said::default(),
        });
        Feeds { ports, health, feeds: feeds.collect() }
    }

    /// Polls each of them once.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop. A poll that failed is reported and counted.
    pub(crate) async fn poll_once(&mut self) -> Result<Polled, StoreError> {
        let (ports, health) = (&self.ports, &self.health);
        let each = try_join_all(self.feeds.iter_mut().map(|feed| feed.poll(ports, health))).await?;
        Ok(each.into_iter().fold(Polled::default(), Polled::and))
    }

    /// Polls until it is dropped. A walk that is cut off there is one that failed: its cursor stays.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop.
    pub(crate) async fn run(&mut self) -> Result<Infallible, StoreError> {
        let (ports, health) = (&self.ports, &self.health);
        try_join_all(self.feeds.iter_mut().map(|feed| feed.forever(ports, health))).await?;
        // There is nobody to poll for.
        std::future::pending().await
    }
}

impl Feed {
    async fn forever(&mut self, ports: &Ports, health: &Health) -> Result<Infallible, StoreError> {
        loop {
            ports.polling.clock.sleep_until(self.due_at.max(health.rests_until())).await;
            // The wait is over, whatever the clock says by now.
            self.poll(ports, health).await?;
        }
    }

    async fn poll(&mut self, ports: &Ports, health: &Health) -> Result<Polled, StoreError> {
        let clock = ports.polling.clock.as_ref();
        let began = clock.now();
        let mut walk = Walk {
            ports,
            zap: &self.zap,
            cursor: self.cursor,
            seed: self.seed,
            said: &mut self.said,
            walked: Walked::default(),
            keyless: None,
            any_key: false,
            skew: jiff::SignedDuration::ZERO,
        };
        let end = walk.run().await;
        let walked = walk.walked;
        let now = clock.now();
        let first = self.cursor.is_none();
        self.cursor = self.cursor.max(walked.moved_to);
        // A clock that was set back meanwhile must not make the next poll wait for the old time.
        self.due_at = later(began.min(now), self.zap.trigger.every);
        let mut polled = Polled { walks: 1, failed: 0, tally: walked.tally };
        match end {
            Ok(()) => {
                self.ended(ports, health, &walked, first, began);
                self.tell(ports, health, &walked).await?;
            }
            Err(FeedFailure::Store(error @ StoreError::Io { .. })) => {
                polled.failed = 1;
                health.trouble(&ports.polling, &error);
            }
            Err(FeedFailure::Store(error)) => return Err(error),
            Err(cause) => {
                polled.failed = 1;
                self.failed(ports, &walked, cause);
            }
        }
        Ok(polled)
    }

    /// Tells what happened while the zap was switched off: a whole poll has shown it.
    async fn tell(&mut self, ports: &Ports, health: &Health, walked: &Walked) -> Result<(), StoreError> {
        self.untold |= walked.tally.held + walked.tally.dropped > 0;
        if !self.untold {
            return Ok(());
        }
        match absent::tell(&ports.polling, self.zap.state.id, &self.zap.name).await {
            Ok(()) => self.untold = false,
            Err(error @ StoreError::Io { .. }) => health.trouble(&ports.polling, &error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn ended(&mut self, ports: &Ports, health: &Health, walked: &Walked, first: bool, began: Timestamp) {
        let see = |event| ports.polling.observer.see(event);
        let (zap, source) = (&self.zap.name, self.zap.trigger.source());
        health.recovered(&ports.polling);
        let since = self.failing.take().into_iter().chain(self.stopped.take()).map(|(since, _)| since).min();
        if let Some(since) = since {
            see(Event::FeedRecovered { zap: zap.clone(), source: source.clone(), since });
        }
        if first && self.zap.is_at_first_boundary() {
            let (primed, fired) = (walked.tally.primed, walked.tally.fired);
            see(Event::FirstRun { zap: zap.clone(), primed, fired });
        }
        see(Event::FeedRead {
            zap: zap.clone(),
            source,
            pages: walked.pages,
            tally: walked.tally,
            took: ports.polling.clock.now().duration_since(began),
        });
    }

    fn failed(&mut self, ports: &Ports, walked: &Walked, cause: FeedFailure) {
        let now = ports.polling.clock.now();
        let (zap, source) = (self.zap.name.clone(), self.zap.trigger.source());
        // While stopped, whatever else goes wrong does not make the engine knock more often.
        if cause.refuses() || self.stopped.is_some() {
            let (since, times) = self.stopped.unwrap_or((now, 0));
            self.stopped = Some((since, times.saturating_add(1)));
            let asked = cause.asks_to_wait().unwrap_or_default().min(LAST_LOOK);
            self.due_at = later(now, doubled(FIRST_LOOK, LAST_LOOK, times).max(asked));
            if times == 0 {
                let retry_at = self.due_at;
                ports.polling.observer.see(Event::FeedStopped { zap, source, cause, retry_at });
            }
            return;
        }
        let (since, times) = self.failing.unwrap_or((now, 0));
        let failures = times.saturating_add(1);
        self.failing = Some((since, failures));
        let every = self.zap.trigger.every;
        let jitter = seed(self.seed, &self.zap.name, u64::from(failures) << 32);
        let own = full_jitter(every, LONGEST_DELAY, failures, jitter).max(every);
        let asked = cause.asks_to_wait().unwrap_or_default().min(LAST_LOOK);
        self.due_at = later(now, own.max(asked));
        let (retry_at, tally) = (self.due_at, walked.tally);
        ports.polling.observer.see(Event::FeedFailed { zap, source, cause, failures, retry_at, tally });
    }
}
