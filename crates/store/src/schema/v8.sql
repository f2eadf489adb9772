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
