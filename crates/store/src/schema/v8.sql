-- Times during which a zap was switched off, told by the engines that started with it off and on again; no `until`: it
-- is off now. `held` and `dropped`: runs made of what happened meanwhile; `told`: of how many of them a person knows.
CREATE TABLE absence (
    zap     INTEGER NOT NULL REFERENCES zap (id),
    since   INTEGER NOT NULL,
    until   INTEGER,
    held    INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    told    INTEGER,
    PRIMARY KEY (zap, since)
) WITHOUT ROWID;

-- Whether a person let the run through the limits of its zap.
ALTER TABLE aside ADD COLUMN let_through INTEGER NOT NULL DEFAULT 0;

-- Whether a dead or held run keeps later ones of its natural id waiting.
ALTER TABLE zap ADD COLUMN strict INTEGER NOT NULL DEFAULT 0;

-- Writes that count towards the limits of their zap: a step, or an element of it, once. `money`: with it the run's amount
-- was counted. Only zaps with limits have rows; those of runs that have ended go after a week.
CREATE TABLE spent (
    zap     INTEGER NOT NULL REFERENCES zap (id),
    at      INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    step    TEXT NOT NULL,
    element TEXT,
    money   INTEGER NOT NULL
);
CREATE INDEX spent_lately ON spent (zap, at);
CREATE INDEX spent_run ON spent (run);

-- What a zap's day has cost, as decimal text; the day is the account's.
CREATE TABLE spent_day (
    zap    INTEGER NOT NULL REFERENCES zap (id),
    day    TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (zap, day)
) WITHOUT ROWID;
