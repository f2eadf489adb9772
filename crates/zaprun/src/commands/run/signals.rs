//! SIGINT and SIGTERM.

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

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CommandError::failure(format!("signals cannot be caught: {}", io_words(&error)))
            })
        };
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
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
