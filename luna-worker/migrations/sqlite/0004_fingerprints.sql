-- The pictures of the newest validation of a data set, to find them again in another team's: by their pixels,
-- or where these say nothing, by the file.
CREATE TABLE fingerprints (
    job_id INTEGER NOT NULL REFERENCES validation_jobs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    content BLOB NOT NULL,
    file BLOB NOT NULL,
    PRIMARY KEY (job_id, path)
) STRICT;
CREATE INDEX fingerprints_by_content ON fingerprints (content, job_id);
