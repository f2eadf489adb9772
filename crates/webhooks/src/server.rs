//! Listening.

use ipnet::IpNet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_engine::intake::{Intake, Route};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::Observer;
use zaprun_serve::{Bounds, Listening};

use crate::answer::answer;
use crate::desk::{Config, Connection, Desk};

/// A server that listens. Connections wait until it runs.
pub struct Server {
    listening: Listening,
    desk: Arc<Desk>,
}

/// Who may come to a server, and where; may be changed while it runs.
#[derive(Clone)]
pub struct Rules(Arc<Desk>);

impl Rules {
    /// From now on these systems may come, at these routes. Whoever has come in is not concerned.
    ///
    /// # Errors
    /// When a route names a connection that is not given; then all stays as it is.
    pub fn change(
        &self,
        connections: Vec<Connection>,
        trusted_proxies: Vec<IpNet>,
        routes: &[Route],
    ) -> Result<(), ServeError> {
        let changed = self.0.change(connections, trusted_proxies, routes);
        changed.map_err(|name| ServeError::NoConnection { name })
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A zap's path names a connection that was not given.
    #[error("no connection `{name}` says how callers prove who they are")]
    NoConnection {
        /// The connection.
        name: String,
    },
}

impl Server {
    /// Listens for these routes, of which the intake takes what comes.
    ///
    /// # Errors
    /// When the address cannot be had, or a connection is missing.
    pub async fn bind(
        config: Config,
        routes: &[Route],
        intake: Intake,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Server, ServeError> {
        let (address, limits) = (config.listen, config.limits);
        let desk = Desk::new(config, routes, intake, clock, observer)
            .map_err(|name| ServeError::NoConnection { name })?;
        let refused = |source| ServeError::Listen { address, source };
        let bounds =
            Bounds { head: limits.head, head_time: limits.head_time, connections: limits.connections };
        let listening = Listening::bind(address, bounds).await.map_err(refused)?;
        Ok(Server { listening, desk: Arc::new(desk) })
    }

    /// Where it listens: the port is known where any was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listening.address()
    }

    /// By what it is told of other routes while it runs.
    pub fn rules(&self) -> Rules {
        Rules(Arc::clone(&self.desk))
    }

    /// Serves until `stop`; then accepts nothing more, and gives requests under way the time of `grace`. Dropping the
    /// future ends them at once.
    pub async fn run(self, stop: CancellationToken, grace: Duration) {
        let desk = self.desk;
        let handler = move |peer, request| {
            let desk = Arc::clone(&desk);
            async move { answer(&desk.serve(peer, request).await) }
        };
        self.listening.run(handler, stop, grace).await;
    }
}
