-- Entries that leave the answer to discovery, and entries that end by themselves. An older program would answer beyond the end of one, and
-- take what is beyond its levels for an entry that cannot be read.

ALTER TABLE destination ADD COLUMN floor TEXT;           -- at level discovered: the least that is taken
ALTER TABLE destination ADD COLUMN valid_until INTEGER;  -- when the entry ends by itself
ALTER TABLE destination ADD COLUMN former TEXT;          -- JSON: the policy that returns then; null where the entry goes

CREATE INDEX destination_valid_until ON destination (valid_until) WHERE valid_until IS NOT NULL;

-- They are discovered whether mail asks or not.
CREATE INDEX destination_discovered ON destination (id) WHERE level = 'discovered';

-- What is discovered is not probed, and * is no destination.
DROP INDEX destination_probed;
CREATE INDEX destination_probed ON destination (id) WHERE level <> 'none' AND level <> 'discovered' AND key <> '*';

INSERT INTO schema_version VALUES (9, 9, 9);
