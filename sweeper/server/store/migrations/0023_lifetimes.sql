-- When an artifact expires; NULL: never. A time to live that was set before anything was deleted by it counts from now on.
ALTER TABLE artifacts ADD COLUMN expires_at REAL;
UPDATE artifacts SET expires_at = CAST(strftime('%s', 'now') AS REAL) + ttl_s WHERE ttl_s BETWEEN 1 AND 100000000000;
-- one that is linked is kept, as is what the SDK makes by itself
UPDATE artifacts SET expires_at = NULL, ttl_s = -2 WHERE expires_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM artifact_memberships m WHERE m.artifact_id = artifacts.id AND m.collection_id <> artifacts.collection_id);
UPDATE artifacts SET expires_at = NULL, ttl_s = -2 WHERE expires_at IS NOT NULL AND collection_id IN (
    SELECT id FROM artifact_collections WHERE type IN ('run_table', 'code', 'job') OR type GLOB 'wandb-*');
CREATE INDEX artifacts_by_expiry ON artifacts (expires_at) WHERE expires_at IS NOT NULL;
