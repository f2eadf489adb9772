//! Where requests are taken in.

use super::event;
use super::told::{Tells, Told};
use crate::delivery::Shared;
use crate::polling::{self, Connection, Watched};
use crate::ports::{PageCommit, Store, StoreError, ZapState};
use crate::report::Event;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_core::card;
use zaprun_core::zap::{Arrival, Trigger, Zap};

/// How long a caller is asked to wait while the state cannot be written.
const STATE_REST: Duration = Duration::from_secs(10);
/// The same while the engine starts or ends.
const ENGINE_REST: Duration = Duration::from_secs(5);

/// Takes requests in for an engine, while that runs. A clone is the same door.
#[derive(Clone)]
pub struct Intake {
    routes: Arc<RwLock<Arc<[Route]>>>,
    house: Arc<RwLock<Option<Arc<House>>>>,
}

/// A path at which requests arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// The whole path.
    pub path: String,
    /// Name of the connection, which says how a caller proves who it is.
    pub connection: String,
}

/// A request whose caller is known.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The whole path.
    pub path: String,
    /// Its data: a JSON object or list.
    pub record: Bytes,
    /// What else of it expressions see under `event`: a JSON object of `headers` and `query`, without secrets.
    pub context: Bytes,
    /// How many of zaprun's own writes led to it, as it says.
    pub depth: u32,
}

/// What came of a request that was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Runs made.
    pub fired: u64,
    /// Events that the ledgers of their zaps knew already.
    pub known: u64,
}

/// Why a request was not taken, or not for every zap. Words hold no value of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// No zap has that path.
    #[error("no zap has this path")]
    NoSuchPath,
    /// Its data cannot be read, or it has no key.
    #[error("{reason}")]
    Malformed {
        /// Plain words.
        reason: String,
    },
    /// It holds card data.
    #[error("`{field}` holds card data, which does not pass through zaprun")]
    CardData {
        /// The field.
        field: String,
    },
    /// It cannot be taken now, and may come again.
    #[error("{reason}")]
    Later {
        /// Plain words.
        reason: String,
        /// After so long.
        retry_after: Duration,
    },
}

/// A zap that was opened.
pub(crate) struct OpenZap {
    pub(crate) zap: Arc<Zap>,
    pub(crate) state: ZapState,
}

/// What stands behind the door while an engine runs.
pub(crate) struct House {
    pub(super) shared: Arc<Shared>,
    /// Rings the bells of zaps that have work.
    pub(super) store: Arc<dyn Store>,
    /// By path.
    webhooks: BTreeMap<String, Vec<OpenZap>>,
    tells: BTreeMap<String, Tells>,
    loss: Arc<Loss>,
}

/// Whether the state is lost for good: who only takes requests in would not notice.
#[derive(Default)]
pub(crate) struct Loss {
    lost: CancellationToken,
    why: Mutex<Option<StoreError>>,
}

impl Loss {
    /// Ends with the reason once it is.
    pub(crate) async fn told(&self) -> StoreError {
        self.lost.cancelled().await;
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.unwrap_or(StoreError::Fenced)
    }

    fn tell(&self, why: &StoreError) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why.clone());
        self.lost.cancel();
    }
}

/// Where requests arrive for these zaps, by path.
pub fn routes(zaps: &[Arc<Zap>]) -> Vec<Route> {
    let routes: BTreeSet<Route> = zaps
        .iter()
        .filter(|zap| zap.enabled)
        .filter_map(|zap| zap.trigger.entrance())
        .map(|entrance| Route { path: entrance.path.clone(), connection: entrance.connection.clone() })
        .collect();
    routes.into_iter().collect()
}

impl Intake {
    /// The closed door of these zaps.
    pub(crate) fn of(zaps: &[Arc<Zap>]) -> Self {
        Intake { routes: Arc::new(RwLock::new(routes(zaps).into())), house: Arc::default() }
    }

    /// Where requests arrive, by path, for the zaps that run now.
    pub fn routes(&self) -> Arc<[Route]> {
        Arc::clone(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether requests are taken: the engine runs.
    pub fn is_open(&self) -> bool {
        self.house().is_some()
    }

    /// Takes a request in. When it returns, what the request tells is durable, or known from before; a request that
    /// comes again is answered alike.
    ///
    /// # Errors
    /// See [`NotTaken`]. Where several zaps stand at one path some may have taken it: asking again harms nothing.
    pub async fn accept(&self, arrived: &Arrived) -> Result<Taken, NotTaken> {
        let house = self.house().ok_or_else(|| later("the engine is not running", ENGINE_REST))?;
        house.accept(arrived).await
    }

    /// Opens the door until the guard is dropped.
    pub(crate) fn open(&self, house: Arc<House>) -> Opened {
        self.set(Some(house));
        Opened(self.clone())
    }

    fn house(&self) -> Option<Arc<House>> {
        self.house.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other zaps are behind the open door from now on. Who has come in is dealt with by those he met.
    pub(crate) fn change(&self, zaps: &[Arc<Zap>], house: Arc<House>) {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = routes(zaps).into();
        self.set(Some(house));
    }

    fn set(&self, house: Option<Arc<House>>) {
        *self.house.write().unwrap_or_else(PoisonError::into_inner) = house;
    }
}

/// An open door; it shuts when this is dropped, also by a crash.
pub(crate) struct Opened(Intake);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

pub(super) fn later(reason: impl Into<String>, retry_after: Duration) -> NotTaken {
    NotTaken::Later { reason: reason.into(), retry_after }
}

impl House {
    /// The house of these zaps.
    pub(crate) fn new(
        zaps: Vec<OpenZap>,
        watched: &[Watched],
        connections: &[Connection],
        ports: &polling::Ports,
        shared: Arc<Shared>,
        loss: Arc<Loss>,
    ) -> Self {
        let mut webhooks: BTreeMap<String, Vec<OpenZap>> = BTreeMap::new();
        for open in zaps {
            if let Trigger::Webhook(trigger) = &open.zap.trigger {
                webhooks.entry(trigger.entrance.path.clone()).or_default().push(open);
            }
        }
        House {
            store: Arc::clone(&ports.store),
            tells: Tells::by_path(watched, connections, ports),
            webhooks,
            shared,
            loss,
        }
    }

    async fn accept(&self, arrived: &Arrived) -> Result<Taken, NotTaken> {
        let (webhooks, tells) = (self.webhooks.get(&arrived.path), self.tells.get(&arrived.path));
        if webhooks.is_none() && tells.is_none() {
            return Err(NotTaken::NoSuchPath);
        }
        let arrival = Arrival::read(&arrived.record, Some(&arrived.context))
            .map_err(|error| NotTaken::Malformed { reason: format!("the data is {error}") })?;
        if let Some(field) = card::field(arrival.record()).or_else(|| card::field(arrival.query())) {
            return Err(NotTaken::CardData { field });
        }
        let mut taken = Taken::default();
        let mut first_problem = None;
        if let Some(zaps) = webhooks {
            let now = self.shared.clock.now();
            let event::Events { events, problem } = event::events(zaps, &arrival, arrived, now);
            first_problem = problem;
            if !events.is_empty() {
                let commit = PageCommit { events, cursors: Vec::new() };
                let done = self.store.commit_page(commit).await.map_err(|error| self.store_failed(&error))?;
                self.shared.store_works();
                taken.fired += done.fired;
                taken.known += done.known;
            }
        }
        if let Some(tells) = tells {
            let Told { taken: told, problem } = tells.hear(self, &arrival, arrived.depth).await?;
            taken.fired += told.fired;
            taken.known += told.known;
            first_problem = first_problem.or(problem);
        }
        self.shared.observer.see(Event::Arrived {
            path: arrived.path.clone(),
            fired: taken.fired,
            known: taken.known,
        });
        match first_problem {
            None => Ok(taken),
            Some(reason) => Err(NotTaken::Malformed { reason }),
        }
    }

    /// The state could not be written: nothing was taken, and the caller comes again.
    pub(super) fn store_failed(&self, error: &StoreError) -> NotTaken {
        match error {
            StoreError::Io { .. } => {
                let retry_at = crate::delivery::after(self.shared.clock.now(), STATE_REST);
                self.shared.store_fails(error.clone(), retry_at);
                later("the state cannot be written", STATE_REST)
            }
            other => {
                self.loss.tell(other);
                later("the engine ends", ENGINE_REST)
            }
        }
    }
}
