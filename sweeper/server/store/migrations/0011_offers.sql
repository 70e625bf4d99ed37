-- A run that was handed to an agent and that the agent has not taken up yet: only the search counts it. An agent that has
-- reached its `count`, or was killed, never does.
ALTER TABLE runs ADD COLUMN offered INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_offered ON runs (sweep_id) WHERE offered;
