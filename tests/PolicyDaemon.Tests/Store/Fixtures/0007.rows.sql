-- A candidate, one that was a candidate to its end, and one that a person once trusted at first sight: all tofu to that version.
INSERT INTO pin VALUES(11,3,1,'1111111111111111111111111111111111111111111111111111111111111111','public-key','candidate','tofu',1795472880,NULL);
INSERT INTO pin VALUES(12,3,2,'2222222222222222222222222222222222222222222222222222222222222222','public-key','retired','tofu',1795472880,NULL);
INSERT INTO pin VALUES(13,3,3,'3333333333333333333333333333333333333333333333333333333333333333','public-key','retired','tofu',1795472880,NULL);
INSERT INTO audit SELECT 17, 10, 'change', 'b.example', NULL, NULL, NULL, NULL,
    '{"at":1795472880,"transitions":[{"fingerprint":"2222222222222222222222222222222222222222222222222222222222222222","from":"candidate","to":"retired","rule":"expired","reason":"not seen"},{"fingerprint":"3333333333333333333333333333333333333333333333333333333333333333","from":"retiring","to":"retired","rule":"unseen","reason":"not seen"}]}',
    hash, '0000000000000000000000000000000000000000000000000000000000000017' FROM audit WHERE sequence = 16;
-- Two that a person trusted at first sight, and that were retired, seen again and, one of them, a candidate to its end after that.
INSERT INTO pin VALUES(14,3,4,'4444444444444444444444444444444444444444444444444444444444444444','public-key','candidate','tofu',1795472880,NULL);
INSERT INTO pin VALUES(15,3,5,'5555555555555555555555555555555555555555555555555555555555555555','public-key','retired','tofu',1795472880,NULL);
INSERT INTO audit SELECT 18, 10, 'change', 'b.example', NULL,
    '{"key":"b.example","level":"fingerprint","mode":"assist","pins":[{"fingerprint":"4444444444444444444444444444444444444444444444444444444444444444","subject":"public-key","state":"active","strength":"tofu","since":1795472880},{"fingerprint":"5555555555555555555555555555555555555555555555555555555555555555","subject":"unknown","state":"retiring","strength":"tofu","since":1795472880},{"fingerprint":"1111111111111111111111111111111111111111111111111111111111111111","subject":"public-key","state":"candidate","strength":"tofu","since":1795472880}]}',
    NULL, NULL, NULL, hash, '0000000000000000000000000000000000000000000000000000000000000018' FROM audit WHERE sequence = 17;
INSERT INTO audit SELECT 19, 10, 'change', 'b.example', NULL, NULL, NULL, NULL,
    '{"at":1795472880,"transitions":[{"fingerprint":"5555555555555555555555555555555555555555555555555555555555555555","from":"candidate","to":"retired","rule":"expired","reason":"not seen"}]}',
    hash, '0000000000000000000000000000000000000000000000000000000000000019' FROM audit WHERE sequence = 18;
-- What the last row of the log says of them all.
INSERT INTO audit SELECT 20, 10, 'change', 'b.example', NULL,
    '{"key":"b.example","level":"fingerprint","mode":"assist","observe":true,"pins":[{"fingerprint":"c092cd7a8b615c05017417cd35bbc5b9bd55afa5","subject":"public-key","state":"active","strength":"person","since":1728000000},{"fingerprint":"1111111111111111111111111111111111111111111111111111111111111111","subject":"public-key","state":"candidate","strength":"tofu","since":1795472880},{"fingerprint":"2222222222222222222222222222222222222222222222222222222222222222","subject":"public-key","state":"retired","strength":"tofu","since":1795472880},{"fingerprint":"3333333333333333333333333333333333333333333333333333333333333333","subject":"public-key","state":"retired","strength":"tofu","since":1795472880},{"fingerprint":"4444444444444444444444444444444444444444444444444444444444444444","subject":"public-key","state":"candidate","strength":"tofu","since":1795472880},{"fingerprint":"5555555555555555555555555555555555555555555555555555555555555555","subject":"public-key","state":"retired","strength":"tofu","since":1795472880}]}',
    NULL, NULL, NULL, hash, '0000000000000000000000000000000000000000000000000000000000000020' FROM audit WHERE sequence = 19;
UPDATE finding SET told_with = id WHERE id = (SELECT min(id) FROM finding);
INSERT INTO alert_delivery SELECT min(id), 'webhook', 'opened', 0 FROM finding;
