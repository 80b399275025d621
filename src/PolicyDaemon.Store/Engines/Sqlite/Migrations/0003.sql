-- One JSON column for the attributes of a policy; the brake counts MX hosts; the end of the audit log in a place of its own; the
-- words of mail and TLS for what the prober remembers.

-- Which programs can read and write the store: those whose newest schema is at least this. The row with the highest version counts.
CREATE TABLE schema_version (
    version         INTEGER PRIMARY KEY,
    readable_from   INTEGER NOT NULL,
    writable_from   INTEGER NOT NULL
);

INSERT INTO schema_version VALUES (3, 3, 3);

-- The last row of the audit log.
CREATE TABLE audit_head (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    sequence        INTEGER NOT NULL,
    hash            TEXT NOT NULL
);

INSERT INTO audit_head SELECT 1, sequence, hash FROM audit WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1;
INSERT INTO audit_head SELECT 1, 0, '' WHERE NOT EXISTS (SELECT 1 FROM audit_head);

-- Two rows that follow the same one would be a fork of the log.
CREATE UNIQUE INDEX audit_previous_hash ON audit (previous_hash) WHERE sequence > 0;

CREATE TRIGGER audit_begins_with_1 BEFORE INSERT ON audit WHEN NEW.sequence < 1
BEGIN SELECT RAISE(ABORT, 'the audit log begins with row 1'); END;

CREATE TABLE new_destination (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL UNIQUE,                -- canonical next-hop destination
    host            TEXT NOT NULL,                       -- without brackets and port: finds its other forms
    level           TEXT NOT NULL,
    attributes      TEXT,                                -- JSON object; null where none is set. Pins are in pin
    mode            TEXT NOT NULL,
    observe         INTEGER NOT NULL CHECK (observe IN (0, 1)),
    probe_as        TEXT,                                -- JSON array
    note            TEXT
);

-- What could not be read stays what cannot be read, and is answered as a temporary error; without an attribute it would be a weaker policy.
INSERT INTO new_destination
SELECT id, key, host, level,
       CASE WHEN coalesce(json_valid(match_names), 1) AND coalesce(json_valid(tafile), 1) AND coalesce(json_valid(tlsrpt), 1)
       THEN nullif(
           json_patch('{}', json_object(
               'match', json(match_names), 'ciphers', ciphers, 'protocols', protocols, 'exclude', exclude, 'servername', servername,
               'tafile', json(tafile),
               'connection_reuse', json(CASE connection_reuse WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
               'enable_rpk', json(CASE enable_rpk WHEN 1 THEN 'true' WHEN 0 THEN 'false' END),
               'tlsrpt', json(tlsrpt))),
           '{}')
       ELSE '{"unreadable":true}' END,
       mode, observe, probe_as, note
FROM destination;

-- MX groups go: nothing could make one. What each of their members was served with becomes its own.
CREATE TABLE new_pin (
    id              INTEGER PRIMARY KEY,
    destination_id  INTEGER NOT NULL REFERENCES destination (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    fingerprint     TEXT NOT NULL,                       -- its length names the algorithm
    subject         TEXT NOT NULL,
    state           TEXT NOT NULL,
    strength        TEXT NOT NULL,
    since           INTEGER NOT NULL,
    key_material_id INTEGER REFERENCES key_material (id),
    UNIQUE (destination_id, fingerprint)
);

INSERT INTO new_pin (id, destination_id, position, fingerprint, subject, state, strength, since, key_material_id)
SELECT p.id, p.destination_id, p.position, p.fingerprint, p.subject, p.state, p.strength, p.since, p.key_material_id
FROM pin p JOIN destination d ON d.id = p.destination_id WHERE d.mx_group_id IS NULL;

INSERT INTO new_pin (destination_id, position, fingerprint, subject, state, strength, since, key_material_id)
SELECT d.id, p.position, p.fingerprint, p.subject, p.state, p.strength, p.since, p.key_material_id
FROM destination d JOIN pin p ON p.mx_group_id = d.mx_group_id ORDER BY d.id, p.position, p.id;

-- What is remembered of a destination. Of a group's members it is learned again.
CREATE TABLE new_probe_state (
    destination_id  INTEGER PRIMARY KEY REFERENCES destination (id) ON DELETE CASCADE,
    last_probe      INTEGER NOT NULL,
    next_due        INTEGER NOT NULL,
    verdict         TEXT NOT NULL,
    verdict_since   INTEGER NOT NULL,
    last_outcome    TEXT NOT NULL,                       -- of the last lookup of its MX hosts
    last_detail     TEXT,
    resolution      TEXT,                                -- JSON: the last lookup that worked
    resolved_at     INTEGER,                             -- when that was
    listed_at       INTEGER,                             -- when the probe was made that it belongs to
    secure_since    INTEGER,
    was_secure      INTEGER NOT NULL CHECK (was_secure IN (0, 1)),
    trusted_hosts   TEXT                                 -- JSON array: the MX hosts when a served pin was last seen
);

INSERT INTO new_probe_state
SELECT s.destination_id, s.last_look, s.next_due, s.verdict, s.verdict_since, s.last_outcome, s.last_detail, s.resolution, s.resolved_at,
       s.listed_at, s.secure_since, s.was_secure, s.trusted_hosts
FROM probe_state s JOIN destination d ON d.id = s.destination_id WHERE d.mx_group_id IS NULL;

-- What the MX hosts of a destination are reached at, now and earlier.
CREATE TABLE mx_target (
    destination_id  INTEGER NOT NULL REFERENCES probe_state (destination_id) ON DELETE CASCADE,
    mx_host         TEXT NOT NULL,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    last_listed     INTEGER,                             -- null while the last lookup that worked names it
    PRIMARY KEY (destination_id, mx_host, probe_target_id)
);

INSERT INTO mx_target
SELECT n.destination_id, l.mx_host, l.probe_target_id, l.last_listed
FROM probe_listing l JOIN probe_state s ON s.id = l.probe_state_id JOIN new_probe_state n ON n.destination_id = s.destination_id;

-- When an MX host began to present a key that no pin knew; the brake counts hosts by it.
CREATE TABLE new_key (
    mx_host         TEXT NOT NULL,
    since           INTEGER NOT NULL,
    PRIMARY KEY (mx_host, since)
);

CREATE INDEX new_key_since ON new_key (since);

INSERT INTO new_key
SELECT DISTINCT l.mx_host, s.new_key_seen FROM probe_state s JOIN probe_listing l ON l.probe_state_id = s.id
WHERE s.new_key_seen IS NOT NULL AND l.last_listed IS NULL;

DROP TABLE probe_listing;
DROP TABLE probe_state;
DROP TABLE pin;
DROP TABLE destination;
DROP TABLE mx_group;
ALTER TABLE new_destination RENAME TO destination;
ALTER TABLE new_pin RENAME TO pin;
ALTER TABLE new_probe_state RENAME TO probe_state;

-- A run of probes, one after the other, in which a target presented the same certificate of an algorithm, or none.
DROP INDEX sighting_target;
DROP INDEX sighting_key_material;
ALTER TABLE sighting RENAME TO certificate_run;

CREATE INDEX certificate_run_target ON certificate_run (probe_target_id, algorithm);
CREATE INDEX certificate_run_key_material ON certificate_run (key_material_id);
CREATE INDEX destination_host ON destination (host);
CREATE INDEX destination_probed ON destination (id) WHERE level <> 'none';
CREATE INDEX pin_key_material ON pin (key_material_id) WHERE key_material_id IS NOT NULL;
CREATE INDEX pin_served ON pin (destination_id) WHERE state IN ('standby', 'active', 'retiring');
CREATE INDEX probe_state_due ON probe_state (next_due);
CREATE INDEX mx_target_target ON mx_target (probe_target_id);

-- What an observation keeps of a certificate is shown to people, in the words of the other reports.
UPDATE observation SET certificates = replace(certificates, '"certificate":', '"certificate_fingerprint":') WHERE certificates IS NOT NULL;
