-- The CRM's clock less ours, in microseconds, when the zap was first read; NULL until then. By it the boundary is
-- understood for ever.
ALTER TABLE zap ADD COLUMN skew INTEGER;
