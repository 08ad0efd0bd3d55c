-- The whole record model. Times are milliseconds since 1970 (UTC); uid is the record's UUID.
-- Text lives once, in message; an exchange links its prompt and output and carries annotations.
-- content_hash is of the record as its sender said it: the same id with another hash is a conflict.

CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  key TEXT NOT NULL UNIQUE,
  agent TEXT,
  user TEXT,
  project TEXT,
  title TEXT,
  status TEXT NOT NULL DEFAULT 'active'
    CHECK (status IN ('active', 'paused', 'completed', 'archived')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  last_active_at INTEGER NOT NULL,
  metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata))
) STRICT;
CREATE INDEX session_last_active ON session (last_active_at);

CREATE TABLE conversation (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  key TEXT NOT NULL UNIQUE,
  session_id INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  parent_id INTEGER REFERENCES conversation (id) ON DELETE CASCADE,
  kind TEXT NOT NULL DEFAULT 'main' CHECK (kind IN ('main', 'subagent')),
  user TEXT,
  title TEXT,
  summary TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata))
) STRICT;
CREATE INDEX conversation_session ON conversation (session_id);
CREATE INDEX conversation_parent ON conversation (parent_id) WHERE parent_id IS NOT NULL;

-- prompt_id and output_id name messages; the two tables name each other, so these are not
-- foreign keys: the message's exchange_id is, and the writer keeps both in one transaction.
CREATE TABLE exchange (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  content_hash BLOB,
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  prompt_id INTEGER,
  output_id INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN
    ('human', 'queued', 'command', 'shell', 'plan', 'automation', 'script')),
  status TEXT NOT NULL DEFAULT 'completed'
    CHECK (status IN ('running', 'completed', 'aborted', 'failed')),
  agent TEXT,
  user TEXT,
  project TEXT,
  framework TEXT,
  template TEXT,
  model TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  cache_write_5m_tokens INTEGER,
  cache_write_1h_tokens INTEGER,
  reasoning_tokens INTEGER,
  total_tokens INTEGER,
  tokens_complete INTEGER,
  cost_usd REAL,
  response_time_ms REAL,
  category TEXT,
  complexity TEXT,
  technique TEXT,
  stage TEXT,
  phase TEXT,
  current_file TEXT,
  keywords TEXT,
  response_summary TEXT,
  rating REAL CHECK (rating BETWEEN 0 AND 10),
  follow_up INTEGER,
  notes TEXT,
  files_created TEXT,
  files_modified TEXT,
  commands_executed TEXT,
  metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
  copied INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX exchange_created ON exchange (created_at);
CREATE INDEX exchange_conversation ON exchange (conversation_id);

CREATE TABLE exchange_tag (
  exchange_id INTEGER NOT NULL REFERENCES exchange (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (exchange_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX exchange_tag_tag ON exchange_tag (tag, exchange_id);

-- What the analyser guesses; what the user says stands in exchange and wins.
CREATE TABLE analysis (
  exchange_id INTEGER PRIMARY KEY REFERENCES exchange (id) ON DELETE CASCADE,
  category TEXT,
  complexity TEXT,
  technique TEXT,
  stage TEXT,
  keywords TEXT,
  response_summary TEXT
) STRICT;

-- Times the duplicate check met a prompt again.
CREATE TABLE sighting (
  exchange_id INTEGER NOT NULL REFERENCES exchange (id) ON DELETE CASCADE,
  seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sighting_exchange ON sighting (exchange_id);

-- id is the day since 1970 times 2^24 plus a counter: going down the ids is going back in time,
-- whatever the order in which days arrive (a backfill reads the newest sessions first).
-- The text stands last: ranking reads the columns before it for thousands of rows.
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  content_hash BLOB,
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  exchange_id INTEGER REFERENCES exchange (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
  kind TEXT NOT NULL DEFAULT 'text' CHECK (kind IN
    ('text', 'thinking', 'tool_call', 'tool_result', 'injected', 'notice')),
  created_at INTEGER NOT NULL,
  position INTEGER NOT NULL,
  model TEXT,
  token_count INTEGER,
  processing_time_s REAL,
  importance REAL,
  is_summarized INTEGER NOT NULL DEFAULT 0,
  tool_name TEXT,
  call_id TEXT,
  is_error INTEGER NOT NULL DEFAULT 0,
  copied INTEGER NOT NULL DEFAULT 0,
  metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
  content TEXT NOT NULL,
  original_content TEXT
) STRICT;
CREATE INDEX message_conversation ON message (conversation_id, position);
CREATE INDEX message_exchange ON message (exchange_id) WHERE exchange_id IS NOT NULL;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  content_hash BLOB,
  session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
  conversation_id INTEGER REFERENCES conversation (id) ON DELETE CASCADE,
  exchange_id INTEGER REFERENCES exchange (id) ON DELETE CASCADE,
  agent TEXT NOT NULL,
  model TEXT,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_5m_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  total_tokens INTEGER,
  tokens_complete INTEGER NOT NULL DEFAULT 1,
  cost_usd REAL,
  request_id TEXT,
  recorded_at INTEGER NOT NULL,
  position INTEGER,
  nested INTEGER NOT NULL DEFAULT 0,
  copied INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX usage_exchange ON usage (exchange_id) WHERE exchange_id IS NOT NULL;
CREATE INDEX usage_session ON usage (session_id, recorded_at);
CREATE INDEX usage_conversation ON usage (conversation_id) WHERE conversation_id IS NOT NULL;

CREATE TABLE agent_interaction (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  agent_type TEXT NOT NULL,
  task_description TEXT NOT NULL,
  result_summary TEXT,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd REAL,
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled'))
) STRICT;
CREATE INDEX agent_interaction_conversation ON agent_interaction (conversation_id);

CREATE TABLE routing_decision (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  intent TEXT NOT NULL,
  complexity TEXT,
  confidence REAL CHECK (confidence BETWEEN 0 AND 1),
  selected_workflow TEXT,
  routing_method TEXT,
  reasoning TEXT,
  decided_at INTEGER NOT NULL
) STRICT;
CREATE INDEX routing_decision_conversation ON routing_decision (conversation_id);

CREATE TABLE preference (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (user, key)
) STRICT;

CREATE TABLE pattern (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  pattern_type TEXT NOT NULL,
  pattern_key TEXT NOT NULL,
  pattern_value TEXT,
  occurrence_count INTEGER NOT NULL DEFAULT 1,
  confidence_score REAL CHECK (confidence_score BETWEEN 0 AND 1),
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  UNIQUE (pattern_type, pattern_key)
) STRICT;

-- Ids of the pattern sightings taken in, so that a retry does not count twice.
CREATE TABLE pattern_sighting (
  uid BLOB PRIMARY KEY,
  pattern_id INTEGER NOT NULL REFERENCES pattern (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE handoff (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  from_session TEXT NOT NULL,
  to_session TEXT,
  summary TEXT NOT NULL,
  open_tasks TEXT,
  context TEXT,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE metric (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  metric TEXT NOT NULL,
  value REAL NOT NULL,
  unit TEXT,
  labels TEXT,
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX metric_recorded ON metric (metric, recorded_at);

CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  key TEXT NOT NULL,
  session TEXT,
  specialist TEXT,
  task_type TEXT,
  complexity TEXT,
  started_at INTEGER,
  completed_at INTEGER,
  duration_hours REAL,
  estimation_hours REAL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX task_key ON task (key);

CREATE TABLE command (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  command TEXT NOT NULL,
  session TEXT,
  model TEXT,
  thinking_budget INTEGER,
  duration_ms REAL,
  success INTEGER,
  executed_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX command_executed ON command (executed_at);

CREATE TABLE error_event (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  message TEXT NOT NULL,
  severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 10),
  command TEXT,
  context TEXT,
  session TEXT,
  occurred_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX error_event_occurred ON error_event (occurred_at);

CREATE TABLE workflow (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uid BLOB NOT NULL UNIQUE,
  current_task TEXT,
  current_command TEXT,
  session TEXT,
  data TEXT,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE metadata_entry (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pattern_use (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE,
  content_hash BLOB,
  pattern_name TEXT NOT NULL,
  task TEXT,
  session TEXT,
  time_saved_hours REAL NOT NULL DEFAULT 0,
  confidence REAL CHECK (confidence BETWEEN 0 AND 1),
  source TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pattern_use_name ON pattern_use (pattern_name);

-- Capture's ledger: one row a generation of a source file, and the bytes that were read from it.
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
  agent TEXT NOT NULL,
  path TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('live', 'gone', 'replaced', 'unreadable')),
  device INTEGER NOT NULL,
  inode TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  head_hash TEXT NOT NULL,
  head_bytes INTEGER NOT NULL,
  tail_hash TEXT NOT NULL,
  tail_bytes INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  lines_skipped INTEGER NOT NULL,
  lines_not_understood INTEGER NOT NULL,
  sample TEXT,
  redactions INTEGER NOT NULL,
  records INTEGER NOT NULL,
  kept_bytes INTEGER NOT NULL,
  parser TEXT NOT NULL,
  parser_state BLOB NOT NULL,
  session_key TEXT,
  first_seen_at INTEGER NOT NULL,
  last_read_at INTEGER NOT NULL,
  last_event_at INTEGER
) STRICT;
CREATE INDEX source_path ON source (path);
CREATE INDEX source_session ON source (session_key) WHERE session_key IS NOT NULL;

CREATE TABLE source_chunk (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
  start_offset INTEGER NOT NULL,
  end_offset INTEGER NOT NULL,
  codec TEXT NOT NULL CHECK (codec IN ('zstd', 'none')),
  data BLOB NOT NULL,
  UNIQUE (source_id, start_offset)
) STRICT;

-- What was forgotten stays forgotten: a retry, a rescan or a re-derivation meets its id here.
CREATE TABLE tombstone (
  uid BLOB PRIMARY KEY CHECK (length(uid) = 16),
  forgotten_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The change log that followers and subscribers follow: runs of ids of one table, in commit order.
-- Its newest rows are never deleted, so that sequences only grow.
CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('message', 'exchange', 'message_gone')),
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL
) STRICT;

CREATE TABLE follower (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  cursor INTEGER NOT NULL,
  rebuild_from INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  started_at INTEGER NOT NULL,
  stopped_at INTEGER,
  version TEXT NOT NULL
) STRICT;

-- The index holds no text of its own; parts are pieces of identifiers and pairs of CJK characters.
CREATE VIRTUAL TABLE message_index USING fts5 (
  body, parts, tags,
  content = '', contentless_delete = 1,
  tokenize = 'porter unicode61 remove_diacritics 2',
  prefix = '3'
);
