//! A request that tells of a row which zaps poll.

use super::door::{House, NotTaken, Taken, later};
use crate::polling::hear::{Heard, hear};
use crate::polling::{Connection, Ports, Watched};
use crate::ports::ReadError;
use crate::report::{Event, WalkFailure};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zaprun_core::zap::Arrival;

/// A caller is answered after so long, whatever the CRM does; the poll finds the row.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many rows are waited for at once; the CRM has about ten places for a whole account (contract §1.5).
const AT_ONCE: usize = 8;
/// When a caller may come again whose row could not be read, unless the CRM says otherwise.
const READ_REST: Duration = Duration::from_secs(60);

/// The zaps that one path tells.
pub(super) struct Tells {
    parties: Vec<Party>,
    ports: Ports,
    places: Arc<Semaphore>,
}

/// Zaps that read the same rows of one connection.
struct Party {
    connection: Connection,
    zaps: Vec<Arc<Watched>>,
}

/// What came of telling them.
#[derive(Default)]
pub(super) struct Told {
    pub(super) taken: Taken,
    /// Why a zap does not know of which row the request tells: the first of such reasons.
    pub(super) problem: Option<String>,
}

impl Tells {
    /// By path: whom a request there tells.
    pub(super) fn by_path(
        watched: &[Watched],
        connections: &[Connection],
        ports: &Ports,
    ) -> BTreeMap<String, Tells> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut all: BTreeMap<String, Tells> = BTreeMap::new();
        for zap in watched {
            let Some(also) = &zap.trigger.also else { continue };
            let of_zap = |connection: &&Connection| connection.name == zap.trigger.connection;
            let Some(connection) = connections.iter().find(of_zap) else { continue };
            let tells = all.entry(also.path.clone()).or_insert_with(|| Tells {
                parties: Vec::new(),
                ports: ports.clone(),
                places: Arc::clone(&places),
            });
            let like = |party: &&mut Party| {
                let first = party.zaps.first().map(|zap| &zap.trigger);
                first.is_some_and(|first| {
                    first.connection == zap.trigger.connection
                        && std::ptr::eq(first.schema(), zap.trigger.schema())
                })
            };
            match tells.parties.iter_mut().find(like) {
                Some(party) => party.zaps.push(Arc::new(zap.clone())),
                None => tells
                    .parties
                    .push(Party { connection: connection.clone(), zaps: vec![Arc::new(zap.clone())] }),
            }
        }
        all
    }

    /// Tells them of the row.
    pub(super) async fn hear(&self, house: &House, arrival: &Arrival, depth: u32) -> Result<Told, NotTaken> {
        let mut told = Told::default();
        for party in &self.parties {
            // Zaps may find different ids in one request.
            let mut by_id: BTreeMap<String, Vec<Arc<Watched>>> = BTreeMap::new();
            for zap in &party.zaps {
                match zap.trigger.also.as_ref().map(|also| also.key(arrival)) {
                    Some(Ok(id)) => by_id.entry(id.trim().to_owned()).or_default().push(Arc::clone(zap)),
                    Some(Err(error)) => {
                        let reason = || format!("zap `{}` finds no id: {}", zap.name, error.message);
                        told.problem.get_or_insert_with(reason);
                    }
                    None => {}
                }
            }
            for (id, zaps) in by_id {
                let heard = self.one(house, party, &zaps, &id, depth).await?;
                told.taken.fired += heard.tally.fired;
                told.taken.known += heard.tally.known;
            }
        }
        Ok(told)
    }

    async fn one(
        &self,
        house: &House,
        party: &Party,
        zaps: &[Arc<Watched>],
        id: &str,
        depth: u32,
    ) -> Result<Heard, NotTaken> {
        let unknown = self.unknown(house, zaps, id).await?;
        if unknown.is_empty() {
            let mut heard = Heard { found: true, ..Heard::default() };
            heard.tally.known = zaps.len() as u64;
            return Ok(heard);
        }
        let now = self.ports.clock.now();
        let rest = party.connection.rest.until();
        if rest > now {
            let rest = Duration::try_from(rest.duration_since(now)).unwrap_or(READ_REST);
            return Err(later("the CRM refuses zaprun's login", rest));
        }
        // Who finds no place is not kept waiting: a burst of pushes must not become a burst of reads.
        let Ok(_place) = self.places.try_acquire() else {
            return Err(later("other rows are being read from the CRM", READ_REST));
        };
        let end = crate::delivery::after(now, PATIENCE);
        let heard = tokio::select! {
            biased;
            heard = hear(&self.ports, &party.connection, &unknown, id, depth) => heard,
            () = self.ports.clock.sleep_until(end) => {
                return Err(later("the CRM takes long to answer", READ_REST));
            }
        };
        match heard {
            Ok(heard) => {
                if !heard.found {
                    let path = unknown
                        .first()
                        .and_then(|zap| zap.trigger.also.as_ref())
                        .map(|also| also.path.clone());
                    house.shared.observer.see(Event::Unheard {
                        connection: party.connection.name.clone(),
                        path: path.unwrap_or_default(),
                        row: unknown.first().map_or("", |zap| zap.trigger.schema().name),
                    });
                }
                Ok(heard)
            }
            Err(WalkFailure::Store(error)) => Err(house.store_failed(&error)),
            Err(WalkFailure::Read(error) | WalkFailure::LookUps { first: error, .. }) => Err(unread(&error)),
            Err(WalkFailure::Stuck) => Err(later("the CRM cannot be read now", READ_REST)),
        }
    }

    /// The zaps whose ledger does not hold the row: only for them it is read.
    async fn unknown(
        &self,
        house: &House,
        zaps: &[Arc<Watched>],
        id: &str,
    ) -> Result<Vec<Arc<Watched>>, NotTaken> {
        let mut unknown = Vec::new();
        for zap in zaps {
            let ids = vec![id.to_owned()];
            let left = self.ports.store.unknown(zap.state.id, zap.trigger.kind(), ids).await;
            if !left.map_err(|error| house.store_failed(&error))?.is_empty() {
                unknown.push(Arc::clone(zap));
            }
        }
        Ok(unknown)
    }
}

fn unread(error: &ReadError) -> NotTaken {
    let asked = match error {
        ReadError::Transport { retry_after, .. } => *retry_after,
        _ => None,
    };
    later("the CRM cannot be read now", asked.unwrap_or(READ_REST))
}
