PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE store (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    store_id    TEXT NOT NULL,
    created     INTEGER NOT NULL
);
INSERT INTO store VALUES(1,'8fa137c5a15a4f00be83f256695daab6',1795472700);
CREATE TABLE mx_group (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    hosts       TEXT,                                   -- JSON array: the MX hosts
    note        TEXT
);
INSERT INTO mx_group VALUES(1,'provider','["mx.provider.example"]',NULL);
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
INSERT INTO destination VALUES(1,'example.com','example.com','fingerprint',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'auto',0,NULL,'a partner''s gateway',NULL);
INSERT INTO destination VALUES(3,'.example.org','.example.org','encrypt',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'assist',1,NULL,NULL,NULL);
CREATE TABLE key_material (
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL,                          -- certificate or public-key
    sha256      TEXT NOT NULL,
    der         TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    UNIQUE (subject, sha256)
);
INSERT INTO key_material VALUES(1,'certificate','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee','MAA=',1790000000);
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
INSERT INTO pin VALUES(1,1,NULL,0,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','unknown','retired','person',1795472702,NULL);
INSERT INTO pin VALUES(2,1,NULL,1,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','public-key','standby','person',1795472702,NULL);
INSERT INTO pin VALUES(3,NULL,1,0,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd','unknown','active','person',1790000000,NULL);
CREATE TABLE change (
    id              INTEGER PRIMARY KEY,
    time            INTEGER NOT NULL,
    actor           TEXT NOT NULL,
    login_user      TEXT,
    sudo_user       TEXT,
    command         TEXT NOT NULL,
    reason          TEXT
);
INSERT INTO change VALUES(1,1795472700,'root',NULL,NULL,'init',NULL);
INSERT INTO change VALUES(2,1795472700,'root',NULL,NULL,'--database policy.db domain add example.com --level fingerprint --match aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa --mode auto --note ''a partner''\''''s gateway''',NULL);
INSERT INTO change VALUES(3,1795472701,'root',NULL,NULL,'--database policy.db domain add ''[mx.example.net]:587'' --level secure --match nexthop --ciphers high',NULL);
INSERT INTO change VALUES(4,1795472702,'root',NULL,NULL,'--database policy.db pin add example.com cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc --of public-key',NULL);
INSERT INTO change VALUES(5,1795472702,'root',NULL,NULL,'--database policy.db pin revoke example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL);
INSERT INTO change VALUES(6,1795472703,'root',NULL,NULL,'--database policy.db domain add .example.org --level encrypt --observe',NULL);
INSERT INTO change VALUES(7,1795472704,'root',NULL,NULL,'--database policy.db domain remove ''[mx.example.net]:587'' --reason ''moved away''','moved away');
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
INSERT INTO audit VALUES(1,1,'init',NULL,NULL,NULL,NULL,NULL,NULL,'','0deff17b1c8745c852d4d9ed9105995458545e75ced37e2a3cb33e1263e0c356');
INSERT INTO audit VALUES(2,2,'add','example.com',NULL,'{"key":"example.com","level":"fingerprint","mode":"auto","note":"a partner\u0027s gateway","pins":[{"fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"unknown","state":"standby","strength":"person","since":1795472700}]}',NULL,'fingerprint match=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,'0deff17b1c8745c852d4d9ed9105995458545e75ced37e2a3cb33e1263e0c356','64274986132fd7b9f322a1427aa8bd35c24c769e3de2260ef83cb2f58d7777ac');
INSERT INTO audit VALUES(3,3,'add','[mx.example.net]:587',NULL,'{"key":"[mx.example.net]:587","level":"secure","match":["nexthop"],"ciphers":"high","mode":"assist"}',NULL,'secure match=nexthop ciphers=high',NULL,'64274986132fd7b9f322a1427aa8bd35c24c769e3de2260ef83cb2f58d7777ac','e4e5197665fcb3abfa10422987f1b82cd597a3d159204ad5e3913aa8c803fc1c');
INSERT INTO audit VALUES(4,4,'change','example.com','{"key":"example.com","level":"fingerprint","mode":"auto","note":"a partner\u0027s gateway","pins":[{"fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"unknown","state":"standby","strength":"person","since":1795472700}]}','{"key":"example.com","level":"fingerprint","mode":"auto","note":"a partner\u0027s gateway","pins":[{"fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"unknown","state":"standby","strength":"person","since":1795472700},{"fingerprint":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","subject":"public-key","state":"standby","strength":"person","since":1795472702}]}','fingerprint match=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','fingerprint match=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',NULL,'e4e5197665fcb3abfa10422987f1b82cd597a3d159204ad5e3913aa8c803fc1c','552e83f960156820ed71a9b4ff80ae5ce222b68251815c4afc6e484de039cd60');
INSERT INTO audit VALUES(5,5,'change','example.com','{"key":"example.com","level":"fingerprint","mode":"auto","note":"a partner\u0027s gateway","pins":[{"fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"unknown","state":"standby","strength":"person","since":1795472700},{"fingerprint":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","subject":"public-key","state":"standby","strength":"person","since":1795472702}]}','{"key":"example.com","level":"fingerprint","mode":"auto","note":"a partner\u0027s gateway","pins":[{"fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","subject":"unknown","state":"retired","strength":"person","since":1795472702},{"fingerprint":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","subject":"public-key","state":"standby","strength":"person","since":1795472702}]}','fingerprint match=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','fingerprint match=cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',NULL,'552e83f960156820ed71a9b4ff80ae5ce222b68251815c4afc6e484de039cd60','48f8de831c06a5ddd1c58ab378e2e2926f74d21c27d692db61ec90a38343b7fd');
INSERT INTO audit VALUES(6,6,'add','.example.org',NULL,'{"key":".example.org","level":"encrypt","mode":"assist","observe":true}',NULL,'(not found)',NULL,'48f8de831c06a5ddd1c58ab378e2e2926f74d21c27d692db61ec90a38343b7fd','e76fa37b6fe57de0b543503592658b552e7f38c060dc52839a7b63b3e94654a0');
INSERT INTO audit VALUES(7,7,'remove','[mx.example.net]:587','{"key":"[mx.example.net]:587","level":"secure","match":["nexthop"],"ciphers":"high","mode":"assist"}',NULL,'secure match=nexthop ciphers=high',NULL,NULL,'e76fa37b6fe57de0b543503592658b552e7f38c060dc52839a7b63b3e94654a0','3ba3f642b0bda9a27457757135174810d1abf5ea623824882f43b5205d5ebc44');
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
INSERT INTO finding VALUES(1,'near-miss','mx.example.net','asked without brackets','policyctl domain add mx.example.net',1790000000,1790000100,3,NULL);
INSERT INTO finding VALUES(2,'store-unavailable','/var/lib/policydaemon/policy.db','locked','try again',1790000000,1790000000,1,1790000010);
CREATE INDEX destination_host ON destination (host);
CREATE INDEX destination_mx_group ON destination (mx_group_id) WHERE mx_group_id IS NOT NULL;
CREATE UNIQUE INDEX pin_destination ON pin (destination_id, fingerprint) WHERE destination_id IS NOT NULL;
CREATE UNIQUE INDEX pin_mx_group ON pin (mx_group_id, fingerprint) WHERE mx_group_id IS NOT NULL;
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
CREATE UNIQUE INDEX finding_open ON finding (kind, subject) WHERE closed IS NULL;
COMMIT;
PRAGMA application_id=1349479492;
PRAGMA user_version=1;
