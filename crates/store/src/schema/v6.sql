-- What other programs ask of the one that holds the state, as JSON; so is the answer. Whoever asked takes it away.
CREATE TABLE asked_now (
    id     INTEGER PRIMARY KEY,
    what   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    answer TEXT
);
INSERT INTO asked_now (id, what, at)
    SELECT id, json_object('resolve', json_object(
               'runs', json_array(json_object('run', run, 'changed_at', NULL)),
               'outcome', iif(resolution = 0, 'done', 'failed'))), at
    FROM asked WHERE answer IS NULL;
DROP TABLE asked;
ALTER TABLE asked_now RENAME TO asked;
CREATE INDEX asked_open ON asked (id) WHERE answer IS NULL;

-- What a zap can be compiled from again, without secrets, by the hash of its content.
CREATE TABLE source (
    zap     INTEGER NOT NULL REFERENCES zap (id),
    content TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (zap, content)
) WITHOUT ROWID;

-- A person has replayed the run with the mapping of its revision; else it is mapped as the zap is by then.
ALTER TABLE run ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
-- The step had ended before a person replayed its run, and counts no more.
ALTER TABLE step ADD COLUMN past INTEGER NOT NULL DEFAULT 0;

-- Runs of a zap that are over, by when that was: they are thrown away in this order, and the newest success is told.
CREATE INDEX run_history ON run (zap, state, updated_at) WHERE state > 0;
-- An event goes with its last run; without this its foreign key would read every run.
CREATE INDEX run_event ON run (event);

-- For hashes of keys that were a person's e-mail address, and whether there are any.
ALTER TABLE meta ADD COLUMN salt BLOB;
UPDATE meta SET salt = randomblob(32);
ALTER TABLE meta ADD COLUMN forgot INTEGER NOT NULL DEFAULT 0;
-- Whether all that was ever deleted was overwritten: not so in a state that an older zaprun has written.
ALTER TABLE meta ADD COLUMN clean INTEGER NOT NULL DEFAULT 0;
