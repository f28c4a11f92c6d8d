-- What a team holds, kept as it changes: files and bytes, one that several versions share counted once.
ALTER TABLE teams ADD COLUMN files_held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE teams ADD COLUMN bytes_held BIGINT NOT NULL DEFAULT 0;
UPDATE teams SET files_held = held.files, bytes_held = held.bytes
FROM (SELECT team_id, COUNT(*) AS files, CAST(SUM(size_bytes) AS BIGINT) AS bytes
      FROM (SELECT DISTINCT d.team_id, f.object_key, f.size_bytes
            FROM files f JOIN datasets d ON d.id = f.dataset_id) objects
      GROUP BY team_id) held
WHERE held.team_id = teams.id;

-- What an upload still waits for.
CREATE INDEX files_missing ON files (dataset_id, path) WHERE received_at IS NULL;

-- Files of the data set when the job was queued, for those who wait behind a job that is not listed yet.
ALTER TABLE validation_jobs ADD COLUMN files_announced BIGINT;

-- A program that knows this schema, or a newer one, may work on the database, whatever was added since. A
-- migration that takes something away names itself here.
CREATE VIEW schema_floor AS SELECT CAST(4 AS BIGINT) AS oldest;
