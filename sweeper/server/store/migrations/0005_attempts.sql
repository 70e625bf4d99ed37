-- A run that is handed out again after a failure or a preemption keeps its id: its attempts are told apart.
ALTER TABLE runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE runs ADD COLUMN resuming INTEGER NOT NULL DEFAULT 0;  -- its process asked for what it logged before
ALTER TABLE runs ADD COLUMN holder TEXT NOT NULL DEFAULT '';      -- the process at work on it, by the name it sends
ALTER TABLE runs ADD COLUMN fenced TEXT NOT NULL DEFAULT '';      -- processes that lost it, separated by spaces
