-- A page of a list of runs, which is nearly always asked for in the order in which they were made.
CREATE INDEX runs_of_project_by_time ON runs (project_id, created_at);
CREATE INDEX runs_of_sweep_by_time ON runs (sweep_id, created_at);
