-- What discovery remembers of destinations without an entry. Programs of version 3 neither read nor disturb it.

CREATE TABLE discovered (
    key             TEXT PRIMARY KEY,                    -- canonical next-hop destination
    used            INTEGER NOT NULL,                    -- when Postfix asked for it last
    protected       INTEGER NOT NULL CHECK (protected IN (0, 1)), -- a policy is kept, or an MX host has TLSA records
    renewal_due     INTEGER,                             -- when its policy is fetched again; null where none is in force
    renewal_until   INTEGER,                             -- whether mail asks or not: until then
    memory          TEXT NOT NULL                        -- JSON
);

CREATE INDEX discovered_renewal ON discovered (renewal_due) WHERE renewal_due IS NOT NULL;
CREATE INDEX discovered_protected ON discovered (key) WHERE protected = 1;
CREATE INDEX discovered_used ON discovered (used) WHERE protected = 0;

-- Changes of verdicts, with what they rested on.
CREATE TABLE verdict_change (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL,
    at              INTEGER NOT NULL,
    from_answer     TEXT,                                -- null for the first verdict
    from_row        TEXT,
    to_answer       TEXT NOT NULL,
    to_row          TEXT NOT NULL,
    evidence        TEXT NOT NULL                        -- JSON
);

CREATE INDEX verdict_change_key ON verdict_change (key, id);

-- What another program changed in discovered: the daemon reads it again.
CREATE TABLE discovery_notice (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL
);

INSERT INTO schema_version VALUES (4, 3, 3);
