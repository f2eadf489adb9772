//! Listening: an HTTP/1 server whose every time, size and number is bounded, for whatever answers requests.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// After a connection that could not be accepted, for example since no file handle was left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// hyper asks for so much room for a head at least.
const LEAST_HEAD: usize = 8 * 1024;

/// What no connection may exceed. Bodies are the handler's to bound.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of a head; 8 KiB at least.
    pub head: usize,
    /// The time until the head is there; also how long a connection may be idle.
    pub head_time: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
}

/// Listens. Connections wait until it runs.
pub struct Listening {
    listener: TcpListener,
    bounds: Bounds,
}

impl Listening {
    /// Takes an address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn bind(address: SocketAddr, bounds: Bounds) -> std::io::Result<Listening> {
        Ok(Listening { listener: TcpListener::bind(address).await?, bounds })
    }

    /// Where it listens: the port is known where any was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers requests, of which `handler` also gets the caller's address, until `stop`; then accepts nothing more, and
    /// gives requests under way the time of `grace`. Dropping the future ends them at once.
    pub async fn run<H, F>(self, handler: H, stop: CancellationToken, grace: Duration)
    where
        H: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let Listening { listener, bounds } = self;
        let places = Arc::new(Semaphore::new(bounds.connections.max(1)));
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
            let handler = handler.clone();
            let service = service_fn(move |request| {
                let answer = handler(peer.ip(), request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(bounds.head_time)
                .max_buf_size(bounds.head.max(LEAST_HEAD))
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

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

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
