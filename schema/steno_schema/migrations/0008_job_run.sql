-- What the daemon's regular jobs did: the newest runs of each. 'running' in a row of an earlier
-- process means that it ended in the middle.
CREATE TABLE job_run (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  duration_ms REAL,
  result TEXT NOT NULL CHECK (result IN ('running', 'done', 'failed', 'stopped')),
  detail TEXT CHECK (detail IS NULL OR json_valid(detail))
) STRICT;
CREATE INDEX job_run_job ON job_run (job);
