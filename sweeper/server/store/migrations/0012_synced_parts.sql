-- The part of a run that is being synced, as JSON: where its lines begin, behind those of the parts before it. Empty for a
-- run whose lines are where their process says.
ALTER TABLE runs ADD COLUMN part TEXT NOT NULL DEFAULT '';
