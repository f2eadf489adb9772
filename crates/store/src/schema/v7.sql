-- The latest deep sweep of each query.
CREATE TABLE swept (
    connection TEXT NOT NULL,
    query      TEXT NOT NULL,
    at         INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    late       INTEGER NOT NULL,
    unknown    INTEGER NOT NULL,
    PRIMARY KEY (connection, query)
) WITHOUT ROWID;

-- Backfills. A row that has not ended is the request for it; other programs write and end such rows, and the one that
-- holds the state works them off. Days are `YYYY-MM-DD`, in the account's zone. `ended`: 0 not yet, 1 read to its end, 2
-- stopped.
CREATE TABLE backfill (
    id       INTEGER PRIMARY KEY,
    zap      INTEGER NOT NULL REFERENCES zap (id),
    first    TEXT NOT NULL,
    last     TEXT NOT NULL,
    at       INTEGER NOT NULL,
    rows     INTEGER NOT NULL DEFAULT 0,
    fired    INTEGER NOT NULL DEFAULT 0,
    ended    INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER
);
CREATE INDEX backfill_open ON backfill (id) WHERE ended = 0;

-- How far a backfill has read each query of its zap: the first day that it has not.
CREATE TABLE backfill_place (
    backfill INTEGER NOT NULL REFERENCES backfill (id),
    query    TEXT NOT NULL,
    next     TEXT NOT NULL,
    PRIMARY KEY (backfill, query)
) WITHOUT ROWID;
