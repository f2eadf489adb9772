//! Keys that were a person's e-mail address, after that person was forgotten: only a hash is kept, and what asks for the
//! key is found by it. The hash is keyed with a random number of the state's own.

use rusqlite::{Connection, OptionalExtension};

/// What stands before a hash, so that no key of a CRM looks like one.
const PREFIX: &str = "forgotten:";

/// Whether the state holds any such key; nearly none does, and then nothing is hashed.
pub(crate) fn any(conn: &Connection) -> rusqlite::Result<bool> {
    let forgot =
        conn.prepare_cached("SELECT forgot FROM meta")?.query_row([], |row| row.get(0)).optional()?;
    Ok(forgot.unwrap_or(false))
}

/// What is kept instead of a key.
pub(crate) fn hashed(conn: &Connection, key: &str) -> rusqlite::Result<String> {
    let salt: Vec<u8> = conn.prepare_cached("SELECT salt FROM meta")?.query_row([], |row| row.get(0))?;
    let mut hasher = blake3::Hasher::new();
    // Of fixed length, so that no salt and key together are another's.
    hasher.update(&salt);
    hasher.update(key.as_bytes());
    Ok(format!("{PREFIX}{}", hasher.finalize().to_hex().chars().take(32).collect::<String>()))
}

/// The key as the state may know it: as it is, or hashed where the state has forgotten somebody.
pub(crate) fn known_as(conn: &Connection, key: &str) -> rusqlite::Result<String> {
    if any(conn)? { hashed(conn, key) } else { Ok(key.to_owned()) }
}
