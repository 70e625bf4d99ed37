-- A run that was told to stop ends by itself first; from this time on its agent is told to end it.
ALTER TABLE runs ADD COLUMN stop_due REAL NOT NULL DEFAULT 0;

-- Ids of deleted runs: what a process still sends for one must not bring it back.
CREATE TABLE deleted_runs (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    deleted_at REAL NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

-- What runs reported with run.alert().
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    severity TEXT NOT NULL,                   -- INFO, WARN or ERROR
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX alerts_of_run ON alerts (run_id);

-- Presets of wandb.Api().create_custom_chart(): kept for whoever comes to draw them.
CREATE TABLE custom_charts (
    id INTEGER PRIMARY KEY,
    entity TEXT NOT NULL,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    type TEXT NOT NULL,
    access TEXT NOT NULL,
    spec TEXT NOT NULL,
    UNIQUE (entity, name)
) STRICT;

-- Shared mode: several processes write one run, each with line numbers of its own.
CREATE TABLE writer_lines (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    writer TEXT NOT NULL,
    line INTEGER NOT NULL,                    -- by the writer's own count
    number INTEGER NOT NULL,                  -- where that line lies in the stream
    PRIMARY KEY (run_id, stream, writer, line)
) STRICT, WITHOUT ROWID;
