-- The first schema. Plain enough for SQLite 3.34 (RHEL 9) and for PostgreSQL: no STRICT, no RETURNING, no blobs.
-- Times are seconds since 1970 UTC, digests lower-case hexadecimal, lists JSON arrays, DER base64.

CREATE TABLE store (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    store_id    TEXT NOT NULL,
    created     INTEGER NOT NULL
);

-- Destinations that share one set of MX hosts may share pins, probes and decisions.
CREATE TABLE mx_group (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    hosts       TEXT,                                   -- JSON array: the MX hosts
    note        TEXT
);

CREATE TABLE destination (
    id               INTEGER PRIMARY KEY,
    key              TEXT NOT NULL UNIQUE,              -- canonical next-hop destination
    host             TEXT NOT NULL,                     -- without brackets and port: finds its other forms
    level            TEXT NOT NULL,
    match_names      TEXT,                              -- JSON array; pins are in pin
    ciphers          TEXT,
    protocols        TEXT,
    exclude          TEXT,
    servername       TEXT,
    tafile           TEXT,                              -- JSON array
    connection_reuse INTEGER CHECK (connection_reuse IN (0, 1)),
    enable_rpk       INTEGER CHECK (enable_rpk IN (0, 1)),
    tlsrpt           TEXT,                              -- JSON object
    mode             TEXT NOT NULL,
    observe          INTEGER NOT NULL CHECK (observe IN (0, 1)),
    probe_as         TEXT,                              -- JSON array
    note             TEXT,
    mx_group_id      INTEGER REFERENCES mx_group (id)
);

CREATE INDEX destination_host ON destination (host);
CREATE INDEX destination_mx_group ON destination (mx_group_id) WHERE mx_group_id IS NOT NULL;

-- Certificates and public keys that a probe saw, whole, so that any digest of them can be served later.
CREATE TABLE key_material (
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL,                          -- certificate or public-key
    sha256      TEXT NOT NULL,
    der         TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    UNIQUE (subject, sha256)
);

CREATE TABLE pin (
    id              INTEGER PRIMARY KEY,
    destination_id  INTEGER REFERENCES destination (id) ON DELETE CASCADE,
    mx_group_id     INTEGER REFERENCES mx_group (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    fingerprint     TEXT NOT NULL,                      -- its length names the algorithm
    subject         TEXT NOT NULL,
    state           TEXT NOT NULL,
    strength        TEXT NOT NULL,
    since           INTEGER NOT NULL,
    key_material_id INTEGER REFERENCES key_material (id),
    CHECK ((destination_id IS NULL) <> (mx_group_id IS NULL))
);

CREATE UNIQUE INDEX pin_destination ON pin (destination_id, fingerprint) WHERE destination_id IS NOT NULL;
CREATE UNIQUE INDEX pin_mx_group ON pin (mx_group_id, fingerprint) WHERE mx_group_id IS NOT NULL;

-- One command is one change; each key that it touched is one row of audit. Neither is ever altered.
CREATE TABLE change (
    id              INTEGER PRIMARY KEY,
    time            INTEGER NOT NULL,
    actor           TEXT NOT NULL,
    login_user      TEXT,
    sudo_user       TEXT,
    command         TEXT NOT NULL,
    reason          TEXT
);

CREATE TABLE audit (
    sequence        INTEGER PRIMARY KEY,
    change_id       INTEGER NOT NULL REFERENCES change (id),
    action          TEXT NOT NULL,
    key             TEXT,
    before          TEXT,
    after           TEXT,
    answer_before   TEXT,
    answer_after    TEXT,
    evidence        TEXT,
    previous_hash   TEXT NOT NULL,
    hash            TEXT NOT NULL
);

CREATE INDEX audit_change ON audit (change_id);
CREATE INDEX audit_key ON audit (key, sequence);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER change_no_update BEFORE UPDATE ON change
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER change_no_delete BEFORE DELETE ON change
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE finding (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    remedy      TEXT NOT NULL,
    since       INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    occurrences INTEGER NOT NULL,
    closed      INTEGER                                 -- null while open
);

CREATE UNIQUE INDEX finding_open ON finding (kind, subject) WHERE closed IS NULL;
