//! Listening.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zaprun_engine::intake::{Intake, Route};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::Observer;

use crate::answer::answer;
use crate::desk::{Config, Connection, Desk, Limits};

/// After a connection that could not be accepted, for example since no file handle was left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A server that listens. Connections wait until it runs.
pub struct Server {
    listener: TcpListener,
    desk: Arc<Desk>,
    limits: Limits,
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
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        Ok(Server { listener, desk: Arc::new(desk), limits })
    }

    /// Where it listens: the port is known where any was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// By what it is told of other routes while it runs.
    pub fn rules(&self) -> Rules {
        Rules(Arc::clone(&self.desk))
    }

    /// Serves until `stop`; then accepts nothing more, and gives requests under way the time of `grace`. Dropping the
    /// future ends them at once.
    pub async fn run(self, stop: CancellationToken, grace: Duration) {
        let Server { listener, desk, limits } = self;
        let places = Arc::new(Semaphore::new(limits.connections.max(1)));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let service = service(Arc::clone(&desk), peer.ip());
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head_time)
                .max_buf_size(limits.head.max(8 * 1024))
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            connections.spawn(async move {
                // A caller that goes away or talks nonsense is answered, or not, by the connection itself.
                let _ = connection.await;
                drop(place);
            });
        }
        drop(listener);
        // What is not done by then is cut off when the set is dropped; its callers come again.
        let _ = tokio::time::timeout(grace, graceful.shutdown()).await;
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is a place for it; `None` when it could not be had.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and complete: nothing is gained by waiting for more.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(_) => {
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}

/// What answers the requests of one connection.
fn service(
    desk: Arc<Desk>,
    peer: IpAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<Full<Bytes>>,
    Error = Infallible,
    Future: Send,
> + Send {
    service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok(answer(&desk.serve(peer, request).await)) }
    })
}
