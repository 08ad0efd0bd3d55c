-- Whether the job that packs chunks together has been at this one.
ALTER TABLE source_chunk ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;
