-- The user of a server that wrote a row; in a file nobody is told apart by it.

ALTER TABLE node ADD COLUMN written_by TEXT;
ALTER TABLE finding ADD COLUMN written_by TEXT;

INSERT INTO schema_version SELECT 13, readable_from, writable_from FROM schema_version WHERE version = 12;
