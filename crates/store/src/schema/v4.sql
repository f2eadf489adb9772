-- What expressions see of an event beside its record, as a JSON object: the headers and the query of a webhook.
ALTER TABLE event ADD COLUMN context BLOB;

-- What only few runs have: how many of zaprun's own writes led to it; why it will end dead once the steps of its
-- `on_failure` are done; its record as it was read again once it had settled. `run.aside`: whether there is such a row,
-- so that the others cost nothing more.
CREATE TABLE aside (
    run            INTEGER PRIMARY KEY REFERENCES run (id),
    depth          INTEGER NOT NULL DEFAULT 0,
    failing_word   TEXT,
    failing_detail TEXT,
    fresh          BLOB
);
ALTER TABLE run ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;

-- Of a write to the CRM: its parameters as JSON `[[name, value], …]`, what the CRM showed before it (nothing: it has not
-- left yet), and what the latest look showed that counts. No parameters: the attempt is no such write.
ALTER TABLE begun ADD COLUMN params TEXT;
ALTER TABLE begun ADD COLUMN before TEXT;
ALTER TABLE begun ADD COLUMN serial TEXT;
ALTER TABLE begun ADD COLUMN looked TEXT;
ALTER TABLE begun ADD COLUMN looked_at INTEGER;
-- While an attempt is open, no other of its serial may begin.
CREATE INDEX begun_serial ON begun (serial) WHERE serial IS NOT NULL;

-- A held run now keeps the attempt that a person is to settle; it used to be told by the last failure alone.
INSERT INTO begun (run, step, element, at)
    SELECT r.id, a.step, a.element, a.at
    FROM run r INDEXED BY run_attention
    CROSS JOIN attempt a ON a.run = r.id AND a.seq = r.tries - 1
    WHERE r.state >= 3 AND r.state = 3 AND r.word = 'uncertain';

-- Orders that zaprun's own steps made or changed, for ever, like the ledger.
CREATE TABLE touched (
    id    TEXT PRIMARY KEY,
    made  INTEGER NOT NULL,
    depth INTEGER NOT NULL
) WITHOUT ROWID;

-- What other programs ask of the one that holds the state; they write nothing else. Whoever asked takes the answer away.
CREATE TABLE asked (
    id         INTEGER PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES run (id),
    resolution INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    answer     INTEGER
);
CREATE UNIQUE INDEX asked_open ON asked (run) WHERE answer IS NULL;
