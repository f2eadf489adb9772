//! What the token keepers of a process share: the vault, its key, and who hides new secrets.

use super::Denied;
use super::keeper::Access;
use crate::seal::StateKey;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use zaprun_core::definition::Secret;
use zaprun_engine::ports::{Clock, Vault};

/// Is told of secrets that come up while the program runs, before they are used.
pub trait Hide: Send + Sync {
    /// Hides a secret of a connection from now on wherever text leaves the program.
    fn hide(&self, connection: &str, secret: &str);
}

/// What all connections with `oauth2` of a process share. A clone is the same one.
///
/// Senders that are made anew while the program runs must be given the same: it sees to it that two of them never
/// spend one refresh token.
#[derive(Clone, Default)]
pub struct Tokens {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    vault: Option<Arc<dyn Vault>>,
    hide: Option<Arc<dyn Hide>>,
    /// By connection: whoever asks for a token holds it, and what could not be kept yet lies in it.
    desks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Desk>>>>,
}

/// What belongs to the one who asks for a connection's token.
#[derive(Default)]
pub(super) struct Desk {
    /// Tokens that were given, of which the refresh token could not be kept: nothing of them is used before it is.
    pub(super) unkept: Option<Unkept>,
}

pub(super) struct Unkept {
    pub(super) refresh: Secret,
    pub(super) access: Access,
}

impl Tokens {
    /// Without a vault: refresh tokens are not spent.
    pub fn new(hide: Arc<dyn Hide>) -> Tokens {
        Tokens { shared: Arc::new(Shared { hide: Some(hide), ..Shared::default() }) }
    }

    /// With a vault that keeps what follows a refresh token.
    pub fn kept_in(vault: Arc<dyn Vault>, hide: Arc<dyn Hide>) -> Tokens {
        Tokens { shared: Arc::new(Shared { vault: Some(vault), hide: Some(hide), ..Shared::default() }) }
    }

    /// Waits until no token is asked for, so that none that was given is lost with the process.
    pub async fn settle(&self) {
        let desks: Vec<_> = {
            let desks = self.shared.desks.lock().unwrap_or_else(PoisonError::into_inner);
            desks.values().map(Arc::clone).collect()
        };
        for desk in desks {
            drop(desk.lock().await);
        }
    }

    pub(super) fn hide(&self, connection: &str, secret: &Secret) {
        if let Some(hide) = &self.shared.hide {
            hide.hide(connection, secret.expose());
        }
    }

    pub(super) fn desk(&self, connection: &str) -> Arc<tokio::sync::Mutex<Desk>> {
        let mut desks = self.shared.desks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(connection.to_owned()).or_default())
    }

    /// The vault.
    pub(super) fn vault(&self) -> Result<&Arc<dyn Vault>, Denied> {
        self.shared.vault.as_ref().ok_or(Denied::Unspent(
            "its refresh token is spent only by `zaprun run`, which keeps the one that follows",
        ))
    }
}

/// A connection's place in the vault.
pub(super) struct Place<'a> {
    pub(super) connection: &'a str,
    pub(super) key: &'a StateKey,
    /// The refresh token that the project names.
    pub(super) named: &'a Secret,
}

impl Place<'_> {
    /// The refresh token that is good now: the kept one, unless the project names another than the one it followed.
    pub(super) async fn current(&self, vault: &dyn Vault) -> Result<Secret, Denied> {
        let kept = vault.sealed(self.connection).await;
        let kept =
            kept.map_err(|error| Denied::Later(format!("the refresh token cannot be read: {error}")))?;
        let Some(sealed) = kept else { return Ok(self.named.clone()) };
        let opened = self.key.open(self.connection, &sealed).map_err(|error| {
            Denied::Fault(format!(
                "the kept refresh token cannot be opened with `state_key`: {error}; set the former key, or see \
                 `zaprun state rekey --help`"
            ))
        })?;
        // What it followed stands before it, in a line of its own.
        let followed = opened.expose().split_once('\n').filter(|(first, _)| *first == mark(self.named));
        Ok(followed.map_or_else(|| self.named.clone(), |(_, token)| Secret::new(token)))
    }

    /// Keeps a refresh token, sealed.
    pub(super) async fn keep(
        &self,
        vault: &dyn Vault,
        token: &Secret,
        clock: &dyn Clock,
    ) -> Result<(), Denied> {
        let text = Secret::new(format!("{}\n{}", mark(self.named), token.expose()));
        let cannot = |error: &dyn std::fmt::Display| {
            Denied::Later(format!("a new refresh token cannot be kept, so nothing is sent: {error}"))
        };
        let sealed = self.key.seal(self.connection, &text).map_err(|error| cannot(&error))?;
        vault.keep(self.connection, sealed, clock.now()).await.map_err(|error| cannot(&error))
    }
}

/// Tells one refresh token of the project from another without holding it.
fn mark(token: &Secret) -> String {
    Sha256::digest(token.expose().as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
