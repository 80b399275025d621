-- Where the store went, once 'policyctl store migrate' took it elsewhere: from then on nobody writes it. Programs of the version before read and
-- write it as they did; whoever marks a store shuts them out in schema_version.

ALTER TABLE store ADD COLUMN moved_to TEXT;
ALTER TABLE store ADD COLUMN moved_at INTEGER;

INSERT INTO schema_version SELECT 12, readable_from, writable_from FROM schema_version WHERE version = 11;
