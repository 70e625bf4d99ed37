-- A private project is there for its owner alone, and for the server's own user; once its owner is removed, for that one.
ALTER TABLE projects ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN owner_id INTEGER REFERENCES users (id) ON DELETE SET NULL;
CREATE INDEX projects_private ON projects (owner_id) WHERE private;
