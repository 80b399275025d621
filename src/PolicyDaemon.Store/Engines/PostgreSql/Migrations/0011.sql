-- Several daemons over one store: who they are, which of them probes, and what they ask of it. Times are milliseconds since 1970 by the clock
-- of the server where the comment says so.

CREATE TABLE node (
    name            TEXT COLLATE "C" PRIMARY KEY,
    instance        TEXT COLLATE "C" NOT NULL,           -- the process: two that share a name are told apart by it
    version         TEXT COLLATE "C" NOT NULL,
    schema          BIGINT NOT NULL,                     -- the newest version of these tables that it knows
    vantage         TEXT COLLATE "C" NOT NULL,
    probes          BIGINT NOT NULL CHECK (probes IN (0, 1)), -- may take the lease
    digest          TEXT COLLATE "C" NOT NULL,           -- fingerprint_digest
    sequence        BIGINT,                              -- the last row of the audit log that it serves; null where it serves nothing yet
    ahead           BIGINT NOT NULL,                     -- milliseconds by which its clock is before the server's; less than 0: behind
    seen            BIGINT NOT NULL                      -- by the server's clock, in milliseconds
);

-- Who probes, and tells people of findings.
CREATE TABLE probe_lease (
    vantage         TEXT COLLATE "C" PRIMARY KEY,
    holder          TEXT COLLATE "C" NOT NULL,           -- the node
    instance        TEXT COLLATE "C" NOT NULL,
    epoch           BIGINT NOT NULL,                     -- one more with each take: what an earlier holder still writes is refused
    expires         BIGINT NOT NULL                      -- by the server's clock, in milliseconds
);

-- An address that a program is connected to.
CREATE TABLE probe_claim (
    address         TEXT COLLATE "C" PRIMARY KEY,
    holder          TEXT COLLATE "C" NOT NULL,           -- the process
    expires         BIGINT NOT NULL                      -- by the server's clock, in milliseconds
);

-- Destinations that lookups of other nodes want probed.
CREATE TABLE probe_request (
    key             TEXT COLLATE "C" PRIMARY KEY,
    at              BIGINT NOT NULL                      -- by the server's clock, in milliseconds
);

-- What a node found about itself is its own; empty: of all of them.
ALTER TABLE finding ADD COLUMN node TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX finding_open;
CREATE UNIQUE INDEX finding_open ON finding (kind, subject, node) WHERE closed IS NULL;

INSERT INTO schema_version VALUES (11, 10, 11);
