-- Sightings of a captured message or exchange in another conversation than its owner's. What is known
-- of a file grows while it is read (that it is a fork, that a prompt was copied): whoever owned a thing
-- until then gives it back to the best of these.
CREATE TABLE message_rival (
  uid BLOB NOT NULL CHECK (length(uid) = 16),
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  copied INTEGER NOT NULL,
  position INTEGER NOT NULL,
  exchange_uid BLOB,
  PRIMARY KEY (uid, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_rival_conversation ON message_rival (conversation_id);

CREATE TABLE exchange_rival (
  uid BLOB NOT NULL CHECK (length(uid) = 16),
  conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  copied INTEGER NOT NULL,
  status TEXT NOT NULL,
  origin TEXT NOT NULL,
  project TEXT,
  PRIMARY KEY (uid, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX exchange_rival_conversation ON exchange_rival (conversation_id);
