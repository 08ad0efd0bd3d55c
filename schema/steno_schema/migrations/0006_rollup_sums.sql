-- Roll-ups learn how long answers took and how they were rated; the follower fills them anew.
-- Times are whole milliseconds and ratings thousandths, so that any order of adding gives the same.

DROP TABLE rollup;
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
  cost_nanousd REAL,
  unknown_costs INTEGER NOT NULL,
  incomplete_costs INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  response_ms INTEGER NOT NULL,
  rated INTEGER NOT NULL,
  rating_thousandths INTEGER NOT NULL,
  PRIMARY KEY (dimension, day, name)
) STRICT, WITHOUT ROWID;
