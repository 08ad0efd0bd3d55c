-- The duplicate check finds the same prompt by an index: the hash of its normalised text.
-- Rows from before have none until the follower "prompt_hash" has gone through them.

ALTER TABLE exchange ADD COLUMN prompt_hash INTEGER;
CREATE INDEX exchange_prompt_hash ON exchange (prompt_hash) WHERE prompt_hash IS NOT NULL;

-- The id of the record that was met as a duplicate: sent again it is not counted again.
ALTER TABLE sighting ADD COLUMN uid BLOB;
CREATE UNIQUE INDEX sighting_uid ON sighting (uid) WHERE uid IS NOT NULL;
