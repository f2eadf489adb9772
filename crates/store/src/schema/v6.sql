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
