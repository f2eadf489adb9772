//! Sealed secrets. What is in them is known only to who sealed them.

use crate::codes::At;
use crate::writer::Tx;
use crate::{SqliteReader, SqliteStore, fault};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use zaprun_engine::ports::{StoreError, Vault};

/// Something sealed, and since when it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name under which it is kept.
    pub name: String,
    /// Its bytes.
    pub sealed: Vec<u8>,
    /// When it was kept.
    pub at: Timestamp,
}

/// What takes the place of something sealed; `None`: nothing does.
pub type Resealed = (String, Option<Vec<u8>>);

#[async_trait]
impl Vault for SqliteStore {
    async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        self.look(move |conn, path| one(conn, path, &name)).await
    }

    async fn keep(&self, name: &str, sealed: Vec<u8>, now: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |tx| keep(tx, &name, &sealed, now)).await
    }
}

impl SqliteStore {
    /// All that is sealed, by name.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        self.look(all).await
    }

    /// Puts all of these in the place of what is kept under their names, or nothing of it. When they were kept stays.
    ///
    /// # Errors
    /// As any write.
    pub async fn reseal(&self, resealed: Vec<Resealed>) -> Result<(), StoreError> {
        self.change(move |tx| reseal(tx, &resealed)).await
    }
}

impl SqliteReader {
    /// All that is sealed, by name.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn all_sealed(&self) -> Result<Vec<Sealed>, StoreError> {
        self.look(all).await
    }
}

fn one(conn: &Connection, path: &Path, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    conn.prepare_cached("SELECT sealed FROM vault WHERE name = ?1")
        .and_then(|mut kept| kept.query_row([name], |row| row.get(0)).optional())
        .map_err(|error| fault::sql(path, &error))
}

fn all(conn: &Connection, path: &Path) -> Result<Vec<Sealed>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Sealed>> {
        let mut kept = conn.prepare("SELECT name, sealed, at FROM vault ORDER BY name")?;
        let rows = kept.query_map([], |row| {
            Ok(Sealed { name: row.get(0)?, sealed: row.get(1)?, at: row.get::<_, At>(2)?.0 })
        })?;
        rows.collect()
    };
    read().map_err(|error| fault::sql(path, &error))
}

fn keep(tx: &mut Tx<'_>, name: &str, sealed: &[u8], now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO vault (name, sealed, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, at = excluded.at",
        params![name, sealed, At(now)],
    )
    .map(drop)
}

fn reseal(tx: &mut Tx<'_>, resealed: &[Resealed]) -> Result<(), StoreError> {
    for (name, sealed) in resealed {
        match sealed {
            Some(sealed) => {
                tx.execute("UPDATE vault SET sealed = ?2 WHERE name = ?1", params![name, sealed])?
            }
            None => tx.execute("DELETE FROM vault WHERE name = ?1", [name])?,
        };
    }
    Ok(())
}
