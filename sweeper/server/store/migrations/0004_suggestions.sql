-- Suggestions computed ahead: what a sweep's next runs will be, by the number that each will have in the sweep.
-- They hold only as a row: each was computed as if those before it were runs already.
CREATE TABLE suggestions (
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                  -- 1 is the sweep's first run
    params TEXT,                              -- NULL: there is nothing left for a run of this number
    params_key BLOB NOT NULL,
    engine TEXT NOT NULL,
    seed INTEGER NOT NULL,
    based_on INTEGER NOT NULL,                -- ended runs that were known
    PRIMARY KEY (sweep_id, number)
) STRICT, WITHOUT ROWID;

-- What suggested a run, as JSON; empty for one that was started by hand.
ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT '';
-- The same for equal parameters; NULL for a run from before this migration.
ALTER TABLE runs ADD COLUMN params_key BLOB;
CREATE INDEX runs_of_sweep_by_key ON runs (sweep_id, params_key);

-- A heartbeat counts a sweep's runs by state, and the search looks for those that changed.
CREATE INDEX runs_of_sweep_by_state ON runs (sweep_id, state, ended_at);
CREATE INDEX runs_waiting ON runs (sweep_id) WHERE agent_id IS NULL AND state IN ('pending', 'preempted');
-- Whether any run has reached `metric.target`.
CREATE INDEX metric_values_by_value ON metric_values (sweep_id, value);
