//! All connections, side by side.

use super::health::Health;
use super::line::Line;
use super::marks::Marks;
use super::rider::Watched;
use super::sweeper::Sweeper;
use super::{Connection, Polled, Ports};
use crate::ports::{Clock, StoreError, ZapId};
use futures::future::{select, try_join, try_join_all};
use std::pin::pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Polls the CRM for a set of zaps. One is made for each set: after a change of zaps a new one takes over, from the
/// state and from what its predecessor knew ([`Poller::take_over`]).
pub struct Poller {
    ports: Ports,
    lines: Vec<Line>,
    sweepers: Vec<Sweeper>,
}

impl Poller {
    /// A poller of these zaps, all of which are due at once. A zap on a connection that is not given is left alone.
    /// `seed` chooses the jitter of waits.
    pub fn new(ports: Ports, connections: Vec<Connection>, zaps: Vec<Watched>, seed: u64) -> Self {
        Poller::sharing(ports, connections, zaps, seed, &Arc::default())
    }

    /// The same where others look after the state's health too.
    pub(crate) fn sharing(
        ports: Ports,
        connections: Vec<Connection>,
        zaps: Vec<Watched>,
        seed: u64,
        health: &Arc<Health>,
    ) -> Self {
        let zaps: Vec<Arc<Watched>> = zaps.into_iter().map(Arc::new).collect();
        let (mut lines, mut sweepers) = (Vec::new(), Vec::new());
        for connection in connections {
            let on = |zap: &&Arc<Watched>| zap.trigger.connection == connection.name;
            let mine: Vec<Arc<Watched>> = zaps.iter().filter(on).cloned().collect();
            let (marks, health) = (Arc::new(Marks::default()), || Arc::clone(health));
            let (ours, theirs) = (ports.clone(), ports.clone());
            sweepers.extend(Sweeper::new(
                theirs,
                connection.clone(),
                &mine,
                health(),
                Arc::clone(&marks),
                seed,
            ));
            lines.extend(Line::new(ours, connection, &mine, health(), marks, seed));
        }
        Poller { ports, lines, sweepers }
    }

    /// Goes on where a poller of other zaps on the same connections has stopped: zaps for which `same` holds are due when
    /// they were to be, and what was said once is not said again.
    pub(crate) fn take_over(&mut self, before: Poller, same: impl Fn(ZapId) -> bool) {
        for old in before.lines {
            if let Some(line) = self.lines.iter_mut().find(|line| line.connection.name == old.connection.name)
            {
                line.take_over(old, &same);
            }
        }
    }

    /// Walks all that is due now, once, and sweeps what is due.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop. A walk that failed is reported and counted.
    pub async fn poll_once(&mut self) -> Result<Polled, StoreError> {
        let each = try_join_all(self.lines.iter_mut().map(round)).await?;
        let polled = each.into_iter().fold(Polled::default(), Polled::and);
        let each = try_join_all(self.sweepers.iter_mut().map(Sweeper::once)).await?;
        Ok(each.into_iter().fold(polled, Polled::and))
    }

    /// Polls until `stop`. A walk that is cut off there is one that failed: its cursors stay.
    ///
    /// # Errors
    /// When the state cannot be used any more: this engine must stop.
    pub async fn run(&mut self, stop: CancellationToken) -> Result<(), StoreError> {
        let clock = self.ports.clock.as_ref();
        let lines = try_join_all(self.lines.iter_mut().map(|line| forever(line, clock)));
        let sweeps = try_join_all(self.sweepers.iter_mut().map(Sweeper::forever));
        match select(pin!(try_join(lines, sweeps)), pin!(stop.cancelled())).await {
            futures::future::Either::Left((Err(error), _)) => Err(error),
            // Without a zap to poll for there is nothing to do but wait.
            futures::future::Either::Left((Ok(_), stopped)) => {
                stopped.await;
                Ok(())
            }
            futures::future::Either::Right(_) => Ok(()),
        }
    }
}

async fn round(line: &mut Line) -> Result<Polled, StoreError> {
    let mut polled = Polled::default();
    line.round(&mut polled).await?;
    Ok(polled)
}

async fn forever(line: &mut Line, clock: &dyn Clock) -> Result<(), StoreError> {
    line.looks = true;
    while let Some(due) = line.due_at() {
        tokio::select! {
            // Another may have found out that the CRM lets us in again, or that it does not.
            () = line.rest_changed() => continue,
            () = clock.sleep_until(due) => {}
        }
        // The wait is over, whatever the clock says by now.
        line.mind_the_clock(due);
        round(line).await?;
    }
    Ok(())
}
