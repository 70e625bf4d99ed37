-- A sweep that has started can be given another file. What that one does not ask for stays as history: runs with a
-- configuration that it does not hold, and those that are more than its repeats. They count for `run_cap` alone.
ALTER TABLE runs ADD COLUMN beyond INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_beyond ON runs (sweep_id) WHERE beyond;
