-- Each attempt at a run: when it began, where, and how it ended. A run's own columns know only the last one.
CREATE TABLE attempts (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                  -- `attempt` of its run by then
    agent TEXT NOT NULL DEFAULT '',           -- the name of the agent that had it; empty for a run without one
    host TEXT NOT NULL DEFAULT '',
    slot TEXT NOT NULL DEFAULT '',            -- as the worker calls it; empty where nobody said
    started_at REAL NOT NULL,
    ended_at REAL,
    state TEXT NOT NULL,                      -- of the run when the attempt ended
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;
-- Of earlier runs the last attempt is known, and begins where the first one did.
INSERT INTO attempts
    SELECT r.id, r.attempt, coalesce(a.name, ''), coalesce(a.host, r.host, ''), '', r.started_at, r.ended_at, r.state, r.reason
    FROM runs r LEFT JOIN agents a ON a.id = r.agent_id WHERE r.started_at IS NOT NULL;
