-- The pictures of the newest validation of a data set, to find them again in another team's: by their pixels,
-- or where these say nothing, by the file.
CREATE TABLE fingerprints (
    job_id BIGINT NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    path TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    file BYTEA NOT NULL,
    PRIMARY KEY (job_id, path)
);
CREATE INDEX fingerprints_by_content ON fingerprints (content, job_id);
