-- For which group of workers a run was first given out: what `sweeper worker --count N` counts, over all machines.
CREATE TABLE counted_runs (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    sweep_id INTEGER NOT NULL,
    group_name TEXT NOT NULL
) STRICT;
CREATE INDEX counted_runs_by_group ON counted_runs (sweep_id, group_name);
