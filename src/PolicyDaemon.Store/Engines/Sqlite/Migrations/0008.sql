-- Pins that a person revoked are refused like rejected ones, and what nothing has trusted has no strength; when probes found a chain
-- trusted, one by one; what the prober remembers of itself.

CREATE TABLE new_pin (
    id              INTEGER PRIMARY KEY,
    destination_id  INTEGER NOT NULL REFERENCES destination (id) ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    fingerprint     TEXT NOT NULL,                       -- its length names the algorithm
    subject         TEXT NOT NULL,
    state           TEXT NOT NULL,
    strength        TEXT,                                -- null until somebody or something has trusted it
    since           INTEGER NOT NULL,
    key_material_id INTEGER REFERENCES key_material (id),
    UNIQUE (destination_id, fingerprint)
);

-- What was a candidate to its end was never trusted, at first sight or otherwise; what was served once was.
INSERT INTO new_pin (id, destination_id, position, fingerprint, subject, state, strength, since, key_material_id)
SELECT p.id, p.destination_id, p.position, p.fingerprint, p.subject, p.state,
       CASE WHEN p.strength = 'tofu' AND (p.state = 'candidate' OR (p.state = 'retired' AND EXISTS (
           SELECT 1 FROM destination d JOIN audit a ON a.key = d.key
           WHERE d.id = p.destination_id AND a.evidence LIKE '%"fingerprint":"' || p.fingerprint || '","from":"candidate","to":"retired"%')))
           AND NOT EXISTS (
               SELECT 1 FROM destination d JOIN audit a ON a.key = d.key
               JOIN json_each(CASE WHEN json_valid(a.after) THEN a.after ELSE '{}' END, '$.pins') j
               WHERE d.id = p.destination_id AND json_extract(j.value, '$.fingerprint') = p.fingerprint
                 AND json_extract(j.value, '$.state') IN ('standby', 'active', 'retiring'))
       THEN NULL ELSE p.strength END,
       p.since, p.key_material_id
FROM pin p;

DROP TABLE pin;
ALTER TABLE new_pin RENAME TO pin;

CREATE INDEX pin_key_material ON pin (key_material_id) WHERE key_material_id IS NOT NULL;
CREATE INDEX pin_served ON pin (destination_id) WHERE state IN ('standby', 'active', 'retiring');
-- Whose pin else a key is, and who refused it; of a provider's key a million destinations may have a candidate.
CREATE INDEX pin_decided ON pin (fingerprint, destination_id) WHERE state IN ('standby', 'active', 'retiring', 'rejected', 'revoked');

-- JSON array: when the probes of the run since trusted_since were made. How closely older ones followed each other is not known.
ALTER TABLE certificate_run ADD COLUMN trusted_at TEXT;

CREATE TABLE prober (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    clock_set       INTEGER,                             -- when the machine's clock was last set by much
    brake_on        INTEGER                              -- when the brake was last set
);

INSERT INTO prober (id) VALUES (1);

-- The brake counts MX hosts, and draws some of them.
CREATE INDEX mx_target_host ON mx_target (mx_host);
CREATE INDEX probe_target_last_attempt ON probe_target (last_attempt);

-- What of the destinations that are discovered may be forgotten. Of older rows it is known no better than this: no policy lives for more
-- than a year (RFC 8461 section 3.2).
ALTER TABLE discovered ADD COLUMN policy_until INTEGER;  -- until when a policy of mode enforce is in force; null where none is
ALTER TABLE discovered ADD COLUMN tlsa INTEGER NOT NULL DEFAULT 0; -- 1: an MX host has TLSA records
UPDATE discovered SET tlsa = protected, policy_until = renewal_due + 31557600;
CREATE INDEX discovered_protected_used ON discovered (used) WHERE protected = 1;
CREATE INDEX discovered_expired ON discovered (used) WHERE protected = 1 AND tlsa = 0;

INSERT INTO schema_version VALUES (8, 8, 8);
