//! Listening.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use zaprun_serve::{Bounds, Listening};

use crate::desk::{Desk, Door};
use crate::ready::Ready;

/// What no caller may exceed: those who watch are few.
const BOUNDS: Bounds = Bounds { head: 8 * 1024, head_time: Duration::from_secs(10), connections: 16 };

/// A server that listens. Connections wait until it runs.
pub struct Server {
    listening: Listening,
    desk: Arc<Desk>,
}

impl Server {
    /// Takes an address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn bind(address: SocketAddr, door: &Door, ready: Ready) -> std::io::Result<Server> {
        let listening = Listening::bind(address, BOUNDS).await?;
        Ok(Server { listening, desk: Arc::new(Desk::new(door, ready)) })
    }

    /// Where it listens: the port is known where any was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listening.address()
    }

    /// Answers until it is dropped.
    pub async fn run(self) {
        let desk = self.desk;
        let handler = move |_, request: hyper::Request<hyper::body::Incoming>| {
            let desk = Arc::clone(&desk);
            async move { desk.serve(&request).await }
        };
        self.listening.run(handler, CancellationToken::new(), Duration::ZERO).await;
    }
}
