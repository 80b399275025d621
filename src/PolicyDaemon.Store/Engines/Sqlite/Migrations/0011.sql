INSERT INTO schema_version VALUES (11, 9, 9);
