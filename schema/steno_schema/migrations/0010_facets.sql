-- The index also holds what a message is filed under (its agent, project, model …), so that a filter
-- narrows a search before a single row is read. It has no prefix index any more: that doubled it and
-- helped prefixes of exactly three characters. The follower fills it anew.
DROP TABLE message_index;
CREATE VIRTUAL TABLE message_index USING fts5 (
  body, parts, tags, facets,
  content = '', contentless_delete = 1,
  tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Messages whose facets changed in this transaction; the commit puts them into the change log.
CREATE TABLE stale_facet (message_id INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER exchange_filed AFTER UPDATE OF model, framework, agent, project, conversation_id
ON exchange WHEN old.model IS NOT new.model OR old.framework IS NOT new.framework
  OR old.agent IS NOT new.agent OR old.project IS NOT new.project
  OR old.conversation_id <> new.conversation_id
BEGIN
  INSERT OR IGNORE INTO stale_facet SELECT id FROM message WHERE exchange_id = new.id;
END;
CREATE TRIGGER message_filed AFTER UPDATE OF exchange_id, conversation_id ON message
WHEN old.exchange_id IS NOT new.exchange_id OR old.conversation_id <> new.conversation_id
BEGIN
  INSERT OR IGNORE INTO stale_facet VALUES (new.id);
END;
CREATE TRIGGER session_filed AFTER UPDATE OF agent, project ON session
WHEN old.agent IS NOT new.agent OR old.project IS NOT new.project
BEGIN
  INSERT OR IGNORE INTO stale_facet SELECT m.id FROM message AS m
    JOIN conversation AS c ON c.id = m.conversation_id WHERE c.session_id = new.id;
END;
CREATE TRIGGER conversation_filed AFTER UPDATE OF session_id ON conversation
WHEN old.session_id <> new.session_id
BEGIN
  INSERT OR IGNORE INTO stale_facet SELECT id FROM message WHERE conversation_id = new.id;
END;
CREATE TRIGGER tag_removed AFTER DELETE ON exchange_tag
BEGIN
  INSERT OR IGNORE INTO stale_facet SELECT id FROM message WHERE exchange_id = old.exchange_id;
END;
