//! The history of a state that an engine may be writing.

use crate::deployed::{self, Deployed};
use crate::mention::{self, Entry, Window};
use crate::source::Source;
use crate::{history, status, swept, zaps};
use async_trait::async_trait;
use bytes::Bytes;
use std::path::Path;
use zaprun_engine::ports::{
    Counts, History, RunDetail, RunFilter, RunId, RunSummary, Status, StoreError, Sweeps,
};

/// Looks at a state file. Takes no lease, creates nothing, changes nothing; each look opens the file anew and sees
/// what was committed by then.
#[derive(Debug, Clone)]
pub struct SqliteReader {
    source: Source,
}

impl SqliteReader {
    pub(crate) fn open(path: &Path) -> Result<SqliteReader, StoreError> {
        let source = Source::find(path)?;
        source.look(|_| Ok(()))?;
        Ok(SqliteReader { source })
    }

    /// Every zap that an engine ever ran here, as it last ran, by name.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn deployed(&self) -> Result<Vec<Deployed>, StoreError> {
        self.look(deployed::deployed).await
    }

    /// What the ledgers of all zaps say of a natural id: a look-up, however much there is.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn entries(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        let id = id.to_owned();
        self.look(move |conn, path| mention::entries(conn, path, &id)).await
    }

    /// Looks for a value in what is kept of the newest `most` runs up to `from`, or of all. It reads them.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn window(&self, value: &str, from: Option<RunId>, most: i64) -> Result<Window, StoreError> {
        let value = value.to_owned();
        self.look(move |conn, path| mention::window(conn, path, &value, from, most)).await
    }

    /// What is kept of a zap's text with that content, by the zap's present name; nothing where nothing is.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn source(&self, zap: &str, content: &str) -> Result<Option<Bytes>, StoreError> {
        let (zap, content) = (zap.to_owned(), content.to_owned());
        self.look(move |conn, path| zaps::source_of(conn, path, &zap, &content)).await
    }

    /// Looks on a thread where blocking is allowed.
    pub(crate) async fn look<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&rusqlite::Connection, &Path) -> Result<T, StoreError> + Send + 'static,
    {
        let source = self.source.clone();
        let looked = tokio::task::spawn_blocking(move || source.look(|conn| body(conn, source.path())));
        looked
            .await
            .map_err(|_| StoreError::Io { reason: "the look at the state was broken off".to_owned() })?
    }
}

#[async_trait]
impl History for SqliteReader {
    async fn runs(&self, filter: RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.look(move |conn, path| history::list(conn, path, &filter)).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        self.look(move |conn, path| history::detail(conn, path, id)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.look(history::counts).await
    }

    async fn sweeps(&self) -> Result<Sweeps, StoreError> {
        self.look(swept::sweeps).await
    }

    async fn status(&self, prove: bool) -> Result<Status, StoreError> {
        self.look(move |conn, path| status::status(conn, path, prove)).await
    }
}
