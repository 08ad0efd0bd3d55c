-- Which exchanges wait for the plug-in: the mark of the texts it is to be asked about, and of those
-- it was asked about last.
ALTER TABLE analysis ADD COLUMN waiting INTEGER;
ALTER TABLE analysis ADD COLUMN asked INTEGER;
CREATE INDEX analysis_waiting ON analysis (exchange_id) WHERE waiting IS NOT NULL;
