-- What a write to the CRM is about. While an attempt is open, no other that has one of its serials may begin.
CREATE TABLE serial (
    serial TEXT NOT NULL,
    run    INTEGER NOT NULL REFERENCES run (id),
    PRIMARY KEY (serial, run)
) WITHOUT ROWID;
CREATE INDEX serial_run ON serial (run);
INSERT INTO serial (serial, run) SELECT serial, run FROM begun WHERE serial IS NOT NULL;
DROP INDEX begun_serial;
ALTER TABLE begun DROP COLUMN serial;

-- Why a step was given up, or that a person settled it.
ALTER TABLE step ADD COLUMN word TEXT;
ALTER TABLE step ADD COLUMN detail TEXT;

-- Which of them a step sold: no other step may take the order for its own sale.
ALTER TABLE touched ADD COLUMN sold INTEGER NOT NULL DEFAULT 0;
