-- Costs computed from token counts and a price list, beside the costs that were reported.

-- What calls were charged by, in US dollars per million tokens: a row for each price in use, so
-- that a figure can be done again years later. above_tokens is the tier of long inputs.
CREATE TABLE price (
  id INTEGER PRIMARY KEY,
  version TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  input_usd REAL NOT NULL,
  output_usd REAL NOT NULL,
  cache_read_usd REAL NOT NULL,
  cache_write_usd REAL NOT NULL,
  cache_write_1h_usd REAL NOT NULL,
  above_tokens INTEGER NOT NULL,
  UNIQUE (version, provider, model, input_usd, output_usd, cache_read_usd, cache_write_usd,
    cache_write_1h_usd, above_tokens)
) STRICT;

-- NULL where the model or its tokens are not known: that is no cost, not a cost of 0.
ALTER TABLE usage ADD COLUMN computed_cost_usd REAL;
ALTER TABLE usage ADD COLUMN price_id INTEGER REFERENCES price (id);

-- cost_usd is what was reported, for all calls of the exchange or not at all. The computed cost of
-- a captured exchange is the sum of its calls, reported or computed each; cost_complete is 0 where
-- a call has no price or its count is not final, so that the true cost is higher.
ALTER TABLE exchange ADD COLUMN computed_cost_usd REAL;
ALTER TABLE exchange ADD COLUMN price_id INTEGER REFERENCES price (id);
ALTER TABLE exchange ADD COLUMN cost_complete INTEGER;

CREATE INDEX usage_recorded ON usage (recorded_at);

-- The change log learns a kind: usage.
CREATE TABLE change_before AS SELECT * FROM change;
DROP TABLE change;
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('message', 'exchange', 'message_gone', 'usage')),
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL
) STRICT;
INSERT INTO change SELECT sequence, kind, first_id, last_id FROM change_before;
DROP TABLE change_before;

-- Sums of money are whole numbers of nanodollars, so that any order of adding gives the same.
-- exchanges counts model calls where the dimension is 'outside': calls that no exchange counts.
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
  PRIMARY KEY (dimension, day, name)
) STRICT, WITHOUT ROWID;

-- Days of calls are marked by the database itself: calls come, move, and go with their session,
-- conversation or exchange, and what goes by a cascade is told to nobody else.
CREATE TRIGGER usage_added AFTER INSERT ON usage BEGIN
  INSERT INTO rollup_day (day, clean) VALUES
    (CAST(julianday(date(new.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0)
    ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1;
END;
CREATE TRIGGER usage_changed AFTER UPDATE ON usage BEGIN
  INSERT INTO rollup_day (day, clean) VALUES
    (CAST(julianday(date(old.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0),
    (CAST(julianday(date(new.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0)
    ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1;
END;
CREATE TRIGGER usage_removed AFTER DELETE ON usage BEGIN
  INSERT INTO rollup_day (day, clean) VALUES
    (CAST(julianday(date(old.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0)
    ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1;
END;
CREATE TRIGGER exchange_moved AFTER UPDATE OF conversation_id ON exchange
WHEN old.conversation_id <> new.conversation_id BEGIN
  INSERT INTO rollup_day (day, clean) SELECT DISTINCT
    CAST(julianday(date(u.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0
    FROM usage AS u WHERE u.exchange_id = new.id
    ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1;
END;
CREATE TRIGGER conversation_changed AFTER UPDATE OF kind ON conversation
WHEN old.kind <> new.kind BEGIN
  INSERT INTO rollup_day (day, clean) SELECT DISTINCT
    CAST(julianday(date(u.recorded_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER), 0
    FROM usage AS u WHERE u.conversation_id = new.id
    ON CONFLICT (day) DO UPDATE SET clean = 0 WHERE clean = 1;
END;
