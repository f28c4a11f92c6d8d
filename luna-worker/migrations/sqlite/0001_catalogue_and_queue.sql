-- Times are microseconds since 1970-01-01 UTC. The clock is a view, so that every other text is the same on
-- both engines, and tests can put a clock of their own in its place.
CREATE VIEW clock AS
    SELECT CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER) AS now;

CREATE TABLE teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'organiser', 'user')),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX users_of_team ON users (team_id);

CREATE TABLE invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'organiser', 'user')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX invites_of_team ON invites (team_id);

CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_of_team ON api_keys (team_id);

-- A row is one version of a profile, and never changes.
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (name, version)
) STRICT;

-- A row is one version of a task, and never changes.
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    profile_id INTEGER REFERENCES profiles (id),
    opens_at INTEGER,
    closes_at INTEGER,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (name, version)
) STRICT;
CREATE INDEX tasks_of_profile ON tasks (profile_id);

-- Versions of one data set share their lineage, the id of the first.
CREATE TABLE datasets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    task_id INTEGER REFERENCES tasks (id),
    lineage INTEGER,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'complete')),
    created_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    UNIQUE (lineage, version)
) STRICT;
CREATE INDEX datasets_of_team ON datasets (team_id, id);
CREATE INDEX datasets_of_task ON datasets (task_id);
CREATE INDEX datasets_uploading ON datasets (touched_at) WHERE state = 'uploading';

CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    object_key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT,
    received_bytes INTEGER NOT NULL DEFAULT 0,
    received_at INTEGER,
    UNIQUE (dataset_id, path)
) STRICT;
CREATE INDEX files_by_object ON files (object_key);

CREATE TABLE validation_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset_id INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    profile_id INTEGER REFERENCES profiles (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    files_total INTEGER NOT NULL DEFAULT 0,
    files_done INTEGER NOT NULL DEFAULT 0,
    shards_open INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    verdict TEXT,
    summary TEXT,
    error_message TEXT
) STRICT;
CREATE INDEX validation_jobs_of_dataset ON validation_jobs (dataset_id, id);
-- One unfinished job a data set, whoever asks how often.
CREATE UNIQUE INDEX validation_jobs_unfinished ON validation_jobs (dataset_id)
    WHERE state IN ('pending', 'processing');

CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    object_key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    UNIQUE (job_id, name)
) STRICT;

-- Paths of what lies in an archive need not be UTF-8.
CREATE TABLE records (
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    path BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (job_id, path)
) STRICT;

-- In the order of the report.
CREATE TABLE findings (
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
    path TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX findings_by_rule ON findings (job_id, rule, position);
CREATE INDEX findings_by_path ON findings (job_id, path, position);

-- Rows outlive what they tell of, so nothing is referenced.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    team_id INTEGER,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_of_team ON audit_log (team_id, id);
CREATE TRIGGER audit_log_keeps_rows BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_keeps_words BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;

-- Whose turn it is. Team 0 is the house itself.
CREATE TABLE queue_turns (
    team_id INTEGER PRIMARY KEY,
    served INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    team_id INTEGER NOT NULL,
    job_id INTEGER REFERENCES validation_jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    item_key TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    priority INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'dead', 'cancelled')),
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    run_at INTEGER NOT NULL,
    token INTEGER NOT NULL DEFAULT 0,
    worker_id INTEGER,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    reason TEXT
) STRICT;
CREATE INDEX queue_heads ON queue (team_id, priority DESC, turn, id) WHERE state = 'queued';
CREATE INDEX queue_leases ON queue (lease_until, team_id) WHERE state = 'leased';
CREATE INDEX queue_census ON queue (state, created_at) WHERE state IN ('queued', 'leased', 'dead');
CREATE INDEX queue_of_job ON queue (job_id);
CREATE INDEX queue_finished ON queue (finished_at) WHERE state IN ('done', 'cancelled');

CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workers_by_sight ON workers (seen_at);
