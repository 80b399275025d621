PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO audit VALUES(1,1,'init',NULL,NULL,NULL,NULL,NULL,NULL,'','4107acf921769521f2607d95b697742a63e85875504345fb9ed775222ee3d5c4');
INSERT INTO audit VALUES(2,2,'add','full.example',NULL,'{"key":"full.example","level":"secure","match":["nexthop",".partner.example"],"ciphers":"high","protocols":"\u003E=TLSv1.2","exclude":"aNULL:MD5","servername":"hostname","tafile":["/etc/ssl/one.pem","/etc/ssl/two.pem"],"connection_reuse":true,"enable_rpk":false,"tlsrpt":{"policy_type":"sts","policy_domain":"full.example","policy_string":["version: STSv1","mode: enforce"],"mx_host_pattern":["mx.full.example","*.full.example"]},"mode":"locked","note":"the bank\u0027s gateway, \u0022Z\u00FCrich\u0022 \u003C\u0026\u003E"}',NULL,'secure match=nexthop:.partner.example ciphers=high protocols=>=TLSv1.2 exclude=aNULL:MD5 servername=hostname tafile=/etc/ssl/one.pem tafile=/etc/ssl/two.pem connection_reuse=yes enable_rpk=no',NULL,'4107acf921769521f2607d95b697742a63e85875504345fb9ed775222ee3d5c4','350c09ab1fff8f870fb292818933db514b0d2eba2f1928c30ab9c8cc3e518c6b');
INSERT INTO audit VALUES(3,3,'add','a.example',NULL,'{"key":"a.example","level":"fingerprint","mode":"auto","pins":[{"fingerprint":"8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11","subject":"public-key","state":"rejected","strength":"person","since":1728000000}]}',NULL,'fingerprint match=8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f',NULL,'350c09ab1fff8f870fb292818933db514b0d2eba2f1928c30ab9c8cc3e518c6b','045afd004485544be2a6e761ea639d5802e3aa728ebb63e6aba44c4cee8a92b7');
INSERT INTO audit VALUES(4,4,'add','b.example',NULL,'{"key":"b.example","level":"fingerprint","mode":"assist","observe":true,"pins":[{"fingerprint":"c092cd7a8b615c05017417cd35bbc5b9bd55afa5","subject":"public-key","state":"active","strength":"person","since":1728000000}]}',NULL,'(not found)',NULL,'045afd004485544be2a6e761ea639d5802e3aa728ebb63e6aba44c4cee8a92b7','6b2024e2b78d059a4eb45cb52b640ebf22b018ec13cf28187766073f829abf81');
INSERT INTO audit VALUES(5,4,'add','.example.org',NULL,'{"key":".example.org","level":"encrypt","connection_reuse":false,"mode":"assist","probe_as":["mx.example.org","mx2.example.org"]}',NULL,'encrypt connection_reuse=no',NULL,'6b2024e2b78d059a4eb45cb52b640ebf22b018ec13cf28187766073f829abf81','d0a81f21cda18a3f774db990d82a6399a86a75752386b9acb2081b0872010d63');
INSERT INTO audit VALUES(6,4,'add','gone.example',NULL,'{"key":"gone.example","level":"secure","mode":"assist"}',NULL,'secure',NULL,'d0a81f21cda18a3f774db990d82a6399a86a75752386b9acb2081b0872010d63','0eee40b21f8ff03c7f5dae9ab25cb11394c5ff5e8634b53e2415c34775243fb0');
INSERT INTO audit VALUES(7,4,'add','tlsrpt.example',NULL,'{"key":"tlsrpt.example","level":"may","tlsrpt":{"policy_type":"no-policy-found","policy_failure":"validation-failure"},"mode":"assist"}',NULL,'may',NULL,'0eee40b21f8ff03c7f5dae9ab25cb11394c5ff5e8634b53e2415c34775243fb0','996606087136af0e8e8d9cbfde459220b44f7cdf1e43abc5ddde4ba3f452a085');
INSERT INTO audit VALUES(8,4,'add','[mx.example.net]:587',NULL,'{"key":"[mx.example.net]:587","level":"dane-only","mode":"assist"}',NULL,'dane-only',NULL,'996606087136af0e8e8d9cbfde459220b44f7cdf1e43abc5ddde4ba3f452a085','b2a0e336f00595451204319415f26aa3d8dbf1ef26a106c8bd04bcdde8825bf5');
INSERT INTO audit VALUES(9,4,'add','none.example',NULL,'{"key":"none.example","level":"none","mode":"assist"}',NULL,'none',NULL,'b2a0e336f00595451204319415f26aa3d8dbf1ef26a106c8bd04bcdde8825bf5','a78543bd7e99f6b3a0997084c96dcfdf6e42b31fc6a407a761164072046c34bb');
INSERT INTO audit VALUES(10,5,'remove','gone.example','{"key":"gone.example","level":"secure","mode":"assist"}',NULL,'secure',NULL,NULL,'a78543bd7e99f6b3a0997084c96dcfdf6e42b31fc6a407a761164072046c34bb','81042a14906a7e2fb3e543da6b6855218513ce551654209759eeb2810026b87b');
INSERT INTO audit VALUES(11,6,'change','none.example','{"key":"none.example","level":"none","mode":"assist"}','{"key":"none.example","level":"may","ciphers":"medium","mode":"assist"}','none','may ciphers=medium',NULL,'81042a14906a7e2fb3e543da6b6855218513ce551654209759eeb2810026b87b','a3810ac05cc966faebc156495a8b12d4e399bcf6c73b08da206cf8c6196f594d');
INSERT INTO audit VALUES(12,7,'add','x.example',NULL,'{"key":"x.example","level":"fingerprint","mode":"assist","mx_group":"provider","pins":[{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","subject":"public-key","state":"active","strength":"person","since":1000}]}',NULL,'answer',NULL,'a3810ac05cc966faebc156495a8b12d4e399bcf6c73b08da206cf8c6196f594d','65ade3b3fccdba40b944373e301f520d3ac609b0d2f98b41dbe933148b6ce9c8');
INSERT INTO audit VALUES(13,7,'add','y.example',NULL,'{"key":"y.example","level":"fingerprint","mode":"assist","observe":true,"mx_group":"provider","pins":[{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","subject":"public-key","state":"active","strength":"person","since":1000}]}',NULL,'answer',NULL,'65ade3b3fccdba40b944373e301f520d3ac609b0d2f98b41dbe933148b6ce9c8','35e2eb4ad1974f912d71e4e6e163abffc9a0ee19f61878c13183245e5872f8ca');
INSERT INTO audit VALUES(14,8,'change','a.example','{"key":"a.example","level":"fingerprint","mode":"auto","pins":[{"fingerprint":"8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11","subject":"public-key","state":"rejected","strength":"person","since":1728000000}]}','{"key":"a.example","level":"fingerprint","mode":"auto","pins":[{"fingerprint":"8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11","subject":"public-key","state":"rejected","strength":"person","since":1728000000},{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","subject":"public-key","state":"candidate","strength":"tofu","since":1795454880}]}','fingerprint match=8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f','fingerprint match=8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f','{"at":1795454880,"transitions":[{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","to":"candidate","strength":"tofu","rule":"first-seen","reason":"because of FirstSeen"}],"mx_dnssec":"secure","mx_hosts":["mx1.example"],"certificate_runs":[{"mx_host":"mx1.example","target":"192.0.2.1:25","algorithm":"rsa","certificate":"9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0","public_key":"4c6a6ca8fdeb24a809e2510f50d28499fa0ee2002b8d4f9bb7ac61898e4fb946","first":1795436880,"last":1795454880,"probes":2},{"mx_host":"mx1.example","target":"192.0.2.1:25","algorithm":"ecdsa","certificate":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","public_key":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","first":1795454880,"last":1795454880,"probes":1}]}','35e2eb4ad1974f912d71e4e6e163abffc9a0ee19f61878c13183245e5872f8ca','6164b644de68349fcd7a5349e1325fc099d3dd6a30cc9888b0ae944a2f78f818');
INSERT INTO audit VALUES(15,9,'change','a.example','{"key":"a.example","level":"fingerprint","mode":"auto","pins":[{"fingerprint":"8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11","subject":"public-key","state":"rejected","strength":"person","since":1728000000},{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","subject":"public-key","state":"candidate","strength":"tofu","since":1795454880}]}','{"key":"a.example","level":"fingerprint","mode":"auto","pins":[{"fingerprint":"8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11","subject":"public-key","state":"rejected","strength":"person","since":1728000000},{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","subject":"public-key","state":"active","strength":"dane","since":1795472880}]}','fingerprint match=8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f','fingerprint match=8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f|dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2','{"at":1795472880,"transitions":[{"fingerprint":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","from":"candidate","to":"active","strength":"dane","rule":"dane","reason":"because of Dane"}],"mx_dnssec":"secure","mx_hosts":["mx1.example"],"certificate_runs":[{"mx_host":"mx1.example","target":"192.0.2.1:25","algorithm":"rsa","certificate":"9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0","public_key":"4c6a6ca8fdeb24a809e2510f50d28499fa0ee2002b8d4f9bb7ac61898e4fb946","first":1795436880,"last":1795472880,"probes":3},{"mx_host":"mx1.example","target":"192.0.2.1:25","algorithm":"ecdsa","certificate":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","public_key":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","first":1795454880,"last":1795472880,"probes":2}]}','6164b644de68349fcd7a5349e1325fc099d3dd6a30cc9888b0ae944a2f78f818','e9ad2eb90702a730d38fd263c4aa06f44bff372d5a9e22c8dfd580b9b7891dbd');
INSERT INTO audit VALUES(16,10,'accept',NULL,NULL,NULL,NULL,NULL,'{"store_id":"00000000000000000000000000000000","sequence":3,"hash":"abcd"}','e9ad2eb90702a730d38fd263c4aa06f44bff372d5a9e22c8dfd580b9b7891dbd','e3f9803841203fd5ddd2f7758bc95419d7eef3e4377bdd8048df0df960c8ab84');
CREATE TABLE audit_head (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    sequence        INTEGER NOT NULL,
    hash            TEXT NOT NULL
);
INSERT INTO audit_head VALUES(1,16,'e3f9803841203fd5ddd2f7758bc95419d7eef3e4377bdd8048df0df960c8ab84');
CREATE TABLE IF NOT EXISTS "certificate_run" (
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
INSERT INTO certificate_run VALUES(1,1,'ecdsa',1,1795436880,1795436880,1,1795436880,1,'["AQID","BA=="]');
INSERT INTO certificate_run VALUES(2,1,'rsa',2,1795436880,1795472880,3,NULL,0,'["AQID","BA=="]');
INSERT INTO certificate_run VALUES(3,1,'ecdsa',4,1795454880,1795472880,2,NULL,0,'["AQID","BA=="]');
CREATE TABLE change (
    id              INTEGER PRIMARY KEY,
    time            INTEGER NOT NULL,
    actor           TEXT NOT NULL,
    login_user      TEXT,
    sudo_user       TEXT,
    command         TEXT NOT NULL,
    reason          TEXT
);
INSERT INTO change VALUES(1,1795435200,'root','alice','alice','init',NULL);
INSERT INTO change VALUES(2,1795435620,'root','alice','alice','domain add full.example --level secure',NULL);
INSERT INTO change VALUES(3,1795436040,'root','alice','alice','domain add a.example --level fingerprint',NULL);
INSERT INTO change VALUES(4,1795436460,'root','alice','alice','import table',NULL);
INSERT INTO change VALUES(5,1795436460,'root','alice','alice','domain remove gone.example','moved away');
INSERT INTO change VALUES(6,1795436880,'root','alice','alice','domain set none.example --level may','tried it');
INSERT INTO change VALUES(7,1795436880,'root','alice','alice','test',NULL);
INSERT INTO change VALUES(8,1795454880,'prober',NULL,NULL,'probe a.example','first-seen: because of FirstSeen');
INSERT INTO change VALUES(9,1795472880,'prober',NULL,NULL,'probe a.example','dane: because of Dane');
INSERT INTO change VALUES(10,1795472880,'root','alice','alice','store accept','restored a backup');
CREATE TABLE IF NOT EXISTS "destination" (
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
INSERT INTO destination VALUES(1,'full.example','full.example','secure','{"match":["nexthop",".partner.example"],"ciphers":"high","protocols":">=TLSv1.2","exclude":"aNULL:MD5","servername":"hostname","tafile":["/etc/ssl/one.pem","/etc/ssl/two.pem"],"connection_reuse":true,"enable_rpk":false,"tlsrpt":{"policy_type":"sts","policy_domain":"full.example","policy_string":["version: STSv1","mode: enforce"],"mx_host_pattern":["mx.full.example","*.full.example"]}}','locked',0,NULL,'the bank''s gateway, "Zürich" <&>');
INSERT INTO destination VALUES(2,'a.example','a.example','fingerprint','{"unreadable":true}','auto',0,NULL,NULL);
INSERT INTO destination VALUES(3,'b.example','b.example','fingerprint','{"unreadable":true}','assist',1,NULL,NULL);
INSERT INTO destination VALUES(4,'.example.org','.example.org','encrypt','{"unreadable":true}','assist',0,'["mx.example.org","mx2.example.org"]',NULL);
INSERT INTO destination VALUES(6,'tlsrpt.example','tlsrpt.example','may','{"unreadable":true}','assist',0,NULL,NULL);
INSERT INTO destination VALUES(7,'[mx.example.net]:587','mx.example.net','dane-only','{"unreadable":true}','assist',0,NULL,NULL);
INSERT INTO destination VALUES(8,'none.example','none.example','may','{"unreadable":true}','assist',0,NULL,NULL);
INSERT INTO destination VALUES(9,'x.example','x.example','fingerprint','{"unreadable":true}','assist',0,NULL,NULL);
INSERT INTO destination VALUES(10,'y.example','y.example','fingerprint','{"unreadable":true}','assist',1,NULL,NULL);
CREATE TABLE discovered (
    key             TEXT PRIMARY KEY,                    -- canonical next-hop destination
    used            INTEGER NOT NULL,                    -- when Postfix asked for it last
    protected       INTEGER NOT NULL CHECK (protected IN (0, 1)), -- a policy is kept, or an MX host has TLSA records
    renewal_due     INTEGER,                             -- when its policy is fetched again; null where none is in force
    renewal_until   INTEGER,                             -- whether mail asks or not: until then
    memory          TEXT NOT NULL                        -- JSON
);
CREATE TABLE discovery_notice (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL
);
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
, outcome TEXT, expected TEXT, seen TEXT, affects INTEGER NOT NULL DEFAULT 1, notified INTEGER, escalation INTEGER NOT NULL DEFAULT 0, recovered INTEGER, told_with INTEGER);
INSERT INTO finding VALUES(1,'new-key','a.example','what was seen','policyctl pin approve',1795454880,1795454880,1,1795472880,'pin-mismatch','["8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f"]','[{"mx_host":"mx1.example","target":"192.0.2.1:25","public_key":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","certificate":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","since":1728000000}]',1,NULL,0,NULL,NULL);
INSERT INTO finding VALUES(2,'pin-mismatch','a.example','what was seen','policyctl pin approve',1795454880,1795454880,1,1795472880,'pin-mismatch','["8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f"]','[{"mx_host":"mx1.example","target":"192.0.2.1:25","public_key":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","certificate":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","since":1728000000}]',1,NULL,0,NULL,NULL);
INSERT INTO finding VALUES(3,'pin-held','a.example','what was seen','policyctl pin approve',1795472880,1795472880,1,NULL,'pin-mismatch','["8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f"]','[{"mx_host":"mx1.example","target":"192.0.2.1:25","public_key":"dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2","certificate":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","since":1728000000}]',1,1795472880,1,NULL,NULL);
INSERT INTO finding VALUES(4,'resolver-not-validating','prober','does not pass','policyctl setup',1795472880,1795472880,1,NULL,NULL,NULL,NULL,1,NULL,0,NULL,NULL);
INSERT INTO finding VALUES(5,'near-miss','[a.example]','asked','do',1795472880,1795472880,1,NULL,NULL,NULL,NULL,1,NULL,0,NULL,NULL);
CREATE TABLE key_material (
    id          INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL,                          -- certificate or public-key
    sha256      TEXT NOT NULL,
    der         TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    UNIQUE (subject, sha256)
);
INSERT INTO key_material VALUES(1,'certificate','95ba288933436576574919e4beb4d489b1798e8e952117865403abaa79013be6','MIIBSDCB8KADAgECAgh9Tu7cS6SSVTAKBggqhkjOPQQDAjAWMRQwEgYDVQQDEwtteDAuZXhhbXBsZTAeFw0yNjA4MTUxMjAwMDBaFw0yNzAzMDMxMjAwMDBaMBYxFDASBgNVBAMTC214MC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHYNE39f3EG2lVDRlD9fUwi4j3W5/4BXAaKCeUAUeMzUovzHvTnHl7O+9ArD3NZGmMR5uZ09st6kevx/+I5BjKqMoMCYwFgYDVR0RBA8wDYILbXgwLmV4YW1wbGUwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNHADBEAiBuKg0fhX9WIQv9MCj7sSEGQp2SEJOY88gtWFxVEM0aWgIgM6CIaLveHoyP7ao6WoYj6hjr3GUgYyClEhz3c8Ey9fQ=',1795436880);
INSERT INTO key_material VALUES(2,'certificate','9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0','MIIC1jCCAb6gAwIBAgIIXOnAKeQMbY8wDQYJKoZIhvcNAQELBQAwFjEUMBIGA1UEAxMLbXgzLmV4YW1wbGUwHhcNMjYwODE1MTIwMDAwWhcNMjcwMzAzMTIwMDAwWjAWMRQwEgYDVQQDEwtteDMuZXhhbXBsZTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAOdel0XfgX1anFw8v3iCXH9ibkrnsTSLoHDvkdmHMtxfmftGMqAnDBBpjHDl/L2Ur2PKKIDOWxl6V2kBXmxbpc7E6B7rBX5IoJNZyIK6mlG1SY18zapzVdIUO0vKzWGG7XtKYNk5idx8cwQhZkxbZBdj+g251m4CXHSuohvUoViF+j9huQpj6eTc/aS6+p8uF8ZUEy9qDlIcZeWh0synKabHU/1S3Y3+oAE0Cxba6VXVdE67JSIIP/Lk7WpYApyEZ1X15KnsCUeMOwv4envtxOHqlP9YR9ql8k2G4FqRTeoI8suu8ZxLkhgJw9hxEH6TguVoMnTbe+nLQAbN8z2NE1sCAwEAAaMoMCYwFgYDVR0RBA8wDYILbXgzLmV4YW1wbGUwDAYDVR0TAQH/BAIwADANBgkqhkiG9w0BAQsFAAOCAQEAk6BpOvAHfu77WysswIdsxn+VYvAMCF29PWitru6cM7EKzZjBx5cFFttxUma1OLq57yWVJ89518fCbp7eKp/JEW6K/EmWmuDRH1QYRhQQzH2BkxeHknZ4KUglMi4GNat4etrF/rDZg83M0AyZO7g1Xi+Ww3JVo11YXXBS8izgBKt6S9LMEOOo9RpxmPchE8oZsGbLZmxkh8hlhhnm7eQDBdpLBDSenNLvrrCR0G6ScvW/9JIb0esNNCRhmshliI7oZGuY5ymiCcMjHOqB4jRf8hKTZ7my6hX4L+UK6ahAwBTrRHLqsQ/nBLooWfPFs6LumSmEKjbUrtuuc0oK6n3t9g==',1795436880);
INSERT INTO key_material VALUES(3,'public-key','8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f','MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHYNE39f3EG2lVDRlD9fUwi4j3W5/4BXAaKCeUAUeMzUovzHvTnHl7O+9ArD3NZGmMR5uZ09st6kevx/+I5BjKg==',1795436880);
INSERT INTO key_material VALUES(4,'certificate','fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620','MIIBSjCB8KADAgECAgghriDS1+RgpzAKBggqhkjOPQQDAjAWMRQwEgYDVQQDEwtteDEuZXhhbXBsZTAeFw0yNjA4MTUxMjAwMDBaFw0yNzAzMDMxMjAwMDBaMBYxFDASBgNVBAMTC214MS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoH7NgWGOrL863n42tBwKvCYXPsKajgDCjy4HgoOF3+9HqU20wlXnPZmATYPj7CrojH4y5sfcVBKPApdW4F4G+KMoMCYwFgYDVR0RBA8wDYILbXgxLmV4YW1wbGUwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNJADBGAiEAnrhv6/Be0wg9zni9jXE2rIT9R1wsT/uZydUE73MniSQCIQDAPb7iGP0NnS9cpds5gYtTxO8UP0gheV9qy1VDhzKwPg==',1795454880);
INSERT INTO key_material VALUES(5,'public-key','dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2','MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoH7NgWGOrL863n42tBwKvCYXPsKajgDCjy4HgoOF3+9HqU20wlXnPZmATYPj7CrojH4y5sfcVBKPApdW4F4G+A==',1795454880);
CREATE TABLE mx_target (
    destination_id  INTEGER NOT NULL REFERENCES probe_state (destination_id) ON DELETE CASCADE,
    mx_host         TEXT NOT NULL,
    probe_target_id INTEGER NOT NULL REFERENCES probe_target (id) ON DELETE CASCADE,
    last_listed     INTEGER,                             -- null while the last lookup that worked names it
    PRIMARY KEY (destination_id, mx_host, probe_target_id)
);
INSERT INTO mx_target VALUES(2,'mx1.example',1,NULL);
CREATE TABLE new_key (
    mx_host         TEXT NOT NULL,
    since           INTEGER NOT NULL,
    PRIMARY KEY (mx_host, since)
);
INSERT INTO new_key VALUES('mx1.example',1795472880);
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
INSERT INTO observation VALUES(1,1,1795436880,'secured','quit','in its words',NULL,'[{"certificate_fingerprint":"95ba288933436576574919e4beb4d489b1798e8e952117865403abaa79013be6","algorithm":"ecdsa","chain":"trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"},{"certificate_fingerprint":"9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0","algorithm":"rsa","chain":"not-trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"}]',NULL,NULL);
INSERT INTO observation VALUES(2,1,1795454880,'secured','quit','in its words',NULL,'[{"certificate_fingerprint":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","algorithm":"ecdsa","chain":"not-trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"},{"certificate_fingerprint":"9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0","algorithm":"rsa","chain":"not-trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"}]',NULL,NULL);
INSERT INTO observation VALUES(3,2,1795454880,'timeout','greeting','in its words',450,NULL,'{"connect":12}','["S: 220 hello","C: QUIT"]');
INSERT INTO observation VALUES(4,1,1795472880,'secured','quit','in its words',NULL,'[{"certificate_fingerprint":"fb51ce1712dce4d626b76fee6c6bff51c216b0f057f4f805c7a4ffc1277bb620","algorithm":"ecdsa","chain":"not-trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"},{"certificate_fingerprint":"9eb91190ccd4dbbcb11cd50ee6863ac24f6b29567fff072227828a372c975dd0","algorithm":"rsa","chain":"not-trusted","chain_detail":"self-signed","tls_version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"}]','{"connect":12}','["S: 220 hello","C: QUIT"]');
CREATE TABLE IF NOT EXISTS "pin" (
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
INSERT INTO pin VALUES(1,2,0,'8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f','public-key','active','person',1728000000,3);
INSERT INTO pin VALUES(2,2,1,'32e218ee9174a3ecdf673c0ac0008671283c14bec909084a5ed0359b4b310b11','public-key','rejected','person',1728000000,NULL);
INSERT INTO pin VALUES(3,3,0,'c092cd7a8b615c05017417cd35bbc5b9bd55afa5','public-key','active','person',1728000000,NULL);
INSERT INTO pin VALUES(5,2,2,'dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2','public-key','active','dane',1795472880,5);
INSERT INTO pin VALUES(6,9,0,'dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2','public-key','active','person',1000,5);
INSERT INTO pin VALUES(7,10,0,'dabce2671005daba2ff6e4eaabec32eaa277d73b9266467a02696de5c48fddc2','public-key','active','person',1000,5);
CREATE TABLE IF NOT EXISTS "probe_state" (
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
INSERT INTO probe_state VALUES(2,1795472880,1795559280,'degraded',1795472880,'secured',NULL,'{"next_hop":"a.example","port":25,"mx_dnssec":"secure","host_is_given":false,"is_implicit":false,"hosts":[{"name":"mx1.example","preference":10,"addresses":["192.0.2.1"],"address_dnssec":"secure","address_outcome":"secured","tlsa_base":"mx1.example","tlsa":["3 1 1 8957cafedfac075365f0d4d0bc067bdb3b660707fe25314cee0596dd7fe3648f"],"tlsa_dnssec":"insecure","tlsa_failed":false}]}',1795472880,1795472880,1795386480,1,'["mx1.example"]');
CREATE TABLE probe_target (
    id                 INTEGER PRIMARY KEY,
    name               TEXT NOT NULL UNIQUE,             -- 192.0.2.1:25, with /name where SNI is sent
    version            INTEGER NOT NULL,                 -- counts what was written, so that a copy in memory can be checked
    last_attempt       INTEGER,
    last_outcome       TEXT,
    failures           INTEGER NOT NULL DEFAULT 0,       -- attempts in a row that said nothing about the server
    offered_starttls   INTEGER NOT NULL DEFAULT 0 CHECK (offered_starttls IN (0, 1)),
    both_algorithms_at INTEGER
, last_dialogue TEXT);
INSERT INTO probe_target VALUES(1,'192.0.2.1:25',3,1795472880,'secured',0,1,1795472880,'{"at":1795472880,"stage":"quit","negotiated":"ecdsa","tls_version":"TLSv1.3"}');
INSERT INTO probe_target VALUES(2,'192.0.2.2:25',1,1795454880,'timeout',1,0,NULL,NULL);
CREATE TABLE schema_version (
    version         INTEGER PRIMARY KEY,
    readable_from   INTEGER NOT NULL,
    writable_from   INTEGER NOT NULL
);
INSERT INTO schema_version VALUES(3,3,3);
INSERT INTO schema_version VALUES(4,3,3);
INSERT INTO schema_version VALUES(5,3,3);
INSERT INTO schema_version VALUES(6,3,3);
INSERT INTO schema_version VALUES(7,3,3);
CREATE TABLE store (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    store_id    TEXT NOT NULL,
    created     INTEGER NOT NULL
);
INSERT INTO store VALUES(1,'032d088521ef449aabdb32fb7be7a954',1795435200);
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
CREATE TABLE alert_delivery (
    finding_id      INTEGER NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    channel         TEXT NOT NULL,
    event           TEXT NOT NULL,
    escalation      INTEGER NOT NULL,
    PRIMARY KEY (finding_id, channel, event, escalation)
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
CREATE UNIQUE INDEX finding_open ON finding (kind, subject) WHERE closed IS NULL;
CREATE INDEX observation_target ON observation (probe_target_id);
CREATE INDEX finding_subject ON finding (subject) WHERE closed IS NULL;
CREATE INDEX finding_unrecovered ON finding (closed) WHERE closed IS NOT NULL AND notified IS NOT NULL AND recovered IS NULL;
CREATE TRIGGER audit_begins_with_1 BEFORE INSERT ON audit WHEN NEW.sequence < 1
BEGIN SELECT RAISE(ABORT, 'the audit log begins with row 1'); END;
CREATE INDEX new_key_since ON new_key (since);
CREATE INDEX certificate_run_target ON certificate_run (probe_target_id, algorithm);
CREATE INDEX certificate_run_key_material ON certificate_run (key_material_id);
CREATE INDEX destination_host ON destination (host);
CREATE INDEX destination_probed ON destination (id) WHERE level <> 'none';
CREATE INDEX pin_key_material ON pin (key_material_id) WHERE key_material_id IS NOT NULL;
CREATE INDEX pin_served ON pin (destination_id) WHERE state IN ('standby', 'active', 'retiring');
CREATE INDEX probe_state_due ON probe_state (next_due);
CREATE INDEX mx_target_target ON mx_target (probe_target_id);
CREATE INDEX discovered_renewal ON discovered (renewal_due) WHERE renewal_due IS NOT NULL;
CREATE INDEX discovered_protected ON discovered (key) WHERE protected = 1;
CREATE INDEX discovered_used ON discovered (used) WHERE protected = 0;
CREATE INDEX verdict_change_key ON verdict_change (key, id);
CREATE TRIGGER audit_follows BEFORE INSERT ON audit WHEN NEW.previous_hash <> (SELECT hash FROM audit WHERE sequence = NEW.sequence - 1)
BEGIN SELECT RAISE(ABORT, 'a row of the audit log follows the one before it'); END;
COMMIT;
PRAGMA application_id=1349479492;
PRAGMA user_version=7;
