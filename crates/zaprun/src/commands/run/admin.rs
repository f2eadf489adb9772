//! The admin address, beside the engine: what is counted, and who may see it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use zaprun_admin::{Backlog, Door, Metrics, Ready, Server, Wait, World};
use zaprun_core::definition::Admin;
use zaprun_core::load::LoadedProject;
use zaprun_core::zap::Zap;
use zaprun_engine::alerts::{Alerts, Ports};
use zaprun_engine::measure::{Fan, Witness};
use zaprun_engine::ports::{Clock, History, StoreError};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::Observer;
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
    alerts: Option<Arc<Alerts>>,
    clock: Arc<dyn Clock>,
}

/// The state and the connections of this process.
struct Here {
    store: Arc<SqliteStore>,
    wired: Wired,
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
        let waited = self.wired.waited().into_iter();
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

impl Watchers {
    /// Those of a project; a run that ends by itself is not watched from outside, and tells nobody.
    pub(super) fn new(
        project: &LoadedProject,
        zaps: &[Arc<Zap>],
        args: &Args,
        store: &Arc<SqliteStore>,
        wired: &Wired,
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
        let alerts = alerts(project).0.filter(|_| lasts);
        let alerts = alerts.map(|alerts| Arc::new(Alerts::new(alerts, zaps, ports, Arc::clone(&pulse))));
        Watchers {
            admin: admin.map(|admin| admin.value.clone()).filter(|_| lasts),
            pulse,
            metrics,
            alerts,
            clock: Arc::clone(clock),
        }
    }

    /// The observer with all that watches beside it.
    pub(super) fn beside(&self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        if self.admin.is_none() && self.alerts.is_none() {
            return observer;
        }
        let mut witnesses: Vec<Arc<dyn Witness>> =
            vec![Arc::clone(&self.pulse) as _, Arc::clone(&self.metrics) as _];
        witnesses.extend(self.alerts.iter().map(|alerts| Arc::clone(alerts) as Arc<dyn Witness>));
        Arc::new(Fan::new(observer, witnesses))
    }

    /// Looks for what needs a person, where somebody is to be told.
    pub(super) fn tell(&self) -> Option<Open> {
        let alerts = Arc::clone(self.alerts.as_ref()?);
        Some(Open(tokio::spawn(async move { alerts.run().await })))
    }

    /// Listens, where the project has an admin address.
    ///
    /// # Errors
    /// When the address cannot be had, or is not for everybody and has no token.
    pub(super) async fn open(
        &self,
        store: &Arc<SqliteStore>,
        wired: &Wired,
        watch: &Watch,
    ) -> Result<Option<Open>, CommandError> {
        let Some(admin) = &self.admin else { return Ok(None) };
        let address = admin.address.0;
        let tokens: Vec<_> = admin.token.iter().flat_map(|tokens| tokens.value.iter()).cloned().collect();
        let usable = !tokens.is_empty() && tokens.iter().all(|token| !token.expose().is_empty());
        if !usable && (admin.token.is_some() || !address.ip().is_loopback()) {
            let why = if admin.token.is_some() { "its token is empty" } else { "it has no token" };
            let error = CommandError::failure(format!("nobody may watch at {address}: {why}"));
            return Err(
                error.hint("write `listen: { admin: { address: …, token: \"${NAME}\" } }` in zaprun.yaml")
            );
        }
        let hosts = admin.hosts.iter().map(|host| host.value.clone()).collect();
        let here = Here { store: Arc::clone(store), wired: wired.clone() };
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
