-- Instants are microseconds since 1970 UTC. States are the numbers in codes.rs.

-- One row. `fence` rises at each take-over; every write transaction compares it.
CREATE TABLE meta (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    fence    INTEGER NOT NULL,
    next_run INTEGER NOT NULL
);
INSERT INTO meta VALUES (1, 0, 1);

CREATE TABLE zap (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL UNIQUE,
    selection  TEXT NOT NULL,
    boundary   INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL
);

-- Names that a zap had before.
CREATE TABLE former (
    zap  INTEGER NOT NULL REFERENCES zap (id),
    name TEXT NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (zap, name)
) WITHOUT ROWID;

CREATE TABLE revision (
    id      INTEGER PRIMARY KEY,
    zap     INTEGER NOT NULL REFERENCES zap (id),
    content TEXT NOT NULL,
    git     TEXT,
    at      INTEGER NOT NULL
);
CREATE UNIQUE INDEX revision_of_zap ON revision (zap, content, ifnull(git, ''));

CREATE TABLE cursor (
    zap   INTEGER NOT NULL REFERENCES zap (id),
    query TEXT NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (zap, query)
) WITHOUT ROWID;

-- A name for each kind of event, so that the ledger, which may hold millions, spends one byte on it.
CREATE TABLE kind (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- What a zap has seen, for ever. `run` is the run made of it; 0: primed; -1: primed, nothing dated it.
-- The natural id comes before the kind, so that one seek also tells whether the zap knows the id by another kind.
CREATE TABLE ledger (
    zap  INTEGER NOT NULL,
    id   TEXT NOT NULL,
    kind INTEGER NOT NULL,
    run  INTEGER NOT NULL,
    PRIMARY KEY (zap, id, kind)
) WITHOUT ROWID;

-- Who has the value of once_per; no run: a primed row.
CREATE TABLE once (
    zap   INTEGER NOT NULL,
    value TEXT NOT NULL,
    run   INTEGER,
    PRIMARY KEY (zap, value)
) WITHOUT ROWID;

-- An event once for all runs of its commit. Its id is that of the first of them, and they follow each other, so the
-- runs of an event are found without an index.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL REFERENCES kind (id),
    key     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    record  BLOB NOT NULL
);

-- `follows`: the zap's ledger had another kind of the same natural id when this run was made, so an earlier run may
-- have to go first. Nearly always 0, and then claiming looks nothing up.
-- `settled` and `tries` count the rows in `step` and `attempt`.
CREATE TABLE run (
    id             INTEGER PRIMARY KEY,
    zap            INTEGER NOT NULL REFERENCES zap (id),
    event          INTEGER NOT NULL REFERENCES event (id),
    revision       INTEGER NOT NULL REFERENCES revision (id),
    key_base       BLOB NOT NULL,
    state          INTEGER NOT NULL,
    follows        INTEGER NOT NULL,
    settled        INTEGER NOT NULL DEFAULT 0,
    tries          INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    due_at         INTEGER,
    retrying_since INTEGER,
    word           TEXT NOT NULL,
    detail         TEXT NOT NULL
);
-- Claiming costs the same however many runs have ended.
CREATE INDEX run_due ON run (zap, due_at) WHERE state = 0;
-- Lists: the few that need a person, and those of one zap.
CREATE INDEX run_attention ON run (state) WHERE state >= 3;
CREATE INDEX run_of_zap ON run (zap);

-- Attempts in flight. A table of its own, since a run's row that grows would split its page.
CREATE TABLE begun (
    run     INTEGER PRIMARY KEY REFERENCES run (id),
    step    TEXT NOT NULL,
    element TEXT,
    at      INTEGER NOT NULL
);

CREATE TABLE step (
    run      INTEGER NOT NULL REFERENCES run (id),
    seq      INTEGER NOT NULL,
    step     TEXT NOT NULL,
    element  TEXT,
    outcome  INTEGER NOT NULL,
    status   INTEGER,
    attempts INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    reply    BLOB,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- What later steps read of earlier answers; gone when the run ends.
CREATE TABLE response (
    run  INTEGER NOT NULL REFERENCES run (id),
    seq  INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

CREATE TABLE attempt (
    run     INTEGER NOT NULL REFERENCES run (id),
    seq     INTEGER NOT NULL,
    step    TEXT NOT NULL,
    element TEXT,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    status  INTEGER,
    error   TEXT NOT NULL,
    reply   BLOB,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;

-- How many runs are in each state, and how many ledger entries have none; moved in the transaction that moves them.
CREATE TABLE tally (
    zap   INTEGER NOT NULL REFERENCES zap (id),
    state INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (zap, state)
) WITHOUT ROWID;
