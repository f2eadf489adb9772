//! The admin address, beside the engine: what is counted, and who may see it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use zaprun_admin::{Backlog, Door, Metrics, Ready, Server, Wait, World};
use zaprun_core::definition::{Admin, Project};
use zaprun_engine::measure::{Fan, Witness};
use zaprun_engine::ports::{Clock, History, StoreError};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::Observer;
use zaprun_store::SqliteStore;

use super::Args;
use crate::error::{CommandError, io_words};
use crate::watch::Watch;
use crate::wiring::Wired;

/// What watches the engine, and what the admin address shows of it.
pub(super) struct Watchers {
    pulse: Arc<Pulse>,
    metrics: Arc<Metrics>,
    admin: Option<Admin>,
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

/// A server that is at work until this is dropped.
pub(super) struct Open(JoinHandle<()>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watchers {
    /// Those of a project; a run that ends by itself is not watched from outside.
    pub(super) fn new(project: &Project, args: &Args, clock: &Arc<dyn Clock>) -> Watchers {
        let admin = project.listen.as_ref().and_then(|listen| listen.admin.as_ref());
        Watchers {
            pulse: Arc::new(Pulse::new(Arc::clone(clock))),
            metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), Arc::clone(clock))),
            admin: admin.map(|admin| admin.value.clone()).filter(|_| !args.once && !args.dry_run),
            clock: Arc::clone(clock),
        }
    }

    /// The observer with all that watches beside it.
    pub(super) fn beside(&self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        if self.admin.is_none() {
            return observer;
        }
        let witnesses: Vec<Arc<dyn Witness>> = vec![Arc::clone(&self.pulse) as _, Arc::clone(&self.metrics) as _];
        Arc::new(Fan::new(observer, witnesses))
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
            return Err(error.hint("write `listen: { admin: { address: …, token: \"${NAME}\" } }` in zaprun.yaml"));
        }
        let hosts = admin.hosts.iter().map(|host| host.value.clone()).collect();
        let here = Here { store: Arc::clone(store), wired: wired.clone() };
        let ready = Ready::new(
            Arc::new(here),
            Arc::clone(&self.metrics),
            Arc::clone(&self.pulse),
            Arc::clone(&self.clock),
        );
        let server = Server::bind(address, Door { tokens, hosts }, ready).await.map_err(|error| {
            let error =
                CommandError::failure(format!("nobody can watch at {address}: {}", io_words(&error)));
            error.hint("`listen.admin` in zaprun.yaml says where; another program may listen there")
        })?;
        let address = server.address().unwrap_or(address);
        watch.say(&format!("watched at http://{address}: /livez, /readyz, /metrics"));
        Ok(Some(Open(tokio::spawn(server.run()))))
    }
}
