-- Early termination looks up what every run that a sweep sees had logged by its n-th value: the value itself and the
-- extremes so far. Reading all histories for that took as long as the sweep was big, at every value that came in.
ALTER TABLE metric_values ADD COLUMN iteration INTEGER NOT NULL DEFAULT 0;  -- 1 is the run's first
ALTER TABLE metric_values ADD COLUMN lowest REAL NOT NULL DEFAULT 0;
ALTER TABLE metric_values ADD COLUMN highest REAL NOT NULL DEFAULT 0;
UPDATE metric_values SET iteration = known.iteration, lowest = known.lowest, highest = known.highest FROM (
    SELECT sweep_id, run_id, line, row_number() OVER so_far AS iteration, min(value) OVER so_far AS lowest,
        max(value) OVER so_far AS highest
    FROM metric_values WINDOW so_far AS (PARTITION BY sweep_id, run_id ORDER BY line)
) AS known
WHERE known.sweep_id = metric_values.sweep_id AND known.run_id = metric_values.run_id
    AND known.line = metric_values.line;
CREATE INDEX metric_values_by_iteration ON metric_values (sweep_id, iteration, run_id, value, lowest, highest);

-- Lines that hold a sweep's metric as NaN or infinite: a run with nothing else is stopped.
CREATE TABLE nonfinite_values (
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    PRIMARY KEY (sweep_id, run_id, line)
) STRICT, WITHOUT ROWID;

-- The decision of early termination behind `reason`, as JSON; empty for a run that was not stopped by it.
ALTER TABLE runs ADD COLUMN stop TEXT NOT NULL DEFAULT '';
