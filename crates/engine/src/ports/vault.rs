//! Sealed secrets that must outlast the process: refresh tokens that were given in exchange for others.

use super::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;

/// Keeps one sealed text for each name. What is in it is known only to who sealed it.
#[async_trait]
pub trait Vault: Send + Sync {
    /// What is kept under a name.
    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps it in place of what was there. With `Ok` it is durable; with an error the one before is still there.
    async fn keep(&self, name: &str, sealed: Vec<u8>, now: Timestamp) -> Result<(), StoreError>;
}
