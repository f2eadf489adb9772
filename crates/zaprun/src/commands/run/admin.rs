//! The admin address, beside the engine: what is counted, and who may see it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zaprun_admin::{Backlog, Door, Metrics, Ready, Server, Wait, World};
use zaprun_core::definition::{Admin, Project, Secret};
use zaprun_core::load::LoadedProject;
use zaprun_core::zap::{self, Zap};
use zaprun_engine::alerts::{Alerts, Ports};
use zaprun_engine::measure::{Fan, Measure, Witness};
use zaprun_engine::ports::{Clock, History, StoreError};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::{Event, Observer};
use zaprun_store::SqliteStore;

use super::Args;
use crate::error::{CommandError, io_words};
use crate::loading::alerts;
use crate::watch::Watch;
use crate::wiring::Wired;

/// What watches the engine, and what the admin address shows of it.
pub(super) struct Watchers {
    pulse: Arc<Pulse>,
    metrics: Arc<Metrics>,
    admin: Option<Admin>,
    /// Whether this run is watched at all.
    lasts: bool,
    /// The alerts of the present set.
    alerts: Arc<watch::Sender<Arc<Alerts>>>,
    wired: Connections,
    clock: Arc<dyn Clock>,
}

/// The connections of the present set.
type Connections = Arc<Mutex<Arc<Wired>>>;

/// Notes for whatever alerts there are.
struct Noting(Arc<watch::Sender<Arc<Alerts>>>);

impl Witness for Noting {
    fn note(&self, event: &Event) {
        self.0.borrow().note(event);
    }

    fn measure(&self, measure: Measure<'_>) {
        self.0.borrow().measure(measure);
    }
}

/// The state and the connections of this process.
struct Here {
    store: Arc<SqliteStore>,
    wired: Connections,
}

#[async_trait]
impl World for Here {
    async fn backlog(&self) -> Result<Backlog, StoreError> {
        Ok(Backlog { counts: self.store.counts().await?, oldest: self.store.oldest_pending().await? })
    }

    async fn writable(&self) -> Result<(), StoreError> {
        self.store.prove_writable().await
    }

    fn waits(&self) -> Vec<Wait> {
        let wired = Arc::clone(&self.wired.lock().unwrap_or_else(PoisonError::into_inner));
        let waited = wired.waited().into_iter();
        waited
            .map(|(connection, waited)| Wait { connection, times: waited.times, time: waited.time })
            .collect()
    }
}

/// What is at work until this is dropped.
pub(super) struct Open(JoinHandle<()>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn tokens(admin: &Admin) -> Vec<Secret> {
    admin.token.iter().flat_map(|tokens| tokens.value.iter()).cloned().collect()
}

/// Alerts to nobody where there are none.
fn or_none(alerts: Option<zap::Alerts>) -> zap::Alerts {
    alerts.unwrap_or_else(|| zap::Alerts { every: Duration::MAX, targets: Vec::new() })
}

impl Watchers {
    /// Those of a project; a run that ends by itself is not watched from outside, and tells nobody.
    pub(super) fn new(
        project: &LoadedProject,
        zaps: &[Arc<Zap>],
        args: &Args,
        store: &Arc<SqliteStore>,
        wired: &Arc<Wired>,
        (clock, observer): (&Arc<dyn Clock>, &Arc<dyn Observer>),
    ) -> Watchers {
        let lasts = !args.once && !args.dry_run;
        let definition = &project.definition;
        let admin = definition.listen.as_ref().and_then(|listen| listen.admin.as_ref());
        let pulse = Arc::new(Pulse::new(Arc::clone(clock)));
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), Arc::clone(clock)));
        // What a message came to is counted, and told to people; it raises no alert itself.
        let heard = Fan::new(Arc::clone(observer), vec![Arc::clone(&metrics) as _]);
        let ports = Ports {
            store: Arc::clone(store) as _,
            sender: Arc::clone(&wired.sender) as _,
            clock: Arc::clone(clock),
            observer: Arc::new(heard),
        };
        let alerts = Alerts::new(or_none(alerts(project).0), zaps, ports, Arc::clone(&pulse));
        Watchers {
            admin: admin.map(|admin| admin.value.clone()).filter(|_| lasts),
            lasts,
            pulse,
            metrics,
            alerts: Arc::new(watch::Sender::new(Arc::new(alerts))),
            wired: Arc::new(Mutex::new(Arc::clone(wired))),
            clock: Arc::clone(clock),
        }
    }

    /// The observer with all that watches beside it.
    pub(super) fn beside(&self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        if !self.lasts {
            return observer;
        }
        let noting = Noting(Arc::clone(&self.alerts));
        let witnesses: Vec<Arc<dyn Witness>> =
            vec![Arc::clone(&self.pulse) as _, Arc::clone(&self.metrics) as _, Arc::new(noting)];
        Arc::new(Fan::new(observer, witnesses))
    }

    /// Looks for what needs a person, while somebody is to be told.
    pub(super) fn tell(&self) -> Option<Open> {
        let mut present = self.lasts.then(|| self.alerts.subscribe())?;
        Some(Open(tokio::spawn(async move {
            loop {
                let alerts = Arc::clone(&present.borrow_and_update());
                // One after another, so that nobody is told twice.
                let changed = async { present.changed().await.is_ok() };
                if !alerts.tell_somebody() {
                    if !changed.await {
                        return;
                    }
                    continue;
                }
                if !alerts.run(changed).await {
                    return;
                }
            }
        })))
    }

    /// From now on these zaps and connections are watched, and these told. `changed` are connections that are others now,
    /// or are no more.
    pub(super) fn change(
        &self,
        alerts: Option<zap::Alerts>,
        zaps: &[Arc<Zap>],
        wired: &Arc<Wired>,
        changed: &BTreeSet<String>,
    ) {
        *self.wired.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(wired);
        let before = Arc::clone(&self.alerts.borrow());
        for connection in changed {
            let gone = !wired.names().any(|name| name == connection);
            before.forget(connection, gone);
            self.metrics.forget(connection);
        }
        let alerts = before.with(or_none(alerts), zaps, Arc::clone(&wired.sender) as _);
        self.alerts.send_replace(Arc::new(alerts));
    }

    /// Whether a project has another admin address than the one that is listened at, or other tokens of it.
    pub(super) fn differ(&self, project: &Project) -> bool {
        let said = |admin: &Admin| {
            let tokens: Vec<String> = tokens(admin).iter().map(|token| token.expose().to_owned()).collect();
            let hosts: Vec<String> = admin.hosts.iter().map(|host| host.value.clone()).collect();
            (admin.address.0, tokens, hosts)
        };
        let admin = project.listen.as_ref().and_then(|listen| listen.admin.as_ref());
        self.lasts && admin.map(|admin| said(&admin.value)) != self.admin.as_ref().map(said)
    }

    /// Listens, where the project has an admin address.
    ///
    /// # Errors
    /// When the address cannot be had, or is not for everybody and has no token.
    pub(super) async fn open(
        &self,
        store: &Arc<SqliteStore>,
        watch: &Watch,
    ) -> Result<Option<Open>, CommandError> {
        let Some(admin) = &self.admin else { return Ok(None) };
        let address = admin.address.0;
        let tokens = tokens(admin);
        let usable = !tokens.is_empty() && tokens.iter().all(|token| !token.expose().is_empty());
        if !usable && (admin.token.is_some() || !address.ip().is_loopback()) {
            let why = if admin.token.is_some() { "its token is empty" } else { "it has no token" };
            let error = CommandError::failure(format!("nobody may watch at {address}: {why}"));
            return Err(
                error.hint("write `listen: { admin: { address: …, token: \"${NAME}\" } }` in zaprun.yaml")
            );
        }
        let hosts = admin.hosts.iter().map(|host| host.value.clone()).collect();
        let here = Here { store: Arc::clone(store), wired: Arc::clone(&self.wired) };
        let ready = Ready::new(
            Arc::new(here),
            Arc::clone(&self.metrics),
            Arc::clone(&self.pulse),
            Arc::clone(&self.clock),
        );
        let server = Server::bind(address, &Door { tokens, hosts }, ready).await.map_err(|error| {
            let error = CommandError::failure(format!("nobody can watch at {address}: {}", io_words(&error)));
            error.hint("`listen.admin` in zaprun.yaml says where; another program may listen there")
        })?;
        let address = server.address().unwrap_or(address);
        watch.say(&format!("watched at http://{address}: /livez, /readyz, /metrics"));
        Ok(Some(Open(tokio::spawn(server.run()))))
    }
}
