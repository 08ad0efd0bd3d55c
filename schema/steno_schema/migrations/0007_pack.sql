-- Long texts of tools stand in their transcript's bytes already: they go into the same chunk, where
-- compression finds them again. Of such a message only the head stays in content; the rest is
-- pack_size bytes from pack_start on behind the kept bytes (kept_size of them) of chunk pack_id.
ALTER TABLE source_chunk ADD COLUMN kept_size INTEGER;
ALTER TABLE message ADD COLUMN pack_id INTEGER;
ALTER TABLE message ADD COLUMN pack_start INTEGER;
ALTER TABLE message ADD COLUMN pack_size INTEGER;
CREATE INDEX message_pack ON message (pack_id) WHERE pack_id IS NOT NULL;
