-- A run whose agent fell silent waits for another one, so often and no more; it remembers whose it was, in case that
-- one comes back first.
ALTER TABLE runs ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN lost_agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL;

-- Uploads that are complete and on their way to their place: a server that dies between the file's move and its row
-- finds out here which of the two it has.
CREATE TABLE arriving_files (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    PRIMARY KEY (run_id, path, md5)
) STRICT;
CREATE INDEX runs_lost ON runs (lost_agent_id) WHERE lost_agent_id IS NOT NULL;
