-- The tables of several daemons over one store, which stay empty in a file: it has one. Programs of version 10 read the store; a finding they
-- could not write.

CREATE TABLE node (
    name            TEXT PRIMARY KEY,
    instance        TEXT NOT NULL,
    version         TEXT NOT NULL,
    schema          INTEGER NOT NULL,
    vantage         TEXT NOT NULL,
    probes          INTEGER NOT NULL CHECK (probes IN (0, 1)),
    digest          TEXT NOT NULL,
    sequence        INTEGER,
    ahead           INTEGER NOT NULL,
    seen            INTEGER NOT NULL
);

CREATE TABLE probe_lease (
    vantage         TEXT PRIMARY KEY,
    holder          TEXT NOT NULL,
    instance        TEXT NOT NULL,
    epoch           INTEGER NOT NULL,
    expires         INTEGER NOT NULL
);

CREATE TABLE probe_claim (
    address         TEXT PRIMARY KEY,
    holder          TEXT NOT NULL,
    expires         INTEGER NOT NULL
);

CREATE TABLE probe_request (
    key             TEXT PRIMARY KEY,
    at              INTEGER NOT NULL
);

-- What a node of several found about itself; empty here.
ALTER TABLE finding ADD COLUMN node TEXT NOT NULL DEFAULT '';
DROP INDEX finding_open;
CREATE UNIQUE INDEX finding_open ON finding (kind, subject, node) WHERE closed IS NULL;

INSERT INTO schema_version VALUES (11, 10, 11);
