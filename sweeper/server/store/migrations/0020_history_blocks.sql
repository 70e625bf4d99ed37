-- A history's numbers summed up, by blocks of 4096 lines: what charts of a long run are drawn from. A block lies here once all
-- of its lines do, and goes when one of them becomes another.
CREATE TABLE history_blocks (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    block INTEGER NOT NULL,
    UNIQUE (run_id, block)
) STRICT;

CREATE TABLE block_sums (
    block_id INTEGER NOT NULL REFERENCES history_blocks (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    sums BLOB NOT NULL,                       -- 64 chunks of 64 lines: count, mean, lowest and highest of each, as doubles
    PRIMARY KEY (block_id, key)
) STRICT;

-- Runs with whole blocks that may not be summed up yet, and older ones of whose keys nobody knows last, lowest and highest.
CREATE TABLE history_due (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE
) STRICT;
INSERT INTO history_due
    SELECT id FROM runs WHERE EXISTS (SELECT 1 FROM lines WHERE run_id = runs.id AND stream = 'history');
