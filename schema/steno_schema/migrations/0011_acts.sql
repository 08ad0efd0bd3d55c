-- What tool calls did: files created, modified and read, commands ran. Derived, a follower's.
CREATE TABLE act (
  message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'modified', 'read', 'ran')),
  what TEXT NOT NULL,
  PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

-- Guessed from the output (it ends with a question) and from the prompt (it corrects what came
-- before it); NULL and 0 where nothing is clear.
ALTER TABLE analysis ADD COLUMN follow_up INTEGER;
ALTER TABLE analysis ADD COLUMN corrects INTEGER NOT NULL DEFAULT 0;
