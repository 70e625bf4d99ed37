-- A deleted run whose files a server has still to remove: it may have been killed between the rows and them. Every start
-- looks for these, and no more at all runs that were ever deleted.
ALTER TABLE deleted_runs ADD COLUMN has_files INTEGER NOT NULL DEFAULT 1;
CREATE INDEX deleted_runs_with_files ON deleted_runs (project_id, name) WHERE has_files;

-- Which artifacts a file of another one points to.
CREATE INDEX artifact_files_by_reference ON artifact_files (reference) WHERE reference IS NOT NULL;
