-- Statistics by day, so that totals over years are a few rows. A day is clean when its roll-up
-- equals a scan of its exchanges; a day that is not clean, and today, are scanned instead.

CREATE TABLE rollup_day (
  day INTEGER PRIMARY KEY,
  clean INTEGER NOT NULL
) STRICT;
CREATE INDEX rollup_day_unclean ON rollup_day (day) WHERE clean = 0;

-- day is the local day since 1970-01-01; dimension is what name is a value of ('' for totals).
CREATE TABLE rollup (
  dimension TEXT NOT NULL,
  day INTEGER NOT NULL,
  name TEXT NOT NULL,
  exchanges INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  cost_usd REAL,
  PRIMARY KEY (dimension, day, name)
) STRICT, WITHOUT ROWID;
