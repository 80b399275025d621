INSERT INTO schema_version VALUES (11, 10, 10);
