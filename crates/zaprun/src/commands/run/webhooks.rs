//! The server of webhooks, beside the engine.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zaprun_core::definition::Project;
use zaprun_engine::delivery::Mask;
use zaprun_engine::intake::{Intake, Route};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::Observer;
use zaprun_webhooks::{Config, Connection, IpNet, Limits, Rules, ServeError, Server};

use crate::error::{CommandError, io_words};
use crate::watch::Watch;
use crate::wiring;

/// What servers of webhooks are made from, and the one that listens now.
pub(super) struct Doors {
    pub(super) intake: Intake,
    pub(super) mask: Arc<dyn Mask>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) watch: Watch,
    /// Whether webhooks are taken at all in this run.
    pub(super) taken: bool,
    /// How long requests under way may take to end.
    pub(super) drain: Duration,
    pub(super) present: Option<Door>,
    pub(super) serving: JoinSet<()>,
}

/// A server that listens.
pub(super) struct Door {
    /// Where, as it was written.
    address: SocketAddr,
    rules: Rules,
    stop: CancellationToken,
}

/// What is ready to be exchanged for what listens now.
pub(super) struct Prepared {
    routes: Vec<Route>,
    connections: Vec<Connection>,
    proxies: Vec<IpNet>,
    /// Where another address is to be listened at.
    server: Option<(SocketAddr, Server)>,
}

impl Doors {
    /// Gets ready for these routes. Nothing changes yet for whoever calls.
    ///
    /// # Errors
    /// When the address cannot be had, or a connection's secret is of no use.
    pub(super) async fn prepare(
        &self,
        project: &Project,
        routes: Vec<Route>,
    ) -> Result<Option<Prepared>, CommandError> {
        let listen = project.listen.as_ref();
        let address = listen.and_then(|listen| listen.webhooks.as_ref()).map(|address| address.value.0);
        // Who listens already goes on: to what no zap has, the answer is 404.
        let address = match (address, &self.present) {
            _ if !self.taken => return Ok(None),
            (Some(address), _) if !routes.is_empty() => address,
            (_, Some(door)) => door.address,
            (_, None) => return Ok(None),
        };
        let callers: BTreeSet<&str> = routes.iter().map(|route| route.connection.as_str()).collect();
        let connections = wiring::callers(project, &callers)?;
        let networks = listen.map_or(&[][..], |listen| &listen.trusted_proxies).iter();
        let proxies: Vec<IpNet> = networks.map(|network| network.value.0).collect();
        let server = match &self.present {
            Some(door) if door.address == address => None,
            _ => {
                let config = Config {
                    listen: address,
                    trusted_proxies: proxies.clone(),
                    connections: wiring::callers(project, &callers)?,
                    mask: Arc::clone(&self.mask),
                    limits: Limits::default(),
                };
                let (clock, observer) = (Arc::clone(&self.clock), Arc::clone(&self.observer));
                let server = Server::bind(config, &routes, self.intake.clone(), clock, observer).await;
                Some((address, server.map_err(refused)?))
            }
        };
        Ok(Some(Prepared { routes, connections, proxies, server }))
    }

    /// Lets callers in by what was prepared. Whoever has come in is answered as he would have been.
    ///
    /// # Errors
    /// When a route names a connection that is not there.
    pub(super) fn exchange(&mut self, prepared: Prepared) -> Result<(), CommandError> {
        let Prepared { routes, connections, proxies, server } = prepared;
        match server {
            None => {
                if let Some(door) = &self.present {
                    door.rules.change(connections, proxies, &routes).map_err(refused)?;
                }
            }
            Some((address, server)) => {
                let heard = server.address().unwrap_or(address);
                let paths: BTreeSet<&str> = routes.iter().map(|route| route.path.as_str()).collect();
                let paths: Vec<&str> = paths.into_iter().collect();
                self.watch.say(&format!("webhooks arrive at http://{heard}: {}", paths.join(", ")));
                let door = Door { address, rules: server.rules(), stop: CancellationToken::new() };
                self.serving.spawn(server.run(door.stop.clone(), self.drain));
                // The new one takes what comes from here on.
                if let Some(before) = self.present.replace(door) {
                    before.stop.cancel();
                }
            }
        }
        Ok(())
    }

    /// Accepts nothing more; ready when what is under way has been answered, or its time is over.
    pub(super) async fn close(&mut self) {
        if let Some(door) = &self.present {
            door.stop.cancel();
        }
        while self.serving.join_next().await.is_some() {}
    }
}

fn refused(error: ServeError) -> CommandError {
    match error {
        ServeError::Listen { address, source } => {
            let error = CommandError::failure(format!(
                "webhooks cannot be taken at {address}: {}",
                io_words(&source)
            ));
            error.hint("`listen.webhooks` in zaprun.yaml says where; another program may listen there")
        }
        error @ ServeError::NoConnection { .. } => CommandError::failure(error.to_string()),
    }
}
