//! SIGINT and SIGTERM, which ask for the end, and SIGHUP, which asks for the project to be loaded again.

use crate::error::{CommandError, io_words};

/// A signal that asks for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// How a service is stopped.
    Terminate,
}

/// The signals as they come. From the first listening on none ends the process by itself.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

/// Requests to load the project again, as they come. From the first listening on SIGHUP does not end the process.
pub(super) struct Hangups {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
fn listen_for(kind: tokio::signal::unix::SignalKind) -> Result<tokio::signal::unix::Signal, CommandError> {
    tokio::signal::unix::signal(kind)
        .map_err(|error| CommandError::failure(format!("signals cannot be caught: {}", io_words(&error))))
}

impl Hangups {
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, CommandError> {
        Ok(Hangups { hangup: listen_for(tokio::signal::unix::SignalKind::hangup())? })
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        if self.hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, CommandError> {
        Ok(Hangups {})
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::SignalKind;
        Ok(Signals {
            interrupt: listen_for(SignalKind::interrupt())?,
            terminate: listen_for(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, CommandError> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Signal {
        // Without a handler nothing can be caught, and Ctrl-C ends the process by itself.
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!("signals cannot be caught: {}", io_words(&error));
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
