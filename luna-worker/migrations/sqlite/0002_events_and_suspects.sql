-- What a job's followers are told. Ids only ever grow, also after old rows are gone.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('progress', 'finding', 'done')),
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_job ON events (job_id, id);
CREATE INDEX events_by_age ON events (at);

-- What a job's readers are told of its course.
CREATE TABLE job_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    message TEXT NOT NULL
) STRICT;
CREATE INDEX job_logs_of_job ON job_logs (job_id, id);

-- The file that a careful worker has in hand, and how often one died over it.
ALTER TABLE queue ADD COLUMN suspect BLOB;
-- Workers lost since the item last made headway.
ALTER TABLE queue ADD COLUMN lapses INTEGER NOT NULL DEFAULT 0;
CREATE TABLE suspects (
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    path BLOB NOT NULL,
    deaths INTEGER NOT NULL,
    PRIMARY KEY (job_id, path)
) STRICT;

-- Jobs that ended before there were events have one, so that a follower ends too.
INSERT INTO events (job_id, at, kind, body)
SELECT id, completed_at, 'done', '{"status":"' || state || '"}'
FROM validation_jobs
WHERE completed_at IS NOT NULL
ORDER BY id;
