-- Values are looked up by their number or by how good they are only for early termination and for a target. A sweep that has
-- neither is spared both indexes: fifteen rows changed fifteen pages of each.
ALTER TABLE metric_values ADD COLUMN sought INTEGER NOT NULL DEFAULT 1;
DROP INDEX metric_values_by_iteration;
DROP INDEX metric_values_by_value;
CREATE INDEX metric_values_by_iteration ON metric_values (sweep_id, iteration, run_id, value, lowest, highest)
    WHERE sought;
CREATE INDEX metric_values_by_value ON metric_values (sweep_id, value) WHERE sought;
