-- A sweep that has started can be given another file. What that one does not ask for stays as history: runs with a
-- configuration that it does not hold, and those that are more than its repeats. They count for `run_cap` alone.
ALTER TABLE runs ADD COLUMN beyond INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_beyond ON runs (sweep_id) WHERE beyond;

-- Rows of a deleted run are looked for by the run alone, in tables that begin with the sweep: told how these look, SQLite
-- goes from sweep to sweep instead of through all rows, which took 20 ms a run of a sweep of 160,000 values.
ANALYZE nonfinite_values;
INSERT INTO sqlite_stat1 VALUES ('metric_values', 'metric_values', '1000000 10000 100 1');
INSERT INTO sqlite_stat1 VALUES ('nonfinite_values', 'nonfinite_values', '1000000 10000 100 1');
ANALYZE sqlite_schema;
