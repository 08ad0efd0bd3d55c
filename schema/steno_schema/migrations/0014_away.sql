-- A source whose disk is not mounted: its state is what it was when it was read last.
ALTER TABLE source ADD COLUMN is_away INTEGER NOT NULL DEFAULT 0 CHECK (is_away IN (0, 1));
