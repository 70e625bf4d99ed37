-- What people asked of sweeps and runs: who, when and why. The name is kept, as a user may be removed.
CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    sweep_id INTEGER REFERENCES sweeps (id) ON DELETE CASCADE,
    run_id INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    user_name TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX actions_of_sweep ON actions (sweep_id, id) WHERE sweep_id IS NOT NULL;
CREATE INDEX actions_of_run ON actions (run_id, id) WHERE run_id IS NOT NULL;
