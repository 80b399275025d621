-- MX groups go: nothing could make one. What each of their members was served with becomes its own.
-- The brake counts MX hosts, so it remembers by host when a new key was seen.

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
    destination_id     INTEGER PRIMARY KEY REFERENCES destination (id) ON DELETE CASCADE,
    last_look          INTEGER NOT NULL,
    next_due           INTEGER NOT NULL,
    verdict            TEXT NOT NULL,
    verdict_since      INTEGER NOT NULL,
    last_outcome       TEXT NOT NULL,                    -- of the last lookup of its MX hosts
    last_detail        TEXT,
    resolution         TEXT,                             -- JSON: the last lookup that worked
    resolved_at        INTEGER,                          -- when that was
    listed_at          INTEGER,                          -- when the look was made that it belongs to
    secure_since       INTEGER,
    was_secure         INTEGER NOT NULL DEFAULT 0 CHECK (was_secure IN (0, 1)),
    trusted_hosts      TEXT                              -- JSON array: the MX hosts when a served pin was last seen
);

INSERT INTO new_probe_state
SELECT s.destination_id, s.last_look, s.next_due, s.verdict, s.verdict_since, s.last_outcome, s.last_detail, s.resolution, s.resolved_at,
       s.listed_at, s.secure_since, s.was_secure, s.trusted_hosts
FROM probe_state s JOIN destination d ON d.id = s.destination_id WHERE d.mx_group_id IS NULL;

-- Targets of a destination's MX hosts, current and earlier.
CREATE TABLE new_probe_listing (
    destination_id  INTEGER NOT NULL REFERENCES probe_state (destination_id) ON DELETE CASCADE,
    mx_host         TEXT NOT NULL,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    last_listed     INTEGER,                             -- null while the last lookup that worked names it
    PRIMARY KEY (destination_id, mx_host, probe_target_id)
);

INSERT INTO new_probe_listing
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

CREATE TABLE new_destination (
    id               INTEGER PRIMARY KEY,
    key              TEXT NOT NULL UNIQUE,               -- canonical next-hop destination
    host             TEXT NOT NULL,                      -- without brackets and port: finds its other forms
    level            TEXT NOT NULL,
    match_names      TEXT,                               -- JSON array; pins are in pin
    ciphers          TEXT,
    protocols        TEXT,
    exclude          TEXT,
    servername       TEXT,
    tafile           TEXT,                               -- JSON array
    connection_reuse INTEGER CHECK (connection_reuse IN (0, 1)),
    enable_rpk       INTEGER CHECK (enable_rpk IN (0, 1)),
    tlsrpt           TEXT,                               -- JSON object
    mode             TEXT NOT NULL,
    observe          INTEGER NOT NULL CHECK (observe IN (0, 1)),
    probe_as         TEXT,                               -- JSON array
    note             TEXT
);

INSERT INTO new_destination
SELECT id, key, host, level, match_names, ciphers, protocols, exclude, servername, tafile, connection_reuse, enable_rpk, tlsrpt, mode, observe,
       probe_as, note
FROM destination;

DROP TABLE probe_listing;
DROP TABLE probe_state;
DROP TABLE pin;
DROP TABLE destination;
DROP TABLE mx_group;
ALTER TABLE new_destination RENAME TO destination;
ALTER TABLE new_pin RENAME TO pin;
ALTER TABLE new_probe_state RENAME TO probe_state;
ALTER TABLE new_probe_listing RENAME TO probe_listing;

CREATE INDEX destination_host ON destination (host);
CREATE INDEX destination_watched ON destination (id) WHERE level <> 'none';
CREATE INDEX pin_key_material ON pin (key_material_id) WHERE key_material_id IS NOT NULL;
CREATE INDEX pin_served ON pin (destination_id) WHERE state IN ('standby', 'active', 'retiring');
CREATE INDEX probe_state_due ON probe_state (next_due);
CREATE INDEX probe_listing_target ON probe_listing (probe_target_id);

-- What an observation keeps of a certificate is shown to people, in the words of the other reports.
UPDATE observation SET certificates = replace(certificates, '"certificate":', '"certificate_fingerprint":') WHERE certificates IS NOT NULL;
