-- How many queries a zap's present selection takes. While one of them has no cursor, what it holds since the boundary was
-- never seen, so that a change of selection must leave the boundary where it is.
ALTER TABLE zap ADD COLUMN queries INTEGER NOT NULL DEFAULT 0;
