-- What a user may do to a row that its role may write. Privileges of tables cannot say it, and policies of rows neither: nodes have names of
-- their own, and ON CONFLICT fails where a policy hides the row. Whose a row is, is the name of the user that wrote it; null: of anybody's.
-- Who a user is, is told by what it may do to the table, so that a store without the roles needs none.

ALTER TABLE node ADD COLUMN written_by TEXT COLLATE "C";
ALTER TABLE finding ADD COLUMN written_by TEXT COLLATE "C";

-- The row of a node is that of the user that wrote it first, until somebody who may delete it does (policyctl node remove).
CREATE FUNCTION node_is_own() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
    IF has_table_privilege(TG_RELID, 'DELETE') THEN
        NEW.written_by := NULL;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.name <> OLD.name OR OLD.written_by <> current_user) THEN
        RAISE EXCEPTION 'the row of the node % is that of the user %; policyctl node remove % gives it up', OLD.name, coalesce(OLD.written_by, current_user), OLD.name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.written_by := current_user;
    RETURN NEW;
END$$;

CREATE TRIGGER node_is_own BEFORE INSERT OR UPDATE ON node FOR EACH ROW EXECUTE FUNCTION node_is_own();

-- Who may delete no finding tells those of its own node, and those of all nodes that another one such told first. Of what it may not change, an
-- UPDATE changes no row: a node that finds what is known already has not failed.
CREATE FUNCTION finding_is_own() RETURNS trigger LANGUAGE plpgsql AS
$$DECLARE
    is_taken BOOLEAN;
BEGIN
    IF has_table_privilege(TG_RELID, 'DELETE') THEN
        NEW.written_by := NULL;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.node <> OLD.node OR (OLD.node = '' AND OLD.written_by IS NULL)) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.node WHERE name = $1 AND written_by <> current_user)', TG_TABLE_SCHEMA) INTO is_taken USING NEW.node;
    IF is_taken AND TG_OP = 'UPDATE' THEN
        RETURN NULL;
    ELSIF is_taken THEN
        RAISE EXCEPTION 'a finding of the node %, which is that of another user', NEW.node USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.written_by := current_user;
    RETURN NEW;
END$$;

CREATE TRIGGER finding_is_own BEFORE INSERT OR UPDATE ON finding FOR EACH ROW EXECUTE FUNCTION finding_is_own();

-- Who may add no entry may not change one either, but for what a person said when it was set: at its time it goes, or is what it was before.
-- Of the clock of the machine that writes it a minute is forgiven.
CREATE FUNCTION entry_has_ended() RETURNS trigger LANGUAGE plpgsql AS
$$DECLARE
    former JSONB;
BEGIN
    IF has_table_privilege(TG_RELID, 'INSERT') THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    former := CAST(OLD.former AS JSONB);
    IF OLD.valid_until <= extract(epoch FROM clock_timestamp()) + 60 THEN
        IF TG_OP = 'DELETE' AND former IS NULL THEN
            RETURN OLD;
        ELSIF TG_OP = 'UPDATE' AND former IS NOT NULL
            AND (NEW.id, NEW.key, NEW.host, NEW.mode) = (OLD.id, OLD.key, OLD.host, OLD.mode)
            AND (NEW.probe_as, NEW.note) IS NOT DISTINCT FROM (OLD.probe_as, OLD.note)
            AND NEW.valid_until IS NULL AND NEW.former IS NULL
            AND NEW.level = former ->> 'level' AND NEW.floor IS NOT DISTINCT FROM former ->> 'floor'
            AND (NEW.observe = 1) = (coalesce(former ->> 'observe', '') = 'true')
            AND coalesce(CAST(NEW.attributes AS JSONB), '{}') = former - 'level' - 'floor' - 'observe' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the table destination is changed by policydaemon_admin only: the entry %', OLD.key USING ERRCODE = 'insufficient_privilege';
END$$;

CREATE TRIGGER entry_is_kept BEFORE DELETE ON destination FOR EACH ROW EXECUTE FUNCTION entry_has_ended();
CREATE TRIGGER entry_is_same BEFORE UPDATE ON destination FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION entry_has_ended();

INSERT INTO schema_version SELECT 13, readable_from, writable_from FROM schema_version WHERE version = 12;
