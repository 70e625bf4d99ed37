-- Whether an agent's first heartbeat came at once, as that of wandb.agent(function=...) does; `wandb agent` in a shell
-- waits 5 s. NULL before the first one.
ALTER TABLE agents ADD COLUMN eager INTEGER;

-- Runs given to an agent in the moment its last one ended. An agent that has reached its `count` drops them unseen:
-- they are taken back when it is not heard again.
CREATE TABLE early_runs (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    given_at REAL NOT NULL
) STRICT;

-- A page of a history of a million rows is looked up by its steps.
CREATE INDEX lines_by_step ON lines (run_id, step, number) WHERE stream = 'history' AND step IS NOT NULL;
