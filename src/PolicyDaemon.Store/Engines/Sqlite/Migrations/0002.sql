-- What the prober knows. Times are seconds since 1970 UTC, digests lower-case hexadecimal, lists JSON arrays, DER base64.

-- What a probe connects to; destinations that share it share its probes.
CREATE TABLE probe_target (
    id                 INTEGER PRIMARY KEY,
    name               TEXT NOT NULL UNIQUE,             -- 192.0.2.1:25, with /name where SNI is sent
    version            INTEGER NOT NULL,                 -- counts what was written, so that a copy in memory can be checked
    last_attempt       INTEGER,
    last_outcome       TEXT,
    failures           INTEGER NOT NULL DEFAULT 0,       -- attempts in a row that said nothing about the server
    offered_starttls   INTEGER NOT NULL DEFAULT 0 CHECK (offered_starttls IN (0, 1)),
    both_algorithms_at INTEGER
);

-- A run of probes in which a target presented the same certificate of an algorithm, or none. The newest run has the highest id.
CREATE TABLE sighting (
    id              INTEGER PRIMARY KEY,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    algorithm       TEXT NOT NULL,
    key_material_id INTEGER REFERENCES key_material (id), -- null: no certificate of this algorithm
    first_seen      INTEGER NOT NULL,
    last_seen       INTEGER NOT NULL,
    probes          INTEGER NOT NULL,
    trusted_since   INTEGER,
    trusted_probes  INTEGER NOT NULL,
    intermediates   TEXT                                 -- JSON array of DER
);

CREATE INDEX sighting_target ON sighting (probe_target_id, algorithm);
CREATE INDEX sighting_key_material ON sighting (key_material_id);

-- The last probes of a target, for people.
CREATE TABLE observation (
    id              INTEGER PRIMARY KEY,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    at              INTEGER NOT NULL,
    outcome         TEXT NOT NULL,
    stage           TEXT NOT NULL,
    detail          TEXT,
    reply_code      INTEGER,
    certificates    TEXT,                                -- JSON: what was presented, by the certificates' SHA-256
    timings         TEXT,                                -- JSON object: stage to milliseconds
    transcript      TEXT                                 -- JSON array; only of the newest of several with the same outcome
);

CREATE INDEX observation_target ON observation (probe_target_id);

-- What is remembered of an owner of pins: a destination, or an MX group for all its members.
CREATE TABLE probe_state (
    id              INTEGER PRIMARY KEY,
    destination_id  INTEGER UNIQUE REFERENCES destination (id) ON DELETE CASCADE,
    mx_group_id     INTEGER UNIQUE REFERENCES mx_group (id) ON DELETE CASCADE,
    last_look       INTEGER NOT NULL,
    next_due        INTEGER NOT NULL,
    verdict         TEXT NOT NULL,
    verdict_since   INTEGER NOT NULL,
    last_outcome    TEXT NOT NULL,                       -- of the last lookup of its MX hosts
    last_detail     TEXT,
    resolution      TEXT,                                -- JSON: the last lookup that worked
    resolved_at     INTEGER,                             -- when that was
    listed_at       INTEGER,                             -- when the look was made that it belongs to
    secure_since    INTEGER,
    was_secure      INTEGER NOT NULL DEFAULT 0 CHECK (was_secure IN (0, 1)),
    trusted_hosts   TEXT,                                -- JSON array: the MX hosts when a served pin was last seen
    new_key_seen    INTEGER,                             -- the brake counts owners by it
    CHECK ((destination_id IS NULL) <> (mx_group_id IS NULL))
);

CREATE INDEX probe_state_due ON probe_state (next_due);
CREATE INDEX probe_state_new_key ON probe_state (new_key_seen) WHERE new_key_seen IS NOT NULL;

-- Targets of an owner's MX hosts, current and earlier.
CREATE TABLE probe_listing (
    probe_state_id  INTEGER NOT NULL REFERENCES probe_state (id) ON DELETE CASCADE,
    mx_host         TEXT NOT NULL,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    last_listed     INTEGER,                             -- null while the last lookup that worked names it
    PRIMARY KEY (probe_state_id, mx_host, probe_target_id)
);

CREATE INDEX probe_listing_target ON probe_listing (probe_target_id);

-- How many there are to look after, and which of them never were looked at.
CREATE INDEX destination_watched ON destination (mx_group_id) WHERE level <> 'none';

-- How many owners have served pins is asked at every look.
CREATE INDEX pin_served ON pin (destination_id, mx_group_id) WHERE state IN ('standby', 'active', 'retiring');
CREATE INDEX pin_key_material ON pin (key_material_id) WHERE key_material_id IS NOT NULL;

ALTER TABLE finding ADD COLUMN outcome TEXT;             -- the class of what was met; RFC 8460 result types follow from it
ALTER TABLE finding ADD COLUMN expected TEXT;            -- JSON array: the served pins
ALTER TABLE finding ADD COLUMN seen TEXT;                -- JSON array: what was presented, by whom
ALTER TABLE finding ADD COLUMN affects INTEGER NOT NULL DEFAULT 1;
ALTER TABLE finding ADD COLUMN notified INTEGER;         -- when a person was first told
ALTER TABLE finding ADD COLUMN escalation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN recovered INTEGER;        -- when a person was told that it is over

CREATE INDEX finding_subject ON finding (subject) WHERE closed IS NULL;
CREATE INDEX finding_unrecovered ON finding (closed) WHERE closed IS NOT NULL AND notified IS NOT NULL AND recovered IS NULL;
