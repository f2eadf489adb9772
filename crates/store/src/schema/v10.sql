-- What each of those who are told of alerts was told, until it is over. `told`: how many; `told_at` NULL: nothing yet.
CREATE TABLE alert (
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    target  TEXT NOT NULL,
    since   INTEGER NOT NULL,
    told    INTEGER NOT NULL,
    told_at INTEGER,
    over    INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, target)
) WITHOUT ROWID;
