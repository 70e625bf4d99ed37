-- Times are seconds since 1970 (UTC). JSON and YAML columns hold the text as it was sent.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL
) STRICT;

CREATE TABLE api_keys (
    sha256 BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at REAL NOT NULL
) STRICT;

-- Signs upload addresses; here, so that addresses given out before a restart still work after it.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE projects (
    id INTEGER PRIMARY KEY,
    entity TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    UNIQUE (entity, name)
) STRICT;

CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    name TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    state TEXT NOT NULL,
    seed INTEGER NOT NULL,
    exhausted INTEGER NOT NULL DEFAULT 0,
    display_name TEXT,
    description TEXT,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    heartbeat_at REAL
) STRICT;
CREATE INDEX sweeps_of_project ON sweeps (project_id);

CREATE TABLE agents (
    id INTEGER PRIMARY KEY,
    sweep_id INTEGER NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    name TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    created_at REAL NOT NULL,
    heartbeat_at REAL NOT NULL
) STRICT;
CREATE INDEX agents_of_sweep ON agents (sweep_id);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    state TEXT NOT NULL,
    sweep_id INTEGER REFERENCES sweeps (id) ON DELETE CASCADE,
    agent_id INTEGER REFERENCES agents (id) ON DELETE SET NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    params TEXT NOT NULL DEFAULT '{}',        -- what the search proposed, flat
    config TEXT NOT NULL DEFAULT '{}',        -- what the client calls its config
    summary TEXT NOT NULL DEFAULT '{}',
    history_keys TEXT NOT NULL DEFAULT '{}',
    description TEXT,
    notes TEXT,
    group_name TEXT,
    job_type TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    host TEXT,
    program TEXT,
    commit_hash TEXT,
    sends INTEGER NOT NULL DEFAULT 0,         -- how often it was handed to an agent
    accepted INTEGER NOT NULL DEFAULT 0,      -- its agent has listed it as its own
    preempting INTEGER NOT NULL DEFAULT 0,
    stop_requested INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    created_at REAL NOT NULL,
    started_at REAL,
    heartbeat_at REAL NOT NULL,
    ended_at REAL,
    UNIQUE (project_id, name)
) STRICT;
CREATE INDEX runs_of_sweep ON runs (sweep_id);
CREATE INDEX runs_of_agent ON runs (agent_id);
CREATE INDEX runs_by_state ON runs (state);

-- One line of a run's history, system events or console, by its index in that stream.
CREATE TABLE lines (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    step INTEGER,
    text TEXT NOT NULL,
    PRIMARY KEY (run_id, stream, number)
) STRICT;

-- The sweep's metric, finite values only, by history line: what search and early termination read.
CREATE TABLE metric_values (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,                        -- base64, as W&B shows it
    mimetype TEXT,
    updated_at REAL NOT NULL,
    PRIMARY KEY (run_id, path)
) STRICT;
