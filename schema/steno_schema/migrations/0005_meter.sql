-- The completeness meter: what the lines of a source were, by version of the agent and kind of line.
CREATE TABLE line_count (
  source_id INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
  version TEXT NOT NULL,
  kind TEXT NOT NULL,
  lines INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  records INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  not_understood INTEGER NOT NULL,
  sample TEXT,
  PRIMARY KEY (source_id, version, kind)
) STRICT, WITHOUT ROWID;

-- What the meter found wrong: raised once, gone when it no longer holds. A kind of line is new once,
-- whatever version writes it; its version is empty here.
CREATE TABLE alarm (
  what TEXT NOT NULL CHECK (what IN ('new_kind', 'fewer_understood', 'fewer_records')),
  agent TEXT NOT NULL,
  version TEXT NOT NULL,
  kind TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  PRIMARY KEY (what, agent, version, kind)
) STRICT, WITHOUT ROWID;
