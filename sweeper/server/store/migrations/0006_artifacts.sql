-- Artifacts. What a file holds lies beside the database, named by its MD5 (see artifact_blobs.py).

-- A sequence numbers the versions logged under one name; a portfolio numbers what was linked to it.
CREATE TABLE artifact_collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,     -- clients remember ids: none is given out twice
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                       -- ArtifactSequence or ArtifactPortfolio
    type TEXT NOT NULL,
    description TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    next_version INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    UNIQUE (project_id, name)
) STRICT;

CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection_id INTEGER NOT NULL REFERENCES artifact_collections (id) ON DELETE CASCADE,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'PENDING',    -- COMMITTED once all of it is here
    distributed_id TEXT,                      -- the same for several runs that fill one artifact
    description TEXT,
    metadata TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    asked_aliases TEXT NOT NULL DEFAULT '[]', -- given to it when it is committed
    ttl_s INTEGER,                            -- kept and given back, nothing is deleted by it; NULL: none was set
    history_step INTEGER,
    size INTEGER NOT NULL DEFAULT 0,
    file_count INTEGER NOT NULL DEFAULT 0,
    manifest TEXT NOT NULL DEFAULT '',        -- the MD5 of the manifest, hexadecimal
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
CREATE INDEX artifacts_of_collection ON artifacts (collection_id, digest);
CREATE INDEX artifacts_by_manifest ON artifacts (manifest);

CREATE TABLE artifact_memberships (
    collection_id INTEGER NOT NULL REFERENCES artifact_collections (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    PRIMARY KEY (collection_id, version),
    UNIQUE (collection_id, artifact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_memberships_of_artifact ON artifact_memberships (artifact_id);

CREATE TABLE artifact_aliases (
    collection_id INTEGER NOT NULL REFERENCES artifact_collections (id) ON DELETE CASCADE,
    alias TEXT NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (collection_id, alias)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_aliases_of_artifact ON artifact_aliases (artifact_id);

-- What clients called an artifact before they knew its id; also tells a repeated request from a new one.
CREATE TABLE artifact_clients (
    client_id TEXT PRIMARY KEY,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_clients_of_artifact ON artifact_clients (artifact_id);

CREATE TABLE artifact_runs (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    role TEXT NOT NULL,                       -- input or output
    PRIMARY KEY (run_id, artifact_id, role)
) STRICT;
CREATE INDEX artifact_runs_of_artifact ON artifact_runs (artifact_id);

CREATE TABLE artifact_manifests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    type TEXT NOT NULL,                       -- FULL, INCREMENTAL (over its base) or PATCH (one of several)
    base_id INTEGER REFERENCES artifacts (id) ON DELETE SET NULL,
    md5 TEXT NOT NULL                         -- hexadecimal; empty until the client has written it
) STRICT;
CREATE INDEX artifact_manifests_of_artifact ON artifact_manifests (artifact_id);
CREATE INDEX artifact_manifests_of_base ON artifact_manifests (base_id);
CREATE INDEX artifact_manifests_by_md5 ON artifact_manifests (md5);

-- Before the commit: what was announced for upload. After it: the manifest.
CREATE TABLE artifact_files (
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    md5 TEXT NOT NULL,                        -- hexadecimal; empty for a reference
    size INTEGER NOT NULL,
    reference TEXT,                           -- where it lies, if not here
    PRIMARY KEY (artifact_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_files_by_md5 ON artifact_files (md5);
