-- That two rows of the audit log follow the same one is refused where the second is written, by comparing it with the row before it: an
-- index over all hashes was a tenth of the store, in no order, and a third of the work of a large import.

DROP INDEX audit_previous_hash;

CREATE TRIGGER audit_follows BEFORE INSERT ON audit WHEN NEW.previous_hash <> (SELECT hash FROM audit WHERE sequence = NEW.sequence - 1)
BEGIN SELECT RAISE(ABORT, 'a row of the audit log follows the one before it'); END;

INSERT INTO schema_version VALUES (6, 3, 3);
