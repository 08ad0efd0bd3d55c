-- The names people query, with exactly the columns the reference gives, and uid last.
-- Only what SQLite 3.40 knows is used, so that an older sqlite3 reads the file.

DROP VIEW IF EXISTS history;
CREATE VIEW history AS SELECT
  e.id AS id,
  p.content AS prompt,
  coalesce(o.content, '') AS output,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch') AS timestamp,
  coalesce(e.framework, e.agent) AS framework_used,
  e.template AS template_used,
  e.model AS model,
  coalesce(e.total_tokens, e.input_tokens + e.cache_read_tokens + e.cache_write_tokens + e.output_tokens) AS tokens,
  coalesce(e.cost_usd, e.computed_cost_usd) AS cost,
  (SELECT group_concat(tag, ',') FROM (SELECT tag FROM exchange_tag WHERE exchange_id = e.id ORDER BY tag)) AS tags,
  e.metadata AS metadata,
  e.notes AS notes,
  lower(substr(hex(e.uid),1,8)||'-'||substr(hex(e.uid),9,4)||'-'||substr(hex(e.uid),13,4)||'-'||substr(hex(e.uid),17,4)||'-'||substr(hex(e.uid),21)) AS uid
FROM exchange AS e
JOIN message AS p ON p.id = e.prompt_id
LEFT JOIN message AS o ON o.id = e.output_id;

-- What came of an exchange: what its tool calls did, and the signs of success that were seen.
-- corrected: the next prompt of a person says that something is wrong; NULL while there is none.
DROP VIEW IF EXISTS outcomes;
CREATE VIEW outcomes AS SELECT
  e.id AS id,
  e.status AS status,
  (SELECT count(*) FROM message AS m WHERE m.exchange_id = e.id AND m.kind = 'tool_call') AS tool_calls,
  (SELECT count(*) FROM message AS m WHERE m.exchange_id = e.id AND m.is_error = 1) AS tool_errors,
  e.status = 'aborted' AS interrupted,
  (SELECT a.corrects FROM exchange AS n JOIN analysis AS a ON a.exchange_id = n.id
   WHERE e.origin <> 'script' AND n.conversation_id = e.conversation_id
     AND n.origin IN ('human', 'queued') AND (n.created_at, n.id) > (e.created_at, e.id)
   ORDER BY n.created_at, n.id LIMIT 1) AS corrected,
  coalesce(e.current_file, (SELECT k.what FROM message AS m JOIN act AS k ON k.message_id = m.id
   WHERE m.exchange_id = e.id AND k.kind <> 'ran'
   ORDER BY k.kind = 'read', m.id DESC, k.number DESC LIMIT 1)) AS current_file,
  coalesce(e.files_created, (SELECT nullif(json_group_array(what), '[]') FROM
    (SELECT k.what FROM message AS m JOIN act AS k ON k.message_id = m.id
     WHERE m.exchange_id = e.id AND k.kind = 'created' GROUP BY k.what ORDER BY min(m.id)))) AS files_created,
  coalesce(e.files_modified, (SELECT nullif(json_group_array(what), '[]') FROM
    (SELECT k.what FROM message AS m JOIN act AS k ON k.message_id = m.id
     WHERE m.exchange_id = e.id AND k.kind = 'modified' GROUP BY k.what ORDER BY min(m.id)))) AS files_modified,
  coalesce(e.commands_executed, (SELECT nullif(json_group_array(what), '[]') FROM
    (SELECT k.what FROM message AS m JOIN act AS k ON k.message_id = m.id
     WHERE m.exchange_id = e.id AND k.kind = 'ran' ORDER BY m.id, k.number))) AS commands_executed,
  lower(substr(hex(e.uid),1,8)||'-'||substr(hex(e.uid),9,4)||'-'||substr(hex(e.uid),13,4)||'-'||substr(hex(e.uid),17,4)||'-'||substr(hex(e.uid),21)) AS uid
FROM exchange AS e;

DROP VIEW IF EXISTS prompts;
CREATE VIEW prompts AS SELECT
  e.id AS id,
  p.content AS prompt_text,
  s.key AS session_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch') AS prompt_date,
  coalesce(e.category, a.category) AS prompt_category,
  (SELECT w.current_file FROM outcomes AS w WHERE w.id = e.id) AS current_file,
  e.phase AS project_phase,
  coalesce(e.response_summary, a.response_summary) AS response_summary,
  coalesce(e.complexity, a.complexity) AS prompt_complexity,
  e.rating AS success_rating,
  coalesce(e.follow_up, a.follow_up) AS follow_up_needed,
  coalesce(e.technique, a.technique) AS prompt_technique,
  coalesce(e.stage, a.stage) AS development_stage,
  e.response_time_ms AS response_time_estimate,
  coalesce(e.total_tokens, e.input_tokens + e.cache_read_tokens + e.cache_write_tokens + e.output_tokens) AS tokens_used_estimate,
  coalesce(e.keywords, a.keywords) AS keywords,
  (SELECT group_concat(tag, ',') FROM (SELECT tag FROM exchange_tag WHERE exchange_id = e.id ORDER BY tag)) AS tags,
  (SELECT w.files_created FROM outcomes AS w WHERE w.id = e.id) AS files_created,
  (SELECT w.files_modified FROM outcomes AS w WHERE w.id = e.id) AS files_modified,
  (SELECT w.commands_executed FROM outcomes AS w WHERE w.id = e.id) AS commands_executed,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.updated_at / 1000.0, 'unixepoch') AS updated_at,
  lower(substr(hex(e.uid),1,8)||'-'||substr(hex(e.uid),9,4)||'-'||substr(hex(e.uid),13,4)||'-'||substr(hex(e.uid),17,4)||'-'||substr(hex(e.uid),21)) AS uid
FROM exchange AS e
JOIN message AS p ON p.id = e.prompt_id
JOIN conversation AS c ON c.id = e.conversation_id
JOIN session AS s ON s.id = c.session_id
LEFT JOIN analysis AS a ON a.exchange_id = e.id;

DROP VIEW IF EXISTS conversation_threads;
CREATE VIEW conversation_threads AS SELECT
  c.id AS id,
  coalesce(c.user, s.user) AS user_id,
  c.key AS thread_id,
  c.title AS title,
  strftime('%Y-%m-%dT%H:%M:%fZ', c.created_at / 1000.0, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', c.updated_at / 1000.0, 'unixepoch') AS updated_at,
  (SELECT count(*) FROM message AS m WHERE m.conversation_id = c.id) AS message_count,
  c.metadata AS metadata,
  lower(substr(hex(c.uid),1,8)||'-'||substr(hex(c.uid),9,4)||'-'||substr(hex(c.uid),13,4)||'-'||substr(hex(c.uid),17,4)||'-'||substr(hex(c.uid),21)) AS uid
FROM conversation AS c
JOIN session AS s ON s.id = c.session_id;

DROP VIEW IF EXISTS conversation_messages;
CREATE VIEW conversation_messages AS SELECT
  m.id AS id,
  c.key AS thread_id,
  m.role AS role,
  iif(m.pack_id IS NULL, m.content, m.content || '…') AS content,
  strftime('%Y-%m-%dT%H:%M:%fZ', m.created_at / 1000.0, 'unixepoch') AS created_at,
  m.metadata AS metadata,
  m.model AS model_used,
  m.processing_time_s AS processing_time,
  m.token_count AS token_count,
  lower(substr(hex(m.uid),1,8)||'-'||substr(hex(m.uid),9,4)||'-'||substr(hex(m.uid),13,4)||'-'||substr(hex(m.uid),17,4)||'-'||substr(hex(m.uid),21)) AS uid
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id;

DROP VIEW IF EXISTS sessions;
CREATE VIEW sessions AS SELECT
  s.id AS id,
  s.key AS session_id,
  s.user AS user_id,
  s.project AS project_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.created_at / 1000.0, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.updated_at / 1000.0, 'unixepoch') AS updated_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.last_active_at / 1000.0, 'unixepoch') AS last_active_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.ended_at / 1000.0, 'unixepoch') AS ended_at,
  s.status AS status,
  (coalesce(s.ended_at, s.last_active_at) - coalesce(s.started_at, s.created_at)) / 3600000.0 AS duration_hours,
  (SELECT count(*) FROM task AS t WHERE t.session = s.key AND t.completed_at IS NOT NULL) AS tasks_completed,
  (SELECT count(*) FROM command AS k WHERE k.session = s.key) AS commands_run,
  s.metadata AS metadata_json,
  lower(substr(hex(s.uid),1,8)||'-'||substr(hex(s.uid),9,4)||'-'||substr(hex(s.uid),13,4)||'-'||substr(hex(s.uid),17,4)||'-'||substr(hex(s.uid),21)) AS uid
FROM session AS s;

DROP VIEW IF EXISTS conversations;
CREATE VIEW conversations AS SELECT
  c.id AS id,
  s.key AS session_id,
  c.key AS conversation_id,
  c.title AS title,
  strftime('%Y-%m-%dT%H:%M:%fZ', c.started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', c.ended_at / 1000.0, 'unixepoch') AS ended_at,
  (SELECT count(*) FROM message AS m WHERE m.conversation_id = c.id) AS message_count,
  c.summary AS summary,
  c.metadata AS metadata_json,
  lower(substr(hex(c.uid),1,8)||'-'||substr(hex(c.uid),9,4)||'-'||substr(hex(c.uid),13,4)||'-'||substr(hex(c.uid),17,4)||'-'||substr(hex(c.uid),21)) AS uid
FROM conversation AS c
JOIN session AS s ON s.id = c.session_id;

DROP VIEW IF EXISTS messages;
CREATE VIEW messages AS SELECT
  m.id AS id,
  c.key AS conversation_id,
  m.role AS role,
  iif(m.pack_id IS NULL, m.content, m.content || '…') AS content,
  m.token_count AS token_count,
  strftime('%Y-%m-%dT%H:%M:%fZ', m.created_at / 1000.0, 'unixepoch') AS created_at,
  m.importance AS importance_score,
  m.is_summarized AS is_summarized,
  m.original_content AS original_content,
  lower(substr(hex(m.uid),1,8)||'-'||substr(hex(m.uid),9,4)||'-'||substr(hex(m.uid),13,4)||'-'||substr(hex(m.uid),17,4)||'-'||substr(hex(m.uid),21)) AS uid
FROM message AS m
JOIN conversation AS c ON c.id = m.conversation_id;

DROP VIEW IF EXISTS agent_interactions;
CREATE VIEW agent_interactions AS SELECT
  i.id AS id,
  c.key AS conversation_id,
  i.agent_type AS agent_type,
  i.task_description AS task_description,
  i.result_summary AS result_summary,
  i.input_tokens AS input_tokens,
  i.output_tokens AS output_tokens,
  i.cost_usd AS cost_usd,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.completed_at / 1000.0, 'unixepoch') AS completed_at,
  i.status AS status,
  lower(substr(hex(i.uid),1,8)||'-'||substr(hex(i.uid),9,4)||'-'||substr(hex(i.uid),13,4)||'-'||substr(hex(i.uid),17,4)||'-'||substr(hex(i.uid),21)) AS uid
FROM agent_interaction AS i
JOIN conversation AS c ON c.id = i.conversation_id;

DROP VIEW IF EXISTS routing_decisions;
CREATE VIEW routing_decisions AS SELECT
  r.id AS id,
  c.key AS conversation_id,
  r.intent AS intent,
  r.complexity AS complexity,
  r.confidence AS confidence,
  r.selected_workflow AS selected_workflow,
  r.routing_method AS routing_method,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.decided_at / 1000.0, 'unixepoch') AS decided_at,
  r.reasoning AS reasoning,
  lower(substr(hex(r.uid),1,8)||'-'||substr(hex(r.uid),9,4)||'-'||substr(hex(r.uid),13,4)||'-'||substr(hex(r.uid),17,4)||'-'||substr(hex(r.uid),21)) AS uid
FROM routing_decision AS r
JOIN conversation AS c ON c.id = r.conversation_id;

-- Every cost once, as statistics count it: an exchange saved with tokens or a cost of its own is a row
-- (its id with a minus) and the calls that name it are none.
DROP VIEW IF EXISTS cost_tracking;
CREATE VIEW cost_tracking AS SELECT
  u.id AS id,
  s.key AS session_id,
  u.model AS model,
  u.input_tokens AS input_tokens,
  u.output_tokens AS output_tokens,
  coalesce(u.cost_usd, u.computed_cost_usd) AS cost_usd,
  strftime('%Y-%m-%dT%H:%M:%fZ', u.recorded_at / 1000.0, 'unixepoch') AS recorded_at,
  lower(substr(hex(u.uid),1,8)||'-'||substr(hex(u.uid),9,4)||'-'||substr(hex(u.uid),13,4)||'-'||substr(hex(u.uid),17,4)||'-'||substr(hex(u.uid),21)) AS uid
FROM usage AS u
LEFT JOIN exchange AS x ON x.id = u.exchange_id
LEFT JOIN conversation AS c ON c.id = u.conversation_id
LEFT JOIN session AS s ON s.id = coalesce(c.session_id, u.session_id)
WHERE u.nested = 0
  AND (x.origin IS NOT 'script' OR (x.cost_usd IS NULL AND x.input_tokens IS NULL))
UNION ALL SELECT
  -e.id,
  s.key,
  e.model,
  coalesce(e.input_tokens, 0),
  coalesce(e.output_tokens, 0),
  coalesce(e.cost_usd, e.computed_cost_usd),
  strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000.0, 'unixepoch'),
  lower(substr(hex(e.uid),1,8)||'-'||substr(hex(e.uid),9,4)||'-'||substr(hex(e.uid),13,4)||'-'||substr(hex(e.uid),17,4)||'-'||substr(hex(e.uid),21))
FROM exchange AS e
JOIN conversation AS c ON c.id = e.conversation_id
JOIN session AS s ON s.id = c.session_id
WHERE e.origin = 'script' AND (e.cost_usd IS NOT NULL OR e.input_tokens IS NOT NULL);

DROP VIEW IF EXISTS user_preferences;
CREATE VIEW user_preferences AS SELECT
  user AS user_id,
  key AS preference_key,
  value AS preference_value,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM preference;

DROP VIEW IF EXISTS learned_patterns;
CREATE VIEW learned_patterns AS SELECT
  id,
  pattern_type,
  pattern_key,
  pattern_value,
  occurrence_count,
  confidence_score,
  strftime('%Y-%m-%dT%H:%M:%fZ', first_seen / 1000.0, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM pattern;

DROP VIEW IF EXISTS session_handoffs;
CREATE VIEW session_handoffs AS SELECT
  id,
  from_session AS from_session_id,
  to_session AS to_session_id,
  summary,
  open_tasks,
  context AS context_json,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM handoff;

DROP VIEW IF EXISTS memory_metrics;
CREATE VIEW memory_metrics AS SELECT
  id,
  metric,
  value,
  unit,
  labels AS labels_json,
  strftime('%Y-%m-%dT%H:%M:%fZ', recorded_at / 1000.0, 'unixepoch') AS recorded_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM metric;

DROP VIEW IF EXISTS tasks;
CREATE VIEW tasks AS SELECT
  id,
  key AS task_id,
  session AS session_id,
  specialist,
  task_type AS type,
  complexity,
  strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', completed_at / 1000.0, 'unixepoch') AS completed_at,
  duration_hours,
  estimation_hours,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM task;

DROP VIEW IF EXISTS commands;
CREATE VIEW commands AS SELECT
  id,
  command,
  strftime('%Y-%m-%dT%H:%M:%fZ', executed_at / 1000.0, 'unixepoch') AS executed_at,
  session AS session_id,
  model,
  thinking_budget,
  duration_ms,
  success,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM command;

DROP VIEW IF EXISTS errors;
CREATE VIEW errors AS SELECT
  id,
  command,
  severity,
  message,
  context,
  strftime('%Y-%m-%dT%H:%M:%fZ', occurred_at / 1000.0, 'unixepoch') AS timestamp,
  session AS session_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM error_event;

DROP VIEW IF EXISTS workflow_state;
CREATE VIEW workflow_state AS SELECT
  id,
  current_task,
  current_command,
  session AS session_id,
  data AS data_json,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM workflow;

DROP VIEW IF EXISTS metadata;
CREATE VIEW metadata AS SELECT
  key,
  value,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch') AS updated_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM metadata_entry;

DROP VIEW IF EXISTS sources;
CREATE VIEW sources AS SELECT
  f.id AS id,
  f.agent AS agent,
  f.path AS path,
  iif(f.is_away, 'away', f.state) AS state,
  f.size_bytes AS size_bytes,
  f.offset AS read_bytes,
  f.lines AS lines,
  f.lines_skipped AS lines_skipped,
  f.lines_not_understood AS lines_not_understood,
  f.records AS records,
  f.kept_bytes AS kept_bytes,
  f.session_key AS session_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', f.last_read_at / 1000.0, 'unixepoch') AS last_read_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', f.last_event_at / 1000.0, 'unixepoch') AS last_event_at,
  lower(substr(hex(f.uid),1,8)||'-'||substr(hex(f.uid),9,4)||'-'||substr(hex(f.uid),13,4)||'-'||substr(hex(f.uid),17,4)||'-'||substr(hex(f.uid),21)) AS uid
FROM source AS f;

-- Times the duplicate check met a prompt again; uid is the id the record would have had.
DROP VIEW IF EXISTS sightings;
CREATE VIEW sightings AS SELECT
  g.rowid AS id,
  g.exchange_id AS exchange_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', g.seen_at / 1000.0, 'unixepoch') AS seen_at,
  lower(substr(hex(g.uid),1,8)||'-'||substr(hex(g.uid),9,4)||'-'||substr(hex(g.uid),13,4)||'-'||substr(hex(g.uid),17,4)||'-'||substr(hex(g.uid),21)) AS uid
FROM sighting AS g;

DROP VIEW IF EXISTS pattern_usage;
CREATE VIEW pattern_usage AS SELECT
  id,
  pattern_name,
  task AS task_id,
  session AS session_id,
  time_saved_hours,
  confidence,
  source,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at,
  lower(substr(hex(uid),1,8)||'-'||substr(hex(uid),9,4)||'-'||substr(hex(uid),13,4)||'-'||substr(hex(uid),17,4)||'-'||substr(hex(uid),21)) AS uid
FROM pattern_use;
