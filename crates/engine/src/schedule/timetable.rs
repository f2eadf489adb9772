//! The schedules of a set of zaps, side by side.

use crate::key;
use crate::polling::Ports;
use crate::polling::health::Health;
use crate::ports::{CursorMove, EventKey, Fate, NewEvent, PageCommit, StoreError, Target, ZapState};
use crate::report::Event;
use bytes::Bytes;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use std::convert::Infallible;
use std::sync::Arc;
use zaprun_core::zap::{Missed, ScheduleTrigger};

/// The kind of the events, and the name under which the cursor is kept.
pub(crate) const KIND: &str = "schedule";

/// A tick that is noticed later than this was missed.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// Ticks that one commit holds at most.
const PAGE: usize = 500;

/// A zap that fires at times.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// Its name.
    pub name: String,
    /// Its trigger, as compiled.
    pub trigger: ScheduleTrigger,
    /// Where it stands, as [`crate::ports::Store::open_zap`] said.
    pub state: ZapState,
}

/// Fires the schedules of a set of zaps.
pub struct Timetables {
    ports: Ports,
    health: Arc<Health>,
    tables: Vec<Timetable>,
}

/// One zap's schedule.
struct Timetable {
    zap: Scheduled,
    /// Every tick up to here was dealt with.
    covered: Timestamp,
    /// Whether that is durable.
    kept: bool,
    /// When ticks that could not be committed yet were noticed.
    noticed: Option<Timestamp>,
}

impl Timetables {
    /// Fires for these zaps.
    pub(crate) fn new(ports: Ports, health: Arc<Health>, zaps: Vec<Scheduled>) -> Self {
        let now = ports.clock.now();
        let tables = zaps.into_iter().map(|zap| Timetable::new(zap, now)).collect();
        Timetables { ports, health, tables }
    }

    /// Fires what is due now.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop. A state that cannot be written now is reported,
    /// and the ticks stay due.
    pub(crate) async fn look(&mut self) -> Result<(), StoreError> {
        let (ports, health) = (&self.ports, &self.health);
        try_join_all(self.tables.iter_mut().map(|table| table.look(ports, health))).await?;
        Ok(())
    }

    /// Fires until it is dropped.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop.
    pub(crate) async fn run(&mut self) -> Result<Infallible, StoreError> {
        let (ports, health) = (&self.ports, &self.health);
        try_join_all(self.tables.iter_mut().map(|table| table.forever(ports, health))).await?;
        // There is no schedule.
        std::future::pending().await
    }
}

impl Timetable {
    fn new(zap: Scheduled, now: Timestamp) -> Self {
        let state = &zap.state;
        let cursor = state.cursors.iter().find(|(query, _)| query == KIND).map(|(_, at)| *at);
        // An edited timetable counts from when it is loaded: what it would have fired before, nobody asked for then.
        let first = if state.boundary == state.opened_at { state.boundary } else { now };
        // A cursor in the future is one of a clock that was set back.
        let covered = cursor.unwrap_or(first).min(now);
        Timetable { zap, covered, kept: cursor.is_some(), noticed: None }
    }

    async fn forever(&mut self, ports: &Ports, health: &Health) -> Result<Infallible, StoreError> {
        loop {
            let wake = match self.look(ports, health).await? {
                true => self.zap.trigger.next(self.covered).unwrap_or(Timestamp::MAX),
                false => health.rests_until(),
            };
            ports.clock.sleep_until(wake).await;
        }
    }

    /// Fires what is due now; false when the state cannot be written for now.
    async fn look(&mut self, ports: &Ports, health: &Health) -> Result<bool, StoreError> {
        match self.fire(ports).await {
            Ok(committed) => {
                if committed {
                    health.recovered(ports);
                }
                Ok(true)
            }
            Err(error @ StoreError::Io { .. }) => {
                health.trouble(ports, &error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it committed anything.
    async fn fire(&mut self, ports: &Ports) -> Result<bool, StoreError> {
        let now = ports.clock.now();
        // The clock was set back: its times come again, and those that the ledger knows do not fire again.
        self.covered = self.covered.min(now);
        let trigger = &self.zap.trigger;
        let due = |from: &Timestamp| trigger.next(*from).filter(|tick| *tick <= now);
        let (Some(first), Some(latest)) = (due(&self.covered), trigger.latest(now)) else {
            let new = !self.kept;
            if new {
                self.commit(ports, &[], now).await?;
                self.kept = true;
            }
            return Ok(new);
        };
        let noticed = *self.noticed.get_or_insert(now);
        let missed = |tick: Timestamp| noticed.duration_since(tick) > LATE;
        let mut fired = 0;
        match trigger.missed {
            Missed::Skip if missed(latest) => self.commit(ports, &[], now).await?,
            Missed::Skip | Missed::Once => {
                self.commit(ports, &[latest], now).await?;
                fired = u64::from(missed(latest));
            }
            Missed::All => {
                while let Some(tick) = due(&self.covered) {
                    let ticks: Vec<Timestamp> = std::iter::successors(Some(tick), due).take(PAGE).collect();
                    let last = ticks.last().copied().unwrap_or(now);
                    self.commit(ports, &ticks, last).await?;
                    self.covered = last;
                    fired += ticks.iter().filter(|tick| missed(**tick)).count() as u64;
                }
            }
        }
        (self.covered, self.kept, self.noticed) = (now, true, None);
        if missed(first) {
            ports.observer.see(Event::Missed { zap: self.zap.name.clone(), first, fired });
        }
        Ok(true)
    }

    /// Commits ticks, and that all up to `covered` are dealt with.
    async fn commit(&self, ports: &Ports, ticks: &[Timestamp], covered: Timestamp) -> Result<(), StoreError> {
        let state = &self.zap.state;
        let now = ports.clock.now();
        let event = |tick: &Timestamp| {
            let key = EventKey { kind: KIND.to_owned(), id: self.zap.trigger.key(*tick) };
            NewEvent {
                at: *tick,
                record: Bytes::from(self.zap.trigger.record(*tick)),
                seen_at: now,
                context: None,
                order: None,
                depth: 0,
                targets: vec![Target {
                    zap: state.id,
                    revision: state.revision,
                    key_base: key::base(&state.first_name, &key),
                    fate: Fate::Fire,
                    once: None,
                    own: true,
                }],
                key,
            }
        };
        let cursor = CursorMove { zap: state.id, query: KIND.to_owned(), at: covered };
        let commit = PageCommit { events: ticks.iter().map(event).collect(), cursors: vec![cursor] };
        ports.store.commit_page(commit).await?;
        Ok(())
    }
}
