-- A finished run whose history has a gap says so. `joins`: the lines at which attempts went on (JSON list). `reached`: how
-- many rows an attempt had logged whose history was emptied for the next one. `gap`: what was found missing at the end.
ALTER TABLE runs ADD COLUMN joins TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN reached INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN gap TEXT NOT NULL DEFAULT '';
