-- Secrets that must outlast the process, sealed under a key that is not in the state: refresh tokens by connection.
CREATE TABLE vault (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;
