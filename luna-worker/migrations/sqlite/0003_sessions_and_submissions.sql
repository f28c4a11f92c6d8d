-- Somebody signed in somewhere. The refresh token is used once, then replaced; its forerunner is kept to know
-- a stolen one.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_hash TEXT NOT NULL UNIQUE,
    forerunner_hash TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_forerunner ON sessions (forerunner_hash);

-- Answers to calls that may be made again under the same key.
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    call_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (owner, call_key)
) STRICT;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- The version that counts is the one submitted last; what it was then is kept.
ALTER TABLE datasets ADD COLUMN submitted_at INTEGER;
ALTER TABLE datasets ADD COLUMN fingerprint TEXT;

-- A file that is sent in parts, as the storage names it.
ALTER TABLE files ADD COLUMN multipart_id TEXT;
