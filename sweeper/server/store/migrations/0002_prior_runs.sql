-- Warm start: earlier runs of the project that a sweep learns from. They stay where they are.
CREATE TABLE prior_runs (
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (sweep_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX prior_runs_of_run ON prior_runs (run_id);

-- A run may be seen by several sweeps, each with a metric of its own: values are kept by sweep.
CREATE TABLE seen_values (
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (sweep_id, run_id, line)
) STRICT, WITHOUT ROWID;
INSERT INTO seen_values
    SELECT r.sweep_id, v.run_id, v.line, v.value FROM metric_values v JOIN runs r ON r.id = v.run_id
    WHERE r.sweep_id IS NOT NULL;
DROP TABLE metric_values;
ALTER TABLE seen_values RENAME TO metric_values;
